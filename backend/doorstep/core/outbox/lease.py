"""What a worker does with the rows: claim, start, and say how it ended. Statements join no
transaction of a job; each is one of its own."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from doorstep.core import clock, db
from doorstep.core.failpoints import failpoint
from doorstep.core.outbox import sql

QUEUED = timedelta(seconds=5)
"""How long a claimed row may wait in Redis before it is offered again."""

GRACE = timedelta(seconds=5)
"""How long after its job's time-out a run counts as dead with its worker."""

LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row to be offered to a worker: `runs` names the run that the worker may start."""

    id: UUID
    kind: str
    runs: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run that this worker has started, and nobody else."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    order_id: UUID | None
    runs: int
    attempts: int


async def claim(limit: int, passed_over: Collection[str] = ()) -> list[Claimed]:
    """Take up to `limit` due rows, oldest first, from every other relay for `QUEUED`.

    Kinds in `passed_over` stay where they are (their queue is full).
    """
    found = await db.rows(sql.CLAIM, clock.offset(), list(passed_over), limit, QUEUED)
    failpoint("outbox.after_claim")
    return [Claimed(**row) for row in found]


async def start(row_id: UUID, runs: int, timeout: float) -> Run | None:
    """Begin a run and count it; None when it was begun, done or given up before."""
    lease = timedelta(seconds=timeout) + GRACE
    found = await db.row(sql.START, row_id, runs, lease)
    return None if found is None else Run(id=row_id, **found)


async def finish(run: Run) -> None:
    """Record that the effect is there."""
    failpoint("outbox.before_done")
    await db.execute(sql.DONE, run.id)


async def supersede(run: Run) -> None:
    """Take the dead letters of earlier ticks for done: this one has done what they could not."""
    await db.execute(sql.SUPERSEDE, run.kind, run.id)


async def fail(run: Run, reason: str, *, of_attempts: int) -> bool:
    """Have the row run again later, or give it up as a dead letter; tell whether it is dead."""
    wait = backoff(run.attempts)
    return bool(
        await db.value(sql.FAIL, run.id, run.runs, reason[:2000], clock.offset(), wait, of_attempts)
    )


async def postpone(run: Run, until: datetime | None = None, reason: str | None = None) -> None:
    """Have the row run again at `until`, or at once, without counting this attempt."""
    wait = None if until is None else until - clock.now()
    await db.execute(sql.POSTPONE, run.id, run.runs, wait, reason, clock.offset())


def backoff(attempts: int) -> timedelta:
    """Wait 1, 3, 9 … seconds after the first, second, third failure, at most 15 minutes, ±50 %."""
    longest = LONGEST_WAIT.total_seconds()
    seconds = min(3.0 ** (min(attempts, 9) - 1), longest)
    return timedelta(seconds=seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
