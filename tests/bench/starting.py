"""How soon a job starts after the commit that asks for it, and what the waiting worker costs."""

from __future__ import annotations

import asyncio
import sys
import time

import psutil

from doorstep.core import db, db_engine, outbox, redis
from doorstep.core.outbox import bell
from tests.bench.machine import Machine, cpu_seconds
from tests.bench.report import Figure
from tests.support.probe_jobs import TABLE
from tests.support.worker import until

JOBS = 300
PAUSE = 0.02
IDLE_SECONDS = 8.0
SETTLE_SECONDS = 6.0
"""The first jobs of a new worker and its recurring ones shall be over."""

PROGRAM = (
    "import sys; import tests.support.probe_jobs; from doorstep import worker;"
    " sys.exit(worker.main())"
)


async def measure(machine: Machine, base: str) -> list[Figure]:
    """Run the real worker; add jobs one by one, then add none."""
    database = await machine.copy(base, "jobs")
    machine.point_settings_at(database)
    await db_engine.start(machine.url(database))
    try:
        await db.execute(TABLE)
        await db.execute("UPDATE outbox SET done_at = now() WHERE done_at IS NULL")
        async with machine.process(
            "worker", database, program=(sys.executable, "-c", PROGRAM)
        ) as child:
            await _added(1)
            await until(lambda: _started(1), 30)
            await asyncio.sleep(SETTLE_SECONDS)
            waits = await _waits()
            idle = await _idle(psutil.Process(child.pid))
    finally:
        await bell.rest()
        await redis.stop()
        await db_engine.stop()
        machine.point_settings_at(base)
    facts = {"jobs": float(len(waits)), "slowest": waits[-1]}
    return [
        Figure(name="job start, p50", value=waits[len(waits) // 2], unit="ms", facts=facts),
        Figure(name="job start, p99", value=waits[int(len(waits) * 0.99)], unit="ms", facts=facts),
        Figure(
            name="worker, idle", value=idle, unit="% of one core", facts={"seconds": IDLE_SECONDS}
        ),
    ]


async def _added(number: int) -> float:
    """Ask for a job; tell when that was committed."""
    await outbox.add("probe.started", {"n": number})
    return time.time()


async def _started(jobs: int) -> bool:
    return bool(await db.value("SELECT count(DISTINCT n) >= $1 FROM probe_effect", jobs))


async def _waits() -> list[float]:
    asked = {}
    for number in range(2, JOBS + 2):
        asked[number] = await _added(number)
        await asyncio.sleep(PAUSE)
    await until(lambda: _started(JOBS + 1), 30)
    found = await db.rows("SELECT n, min(at) AS at FROM probe_effect WHERE n > 1 GROUP BY n")
    return sorted(max(0.0, row["at"] - asked[row["n"]]) * 1000 for row in found)


async def _idle(worker: psutil.Process) -> float:
    before = cpu_seconds(worker)
    await asyncio.sleep(IDLE_SECONDS)
    return 100 * (cpu_seconds(worker) - before) / IDLE_SECONDS
