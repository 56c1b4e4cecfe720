"""Real worker processes on servers of their own, killed, stopped, emptied and restarted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any

import psutil
import pytest

from doorstep import settings
from doorstep import worker as worker_module
from doorstep.core import db as core_db
from doorstep.core import db_engine, jobs, outbox
from doorstep.core import redis as core_redis
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.embedded import EmbeddedStack
from doorstep.core.jobs.queue_worker import workers_alive
from doorstep.core.jobs.relay import POLL
from doorstep.migrations.run import migrate
from tests.support import probe_jobs
from tests.support.worker import until, worker_process

pytestmark = pytest.mark.chaos

PROBES = ("tests.support.probe_jobs",)

PAYLOADS: dict[str, dict[str, Any]] = {
    "probe.effect": {"n": 1},
    "probe.started": {"n": 1},
    "probe.slow": {"n": 1, "seconds": 0},
}
"""What a job needs to get further than reading its payload; all others get an empty one."""

ENDS_ITS_WORKER = {"probe.kill"}


class Servers:
    """One cluster with durable commits and one Redis, and this process connected to them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = EmbeddedStack(folder)
        self.environment = {
            "DATABASE_URL": self.stack.postgres.url(),
            "REDIS_URL": self.stack.redis.url(),
            "BLOB_URL": f"file://{folder}/blobs",
            "LOG_JSON": "true",
        }

    @property
    def log(self) -> Path:
        return self.folder / "worker.log"

    def worker(self, *queues: str) -> AbstractContextManager[Popen[bytes]]:
        return worker_process(*queues, log=self.log, modules=PROBES, **self.environment)


@pytest.fixture(scope="module")
async def servers(worker: Any, db: Any, tmp_path_factory: Any) -> AsyncIterator[Servers]:
    mine = Servers(tmp_path_factory.mktemp("chaos"))
    await asyncio.to_thread(mine.stack.start)
    await db_engine.stop()
    await core_redis.stop()
    before = {name: os.environ.get(name) for name in mine.environment}
    os.environ.update(mine.environment)
    settings.reload()
    try:
        await migrate(mine.environment["DATABASE_URL"])
        await db_engine.start(mine.environment["DATABASE_URL"], pool_size=4)
        await core_db.execute(probe_jobs.TABLE)
        yield mine
    finally:
        await core_redis.stop()
        await db_engine.stop()
        await asyncio.to_thread(mine.stack.remove)
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        settings.reload()
        await db_engine.start(worker.database_url, pool_size=10)


@pytest.fixture(autouse=True)
async def emptied(servers: Servers) -> None:
    await core_db.execute("DELETE FROM outbox; DELETE FROM recurring_job; DELETE FROM probe_effect")
    await core_redis.client().flushdb()
    servers.log.write_bytes(b"")


@pytest.fixture
def one_worker(servers: Servers) -> Iterator[Popen[bytes]]:
    with servers.worker() as process:
        yield process


async def add(kind: str, count: int, **payload: Any) -> None:
    await outbox.add_many([outbox.Addition(kind, {"n": n, **payload}) for n in range(count)])


async def effects(kind: str) -> Counter[int]:
    rows = await core_db.rows("SELECT n FROM probe_effect WHERE kind = $1", kind)
    return Counter(row["n"] for row in rows)


async def ended(kind: str, *, dead: bool = False) -> bool:
    """Tell whether every row of the kind is done (or dead); an outage means not yet."""
    column = "dead_at" if dead else "done_at"
    with contextlib.suppress(DatabaseUnavailable):
        return not await core_db.value(
            f"SELECT EXISTS (SELECT FROM outbox WHERE kind = $1 AND {column} IS NULL)", kind
        )
    return False


async def alive() -> bool:
    with contextlib.suppress(*core_redis.LOST):
        return bool(await workers_alive())
    return False


async def test_every_registered_job_runs_in_the_real_worker(
    servers: Servers, one_worker: Popen[bytes]
) -> None:
    worker_module.load_jobs()
    kinds = {known.kind for known in jobs.registered()} - ENDS_ITS_WORKER
    assert {"probe.effect", "inbox.handle", "core.prune"} <= kinds
    for kind in kinds:
        await outbox.add(kind, PAYLOADS.get(kind, {}), key=f"every:{kind}")

    async def all_started() -> bool:
        return not await core_db.value(
            "SELECT EXISTS (SELECT FROM outbox WHERE key LIKE 'every:%' AND runs = 0)"
        )

    await until(all_started)
    await until(lambda: ended("probe.effect"))
    unknown = await core_db.rows("SELECT kind FROM outbox WHERE last_error LIKE 'No job called%'")
    assert unknown == []


async def test_a_job_of_a_killed_worker_is_run_by_another_one(
    servers: Servers, one_worker: Popen[bytes]
) -> None:
    await add("probe.slow", 1, seconds=60)

    async def running() -> bool:
        return bool(await core_db.value("SELECT runs FROM outbox WHERE kind = 'probe.slow'"))

    await until(running)
    one_worker.kill()
    one_worker.wait()
    began = time.monotonic()
    with servers.worker():
        await until(lambda: ended("probe.slow"))
    # Its time-out is 1 s, and five more seconds tell a dead worker from a slow one.
    assert time.monotonic() - began < 12
    assert await effects("slow") == {0: 1}


