"""Whatever an intruder changes, takes or cuts away, the doctor names the parcel and the event (IA8)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from doorstep.core.ids import uuid7
from tests.support.intruder import DELETE, SET_HEAD, History, gone, heads_of, named, report

BYTES, MANY_BYTES = 6, 1_000
"""How many bytes of each body and hash are changed, one at a time."""


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


MOVE = "UPDATE journey_event SET seq = $3 WHERE fulfilment_id = $1 AND seq = $2"


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
