"""Runs one outbox row's job and records how it ended. Knows nothing of Redis or arq."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar
from uuid import UUID

import structlog

from doorstep.core import metrics, outbox
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs.registry import Job, RetryAt, find
from doorstep.core.logging import REQUEST_ID
from doorstep.core.outbox import lease

T = TypeVar("T")
Outcome = Literal["done", "failed", "postponed", "dead", "skipped"]

log = structlog.get_logger(__name__)

UNKNOWN_ATTEMPTS = 12
"""An unknown kind may be known to the next version's workers; after an hour it is a mistake."""

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds between the attempts to record an end while the database restarts."""


async def execute(row_id: UUID, runs: int, kind: str) -> Outcome:
    """Carry out run number `runs` of an outbox row; nothing happens if somebody has begun it.

    The job's own exceptions end in the row. Raises: DatabaseUnavailable when it stays away; then
    the lease runs out and the row is run again.
    """
    known = find(kind)
    run = await lease.start(row_id, runs, known.timeout if known else 0)
    if run is None:
        return "skipped"
    token = REQUEST_ID.set(f"job-{row_id}")
    began = time.monotonic()
    try:
        if known is None:
            outcome = await _fail(run, f"No job called {kind} is registered.", UNKNOWN_ATTEMPTS)
        else:
            outcome = await _run(known, run)
    finally:
        REQUEST_ID.reset(token)
    seconds = time.monotonic() - began
    metrics.job_finished(kind, outcome, seconds)
    log.info(
        f"jobs.{outcome}", job=kind, order_id=run.order_id, attempt=run.attempts,
        ms=round(seconds * 1000, 1),
    )  # fmt: skip
    return outcome


async def _run(known: Job, run: lease.Run) -> Outcome:
    try:
        with outbox.running(run.id) as current:
            async with asyncio.timeout(known.timeout) as limit:
                failpoint("jobs.before_run")
                await known.run(run.payload)
                failpoint("jobs.after_run")
    except asyncio.CancelledError:
        # The worker stops: another one may have the row at once.
        await lease.postpone(run)
        raise
    except outbox.AlreadyDone:
        return "done"
    except RetryAt as later:
        when, why = later.when, later.why
        await _record(lambda: lease.postpone(run, when, why))
        return "postponed"
    except Exception as failure:
        log.warning("jobs.raised", job=run.kind, order_id=run.order_id, exc_info=True)
        late = isinstance(failure, TimeoutError) and limit.expired()
        reason = f"Not done after {known.timeout:g} s." if late else _words(failure)
        return await _fail(run, reason, known.attempts)
    if not current.done:
        await _record(lambda: lease.finish(run))
    if known.every is not None:
        await _record(lambda: lease.supersede(run))
    return "done"


async def _record(end: Callable[[], Awaitable[T]]) -> T:
    """Record how a run ended, also when the database is just restarting.

    The row would else wait until its lease runs out: a minute for jobs that may take long.
    """
    for pause in PAUSES:
        try:
            return await end()
        except DatabaseUnavailable:
            await asyncio.sleep(pause)
    return await end()


def _words(failure: Exception) -> str:
    return f"{type(failure).__name__}: {failure}"


async def _fail(run: lease.Run, reason: str, of_attempts: int) -> Outcome:
    if not await _record(lambda: lease.fail(run, reason, of_attempts=of_attempts)):
        return "failed"
    log.error("outbox.dead", job=run.kind, id=run.id, order_id=run.order_id, reason=reason)
    return "dead"


async def bury(claimed: lease.Claimed) -> None:
    """Give up a row whose runs all ended with their worker: nobody was left to say why."""
    run = await lease.start(claimed.id, claimed.runs, 0)
    if run is not None:
        metrics.job_finished(
            run.kind, await _fail(run, "Each attempt ended with its worker.", 0), 0
        )
