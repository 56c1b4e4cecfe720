"""Work offered on the road: to one person at a time, until a moment; answers are kept as they came."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.core.ids import uuid7
from doorstep.modules.tms.refusals import AlreadyOffered

Outcome = Literal["counted", "too_late", "not_possible"]


class Answered(NamedTuple):
    """What somebody said to an offer; `earliest_at` is the first moment at which it can have been said."""

    event_id: UUID
    answer: Literal["accept", "decline"]
    reason: str
    captured_at: datetime
    earliest_at: datetime


# A run that has begun; one of a shift only while that is open.
RUN_OF = """
SELECT r.id, r.shift_id FROM delivery_run r JOIN run_person p ON p.run_id = r.id
  LEFT JOIN shift s ON s.id = r.shift_id
 WHERE p.person_id = $1 AND r.channel_id = $2 AND r.state = 'accepted'
   AND coalesce(s.state, 'open') = 'open'
 ORDER BY r.accepted_at DESC, r.id LIMIT 1
"""


async def run_of(person_id: UUID, channel_id: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """Find the run of this channel that a person is on, as (id, shift_id); None when there is none."""
    return await db.row(RUN_OF + (" FOR UPDATE OF r" if lock else ""), person_id, channel_id)


async def make_offer(
    *,
    order_id: UUID,
    fulfilment_id: UUID,
    channel_id: UUID,
    person_id: UUID,
    then_ids: Sequence[UUID],
    offered_by: UUID | None,
    ends_at: datetime,
) -> UUID:
    """Offer a parcel to a person until a moment; return the offer.

    Raises: AlreadyOffered while somebody is asked about it.
    """
    made: UUID | None = await db.value(
        "INSERT INTO work_offer (id, order_id, fulfilment_id, channel_id, person_id, then_ids,"
        " offered_by, offered_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        " ON CONFLICT (fulfilment_id) WHERE state = 'open' DO NOTHING RETURNING id",
        uuid7(),
        order_id,
        fulfilment_id,
        channel_id,
        person_id,
        list(then_ids),
        offered_by,
        now(),
        ends_at,
    )
    if made is None:
        raise AlreadyOffered
    return made


async def lock_offer(offer_id: UUID) -> dict[str, Any]:
    """Read an offer under a lock; the caller holds the lock of its parcel."""
    return await db.one("SELECT * FROM work_offer WHERE id = $1 FOR UPDATE", offer_id)


async def end_offer(offer_id: UUID, state: str, stop_id: UUID | None = None) -> None:
    """Write how an open offer has ended; `stop_id` is the stop that it has become.

    One that had lapsed becomes taken by an answer that was given in time.
    """
    await db.execute(
        "UPDATE work_offer SET state = $2, ended_at = $3, stop_id = $4"
        " WHERE id = $1 AND state IN ('open', 'lapsed')",
        offer_id,
        state,
        now(),
        stop_id,
    )


async def read_answer(event_id: UUID, offer_id: UUID) -> Outcome | None:
    """Tell what became of an answer that is kept already.

    Raises: EventIdReused when it was about another offer.
    """
    found = await db.row("SELECT offer_id, outcome FROM work_answer WHERE id = $1", event_id)
    if found is None:
        return None
    if found["offer_id"] != offer_id:
        raise EventIdReused(str(event_id))
    outcome: Outcome = found["outcome"]
    return outcome


async def keep_answer(actor: Actor, offer_id: UUID, said: Answered, outcome: Outcome) -> None:
    """Keep an answer with what became of it; it is never changed."""
    await db.execute(
        "INSERT INTO work_answer (id, offer_id, answer, reason, person_id, device_id, outcome,"
        " captured_at, earliest_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        said.event_id,
        offer_id,
        said.answer,
        said.reason,
        actor.person_id,
        actor.device_id,
        outcome,
        said.captured_at,
        said.earliest_at,
        now(),
    )


async def add_stop(run_id: UUID, order_id: UUID, fulfilment_id: UUID) -> UUID | None:
    """Put a delivery behind the others of a run; None when another run has it (IO6).

    The caller holds the lock of the run, so that no two stops get one position.
    """
    stop_id: UUID | None = await db.value(
        "INSERT INTO delivery_stop (id, run_id, order_id, fulfilment_id, position)"
        " SELECT $1, $2, $3, $4, 1 + coalesce(max(position), 0) FROM delivery_stop"
        " WHERE run_id = $2"
        " ON CONFLICT (fulfilment_id) WHERE state = 'open' DO NOTHING RETURNING id",
        uuid7(),
        run_id,
        order_id,
        fulfilment_id,
    )
    return stop_id
