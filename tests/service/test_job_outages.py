"""Jobs whose end meets a database or a Redis that is just restarting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from arq.constants import in_progress_key_prefix
from redis.exceptions import ConnectionError as RedisConnectionError

from doorstep.core import db as core_db
from doorstep.core import outbox
from doorstep.core import redis as core_redis
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.jobs import Job, executor, job, queue_worker, registry
from doorstep.core.jobs.queue_worker import QueueWorker
from doorstep.core.outbox import lease

pytestmark = pytest.mark.usefixtures("db", "redis")


@pytest.fixture(autouse=True)
def known_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Job]]:
    """Only the jobs that a test registers exist in it."""
    jobs: dict[str, Job] = {}
    monkeypatch.setattr(registry, "_jobs", jobs)
    yield jobs


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    yield
    await core_redis.stop()


class Restarting:
    """Stands for a statement of the lease: out of reach a few times, then itself again."""

    def __init__(self, real: Any, outages: int) -> None:
        self._real = real
        self.outages = outages

    async def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.outages:
            self.outages -= 1
            raise DatabaseUnavailable("the database system is starting up")
        return await self._real(*arguments, **named)


@pytest.mark.parametrize(
    ("statement", "outcome"), [("finish", "done"), ("fail", "failed")], ids=["done", "failed"]
)
async def test_the_end_of_a_run_is_recorded_once_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch, statement: str, outcome: str
) -> None:
    @job("test.long", timeout=60)
    async def long(payload: dict[str, Any]) -> None:
        if statement == "fail":
            raise DatabaseUnavailable("connection was closed in the middle of operation")

    monkeypatch.setattr(executor, "PAUSES", (0.01, 0.01))
    restarting = Restarting(getattr(lease, statement), outages=2)
    monkeypatch.setattr(lease, statement, restarting)
    await outbox.add("test.long", {})
    (claimed,) = await lease.claim(1)

    assert await executor.execute(claimed.id, claimed.runs, claimed.kind) == outcome

    assert restarting.outages == 0
    row = await core_db.one("SELECT done_at, claimed_until, next_at - now() AS wait FROM outbox")
    assert row["claimed_until"] is None  # Nobody waits for the minute of its lease.
    assert (row["done_at"] is not None) == (outcome == "done")
    assert row["wait"].total_seconds() < 2


async def test_jobs_that_redis_could_not_be_told_of_do_not_hold_up_their_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lost(_worker: QueueWorker, _name: str, _score: int) -> None:
        raise RedisConnectionError("Connection lost.")

    monkeypatch.setattr(QueueWorker, "run_job", lost)
    client = queue_worker.connect()
    try:
        worker = QueueWorker("default", client, "test")
        for number in range(20):
            worker._start(f"job-{number}", 0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (worker.job_counter, worker.tasks) == (0, {})
        await worker._poll_iteration()
    finally:
        await client.aclose(close_connection_pool=True)


async def test_who_took_a_job_and_died_before_it_began_holds_it_up_no_longer_than_the_relay(
    known_jobs: dict[str, Job],
) -> None:
    @job("test.hours", timeout=3600)
    async def hours(payload: dict[str, Any]) -> None: ...

    await outbox.add("test.hours", {})
    claimed = await lease.claim(1)
    client = queue_worker.connect()
    try:
        await queue_worker.push(client, {"default": claimed})
        dead = QueueWorker("default", client, "dead")
        name = f"{claimed[0].id}:{claimed[0].runs}"
        assert [taken for taken, _ in await dead._take([name])] == [name]
        left = await client.pttl(f"{in_progress_key_prefix}{name}")
        assert 0 < left <= lease.QUEUED.total_seconds() * 1000
    finally:
        await client.aclose(close_connection_pool=True)
