"""One whole Doorstep for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.whole_stack import WholeStack, whole_stack


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeStack]:
    """API, worker and sandbox on servers of their own, started once."""
    async with whole_stack(tmp_path_factory.mktemp("whole"), fsync=False) as running:
        yield running
