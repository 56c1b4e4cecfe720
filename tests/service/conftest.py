"""What tests of several services share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from doorstep.core import redis as core_redis
from doorstep.core.actor import Actor
from doorstep.core.outbox import bell
from tests.factories.care import Travelling, reacting
from tests.factories.company import Company, open_company
from tests.factories.messages import Providers, carrying, quiet_order
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


@pytest.fixture
async def told_of(db: object) -> Travelling:
    """An order that messages are written about; its own jobs are done."""
    return await quiet_order()


@pytest.fixture
async def providers(told_of: Travelling) -> AsyncIterator[Providers]:
    """Providers of messages whose fate the test decides, with every job bound."""
    messenger = Providers()
    with carrying(messenger):
        yield messenger
