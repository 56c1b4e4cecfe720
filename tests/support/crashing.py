"""A process that dies at a chosen point, and what must be so after it has come back.

A point is each side of every SQL statement, of every COMMIT, and every named failpoint. A schedule
says at which point of its run a use-case meets its end, and at which point of the recovery it does
so again. Recovery is as in life: the connection's transaction is rolled back, leases run out, the
client sends the same again unless it got an answer, and jobs run again.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from doorstep import doctor
from doorstep.core import db
from doorstep.core.failpoints import Crashed, observed
from tests.factories.company import Company
from tests.factories.snapshots import outcome
from tests.support.acting import Act
from tests.support.rewind import Rewind
from tests.support.worker import run_due

ROUNDS = 6
"""How often what is to be tried again is tried; what is still open then is seen in the outcome."""

# Time passes: leases of the dead have run out, and what was to be tried again is due.
_LATER = """
UPDATE outbox SET claimed_until = NULL, next_at = least(next_at, now())
WHERE done_at IS NULL AND dead_at IS NULL AND (claimed_until IS NOT NULL OR last_error IS NOT NULL)
"""

_ALSO = {
    # An erased recipient is known by the number of its message, which each run makes anew.
    "messages": "SELECT event, channel, split_part(recipient, ':', 1), attempt, state FROM message",
    "verdicts": "SELECT kind, name, how, verdict, attempt FROM journey_event",
    "held": "SELECT stage, released_at IS NULL AS waits FROM held_step",
    "visits": "SELECT state FROM visit",
    "runs": "SELECT count(*) FROM delivery_run",
    "feedback": "SELECT count(*) FROM feedback",
    "documents": "SELECT kind, count(*) FROM order_document GROUP BY kind",
    "uploads": "SELECT received, length, verified_at IS NULL AS open FROM upload",
    "pictures": "SELECT derivative, width FROM picture",
    "captures": "SELECT event_id, verdict, reason FROM capture",
    "windows": "SELECT n, from_at, until_at FROM delivery_window",
    "claims": "SELECT claimed_at IS NULL AS never FROM warranty_claim",
    "owners": "SELECT n, confirmed_at IS NULL AS waits FROM warranty_transfer",
    "erasures": "SELECT state, waits_for, erased FROM erasure_request",
    "people": "SELECT name FROM customer",
    "doors": "SELECT floor, lift, lat, lng FROM address",
    "cash": "SELECT expected_minor, counted_minor FROM cash_count",
}


@dataclass(frozen=True)
class Schedule:
    """Where the process dies; `again` is a point of the recovery, 0 for none."""

    at: int
    again: int = 0
    jobs_first: bool = False
    """Whether the worker is back before the client asks again."""


class Mortal:
    """Counts the points that are passed; at the chosen one the process dies and stays dead."""

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.passed = 0
        self.died_at = ""

    def __call__(self, name: str) -> None:
        if self.died_at:
            raise Crashed(self.died_at)
        self.passed += 1
        if self.passed == self.at:
            self.died_at = name
            raise Crashed(name)


@dataclass
class Bench:
    """A company at the moment before a use-case, to which it can be brought back."""

    company: Company
    act: Act
    rewind: Rewind
    redis: Any
    doubles: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    free: frozenset[str] = frozenset()
    """What depends on the order in which messages were handled, and may differ."""
    reference: dict[str, Any] = field(default_factory=dict)
    points: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    second: int = 0

    async def learn(self) -> None:
        """Keep the moment, let the use-case happen undisturbed and see where it ends."""
        await self.rewind.keep()
        with observed(self.points.append):
            await self.act()
            await self._work()
        self.reference = await self._ended()
        assert await healthy() == []

    async def suffer(self, schedule: Schedule) -> list[str]:
        """Let the use-case die and come back; tell in words what is then not as it must be."""
        await self._go_back()
        answered, died_at = await self._live(Mortal(schedule.at), jobs_first=False, answered=False)
        self.struck[died_at or "never"] += 1
        if schedule.again:
            answered, died_again = await self._live(
                Mortal(schedule.again), jobs_first=schedule.jobs_first, answered=answered
            )
            self.second += bool(died_again)
        await self._live(Mortal(), jobs_first=schedule.jobs_first, answered=answered)
        found = await healthy()
        ended = await self._ended()
        for name, expected in self.reference.items():
            if ended[name] != expected:
                found.append(f"{name}: {ended[name]} instead of {expected}")
        return [f"died at {died_at}: {words}" for words in found]

    async def _live(self, mortal: Mortal, *, jobs_first: bool, answered: bool) -> tuple[bool, str]:
        """Be a process until it dies or has nothing left to do; tell (answered, where it died)."""
        with observed(mortal):
            try:
                if jobs_first:
                    await self._work()
                if not answered:
                    await self.act()
                    answered = True
                await self._work()
            except BaseException:
                # A task group may have wrapped it; what matters is that the process died.
                if not mortal.died_at:
                    raise
        return answered, mortal.died_at

    async def _work(self) -> None:
        """Be a worker, for hours, until there is nothing left to do."""
        for _ in range(ROUNDS):
            await self.rewind.connection.execute(_LATER)
            if not await run_due():
                return

    async def _go_back(self) -> None:
        await self.rewind.go_back()
        await self.redis.flushdb()
        for double, before in self.doubles:
            for name, content in before.items():
                getattr(double, name).clear()
                _fill(getattr(double, name), content)

    async def _ended(self) -> dict[str, Any]:
        post = self.company.post
        # The messenger knows a message that comes twice by its id, and tells it once.
        told = {message_id: (channel, to) for message_id, channel, to, _ in post.sent}
        return {
            **await outcome(),
            **{
                name: sorted(str(tuple(row.values())) for row in await db.rows(sql))
                for name, sql in _ALSO.items()
                if name not in self.free
            },
            "paid": sorted(self.company.bank.paid.values()),
            "told": sorted(told.values()),
        }


def _fill(container: Any, content: Any) -> None:
    if isinstance(container, dict):
        container.update(content)
    else:
        container.extend(content)


async def healthy() -> list[str]:
    """Run the doctor."""
    return [str(violation) for violation in await doctor.run()]


def schedules(points: int, count: int, dice: random.Random) -> Iterator[Schedule]:
    """Draw so many: every point once first, in a random order; a third of them dies again."""
    drawn: list[int] = []
    for _ in range(count):
        if not drawn:
            drawn = dice.sample(range(1, points + 1), points)
        again = dice.randint(1, points) if dice.random() < 1 / 3 else 0
        yield Schedule(drawn.pop(), again, dice.random() < 0.5)
