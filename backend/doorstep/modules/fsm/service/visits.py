"""Visits: booked into free time, moved when the goods come late, started and completed once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Any, Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.refusals import VisitAlreadyBooked, VisitMissing, VisitOver
from doorstep.modules.fsm.schemas import VisitFailed
from doorstep.modules.fsm.service.technicians import Technician

MAX_SLOTS = 200

# What a technician is told of a visit by.
_NEWS = "id, order_id, technician_id, lower(during) AS starts_at, moves"
_TO_MOVE = f"SELECT {_NEWS} FROM visit WHERE id = $1 AND state = 'booked' FOR UPDATE"  # noqa: S608
_CANCEL = f"""
UPDATE visit SET state = 'cancelled' WHERE id = $1 AND state = 'booked'
RETURNING {_NEWS}
"""  # noqa: S608 - a constant of this file
_DROP = f"""
UPDATE visit SET state = $2
 WHERE fulfilment_id = $1 AND purpose = 'installation' AND state IN ('booked', 'started')
RETURNING {_NEWS}
"""  # noqa: S608 - a constant of this file
_DROP_OF_CLAIMS = f"""
UPDATE visit SET state = 'cancelled' WHERE claim_id = ANY ($1) AND state = 'booked'
RETURNING {_NEWS}
"""  # noqa: S608 - a constant of this file
_FAIL = "UPDATE visit SET state = 'failed' WHERE id = $1 AND state IN ('booked', 'started')"


class Slot(NamedTuple):
    """A stretch of time in which one technician is free."""

    start: datetime
    end: datetime
    technician_id: UUID
    name: str


async def free_slots(
    technicians: Collection[Technician],
    zone: ZoneInfo,
    window: rules.Span,
    length: timedelta,
    limit: int | None = MAX_SLOTS,
) -> list[Slot]:
    """List the free slots of these technicians in the window, earliest first; None lists them all."""
    busy: dict[UUID, list[rules.Span]] = {one.person_id: [] for one in technicians}
    for row in await db.rows(
        "SELECT technician_id, lower(during) AS start, upper(during) AS end FROM visit"
        " WHERE technician_id = ANY ($1) AND state IN ('booked', 'started')"
        " AND during && tstzrange($2, $3)",
        list(busy),
        window.start,
        window.end,
    ):
        busy[row["technician_id"]].append(rules.Span(row["start"], row["end"]))
    # Each technician's slots come in order of time; merged lazily, only `limit` are worked out.
    streams = [
        _slots_of(one, rules.open_slots(one.hours, zone, busy[one.person_id], window, length))
        for one in technicians
    ]
    return list(islice(merge(*streams), limit))


def _slots_of(technician: Technician, spans: Iterable[rules.Span]) -> Iterator[Slot]:
    # A function of its own: in a generator within another each would name the last technician.
    for span in spans:
        yield Slot(span.start, span.end, technician.person_id, technician.name)


@db.transactional
async def book(
    *,
    order_id: UUID,
    fulfilment_id: UUID,
    technician_id: UUID,
    span: rules.Span,
    skills: Collection[str],
    booked_by: UUID | None,
    claim_id: UUID | None = None,
) -> UUID | None:
    """Take a technician's time for a fulfilment and return the visit's id; None if he is not free.

    `claim_id`: the warranty claim that the visit answers; without one it installs.

    Raises: VisitAlreadyBooked.
    """
    return await _take_time(
        "INSERT INTO visit (id, technician_id, during, order_id, fulfilment_id, skills, booked_by,"
        " booked_at, claim_id, purpose) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        uuid7(),
        technician_id,
        span,
        order_id,
        fulfilment_id,
        sorted(skills),
        booked_by,
        now(),
        claim_id,
        "warranty" if claim_id else "installation",
    )


async def move_visit(visit_id: UUID, technician_id: UUID, span: rules.Span) -> bool:
    """Give a booked visit another time, perhaps another technician; False if he is not free.

    The technician is told, and so is the one who had it before.
    """
    before = await db.row(_TO_MOVE, visit_id)
    if before is None:
        return False
    moved = await _take_time(
        "UPDATE visit SET technician_id = $2, during = $3, moves = moves + 1 WHERE id = $1",
        visit_id,
        technician_id,
        span,
    )
    if moved is None:
        return False
    if before["technician_id"] != technician_id:
        await _tell_technician("visit_called_off", before)
    now_on = {"technician_id": technician_id, "starts_at": span.start, "moves": before["moves"] + 1}
    await _tell_technician("visit_moved", before | now_on)
    return True


async def _tell_technician(event: str, visit: Mapping[str, Any]) -> None:
    """Have a technician told about his visit (id, technician_id, starts_at, moves)."""
    await outbox.add(
        "flows.tell_technician",
        {
            "event": event,
            "visit_id": visit["id"],
            "technician_id": visit["technician_id"],
            "starts_at": visit["starts_at"],
            "moves": visit["moves"],
        },
        order_id=visit.get("order_id"),
    )


@db.transactional
async def _take_time(
    sql: str, visit_id: UUID, technician_id: UUID, span: rules.Span, *others: Any
) -> UUID | None:
    async with db.unit_of_work() as work:
        # The exclusion constraint is the judge (IO6); the savepoint lets the caller go on.
        try:
            async with work.savepoint():
                await db.execute(sql, visit_id, technician_id, asyncpg.Range(*span), *others)
        except asyncpg.ExclusionViolationError:
            return None
        except asyncpg.UniqueViolationError as booked:
            raise VisitAlreadyBooked from booked
    return visit_id


@db.transactional
async def cancel_visit(visit_id: UUID) -> None:
    """Give a booked visit's time back. Raises: VisitOver if it has begun or is over."""
    cancelled = await db.row(_CANCEL, visit_id)
    if cancelled is None:
        raise VisitOver
    await _tell_technician("visit_called_off", cancelled)


