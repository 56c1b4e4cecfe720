"""Shifts: planned, opened once by their crew, closed once nothing is left in its hands."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

import asyncpg

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.core.ids import uuid7
from doorstep.modules.tms import sql
from doorstep.modules.tms.refusals import (
    CrewMissing,
    OnAnotherShift,
    ShiftAlreadyOpened,
    ShiftHasDeliveries,
    ShiftMissing,
    ShiftNotOpen,
    ShiftOver,
    VehicleMissing,
    VehicleOfAnotherChannel,
)
from doorstep.modules.tms.schemas import Explanation
from doorstep.modules.tms.service.fleet import man


@db.transactional
async def plan_shift(
    actor: Actor, shift_id: UUID, *, crew_id: UUID, vehicle_id: UUID, planned_on: date
) -> dict[str, Any]:
    """Give a crew a vehicle for a day; return (id, number). The same id again changes nothing.

    Raises: CrewMissing, VehicleMissing, VehicleOfAnotherChannel, EventIdReused.
    """
    crew = await db.row("SELECT channel_id, lead_id FROM crew WHERE id = $1 AND active", crew_id)
    if crew is None:
        raise CrewMissing
    vehicle = await db.row("SELECT channel_id FROM vehicle WHERE id = $1 AND active", vehicle_id)
    if vehicle is None:
        raise VehicleMissing
    if vehicle["channel_id"] != crew["channel_id"]:
        raise VehicleOfAnotherChannel
    first = await db.row(
        "INSERT INTO shift (id, crew_id, vehicle_id, channel_id, lead_id, planned_on, planned_by,"
        " planned_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING"
        " RETURNING id, number",
        shift_id,
        crew_id,
        vehicle_id,
        crew["channel_id"],
        crew["lead_id"],
        planned_on,
        actor.person_id,
        now(),
    )
    if first is not None:
        await man(shift_id, crew_id)
        return first
    known = await db.one(
        "SELECT id, number, crew_id, vehicle_id, planned_on FROM shift WHERE id = $1", shift_id
    )
    told = {"crew_id": crew_id, "vehicle_id": vehicle_id, "planned_on": planned_on}
    if any(known.pop(name) != wanted for name, wanted in told.items()):
        raise EventIdReused(str(shift_id))
    return known


async def lock_shift(
    shift_id: UUID, *, of: Actor | None = None, strength: Literal["change", "use"] = "change"
) -> dict[str, Any]:
    """Take a shift's lock, to change it or to rely on its state, and read it with its vehicle.

    `of`: somebody who must be working it. Locks of orders are taken before, never after.

    Raises: ShiftMissing.
    """
    found = await db.row(
        sql.SHIFT + ("FOR NO KEY UPDATE OF s" if strength == "change" else "FOR SHARE OF s"),
        shift_id,
        of and of.person_id,
    )
    if found is None:
        raise ShiftMissing
    return found


async def read_shift(shift_id: UUID) -> dict[str, Any]:
    """Read a shift as it stands, with its vehicle and crew."""
    return await db.one(sql.SHIFT, shift_id, None)


@db.transactional
async def cancel_shift(actor: Actor, shift_id: UUID, reason: str) -> dict[str, Any]:
    """Call off a planned shift: its crew and vehicle are free again. Again, it changes nothing.

    Raises: ShiftMissing, ShiftAlreadyOpened, ShiftHasDeliveries.
    """
    shift = await lock_shift(shift_id)
    if shift["state"] == "cancelled":
        return shift
    if shift["state"] != "planned":
        raise ShiftAlreadyOpened(number=shift["number"])
    waiting = await db.value(sql.OPEN_STOPS_OF_SHIFT, shift_id)
    if waiting:
        raise ShiftHasDeliveries(number=shift["number"], deliveries=waiting)
    await db.execute(sql.CANCEL_SHIFT, shift_id, actor.person_id, now(), reason)
    await db.execute(sql.END_RUNS_OF_SHIFT, shift_id, now())
    return shift | {"state": "cancelled"}


@db.transactional
async def open_shift(actor: Actor, shift_id: UUID, event_id: UUID) -> dict[str, Any]:
    """Begin a shift with the crew as it stands now; the same event again changes nothing.

    Raises: ShiftMissing (also for somebody of another crew), ShiftAlreadyOpened, ShiftOver,
    OnAnotherShift.
    """
    shift = await lock_shift(shift_id, of=actor)
    if shift["open_event_id"] == event_id:
        return shift
    if shift["open_event_id"] is not None:
        raise ShiftAlreadyOpened(number=shift["number"])
    if shift["state"] == "cancelled":
        raise ShiftOver(number=shift["number"])
    try:
        await db.execute(
            "UPDATE shift SET state = 'open', open_event_id = $2, opened_by = $3, opened_at = $4"
            " WHERE id = $1",
            shift_id,
            event_id,
            actor.person_id,
            now(),
        )
        await db.execute("UPDATE shift_member SET on_duty = true WHERE shift_id = $1", shift_id)
    except asyncpg.UniqueViolationError as taken:
        raise OnAnotherShift from taken
    return shift | {"state": "open"}


async def take_runs(shift_id: UUID) -> list[UUID]:
    """Let a shift drive what its people were given for its day by themselves; return those runs."""
    return [row["id"] for row in await db.rows(sql.RUNS_FOR_SHIFT, shift_id)]


async def shift_worked(person_id: UUID, channel_id: UUID, on: date) -> dict[str, Any] | None:
    """Lock the open shift of a day that a person works in a channel.

    One that is about to open waits for the caller's transaction, and takes then what it has planned.
    """
    for row in await db.rows(sql.SHIFTS_OF_PERSON, person_id, channel_id, on):
        shift = await lock_shift(row["id"])
        if shift["state"] == "open":
            return shift
    return None


async def begin_closing(actor: Actor, shift: dict[str, Any], event_id: UUID) -> None:
    """Let nothing more onto the van: what is left there has been explained.

    Raises: ShiftNotOpen, ShiftOver.
    """
    if shift["state"] == "planned":
        raise ShiftNotOpen
    if shift["state"] != "open":
        raise ShiftOver
    await db.execute(
        "UPDATE shift SET state = 'closing', close_event_id = $2, closed_by = $3 WHERE id = $1",
        shift["id"],
        event_id,
        actor.person_id,
    )


async def reopen(shift_id: UUID) -> None:
    """Go back to work: something came back into the crew's hands while it was closing."""
    await db.execute(
        "UPDATE shift SET state = 'open', close_event_id = NULL, closed_by = NULL"
        " WHERE id = $1 AND state = 'closing'",
        shift_id,
    )


