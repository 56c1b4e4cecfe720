"""A van is down: its parcels are listed once, and each goes to the other shift by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.core.ids import uuid7
from doorstep.modules.tms import sql
from doorstep.modules.tms.service.runs import take_off


class Handover(NamedTuple):
    """A parcel of the van that is down; `words` say why the other vehicle cannot take it."""

    order_id: UUID
    fulfilment_id: UUID
    stop_id: UUID | None
    words: str


@db.transactional
async def keep_van_down(
    actor: Actor,
    event_id: UUID,
    *,
    from_shift_id: UUID,
    to_shift_id: UUID,
    reason: str,
    undoes_id: UUID | None,
    parcels: Sequence[Handover],
) -> None:
    """Write down that a van is down and what is to become of each parcel, in driving order."""
    await db.execute(
        "INSERT INTO van_down (id, from_shift_id, to_shift_id, reason, told_by, told_at, undoes_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        event_id,
        from_shift_id,
        to_shift_id,
        reason,
        actor.person_id,
        now(),
        undoes_id,
    )
    await db.execute(
        "INSERT INTO van_down_parcel"
        " (van_down_id, n, order_id, fulfilment_id, stop_id, words, state)"
        " SELECT $1, p.n, p.order_id, p.fulfilment_id, p.stop_id, p.words,"
        " CASE WHEN p.words = '' THEN 'waiting' ELSE 'left' END"
        " FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[])"
        " WITH ORDINALITY AS p (order_id, fulfilment_id, stop_id, words, n)",
        event_id,
        [parcel.order_id for parcel in parcels],
        [parcel.fulfilment_id for parcel in parcels],
        [parcel.stop_id for parcel in parcels],
        [parcel.words for parcel in parcels],
    )


async def find_van_down(
    event_id: UUID, from_shift_id: UUID, to_shift_id: UUID
) -> dict[str, Any] | None:
    """Read a call that was made before under this id.

    Raises: EventIdReused when it was about other shifts.
    """
    found = await db.row("SELECT * FROM van_down WHERE id = $1", event_id)
    if found and (found["from_shift_id"], found["to_shift_id"]) != (from_shift_id, to_shift_id):
        raise EventIdReused(str(event_id))
    return found


async def parcels_of(van_down_id: UUID) -> list[dict[str, Any]]:
    """List the parcels of a van that was down, in driving order, and what became of each."""
    return await db.rows(sql.VAN_DOWN_PARCELS, van_down_id)


@db.transactional
async def hand_over_stop(parcel: dict[str, Any]) -> bool:
    """Give one parcel's delivery to the other shift; the caller holds the lock of its order.

    It goes behind what that shift has to do already, into the run it has or a new one. Returns
    False when nothing is to be done any more.
    """
    waiting = await db.value(
        "SELECT state = 'waiting' FROM van_down_parcel WHERE van_down_id = $1 AND n = $2"
        " FOR UPDATE",
        parcel["van_down_id"],
        parcel["n"],
    )
    if not waiting:
        return False
    if parcel["stop_id"] is not None and not await take_off(parcel["stop_id"]):
        await _settle(parcel, "gone", None)
        return False
    new_stop_id = None if parcel["stop_id"] is None else await _append(parcel)
    await _settle(parcel, "moved", new_stop_id)
    return True


async def _append(parcel: dict[str, Any]) -> UUID:
    run_id = await db.value(sql.OPEN_RUN_OF_SHIFT, parcel["to_shift_id"])
    if run_id is None:
        run_id = await db.value(sql.RUN_FOR_SHIFT, uuid7(), parcel["to_shift_id"], now())
    stop_id: UUID = await db.value(
        "INSERT INTO delivery_stop (id, run_id, order_id, fulfilment_id, position)"
        " SELECT $1, $2, $3, $4, 1 + coalesce(max(position), 0) FROM delivery_stop"
        " WHERE run_id = $2 RETURNING id",
        uuid7(),
        run_id,
        parcel["order_id"],
        parcel["fulfilment_id"],
    )
    return stop_id


async def _settle(parcel: dict[str, Any], state: str, new_stop_id: UUID | None) -> None:
    await db.execute(
        "UPDATE van_down_parcel SET state = $3, new_stop_id = $4 WHERE van_down_id = $1 AND n = $2",
        parcel["van_down_id"],
        parcel["n"],
        state,
        new_stop_id,
    )
