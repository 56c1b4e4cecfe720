"""Hypothesis' state machines against the real database: the machine thinks in a thread of its own,
what it does runs on the session's event loop, to which the pools belong.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, reject
from hypothesis.control import current_build_context
from hypothesis.errors import HypothesisException
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from doorstep.core import db

T = TypeVar("T")
SHRINKING = 60.0
"""After so many seconds the shortest failing schedule that was found by then is shown."""
SECONDS = 30.0
"""Longest that a step may take; a deadlock that nobody solves is a failure, not a hang."""

WORLD = frozenset({
    "channel", "location", "product", "vendor", "vendor_cost", "migration", "migration_file",
    "ledger_account", "person",
})  # fmt: skip
"""Tables that all schedules share."""


class Schedule(RuleBasedStateMachine):
    """One schedule: `do` runs a coroutine where the database is, and waits for what it gives."""

    loop: ClassVar[asyncio.AbstractEventLoop]
    ended: ClassVar[int]
    failed_at: ClassVar[float]
    steps: ClassVar[Counter[str]]
    """What was done and how it ended, over all schedules: shows what was really met."""

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    def count(self, *words: object) -> None:
        self.steps[" ".join(str(word) for word in words)] += 1

    @classmethod
    def opened(cls, tamper: Callable[..., Awaitable[None]]) -> AbstractAsyncContextManager[None]:
        """Make the place where all schedules play."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.story: list[object] = []
        late = self.failed_at and time.monotonic() - self.failed_at > SHRINKING
        if late and not current_build_context().is_final:
            reject()

    def teardown(self) -> None:
        type(self).ended += 1
        failure = sys.exc_info()[1]
        real = isinstance(failure, Exception) and not isinstance(failure, HypothesisException)
        if real and not self.failed_at:
            type(self).failed_at = time.monotonic()
            print(f"{type(self).__name__}: after {self.ended} schedules: {failure!r:.2000}")
            # Two writers at once may end differently next time, and then this is all there is.
            print("\n".join(f"    {deed!r}" for deed in self.story))


async def sweep_but(kept: frozenset[str]) -> str:
    """Write what empties every table but these, for the beginning of a schedule."""
    tables = await db.rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND"
                           " relnamespace = 'public'::regnamespace")  # fmt: skip
    return "; ".join(
        f'DELETE FROM "{row["relname"]}"' for row in tables if row["relname"] not in kept
    )


async def run_schedules(machine: type[Schedule], schedules: int, *, steps: int, seed: int) -> None:
    """Run as many schedules, all drawn from the seed, and print how many of what there were.

    A failure is shrunk to the shortest schedule that still fails, and printed as a program; the
    same seed finds it again.
    """
    machine.loop = asyncio.get_running_loop()
    machine.ended, machine.failed_at, machine.steps = 0, 0.0, Counter()
    settings = hypothesis.settings(
        max_examples=schedules, stateful_step_count=steps, database=None, deadline=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False, print_blob=False, verbosity=Verbosity.normal,
    )  # fmt: skip
    try:
        await asyncio.to_thread(
            run_state_machine_as_test, hypothesis.seed(seed)(machine), settings=settings
        )
    finally:
        met = ", ".join(f"{words} {times}" for words, times in sorted(machine.steps.items()))
        print(f"{machine.__name__}: {machine.ended} schedules of {steps} steps, seed {seed}: {met}")
    assert machine.ended >= schedules
