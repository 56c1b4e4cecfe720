"""Vehicles, crews and shifts: a vehicle is a place of stock too, and work must fit its crew."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.jobs import job
from doorstep.flows import fleet_sql as sql
from doorstep.flows import hands
from doorstep.modules.tms import fleet_rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    CrewMissing,
    CrewTooSmall,
    CrewWithoutDriver,
    NotFitForACrew,
    ShiftMissing,
    ShiftOver,
    VehicleCodeTaken,
    VehicleFull,
    VehicleMissing,
)
from doorstep.modules.wms.service import stock

# {scope} comes from core.auth.scope: names of ours, values bound.
SEEN = {
    "channel": "SELECT c.id FROM channel c WHERE c.id = $1 AND {scope}",
    "crew": "SELECT c.channel_id FROM crew c WHERE c.id = $1 AND {scope}",
    "vehicle": "SELECT v.channel_id FROM vehicle v WHERE v.id = $1 AND {scope}",
    "shift": "SELECT s.channel_id FROM shift s WHERE s.id = $1 AND {scope}",
}
COLUMNS = {"channel": "c.id", "crew": "c.channel_id", "vehicle": "v.channel_id"}


async def require(kind: str, wanted: UUID, missing: type[NotFound], actor: Actor) -> None:
    """Make sure that a desk sees a channel, crew, vehicle or shift; another's looks like none.

    Raises: `missing`.
    """
    condition, arguments = scope(actor).channels(COLUMNS.get(kind, "s.channel_id"), first=2)
    if await db.value(SEEN[kind].format(scope=condition), wanted, *arguments) is None:
        raise missing


@db.transactional
async def save_vehicle(
    *,
    code: str,
    channel_id: UUID,
    plate: str,
    capacity_kg: int,
    capacity_l: int,
    active: bool = True,
    actor: Actor,
) -> UUID:
    """Add a vehicle with its own place of stock, or change the one with this code; return its id.

    Raises: NotFound for a channel out of sight; VehicleCodeTaken.
    """
    await require("channel", channel_id, NotFound, actor)
    known = await tms.find_vehicle(code)
    if known is None:
        if await db.value("SELECT 1 FROM location WHERE code = $1", code):
            raise VehicleCodeTaken(code=code)
        location_id = await stock.save_location(
            {"code": code, "name": plate, "kind": "van", "channel_id": channel_id}
        )
    else:
        location_id = known["location_id"]
    return await tms.save_vehicle(
        code=code,
        channel_id=channel_id,
        plate=plate,
        capacity_kg=capacity_kg,
        capacity_l=capacity_l,
        location_id=location_id,
        active=active,
    )


@db.transactional
async def save_crew(
    crew_id: UUID,
    *,
    channel_id: UUID,
    name: str,
    lead_id: UUID,
    member_ids: Collection[UUID],
    active: bool = True,
    actor: Actor,
) -> None:
    """Write who belongs to a crew: people of the road, led by one who may drive a run.

    Raises: NotFound for a channel out of sight; NotFitForACrew; CrewWithoutDriver; CrewMissing;
    CrewNameTaken.
    """
    await require("channel", channel_id, NotFound, actor)
    fit = {
        row["id"]: row["role"]
        for row in await db.rows(sql.PEOPLE_FOR_A_CREW, list(member_ids), channel_id)
    }
    if unfit := set(member_ids) - fit.keys():
        raise NotFitForACrew(person_ids=sorted(map(str, unfit)))
    if fit.get(lead_id) not in ("courier", "delivery"):
        raise CrewWithoutDriver
    await tms.save_crew(
        crew_id,
        channel_id=channel_id,
        name=name,
        lead_id=lead_id,
        member_ids=member_ids,
        active=active,
    )


@db.transactional
async def plan_shift(
    shift_id: UUID, *, crew_id: UUID, vehicle_id: UUID, planned_on: date, actor: Actor
) -> dict[str, Any]:
    """Give a crew a vehicle for a day.

    Raises: CrewMissing, VehicleMissing, VehicleOfAnotherChannel, EventIdReused.
    """
    await require("crew", crew_id, CrewMissing, actor)
    await require("vehicle", vehicle_id, VehicleMissing, actor)
    return await tms.plan_shift(
        actor, shift_id, crew_id=crew_id, vehicle_id=vehicle_id, planned_on=planned_on
    )


@db.transactional
async def open_shift(shift_id: UUID, event_id: UUID, *, actor: Actor) -> dict[str, Any]:
    """Begin a shift with its crew and vehicle, and let it drive what its people had for the day.

    Their goods go onto its van, and its end asks for their money. The same event again changes nothing.

    Raises: ShiftMissing (also for somebody of another crew), ShiftAlreadyOpened, ShiftOver,
    OnAnotherShift.
    """
    shift = await tms.open_shift(actor, shift_id, event_id)
    for run_id in await tms.take_runs(shift_id):
        await outbox.add("flows.load_run", {"run_id": run_id}, key=f"load_run:{shift_id}:{run_id}")
    return shift


@job("flows.load_run", queue="default", timeout=60)
async def load_run(payload: dict[str, Any]) -> None:
    """Let the van of {run_id}'s shift have the goods of its open stops; again, it changes nothing."""
    run_id = UUID(payload["run_id"])
    for fulfilment_id in await tms.open_parcels(run_id):
        await hands.load(run_id, fulfilment_id)


