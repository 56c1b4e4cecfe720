"""The jobs of this program, by the kind that outbox rows name."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

JobFunction = Callable[[dict[str, Any]], Awaitable[None]]

DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What runs for a kind of outbox row, where, for how long (s) and how often at most."""

    kind: str
    run: JobFunction
    queue: str
    timeout: float
    attempts: int
    every: float | None = None
    """Seconds between two runs of a recurring job."""


class RetryAt(Exception):
    """Raised by a job that cannot act yet; it runs again then, and this attempt does not count."""

    def __init__(self, when: datetime, why: str) -> None:
        super().__init__(why)
        self.when = when
        self.why = why


_jobs: dict[str, Job] = {}


def job(
    kind: str, *, queue: str = DEFAULT_QUEUE, timeout: float = 20, attempts: int = 12
) -> Callable[[JobFunction], JobFunction]:
    """Run the function for every outbox row of this kind, with the row's payload.

    It may run more than once. Raising has it run again later, up to `attempts` times, then the
    row is a dead letter; `RetryAt` has it run again at a time, uncounted. The row is marked done
    when the function returns, or by the function itself with `outbox.done()` in the transaction
    that records its effect. Twelve attempts take about an hour.
    """

    def register(run: JobFunction) -> JobFunction:
        _add(Job(kind=kind, run=run, queue=queue, timeout=timeout, attempts=attempts))
        return run

    return register


def recurring(
    kind: str,
    *,
    every: float,
    queue: str = DEFAULT_QUEUE,
    timeout: float = 20,
    attempts: int | None = None,
) -> Callable[[JobFunction], JobFunction]:
    """Run the function every so many seconds, on one worker at a time, with {"due_at": …}.

    A tick is an outbox row like any other. The next one is not made before it has ended; ticks
    missed while no worker ran, or while one took too long, are run once, late. A tick is tried for
    about as long as it is the newest; one that was given up is a dead letter until a later one
    has done its work.
    """
    tries = attempts or attempts_within(every)

    def register(run: JobFunction) -> JobFunction:
        _add(Job(kind=kind, run=run, queue=queue, timeout=timeout, attempts=tries, every=every))
        return run

    return register


def attempts_within(seconds: float) -> int:
    """Tell how many attempts fit in so long, 1, 3, 9 … seconds apart: at least 3, at most 12."""
    fitting = 1 + int(math.log(2 * max(seconds, 1) + 1, 3))
    return min(max(fitting, 3), 12)


def _add(new: Job) -> None:
    known = _jobs.get(new.kind)
    if known is not None and known.run is not new.run:
        raise ValueError(f"Two jobs are called {new.kind}.")
    _jobs[new.kind] = new


def find(kind: str) -> Job | None:
    """Look up the job of a kind; None when this program has none."""
    return _jobs.get(kind)


def registered() -> list[Job]:
    """List every job, by kind."""
    return [_jobs[kind] for kind in sorted(_jobs)]


def queues() -> list[str]:
    """List the queues that jobs are in; the default one always exists."""
    return sorted({DEFAULT_QUEUE, *(known.queue for known in _jobs.values())})
