"""What tests of several services share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorstep.core import redis as core_redis
from doorstep.core.actor import Actor
from doorstep.core.outbox import bell
from tests.factories.care import reacting
from tests.factories.company import Company, open_company
from tests.factories.road import REACTIONS, Road, make_road, make_technician


@pytest.fixture
async def company(db: object, redis: object, tmp_path: Path) -> AsyncIterator[Company]:
    """A whole company with its people, doors and pretend outside world."""
    async with open_company(tmp_path) as opened:
        yield opened


@pytest.fixture
async def road(db: object) -> AsyncIterator[Road]:
    """A company on the road, with the reactions of transport and installation bound."""
    with reacting(REACTIONS):
        yield await make_road()
    await bell.rest()
    await core_redis.stop()


@pytest.fixture
async def technician(road: Road) -> Actor:
    """A technician of the road's channel who always works."""
    return await make_technician(road)
