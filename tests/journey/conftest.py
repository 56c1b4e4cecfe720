"""The company that orders travel through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.factories.company import Company, open_company


@pytest.fixture
async def company(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Company]:
    """Everybody signed in, every reaction and job bound, the bank and the messenger doubles."""
    async with open_company(tmp_path) as opened:
        yield opened
