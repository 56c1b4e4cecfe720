"""Jobs: from the outbox through the relay, Redis and arq to the function, and again and again."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from doorstep import worker as worker_module
from doorstep.core import db as core_db
from doorstep.core import outbox
from doorstep.core import redis as core_redis
from doorstep.core.jobs import Job, find, job, queue_worker, recurring, registry
from doorstep.core.jobs.queue_worker import QueueWorker
from doorstep.core.jobs.relay import POLL, Relay
from doorstep.core.jobs.ticks import tick
from tests.support.worker import all_ended, run_due, until

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


@asynccontextmanager
async def working(*queues: str) -> AsyncIterator[list[QueueWorker]]:
    """A whole worker in this process, on the test's own database pool."""
    client = queue_worker.connect()
    workers = [QueueWorker(queue, client, "test") for queue in queues]
    stop = asyncio.Event()
    running = asyncio.create_task(worker_module._work(workers, Relay(client), stop.wait))
    try:
        yield workers
    finally:
        stop.set()
        await running
        await client.aclose(close_connection_pool=True)


async def test_the_worker_loads_every_module_that_registers_something() -> None:
    registering = re.compile(
        r"^@(jobs\.)?(job|recurring)\(|^@inbox\.handler\(|^    register\(_name, CaptureType",
        re.MULTILINE,
    )
    root = Path(worker_module.__file__).parent
    found = {
        ".".join(("doorstep", *path.relative_to(root).with_suffix("").parts))
        for path in root.rglob("*.py")
        if registering.search(path.read_text())
    }
    assert found | {"doorstep.core.inbox"} == set(worker_module.JOB_MODULES)


async def test_two_jobs_of_one_name_are_refused() -> None:
    @job("probe.run")
    async def first(payload: dict[str, Any]) -> None:
        pass

    with pytest.raises(ValueError, match=r"probe\.run"):

        @job("probe.run")
        async def second(payload: dict[str, Any]) -> None:
            pass

    assert find("probe.run") is not None


async def test_rows_travel_through_arq_and_run_once() -> None:
    ran: Counter[int] = Counter()

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        ran[payload["n"]] += 1

    @job("probe.money", queue="money")
    async def money(payload: dict[str, Any]) -> None:
        ran[-1] += 1

    async with working("default", "money"):
        await outbox.add_many([outbox.Addition("probe.run", {"n": n}) for n in range(300)])
        await outbox.add("probe.money", {})
        await until(all_ended)
    assert ran == dict.fromkeys(range(-1, 300), 1)
    assert await core_db.value("SELECT max(runs) FROM outbox") == 1


async def test_a_queue_nobody_runs_keeps_its_rows_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("doorstep.core.jobs.relay.FULL", 10)
    monkeypatch.setattr("doorstep.core.jobs.relay.BATCH", 10)

    @job("probe.money", queue="money")
    async def money(payload: dict[str, Any]) -> None:
        pass

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        pass

    await outbox.add_many([outbox.Addition("probe.money", {}) for _ in range(50)])
    await outbox.add("probe.run", {})

    async def other_ran() -> bool:
        return bool(
            await core_db.value("SELECT done_at FROM outbox WHERE kind = 'probe.run'") is not None
        )

    async with working("default"):
        await until(other_ran)
    claimed = await core_db.value("SELECT count(*) FROM outbox WHERE claimed_until IS NOT NULL")
    assert claimed == 10


async def test_more_jobs_than_slots_all_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_worker, "MAX_JOBS", 3)
    most = running = 0

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        nonlocal most, running
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1

    await outbox.add_many([outbox.Addition("probe.run", {}) for _ in range(30)])
    async with working("default"):
        await until(all_ended)
    assert most == 3


async def test_draining_lets_a_running_job_finish_and_gives_a_late_one_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_module, "DRAIN_SECONDS", 0.3)
    started: list[str] = []

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        started.append(payload["name"])
        await asyncio.sleep(payload["seconds"])

    async def both_run() -> bool:
        return len(started) == 2

    await outbox.add("probe.run", {"name": "quick", "seconds": 0.1})
    await outbox.add("probe.run", {"name": "slow", "seconds": 10})
    async with working("default"):
        await until(both_run)
    rows = await core_db.rows("SELECT payload->>'name' AS name, * FROM outbox")
    by_name = {row["name"]: row for row in rows}
    assert by_name["quick"]["done_at"] is not None
    slow = by_name["slow"]
    assert (slow["done_at"], slow["attempts"], slow["claimed_until"]) == (None, 0, None)


async def test_flushed_redis_loses_nothing(redis: Redis) -> None:
    ran: Counter[int] = Counter()

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        ran[payload["n"]] += 1
        await asyncio.sleep(0.02)

    async with working("default"):
        await outbox.add_many([outbox.Addition("probe.run", {"n": n}) for n in range(100)])
        for _ in range(3):
            await asyncio.sleep(0.02)
            await redis.flushdb()
        # What was queued and forgotten is offered again when its lease is over.
        await core_db.execute("UPDATE outbox SET claimed_until = NULL WHERE runs = 0")
        await until(all_ended)
    assert ran == dict.fromkeys(range(100), 1)


