"""Keeps what a phone hands in, the whole batch in one transaction, and tells its receipts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.captures import clocks, sql
from doorstep.core.captures.envelope import Event, Read
from doorstep.core.clock import now
from doorstep.core.failpoints import failpoint
from doorstep.core.ids import uuid7

FOREIGN = "This id has been used by another phone."

NOT_PROVEN = {
    "missing": "This phone has not signed it. It is kept, and a person looks at it.",
    "wrong": "This phone's signature does not fit it. It is kept, and a person looks at it.",
}
SURRENDERED = "It came after this phone was shut out. It is kept, and a person looks at it."


class Receipt(Struct):
    """What became of an event: the phone may delete its copy."""

    event_id: UUID
    verdict: str
    reason: str
    recorded_at: datetime


@db.transactional
async def keep(
    events: Sequence[Read], *, actor: Actor, app_version: str, surrendered: bool = False
) -> None:
    """Keep every event as it came, each id once; nobody has looked into a payload yet.

    What has no id, an id of another phone, or other content under a known id, is kept as a stray.
    What its phone has not signed, or hands in without a session (`surrendered`), moves nothing: a
    person is asked about each (IC5).
    """
    moment = now()
    named = {one.event_id: one for one in reversed(events) if one.event_id is not None}
    times = await _times(named.values(), actor, moment)
    rows = [_row(one, times, surrendered) for one in named.values()]
    new = set()
    if rows:
        own = (actor.person_id, actor.device_id, app_version, actor.request_id, moment)
        columns = [list(column) for column in zip(*rows, strict=True)]
        new = {row["event_id"] for row in await db.rows(sql.KEEP, *columns, *own)}
    strays = await _keep_strays(events, moment, actor=actor, app_version=app_version)
    unread = [one for one in named.values() if one.event is None and one.event_id in new]
    if strays or unread:
        await _ask_a_person(actor, [one.reason for one in unread])
    for one in named.values():
        if one.event is not None and one.event_id in new:
            await _ask_about(one.event, _why_not(one, surrendered), actor, surrendered)
    failpoint("captures.before_kept")


async def _times(
    events: Iterable[Read], actor: Actor, moment: datetime
) -> dict[UUID, clocks.Interval]:
    """Tell when each event was captured; a later one of the device was not captured earlier."""
    found: dict[UUID, clocks.Interval] = {}
    read = sorted(
        (one.event for one in events if one.event is not None), key=lambda event: event.device_seq
    )
    if not read:
        return found
    not_before = await db.value(sql.NOT_BEFORE, actor.device_id, read[0].device_seq) or moment
    for event in read:
        found[event.event_id] = clocks.interval(
            event.mono_ms,
            event.server_at,
            event.server_mono_ms,
            not_before=not_before,
            received_at=moment,
        )
        not_before = found[event.event_id].earliest
    return found


def _why_not(one: Read, surrendered: bool) -> str | None:
    """Say why an event that could be read is not carried out."""
    unproven = NOT_PROVEN.get(one.signature or "missing")
    return unproven or (SURRENDERED if surrendered else None)


def _row(one: Read, times: dict[UUID, clocks.Interval], surrendered: bool) -> tuple[Any, ...]:
    event, why = one.event, (one.signature, surrendered)
    if event is None:
        return (one.event_id, one.raw, one.digest, *(None,) * 12, "rejected", one.reason, *why)
    refused = _why_not(one, surrendered)
    within = times[event.event_id]
    return (
        event.event_id, one.raw, one.digest, event.type, event.schema, event.lane,
        event.device_seq, event.captured_at, event.mono_ms, event.boot, event.server_at,
        event.server_mono_ms, within.earliest, within.latest,
        clocks.flag(event.captured_at, within), "review" if refused else None, refused, *why,
    )  # fmt: skip


async def _keep_strays(
    events: Sequence[Read], moment: datetime, *, actor: Actor, app_version: str
) -> int:
    """Keep what the table of captures has no place for; tell how much of it is new."""
    ids = [one.event_id for one in events if one.event_id is not None]
    known = {row["event_id"]: row for row in await db.rows(sql.KNOWN, ids)}
    strays: dict[tuple[bytes, str], tuple[Any, ...]] = {}
    for one in events:
        why = _stray(one, known, actor)
        if why is not None:
            sha256 = hashlib.sha256(one.raw).digest()
            strays[sha256, why] = (uuid7(), one.event_id, why, one.raw, sha256)
    if not strays:
        return 0
    columns = [list(column) for column in zip(*strays.values(), strict=True)]
    own = (actor.person_id, actor.device_id, app_version, actor.request_id, moment)
    return len(await db.rows(sql.KEEP_STRAYS, *columns, *own))


def _stray(one: Read, known: dict[UUID, dict[str, Any]], actor: Actor) -> str | None:
    if one.event_id is None:
        return "unreadable"
    row = known[one.event_id]
    if (row["person_id"], row["device_id"]) != (actor.person_id, actor.device_id):
        return "foreign"
    return "differs" if row["digest"] != one.digest else None


async def _ask_a_person(actor: Actor, reasons: Sequence[str]) -> None:
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "capture_rejected",
            "title": f"The phone of {actor.name} hands in what cannot be read",
            "detail": reasons[0] if reasons else "Its id is missing, or stands for something else.",
            "ref": f"device:{actor.device_id}",
            "channel_id": actor.channel_ids[0] if len(actor.channel_ids) == 1 else None,
        },
    )


async def _ask_about(event: Event, why: str | None, actor: Actor, surrendered: bool) -> None:
    """Have a desk look at a capture that may count, although nothing proves it or it came late."""
    if why is None:
        return
    about = {
        "detail": f"{why} ({event.event_id}, captured at {event.captured_at})",
        "ref": f"capture:{event.event_id}",
        "channel_id": actor.channel_ids[0] if len(actor.channel_ids) == 1 else None,
    }
    if surrendered:
        await outbox.add(
            "helpdesk.open_problem",
            {
                "kind": "capture_surrendered",
                "title": f"{actor.name} captured {event.type} before the phone was shut out",
                **about,
            },
        )
        return
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "capture_unproven",
            "title": f"{event.type} came from the phone of {actor.name} without its signature",
            **about,
        },
    )


async def receipts(ids: Sequence[UUID], *, actor: Actor) -> list[Receipt]:
    """Tell what became of these events, in their order; of others' events nothing."""
    rows = await db.rows(sql.RECEIPTS, list(ids), actor.person_id, actor.device_id, FOREIGN)
    found = {row["event_id"]: Receipt(**row) for row in rows}
    return [found[one] for one in dict.fromkeys(ids) if one in found]
