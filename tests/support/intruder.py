"""An intruder with the database's own password, whom no guard of the schema stops.

Each change of his is tried alone, in a transaction that is rolled back, so that one history serves
for all. What must be found is named as the doctor names it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg

from doorstep import doctor

CHAIN = [name for name in doctor.QUERIES if name.startswith("IA8")]
DELETE = "DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq = $2"
SET_HEAD = "UPDATE fulfilment SET head_seq = $2, head_hash = $3 WHERE id = $1"

Violation = tuple[str, str]
"""Who or what is named, and the words."""


@dataclass
class History:
    """Two parcels of one order with everything that a journey can tell of, and its checkpoints."""

    intruder: asyncpg.Connection
    parcels: list[UUID]
    events: list[dict[str, Any]]
    checkpoints: list[dict[str, int]]
    """Parcel → the head that each checkpoint keeps."""
    tried: int = 0
    missed: list[str] = field(default_factory=list)

    def of(self, parcel: UUID) -> list[dict[str, Any]]:
        return [event for event in self.events if event["fulfilment_id"] == parcel]

    async def found(self) -> list[Violation]:
        rows: list[Violation] = []
        for name in CHAIN:
            for row in await self.intruder.fetch(doctor.QUERIES[name]):
                rows.append((row["subject"], row["detail"]))
        return rows

    async def attempt(
        self, words: str, statements: Sequence[tuple[Any, ...]], *named: str
    ) -> list[Violation]:
        """Do something to the history, see what is found, and take it back.

        `named`: of each of these, one violation must tell in subject and words.
        """
        change = self.intruder.transaction()
        await change.start()
        try:
            for statement, *arguments in statements:
                await self.intruder.execute(statement, *arguments)
            found = await self.found()
        finally:
            await change.rollback()
        self.tried += 1
        told = [f"{subject} {detail}" for subject, detail in found]
        if not all(any(name in one for one in told) for name in named):
            self.missed.append(f"{words}: wanted {named}, found {told}")
        return found


def named(event: dict[str, Any]) -> str:
    """Name an event as the doctor does."""
    return f"{event['fulfilment_id']} #{event['seq']} "


async def report(history: History, words: str) -> None:
    print(
        f"{words}: {history.tried} changes, {history.tried - len(history.missed)} found and named"
    )
    assert history.missed == []
    assert await history.found() == [], "the history is as it was"
    assert [str(one) for one in await doctor.run()] == []


def gone(history: History, event: dict[str, Any]) -> str:
    """Name what must be said when an event is not in its place: its number, or the shorter chain."""
    if event["seq"] == len(history.of(event["fulfilment_id"])):
        return f"{event['fulfilment_id']} its event {event['seq']} is not the one of checkpoint"
    return f"{event['fulfilment_id']} #{event['seq'] + 1} an event before it is missing: {event['seq']}"


def heads_of(history: History, parcel: UUID) -> list[int]:
    """List the numbers of a parcel's events that checkpoints keep."""
    return [heads[str(parcel)] for heads in history.checkpoints if str(parcel) in heads]


@asynccontextmanager
async def tampered(history: History, *statements: tuple[Any, ...]) -> AsyncIterator[None]:
    """Change history for everybody to see, and put it back."""
    tables = ("journey_event", "journey_checkpoint", "fulfilment")
    for table in tables:
        await history.intruder.execute(f"CREATE TEMP TABLE kept_{table} AS TABLE {table}")
    try:
        for statement, *arguments in statements:
            await history.intruder.execute(statement, *arguments)
        yield
    finally:
        for table in tables:
            await history.intruder.execute(f"DELETE FROM {table}")
            await history.intruder.execute(f"INSERT INTO {table} TABLE kept_{table}")
            await history.intruder.execute(f"DROP TABLE kept_{table}")
