"""One whole Doorstep for the tests of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.support.whole_stack import WholeStack, whole_stack


@pytest.fixture(scope="session")
async def _whole(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeStack]:
    async with whole_stack(tmp_path_factory.mktemp("whole"), fsync=False) as running:
        yield running


@pytest.fixture
async def stack(_whole: WholeStack) -> WholeStack:
    """API, worker and sandbox on servers of their own, started once.

    Every test enrols the same people from the same address: what the rate limits remember of the
    test before is forgotten, as anything in Redis may be.
    """
    async with Redis(unix_socket_path=str(_whole.embedded.redis.socket)) as client:
        await client.flushall()
    return _whole