async def test_a_job_that_ends_its_worker_each_time_becomes_a_dead_letter() -> None:
    @job("probe.run", attempts=2)
    async def probe(payload: dict[str, Any]) -> None:
        raise AssertionError("not run again")

    await outbox.add("probe.run", {})
    await core_db.execute("UPDATE outbox SET runs = 2, attempts = 2")
    async with working("default"):
        await until(all_ended)
    row = await core_db.one("SELECT * FROM outbox")
    assert row["last_error"] == "Each attempt ended with its worker."


async def test_a_worker_shows_that_it_is_alive() -> None:
    async def shown() -> bool:
        return await queue_worker.workers_alive() == ["default:test"]

    async with working("default"):
        await until(shown)
    assert await queue_worker.workers_alive() == []


async def test_messages_are_json(redis: Redis) -> None:
    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        pass

    client = queue_worker.connect()
    await outbox.add("probe.run", {})
    await Relay(client).turn()
    await client.aclose(close_connection_pool=True)
    (key,) = [key async for key in redis.scan_iter(match="arq:job:*")]
    assert (await redis.get(key)).startswith(b'{"t":null,"f":"run","a":[')


async def test_ticks_are_made_one_at_a_time_and_on_their_grid(clock: Any) -> None:
    due: list[datetime] = []

    @recurring("probe.sweep", every=60)
    async def sweep(payload: dict[str, Any]) -> None:
        due.append(datetime.fromisoformat(payload["due_at"]))

    assert await tick() == pytest.approx(60, abs=1)
    await asyncio.gather(*(tick() for _ in range(5)))
    clock.advance(timedelta(seconds=61))
    # The tick before has not run yet: no second one is made beside it.
    await asyncio.gather(*(tick() for _ in range(5)))
    assert await run_due() == [("probe.sweep", "done")]
    await asyncio.gather(*(tick() for _ in range(5)))
    assert await run_due() == [("probe.sweep", "done")]
    clock.advance(timedelta(hours=3, seconds=20))
    # Three hours without a worker: one late tick, then on the old grid.
    await tick()
    await tick()
    assert await run_due() == [("probe.sweep", "done")]
    first, second, third = due
    assert second - first == third - second == timedelta(seconds=60)
    upcoming = await core_db.value("SELECT next_at FROM recurring_job")
    assert (upcoming - first).total_seconds() % 60 == pytest.approx(0)


async def test_a_recurring_job_that_died_is_made_again(clock: Any) -> None:
    @recurring("probe.sweep", every=60, attempts=1)
    async def sweep(payload: dict[str, Any]) -> None:
        raise ValueError("not today")

    await tick()
    assert await run_due() == [("probe.sweep", "dead")]
    clock.advance(timedelta(seconds=61))
    await tick()
    assert await run_due() == [("probe.sweep", "dead")]


async def test_a_tick_that_died_is_no_dead_letter_any_more_once_a_later_one_is_done(
    clock: Any,
) -> None:
    away = True

    @recurring("probe.sweep", every=60, attempts=1)
    async def sweep(payload: dict[str, Any]) -> None:
        if away:
            raise ValueError("not today")

    for _ in range(2):
        await tick()
        assert ("probe.sweep", "dead") in await run_due()
        clock.advance(timedelta(seconds=61))
    assert [letter.kind for letter in await outbox.dead_letters()] == ["probe.sweep"] * 2
    away = False
    await tick()
    assert ("probe.sweep", "done") in await run_due()
    assert await outbox.dead_letters() == []


def test_a_tick_is_tried_for_as_long_as_it_is_the_newest() -> None:
    tries = {every: registry.attempts_within(every) for every in (1, 15, 60, 3600, 86_400)}
    assert tries == {1: 3, 15: 4, 60: 5, 3600: 9, 86_400: 11}


async def test_recurring_jobs_run_in_a_worker() -> None:
    ran = 0

    @recurring("probe.sweep", every=1)
    async def sweep(payload: dict[str, Any]) -> None:
        nonlocal ran
        ran += 1

    async def twice() -> bool:
        return ran >= 2

    async with working("default"):
        await until(twice)


async def test_a_job_starts_milliseconds_after_its_commit() -> None:
    started: list[float] = []
    arrived = asyncio.Event()

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        started.append(time.perf_counter())
        arrived.set()

    waits: list[float] = []
    async with working("default"):
        await asyncio.sleep(0.2)
        for _ in range(60):
            arrived.clear()
            async with core_db.unit_of_work():
                await outbox.add("probe.run", {})
            committed = time.perf_counter()
            await arrived.wait()
            waits.append((started[-1] - committed) * 1000)
            await asyncio.sleep(0.01)
    median, worst = statistics.median(waits), sorted(waits)[-2]
    print(f"commit → start: p50 {median:.1f} ms, p97 {worst:.1f} ms")
    # By the bell, and not by the poll.
    assert median < POLL * 1000 / 10