async def drop_visit(fulfilment_id: UUID, state: Literal["cancelled", "failed"]) -> UUID | None:
    """End the open installation of a parcel and give its time back; return it, None when there is none.

    The technician is told that a cancelled one is off; of a failed one he has told himself.
    """
    dropped = await db.row(_DROP, fulfilment_id, state)
    if dropped is None:
        return None
    if state == "cancelled":
        await _tell_technician("visit_called_off", dropped)
    visit_id: UUID = dropped["id"]
    return visit_id


async def drop_visits_of_claims(claim_ids: Collection[UUID]) -> None:
    """Call off the visits that answer these claims and have not begun."""
    for dropped in await db.rows(_DROP_OF_CLAIMS, list(claim_ids)):
        await _tell_technician("visit_called_off", dropped)


async def fail_visit(visit_id: UUID) -> None:
    """End a visit whose work could not be done."""
    await db.execute(_FAIL, visit_id)


async def keep_failure(
    actor: Actor, visit: dict[str, Any], told: VisitFailed, verdict: str
) -> None:
    """Keep what a technician could not finish; its event id is its key, so it is kept once."""
    await db.execute(
        "INSERT INTO visit_failure (id, order_id, fulfilment_id, visit_id, technician_id, device_id,"
        " reason, words, photos, verdict, captured_at, recorded_at)"
        " VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
        told.event_id,
        visit["order_id"],
        visit["fulfilment_id"],
        visit["id"],
        actor.person_id,
        actor.device_id,
        told.reason,
        told.words,
        [photo.sha256 for photo in told.photos],
        verdict,
        told.captured_at,
        now(),
    )


async def known_failure(event_id: UUID) -> dict[str, Any] | None:
    """Find a failure that was told before: (visit_id, reason)."""
    return await db.row("SELECT visit_id, reason FROM visit_failure WHERE id = $1", event_id)


@db.transactional
async def start_visit(visit_id: UUID, technician_id: UUID, event_id: UUID) -> bool:
    """Record that the technician has begun; False when this or another event had said so before.

    Raises: VisitMissing (also for another person's visit); VisitOver.
    """
    visit = await _own(visit_id, technician_id)
    if visit["state"] == "cancelled":
        raise VisitOver
    return bool(
        await db.execute(
            "UPDATE visit SET state = 'started', start_event_id = $2, started_at = $3"
            " WHERE id = $1 AND state = 'booked'",
            visit_id,
            event_id,
            now(),
        )
    )


async def complete_visit(visit_id: UUID) -> None:
    """Record that the technician has left; the time he had beyond is free again."""
    await db.execute(
        "UPDATE visit SET state = 'completed', completed_at = $2"
        " WHERE id = $1 AND state IN ('booked', 'started')",
        visit_id,
        now(),
    )


async def _own(visit_id: UUID, technician_id: UUID) -> dict[str, Any]:
    visit = await db.row(
        "SELECT * FROM visit WHERE id = $1 AND technician_id = $2 FOR UPDATE",
        visit_id,
        technician_id,
    )
    if visit is None:
        raise VisitMissing
    return visit
