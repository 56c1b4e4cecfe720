"""What use-cases and jobs do with the outbox: add a row, mark the own row done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import clock, db
from doorstep.core.failpoints import failpoint
from doorstep.core.ids import uuid7
from doorstep.core.outbox import sql
from doorstep.core.outbox.bell import wake


class Addition(NamedTuple):
    """One row to add; see `add`."""

    kind: str
    payload: Mapping[str, Any]
    order_id: UUID | None = None
    key: str | None = None
    run_at: datetime | None = None


class AlreadyDone(Exception):
    """Another run has recorded the effect; this one's transaction is rolled back for good."""


@dataclass(slots=True)
class Current:
    """The row that this task's job works on."""

    id: UUID
    done: bool = False


_current: ContextVar[Current | None] = ContextVar("outbox_row", default=None)


async def add(
    kind: str,
    payload: Mapping[str, Any],
    *,
    order_id: UUID | None = None,
    key: str | None = None,
    run_at: datetime | None = None,
) -> None:
    """Have the job `kind` run with `payload`, once this transaction has committed.

    `key` makes it unique: a second add with the same key does nothing, whatever its payload, also
    after the first is done. `run_at` (UTC) is when; without it, now.
    """
    await add_many([Addition(kind, payload, order_id, key, run_at)])


async def add_many(additions: Sequence[Addition]) -> None:
    """Add several rows in one round trip; see `add`."""
    if not additions:
        return
    kinds, payloads, order_ids, keys, run_ats = zip(*additions, strict=True)
    moment = clock.now()
    waits = [timedelta() if run_at is None else run_at - moment for run_at in run_ats]
    await db.execute(
        sql.ADD,
        [uuid7() for _ in additions], kinds, payloads, order_ids, keys, waits, clock.offset(),
    )  # fmt: skip
    if any(run_at is None for run_at in run_ats):
        db.after_commit(wake)


async def done() -> None:
    """Mark the running job's row done in this transaction: the effect and its mark are one fact.

    Outside a job nothing happens, so a use-case may be called from anywhere.

    Raises: AlreadyDone when another run was faster; let it pass, it undoes this one's effect.
    """
    current = _current.get()
    if current is None:
        return
    failpoint("outbox.before_done")
    if not await db.execute(sql.DONE, current.id):
        raise AlreadyDone(str(current.id))
    db.after_commit(lambda: setattr(current, "done", True))


@contextmanager
def running(row_id: UUID) -> Iterator[Current]:
    """Let `done` in this block mean this row (for the worker)."""
    current = Current(row_id)
    token = _current.set(current)
    try:
        yield current
    finally:
        _current.reset(token)