@db.transactional
async def cancel_shift(shift_id: UUID, reason: str, *, actor: Actor) -> dict[str, Any]:
    """Call off a planned shift, with a reason.

    Raises: ShiftMissing, ShiftAlreadyOpened, ShiftHasDeliveries.
    """
    await require("shift", shift_id, ShiftMissing, actor)
    return await tms.cancel_shift(actor, shift_id, reason)


# --- Does it fit? -------------------------------------------------------------------------------


async def room_of(shift: dict[str, Any]) -> fleet_rules.Room:
    """Tell what a shift's crew and vehicle can take, and what they have to carry already."""
    load = await db.one(sql.LOAD, shift["id"])
    return fleet_rules.Room(
        shift["people"],
        shift["capacity_kg"],
        shift["capacity_l"],
        load["weight_g"],
        load["volume_ml"],
    )


async def goods_of(fulfilment_ids: Sequence[UUID]) -> dict[UUID, tuple[str, fleet_rules.Goods]]:
    """Tell of parcels the number of the order and what they ask for."""
    return {
        row["fulfilment_id"]: (
            row["number"],
            fleet_rules.Goods(row["crew_size"], row["weight_g"], row["volume_ml"]),
        )
        for row in await db.rows(sql.GOODS, list(fulfilment_ids))
    }


async def shift_for(
    shift_id: UUID, fulfilment_ids: Sequence[UUID], *, channel_id: UUID, actor: Actor
) -> dict[str, Any]:
    """Lock a shift that is to get these deliveries, after making sure that it can take them.

    Raises: ShiftMissing (also of another channel), ShiftOver, CrewTooSmall, VehicleFull.
    """
    await require("shift", shift_id, ShiftMissing, actor)
    shift = await tms.lock_shift(shift_id)
    if shift["channel_id"] != channel_id:
        raise ShiftMissing
    if shift["state"] not in ("planned", "open"):
        raise ShiftOver(number=shift["number"])
    goods = await goods_of(fulfilment_ids)
    asked = [goods[one] for one in fulfilment_ids]
    told = fleet_rules.share_out(await room_of(shift), [wanted for _, wanted in asked])
    for (number, _), found in zip(asked, told, strict=True):
        if found is not None:
            refusal = CrewTooSmall if found.kind == "crew" else VehicleFull
            raise refusal(
                f"{number}: {found.words}", order_number=number, shift_number=shift["number"]
            )
    return shift