async def test_a_job_that_kills_every_worker_becomes_a_dead_letter(servers: Servers) -> None:
    await add("probe.kill", 1)
    for _ in range(2):
        with servers.worker("slow") as process:
            await asyncio.to_thread(process.wait, 30)
        await core_db.execute("UPDATE outbox SET claimed_until = NULL WHERE kind = 'probe.kill'")
    with servers.worker("slow"):
        await until(lambda: ended("probe.kill", dead=True))
    (letter,) = await outbox.dead_letters()
    assert letter.last_error == "Each attempt ended with its worker."


async def test_sigterm_lets_the_running_job_finish(
    servers: Servers, one_worker: Popen[bytes]
) -> None:
    await add("probe.slow", 1, seconds=0.7)

    async def running() -> bool:
        return bool(await core_db.value("SELECT runs FROM outbox WHERE kind = 'probe.slow'"))

    await until(running)
    one_worker.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(one_worker.wait, 20) == 0
    assert await effects("slow") == {0: 1}
    assert await core_db.value("SELECT done_at FROM outbox WHERE kind = 'probe.slow'") is not None
    assert await workers_alive() == []


async def test_a_worker_of_one_queue_leaves_the_others_alone(servers: Servers) -> None:
    await add("probe.started", 1)
    await add("probe.slow", 1, seconds=0)
    with servers.worker("slow"):
        await until(lambda: ended("probe.slow"))
        await asyncio.sleep(0.3)
        assert not await ended("probe.started")
        with servers.worker():
            await until(lambda: ended("probe.started"))


async def test_a_queue_that_no_job_is_in_is_refused(servers: Servers) -> None:
    with servers.worker("silver") as process:
        assert await asyncio.to_thread(process.wait, 20) == 1
    assert "UnknownQueue" in servers.log.read_text()


async def test_jobs_survive_kills_flushes_and_restarts_of_everything(servers: Servers) -> None:
    total = 1200
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(servers.worker()) for _ in range(2)]
        await until(alive)
        for start in range(0, total, 200):
            batch = [outbox.Addition("probe.effect", {"n": start + n}) for n in range(200)]
            await outbox.add_many(batch)
            await _fault(servers, start // 200, workers, stack)
        await until(lambda: ended("probe.effect"), 60)
        assert all(process.poll() is None for process in workers)
    assert await effects("effect") == dict.fromkeys(range(total), 1)
    assert await core_db.value("SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL") == 0


async def _fault(
    servers: Servers, turn: int, workers: list[Popen[bytes]], stack: contextlib.ExitStack
) -> None:
    redis, postgres = servers.stack.redis, servers.stack.postgres
    match turn:
        case 0:
            workers[0].kill()
            workers[0] = stack.enter_context(servers.worker())
        case 1:
            await core_redis.client().flushall()
        case 2:
            await asyncio.to_thread(redis.kill)
            await asyncio.sleep(1.5)
            await asyncio.to_thread(redis.start)
        case 3:
            await asyncio.to_thread(postgres.stop, immediate=True)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(postgres.start)
        case 4:
            assert redis.process is not None
            redis.process.suspend()
            await asyncio.sleep(1)
            redis.process.resume()
        case _:
            workers[1].kill()
            workers[1] = stack.enter_context(servers.worker())


async def test_a_job_starts_at_once_and_an_idle_worker_costs_nothing(
    servers: Servers, one_worker: Popen[bytes]
) -> None:
    await until(alive)
    await asyncio.sleep(1)
    committed: list[float] = []
    for n in range(100):
        await outbox.add("probe.started", {"n": n})
        committed.append(time.time())
        await asyncio.sleep(0.01)
    await until(lambda: ended("probe.started"))
    rows = await core_db.rows("SELECT n, at FROM probe_effect WHERE kind = 'started'")
    waits = sorted((row["at"] - committed[row["n"]]) * 1000 for row in rows)
    process = psutil.Process(one_worker.pid)
    before = process.cpu_times()
    await asyncio.sleep(3)
    after = process.cpu_times()
    idle = (after.user + after.system - before.user - before.system) / 3 * 100
    print(f"commit → start p50 {waits[49]:.1f} p99 {waits[98]:.1f} ms; idle {idle:.2f} % CPU")
    # By the bell, and not by the poll; the worst of a hundred tells how busy the machine is.
    assert waits[49] < POLL * 1000 / 4


async def test_two_workers_make_each_tick_once(servers: Servers, one_worker: Popen[bytes]) -> None:
    async def five() -> bool:
        return len(await ticks()) >= 5

    async def ticks() -> list[dict[str, Any]]:
        return await core_db.rows(
            "SELECT payload->>'due_at' AS due, count(*) AS n FROM outbox"
            " WHERE kind = 'probe.sweep' GROUP BY 1"
        )

    with servers.worker():
        await until(five)
    assert {row["n"] for row in await ticks()} == {1}
