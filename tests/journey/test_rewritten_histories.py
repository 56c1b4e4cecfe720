"""An intruder who knows the chain writes history anew, under hashes that agree: he is found (IA8)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from tests.support.intruder import SET_HEAD, History, heads_of, named, report


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