@db.transactional
async def end_shift(shift_id: UUID) -> None:
    """Close a shift: its people and its vehicle are free, its undone stops may be planned anew."""
    await db.execute(
        "UPDATE delivery_stop SET state = 'removed', closed_at = $2 WHERE state = 'open'"
        " AND run_id IN (SELECT id FROM delivery_run WHERE shift_id = $1)",
        shift_id,
        now(),
    )
    await db.execute(sql.END_RUNS_OF_SHIFT, shift_id, now())
    await db.execute("UPDATE shift_member SET on_duty = false WHERE shift_id = $1", shift_id)
    await db.execute(
        "UPDATE shift SET state = 'closed', closed_at = $2 WHERE id = $1", shift_id, now()
    )


async def keep_explanation(
    shift_id: UUID, parcel: dict[str, Any], told: Explanation, actor: Actor
) -> None:
    """Write down what a crew says of a piece, or of a whole parcel; a later word replaces it."""
    await db.execute(
        "INSERT INTO shift_explanation (id, shift_id, order_id, fulfilment_id, label_no, reason,"
        " words, photo_sha256, explained_by, explained_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT ON CONSTRAINT shift_explanation_once DO UPDATE SET reason = excluded.reason,"
        " words = excluded.words, photo_sha256 = excluded.photo_sha256,"
        " explained_by = excluded.explained_by, explained_at = excluded.explained_at",
        uuid7(),
        shift_id,
        parcel["order_id"],
        parcel["fulfilment_id"],
        told.label_no,
        told.reason,
        told.words,
        told.photo,
        actor.person_id,
        now(),
    )
