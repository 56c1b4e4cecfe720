"""Makes the outbox rows of recurring jobs when they are due."""

from __future__ import annotations

import asyncio

import structlog
from asyncpg import PostgresError

from doorstep.core import clock, db, outbox
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.jobs.registry import registered

SHORTEST_PAUSE = 0.5
LONGEST_PAUSE = 5.0

log = structlog.get_logger(__name__)


async def tick() -> float:
    """Write a row for every recurring job that is due; return the seconds until the next one."""
    jobs = [(known.kind, known.every) for known in registered() if known.every]
    if not jobs:
        return LONGEST_PAUSE
    names, seconds = zip(*jobs, strict=True)
    made = await db.one(
        "SELECT started, pause FROM recurring_tick($1, $2, $3)", names, seconds, clock.offset()
    )
    if made["started"]:
        db.after_commit(outbox.wake)
    return float(made["pause"])


async def tick_for_ever() -> None:
    """Make ticks until cancelled; of several workers that do so, one makes each tick."""
    while True:
        try:
            pause = await tick()
        except (DatabaseUnavailable, PostgresError) as lost:
            log.warning("jobs.ticks_paused", reason=str(lost))
            pause = SHORTEST_PAUSE
        await asyncio.sleep(min(max(pause, SHORTEST_PAUSE), LONGEST_PAUSE))
