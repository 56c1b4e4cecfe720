"""Whatever an intruder does to a history, the doctor finds it and names the parcel and the event (IA8).

He has the database's own password: no guard of the schema stops him. Each change is tried alone, in
a transaction that is rolled back, so that one history serves for all.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor, Source
from doorstep.core.ids import uuid7
from doorstep.flows.place_order import place_order
from doorstep.journey import Evidence, chain
from doorstep.journey.detours import BY_KIND
from doorstep.journey.stages import BY_CODE
from tests.factories.world import SHOP, an_order, make_world
from tests.support.stack import Worker

CHAIN = [name for name in doctor.QUERIES if name.startswith("IA8")]
BYTES, MANY_BYTES = 6, 1_000
"""How many bytes of each body and hash are changed, one at a time."""

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


@pytest.fixture
async def history(db: Any, worker: Worker) -> AsyncIterator[History]:
    journey.bind({})
    parcels = await a_rich_history()
    events = await db.rows("SELECT * FROM journey_event ORDER BY fulfilment_id, seq")
    checkpoints = [
        {parcel: head[0] for parcel, head in row["heads"].items()}
        for row in await db.rows("SELECT heads FROM journey_checkpoint ORDER BY seq")
    ]
    url = worker.servers.database_url(worker.database, "postgres")
    intruder = await asyncpg.connect(url)
    try:
        await intruder.execute("SET session_replication_role = replica")
        yield History(intruder, parcels, events, checkpoints)
    finally:
        await intruder.close()


# --- The history -------------------------------------------------------------------------------


async def a_rich_history() -> list[UUID]:
    """Let two parcels of one order travel with stages, detours, evidence, facts and checkpoints."""
    await make_world()
    lines = (("WM-7KG", 1), ("MIX-500", 1))
    await place_order(an_order(*lines), actor=SHOP, may_be_short=False)
    rows = await db.rows("SELECT id FROM fulfilment ORDER BY needs_vendor DESC")
    theirs, ours = (row["id"] for row in rows)
    for parcel in (theirs, ours):
        await take(parcel, *range(1002, 1005))
    await chain.write_checkpoint()
    await meet(theirs, "qc_mismatch", "warehouse", at=1005)
    await take(theirs, 1005, 1006, 1007, 1008, 1008)
    await meet(ours, "repick", "warehouse", at=1005)
    await take(ours, *range(1005, 1009))
    await journey.state_fact("bytes_verified", theirs, actor=Actor.system("test"))
    await chain.write_checkpoint()
    await take(theirs, 1012)
    await meet(theirs, "delivery_failed", "delivery", reason="not_home")
    await take(theirs, 1012, 1013, 1013)
    await meet(theirs, "dispute", "finance", settled_by="finance")
    await take(theirs, 1014, 1015)
    await meet(ours, "lost", "dispatcher")
    await take(ours, 1013)
    await chain.write_checkpoint()
    return [theirs, ours]


async def take(parcel: UUID, *codes: int) -> None:
    for code in codes:
        row = BY_CODE[code]
        role = "courier" if "courier" in row.roles else min(row.roles)
        kind = "carrier_event" if "carrier_event" in row.evidence else min(row.evidence)
        await journey.advance(
            uuid7(),
            parcel,
            code,
            actor=somebody(role, "phone"),
            evidence=[Evidence(kind, f"{kind}:{code}", hashlib.sha256(kind.encode()).hexdigest())],
        )


def somebody(role: str, source: Source) -> Actor:
    """Act as a person who has sent a request, from a phone or at a screen."""
    device_id = uuid7() if source == "phone" else None
    request_id = uuid7().hex
    return Actor(
        role=role, source=source, person_id=uuid7(), device_id=device_id, request_id=request_id
    )


async def meet(
    parcel: UUID, kind: str, role: str, *, reason: str = "", at: int = 0, settled_by: str = ""
) -> None:
    if at:
        await take(parcel, at)
    actor = somebody(role, "phone")
    assert not reason or reason in BY_KIND[kind].reasons
    answer = await journey.open_detour(uuid7(), parcel, kind, actor=actor, reason=reason)
    assert answer.verdict == "applied", answer
    if settled_by:
        await journey.settle_detour(uuid7(), parcel, kind, actor=somebody(settled_by, "person"))


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


# --- One column, one byte ------------------------------------------------------------------------


async def test_the_history_has_everything_that_can_be_changed(history: History) -> None:
    kinds = {event["kind"] for event in history.events}
    assert kinds == {"stage", "evidence", "fact", "detour"}
    assert all(len(history.of(parcel)) >= 12 for parcel in history.parcels)
    assert any(event["ends_as"] for event in history.events)
    assert {event["attempt"] for event in history.events} == {1, 2}
    assert len(history.checkpoints) == 3
    assert await history.found() == []


def other_values(event: dict[str, Any]) -> dict[str, Any]:
    """Write another value for every column of an event; a new column must be thought of here."""
    strange = uuid7()
    other = {
        "fulfilment_id": strange, "event_id": strange, "order_id": strange, "actor_id": strange,
        "kind": "fact" if event["kind"] != "fact" else "evidence", "name": event["name"] + "x",
        "stage": (event["stage"] or 1000) + 100, "ends_as": "x" if event["ends_as"] else "lost",
        "how": "implied" if event["how"] != "implied" else "done", "attempt": event["attempt"] + 7,
        "verdict": "held" if event["verdict"] != "held" else "applied",
        "reason": event["reason"] + " ", "actor_role": event["actor_role"] + "x",
        "source": event["source"] + "x", "device": event["device"] + "x",
        "request_id": event["request_id"] + "x", "seq": event["seq"] + 1000,
        "captured_at": event["captured_at"].replace(microsecond=event["captured_at"].microsecond ^ 1),
        "recorded_at": event["recorded_at"].replace(microsecond=event["recorded_at"].microsecond ^ 1),
        "evidence": msgspec.json.encode([*event["evidence"], {"kind": "x"}]).decode(),
        "body": event["body"] + b" ", "prev_hash": event["prev_hash"] + b"x",
        "hash": event["hash"] + b"x",
    }  # fmt: skip
    assert other.keys() == event.keys()
    return other


async def test_every_column_of_every_event_changed_one_by_one(history: History) -> None:
    for event in history.events:
        for column, value in other_values(event).items():
            statement = (
                f'UPDATE journey_event SET "{column}" = $3 WHERE fulfilment_id = $1 AND seq = $2'
            )
            await history.attempt(
                f"{column} of {named(event)}",
                [(statement, event["fulfilment_id"], event["seq"], value)],
                gone(history, event) if column in ("fulfilment_id", "seq") else named(event),
            )
            for absent in (None,) if event[column] is not None else ():
                if column not in ("stage", "ends_as", "actor_id"):
                    continue
                await history.attempt(
                    f"{column} of {named(event)} left out",
                    [(statement, event["fulfilment_id"], event["seq"], absent)],
                    named(event),
                )
    await report(history, "columns")


async def test_single_bytes_of_bodies_and_hashes(history: History) -> None:
    await change_bytes(history, BYTES, seed=1)


@pytest.mark.soak
async def test_every_byte_of_bodies_and_hashes(history: History) -> None:
    await change_bytes(history, MANY_BYTES, seed=2)


async def change_bytes(history: History, most: int, *, seed: int) -> None:
    dice = random.Random(seed)
    for event in history.events:
        for column in ("body", "prev_hash", "hash"):
            places = range(len(event[column]))
            for at in dice.sample(places, min(most, len(places))):
                changed = bytearray(event[column])
                changed[at] ^= 1 << dice.randrange(8)
                await history.attempt(
                    f"byte {at} of the {column} of {named(event)}",
                    [(
                        f"UPDATE journey_event SET {column} = $3 WHERE fulfilment_id = $1 AND seq = $2",
                        event["fulfilment_id"], event["seq"], bytes(changed),
                    )],
                    named(event),
                )  # fmt: skip
    await report(history, f"bytes (seed {seed})")


# --- Gone, exchanged, cut -------------------------------------------------------------------------

DELETE = "DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq = $2"
MOVE = "UPDATE journey_event SET seq = $3 WHERE fulfilment_id = $1 AND seq = $2"


def gone(history: History, event: dict[str, Any]) -> str:
    """Name what must be said when an event is not in its place: its number, or the shorter chain."""
    if event["seq"] == len(history.of(event["fulfilment_id"])):
        return f"{event['fulfilment_id']} its event {event['seq']} is not the one of checkpoint"
    return f"{event['fulfilment_id']} #{event['seq'] + 1} an event before it is missing: {event['seq']}"


async def test_every_event_deleted(history: History) -> None:
    for event in history.events:
        await history.attempt(
            f"{named(event)} deleted",
            [(DELETE, event["fulfilment_id"], event["seq"])],
            gone(history, event),
        )
    await report(history, "deleted events")


async def test_every_adjacent_pair_exchanged(history: History) -> None:
    for parcel in history.parcels:
        for first, second in neighbours(history.of(parcel)):
            moves = [
                (MOVE, parcel, first["seq"], 9999),
                (MOVE, parcel, second["seq"], first["seq"]),
                (MOVE, parcel, 9999, second["seq"]),
            ]
            await history.attempt(
                f"{named(first)} and the next exchanged", moves, named(first), named(second)
            )
    await report(history, "exchanged neighbours")


async def test_events_of_the_same_number_exchanged_between_two_parcels(history: History) -> None:
    theirs, ours = history.parcels
    move = "UPDATE journey_event SET fulfilment_id = $3 WHERE fulfilment_id = $1 AND seq = $2"
    nobody = uuid7()
    for one, other in zip(history.of(theirs), history.of(ours), strict=False):
        moves: list[tuple[Any, ...]] = [
            ("DROP INDEX journey_event_stage_once",),
            (move, theirs, one["seq"], nobody),
            (move, ours, one["seq"], theirs),
            (move, nobody, one["seq"], ours),
        ]
        words = f"{named(one)} exchanged with the other parcel's"
        await history.attempt(words, moves, named(one), named(other))
    await report(history, "exchanges between parcels")


def neighbours(events: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    return pairwise(events)


@pytest.mark.parametrize("cleverly", [False, True], ids=["bluntly", "with the head set back"])
async def test_tails_of_every_length_cut(history: History, cleverly: bool) -> None:
    for parcel in history.parcels:
        events = history.of(parcel)
        for left in range(len(events)):
            cut: list[tuple[Any, ...]] = [
                ("DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq > $2", parcel, left)
            ]
            if cleverly:
                last = events[left - 1]["hash"] if left else b""
                cut.append((SET_HEAD, parcel, left, last))
            lost = [head for head in heads_of(history, parcel) if head > left]
            expected = [f"{parcel} its event {head} is not the one of checkpoint" for head in lost]
            if not cleverly:
                expected.append(
                    f"{parcel} the chain ends at {left}, the fulfilment says {len(events)}"
                )
            assert expected, "the last checkpoint covers every head"
            await history.attempt(f"{parcel} cut behind {left}", cut, *expected)
    await report(history, "cut tails")


SET_HEAD = "UPDATE fulfilment SET head_seq = $2, head_hash = $3 WHERE id = $1"


def heads_of(history: History, parcel: UUID) -> list[int]:
    """List the numbers of a parcel's events that checkpoints keep."""
    return [heads[str(parcel)] for heads in history.checkpoints if str(parcel) in heads]


