"""Rate limits: exact across processes, and what they do without Redis."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from doorstep.core import limits
from doorstep.core import redis as core_redis
from doorstep.core.limits import Bucket, Limiter, LimitsUnavailable, TooManyRequests

SLOW = "slow"
"""A class of this test: 20 at once, then practically none."""

PROCESSES, ATTEMPTS = 3, 40


@pytest.fixture(autouse=True)
async def _classes(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setitem(limits.CLASSES, SLOW, Bucket(burst=20, per_minute=0.6))
    monkeypatch.setitem(limits.CLASSES, "quick", Bucket(burst=1, per_minute=600))
    yield
    await core_redis.stop()


async def takes(limiter: Limiter, name: str, identity: str, attempts: int) -> int:
    results = await asyncio.gather(
        *(limiter.take(name, identity) for _ in range(attempts)), return_exceptions=True
    )
    assert all(one is None or isinstance(one, TooManyRequests) for one in results)
    return sum(one is None for one in results)


SCRIPT = f"""
import asyncio
from doorstep.core import limits, redis
from doorstep.core.limits import Bucket
limits.CLASSES["{SLOW}"] = Bucket(burst=20, per_minute=0.6)
async def main():
    async def one():
        try:
            await limits.take("{SLOW}", "everybody")
        except limits.TooManyRequests:
            return 0
        return 1
    print(sum(await asyncio.gather(*(one() for _ in range({ATTEMPTS})))))
    await redis.stop()
asyncio.run(main())
"""


async def test_several_processes_together_get_what_one_would(redis: Redis, worker: object) -> None:
    environment = {**os.environ, "PYTHONPATH": "backend", "REDIS_TIMEOUT": "5"}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", SCRIPT, env=environment, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(PROCESSES)
    ]
    allowed = [int((await process.communicate())[0]) for process in processes]
    assert sum(allowed) == 20


class TestWithRedis:
    async def test_each_class_and_identity_has_its_own_count(self, redis: Redis) -> None:
        limiter = Limiter()
        assert await takes(limiter, SLOW, "a", 25) == 20
        assert await takes(limiter, SLOW, "b", 5) == 5
        assert await takes(limiter, "link", "a", 5) == 5

    async def test_a_refusal_says_when_to_come_again(self, redis: Redis) -> None:
        limiter = Limiter()
        await takes(limiter, SLOW, "a", 20)
        with pytest.raises(TooManyRequests) as refused:
            await limiter.take(SLOW, "a")
        assert 90 <= int(refused.value.headers["Retry-After"]) <= 101

    async def test_tokens_come_back_with_time(self, redis: Redis) -> None:
        limiter = Limiter()
        assert await takes(limiter, "quick", "a", 3) == 1
        await asyncio.sleep(0.15)
        assert await takes(limiter, "quick", "a", 3) == 1

    async def test_redis_learns_no_identity_and_forgets_full_buckets(self, redis: Redis) -> None:
        await Limiter().take("login", "sara@example.com")
        (key,) = await redis.keys("limit:*")
        assert b"sara" not in key
        assert 0 < await redis.pttl(key) <= 13_100

    async def test_emptied_and_with_its_scripts_forgotten_it_goes_on(self, redis: Redis) -> None:
        limiter = Limiter()
        await limiter.take(SLOW, "a")
        await redis.flushdb()
        await redis.script_flush()
        assert await takes(limiter, SLOW, "a", 25) == 20


class TestWithoutRedis:
    @pytest.fixture
    async def stalled(self) -> AsyncIterator[Limiter]:
        """Limits whose Redis takes connections and never answers."""
        opened: list[asyncio.StreamWriter] = []

        async def never_answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            opened.append(writer)

        server = await asyncio.start_server(never_answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client: Redis = Redis(port=port, socket_timeout=0.2, socket_connect_timeout=0.2)
        yield Limiter(lambda: client)
        await client.aclose()
        for writer in opened:
            writer.close()
        server.close()

    @pytest.fixture
    async def gone(self) -> AsyncIterator[Limiter]:
        """Limits whose Redis refuses connections."""
        client: Redis = Redis(port=1, socket_timeout=0.2, socket_connect_timeout=0.2)
        yield Limiter(lambda: client)
        await client.aclose()

    @pytest.mark.parametrize("name", ["sign_in", "login", "device_pin", "enrol", "otp"])
    async def test_nobody_may_guess_uncounted(self, gone: Limiter, name: str) -> None:
        with pytest.raises(LimitsUnavailable) as refused:
            await gone.take(name, "a")
        assert refused.value.status == 503
        assert int(refused.value.headers["Retry-After"]) > 0

    @pytest.mark.parametrize("name", ["refresh", "link", "hook", "upload"])
    async def test_everything_else_goes_on(self, gone: Limiter, name: str) -> None:
        await gone.take(name, "a")

    async def test_a_stalled_redis_costs_its_time_out_once_not_each_time(
        self, stalled: Limiter
    ) -> None:
        began = time.perf_counter()
        for _ in range(200):
            await stalled.take("link", "a")
        assert time.perf_counter() - began < 1

    async def test_it_notices_that_redis_is_back(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("doorstep.core.limits._Breaker.FIRST_PAUSE", 0.05)
        gone: Redis = Redis(port=1, socket_connect_timeout=0.2)
        clients = [gone]
        limiter = Limiter(lambda: clients[-1])
        with pytest.raises(LimitsUnavailable):
            await limiter.take("otp", "a")
        clients.append(redis)
        await asyncio.sleep(0.1)
        await limiter.take("otp", "a")
        await gone.aclose()