async def test_a_fulfilment_removed_with_all_that_is_of_it(history: History) -> None:
    tables = ("journey_event", "held_step", "detour_case", "fulfilment_line", "reservation")
    for parcel in history.parcels:
        removal: list[tuple[Any, ...]] = [
            (f"DELETE FROM {table} WHERE fulfilment_id = $1", parcel) for table in tables[:4]
        ]
        removal.append(("DELETE FROM fulfilment WHERE id = $1", parcel))
        await history.attempt(
            f"{parcel} removed",
            removal,
            *(
                f"{parcel} the fulfilment of checkpoint {number} is gone"
                for number, heads in enumerate(history.checkpoints, start=1)
                if str(parcel) in heads
            ),
        )
    await report(history, "removed fulfilments")


# --- History written anew ------------------------------------------------------------------------


def rehashed(events: Sequence[dict[str, Any]], before: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Chain these bodies anew, as only somebody who knows the chain can: (seq, previous, hash)."""
    for event in events:
        digest = hashlib.sha256(before + event["seq"].to_bytes(8) + event["body"]).digest()
        yield event["seq"], before, digest
        before = digest


def a_lie(event: dict[str, Any]) -> dict[str, Any]:
    """Write the event anew with another name for who did it, in its column and in its body."""
    body = msgspec.json.decode(event["body"])
    body["actor_role"] = "nobody"
    return event | {"body": msgspec.json.encode(body), "actor_role": "nobody"}


REWRITE = (
    "UPDATE journey_event SET body = $3, actor_role = $4, prev_hash = $5, hash = $6"
    " WHERE fulfilment_id = $1 AND seq = $2"
)


async def test_a_history_written_anew_from_any_event_on(history: History) -> None:
    """Every hash agrees afterwards; only the checkpoints know better, and tell since when."""
    for parcel in history.parcels:
        events = history.of(parcel)
        for at in range(len(events)):
            before = events[at - 1]["hash"] if at else b""
            anew = [a_lie(events[at]), *events[at + 1 :]]
            statements: list[tuple[Any, ...]] = [
                (REWRITE, parcel, seq, event["body"], event["actor_role"], previous, digest)
                for event, (seq, previous, digest) in zip(anew, rehashed(anew, before), strict=True)
            ]
            statements.append((SET_HEAD, parcel, len(events), statements[-1][-1]))
            lost = [head for head in heads_of(history, parcel) if head > at]
            found = await history.attempt(
                f"{parcel} written anew from {at + 1}",
                statements,
                *(f"{parcel} its event {head} is not the one of checkpoint" for head in lost),
            )
            # What an earlier checkpoint keeps is untouched, so the lie lies behind it.
            assert len(found) == len(lost), found
    await report(history, "histories written anew")


async def test_one_event_written_anew_with_its_own_hash(history: History) -> None:
    for event in history.events:
        lie = a_lie(event)
        [(seq, previous, digest)] = rehashed([lie], event["prev_hash"])
        parcel = event["fulfilment_id"]
        last = seq == len(history.of(parcel))
        await history.attempt(
            f"{named(event)} written anew",
            [(REWRITE, parcel, seq, lie["body"], lie["actor_role"], previous, digest)],
            f"{parcel} its event {seq} is not" if last else f"{parcel} #{seq + 1} does not follow",
        )
    await report(history, "events written anew")


NONSENSE = [
    b"", b"\xff\xfe", b"null", b"[]", b'"x"', b"7", b"{", b"[" * 30_000, b'{"a":' * 30_000, b"{}",
    b'{"event_id": 1, "captured_at": "never", "stage": "x", "evidence": null, "attempt": []}',
]  # fmt: skip
"""Bodies that no reader understands."""


async def test_an_event_that_says_nonsense_under_a_right_hash(history: History) -> None:
    for event in history.events:
        for body in NONSENSE:
            lie = event | {"body": body}
            [(seq, previous, digest)] = rehashed([lie], event["prev_hash"])
            await history.attempt(
                f"{named(event)} says {body[:20]!r}",
                [
                    (
                        REWRITE,
                        event["fulfilment_id"],
                        seq,
                        body,
                        event["actor_role"],
                        previous,
                        digest,
                    )
                ],
                f"{named(event)}its columns were changed",
            )
    await report(history, "nonsense")


# --- The checkpoints, and the doctor as a whole ------------------------------------------------------


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


async def test_every_checkpoint_changed_exchanged_or_removed(history: History) -> None:
    last = len(history.checkpoints)
    changes: dict[str, tuple[tuple[Any, ...], ...]] = {}
    for seq in range(1, last + 1):
        for column, other in (
            ("heads", "heads || '{\"x\": 1}'"), ("heads", "'{}'"), ("heads", "'[]'"), ("heads", "'null'"),
            ("heads", "'{\"00000000-0000-7000-8000-000000000000\": [\"x\", 7]}'"), ("hash", "hash || 'x'"),
            ("prev_hash", "prev_hash || 'x'"), ("seq", "seq + 1000"),
        ):  # fmt: skip
            statement = f"UPDATE journey_checkpoint SET {column} = {other} WHERE seq = $1"
            changes[f"{column} = {other} of {seq}"] = ((statement, seq),)
        if seq < last:
            removal = "DELETE FROM journey_checkpoint WHERE seq = $1"
            changes[f"{seq} removed"] = ((removal, seq),)
            swap = "UPDATE journey_checkpoint SET seq = $2 WHERE seq = $1"
            changes[f"{seq} exchanged"] = (
                (swap, seq, 99),
                (swap, seq + 1, seq),
                (swap, 99, seq + 1),
            )
    for words, statements in changes.items():
        async with tampered(history, *statements):
            found = {one.check for one in await doctor.run()}
        assert "IA8 checkpoints" in found, words
        history.tried += 1
    await report(history, "checkpoints")


CLASSES: dict[str, Callable[[UUID], tuple[tuple[Any, ...], str]]] = {
    "a column": lambda p: (("UPDATE journey_event SET device = 'x' WHERE fulfilment_id = $1"
                            " AND seq = 5", p), f"IA8 events: {p} #5: its columns were changed"),
    "a byte": lambda p: (("UPDATE journey_event SET body = set_byte(body, 0, 0) WHERE"
                          " fulfilment_id = $1 AND seq = 5", p),
                         f"IA8 events: {p} #5: its body was changed"),
    "an event": lambda p: ((DELETE, p, 5), f"IA8 events: {p} #6: an event before it is missing: 5"),
    "two events": lambda p: (("DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq IN (5, 6)",
                              p), f"IA8 events: {p} #7: events before it are missing: 5 to 6"),
    "the tail": lambda p: (("DELETE FROM journey_event WHERE fulfilment_id = $1 AND seq > 5", p),
                           f"IA8 heads: {p}: the chain ends at 5, the fulfilment says "),
    "the parcel": lambda p: (("WITH gone AS (DELETE FROM journey_event WHERE fulfilment_id = $1)"
                              " DELETE FROM fulfilment WHERE id = $1", p),
                             f"IA8 fulfilments: {p}: the fulfilment of checkpoint 1 is gone"),
}  # fmt: skip


@pytest.mark.parametrize("what", CLASSES)
async def test_the_doctor_itself_says_it_in_one_line(history: History, what: str) -> None:
    for parcel in history.parcels:
        statement, words = CLASSES[what](parcel)
        async with tampered(history, statement):
            said = [str(one) for one in await doctor.run()]
        assert any(one.startswith(words) for one in said), said
        history.tried += 1
    await report(history, f"{what} as the doctor says it")
