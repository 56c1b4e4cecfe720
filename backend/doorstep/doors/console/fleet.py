"""Dispatchers: vehicles, crews, shifts with their load, and a van that is down."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import fleet, fleet_sql, van_down
from doorstep.modules.tms.refusals import (
    CrewMissing,
    CrewNameTaken,
    CrewWithoutDriver,
    NotFitForACrew,
    NothingToUndo,
    SameShift,
    ShiftAlreadyOpened,
    ShiftHasDeliveries,
    ShiftMissing,
    ShiftOver,
    VehicleCodeTaken,
    VehicleMissing,
    VehicleOfAnotherChannel,
)

TAGS = ["transport"]
Text = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
Capacity = Annotated[int, Meta(ge=1, le=100_000)]

# {scope} comes from core.auth.scope: names of ours, values bound.
VEHICLES = """
SELECT v.id, v.code, v.channel_id, v.plate, v.capacity_kg, v.capacity_l, v.location_id, v.active,
       s.id AS shift_id, s.number AS shift_number
  FROM vehicle v
  LEFT JOIN shift s ON s.vehicle_id = v.id AND s.state IN ('open', 'closing')
 WHERE {scope} ORDER BY v.code
"""
CREWS = """
SELECT c.id, c.channel_id, c.name, c.lead_id, c.active,
       (SELECT jsonb_agg(jsonb_build_object('person_id', p.id, 'name', p.name, 'role', p.role)
                         ORDER BY p.name, p.id)
          FROM crew_member m JOIN person p ON p.id = m.person_id WHERE m.crew_id = c.id) AS members
  FROM crew c WHERE {scope} ORDER BY c.name, c.id
"""
SHIFTS = """
SELECT s.id, s.number, s.channel_id, s.state, s.planned_on, s.opened_at, s.closed_at, c.name AS crew,
       s.crew_id, v.code AS vehicle, s.vehicle_id, v.capacity_kg, v.capacity_l,
       (SELECT count(*)::int FROM shift_member m WHERE m.shift_id = s.id) AS people,
       t.open_stops, t.done_stops
  FROM shift s JOIN crew c ON c.id = s.crew_id JOIN vehicle v ON v.id = s.vehicle_id
 CROSS JOIN LATERAL (
   SELECT count(*) FILTER (WHERE t.state = 'open')::int AS open_stops,
          count(*) FILTER (WHERE t.state = 'done')::int AS done_stops
     FROM delivery_run r JOIN delivery_stop t ON t.run_id = r.id WHERE r.shift_id = s.id) t
 WHERE ($1::date IS NULL OR s.planned_on = $1) AND {scope}
 ORDER BY s.planned_on DESC, s.number LIMIT 200
"""


class VehicleIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A vehicle by its code; the same code again changes it."""

    code: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,40}$")]
    channel_id: UUID
    plate: Text
    capacity_kg: Capacity
    capacity_l: Capacity
    active: bool = True


class VehicleOut(Struct):
    """A vehicle; what is on it stands at its location. `shift_id`: the one it is out with."""

    id: UUID
    code: str
    channel_id: UUID
    plate: str
    capacity_kg: int
    capacity_l: int
    location_id: UUID
    active: bool
    shift_id: UUID | None
    shift_number: str | None


class Saved(Struct):
    """What was saved."""

    id: UUID


class CrewIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """People who work together; the client makes `id`, the same id again changes the crew."""

    id: UUID
    channel_id: UUID
    name: Text
    lead_id: UUID
    member_ids: Annotated[list[UUID], Meta(min_length=1, max_length=20)]
    active: bool = True


class CrewPerson(Struct):
    """Somebody of a crew."""

    person_id: UUID
    name: str
    role: str


class CrewOut(Struct):
    """A crew and its people."""

    id: UUID
    channel_id: UUID
    name: str
    lead_id: UUID
    active: bool
    members: list[CrewPerson]


class ShiftIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A crew with a vehicle for a day; the client makes `id`."""

    id: UUID
    crew_id: UUID
    vehicle_id: UUID
    planned_on: date


class ShiftPlanned(Struct):
    """The shift as its crew will see it."""

    id: UUID
    number: str


class ShiftCancelled(Struct):
    """The shift does not take place."""

    id: UUID
    number: str
    state: str


class ShiftRow(Struct, kw_only=True):
    """A shift with its load: what its open stops and its van come to, beside what it can take."""

    id: UUID
    number: str
    channel_id: UUID
    state: str
    planned_on: date
    opened_at: datetime | None
    closed_at: datetime | None
    crew: str
    crew_id: UUID
    people: int
    vehicle: str
    vehicle_id: UUID
    capacity_kg: int
    capacity_l: int
    load_g: int
    load_ml: int
    open_stops: int
    done_stops: int


class CancelShiftIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the shift does not take place."""

    reason: Reason


class VanDownIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Which shift takes over, and why; the client makes `event_id`.

    `undoes_id` names an earlier call: only what it had moved goes back.
    """

    event_id: UUID
    to_shift_id: UUID
    reason: Reason
    undoes_id: UUID | None = None


class HandedOver(Struct, kw_only=True):
    """A parcel of the van: moved, left (`words` say why), or gone (delivered in between).

    `stop_id` and `position` are those of the new stop, if the parcel had one.
    """

    fulfilment_id: UUID
    order_number: str
    state: str
    stop_id: UUID | None
    position: int | None
    words: str


class VanDownOut(Struct, kw_only=True):
    """What became of each parcel; its goods are the other van's once every box is scanned there."""

    event_id: UUID
    parcels: list[HandedOver]


@post(
    "/console/vehicles",
    operation_id="saveVehicle",
    opt=needs("tms:fleet:manage"),
    responses=problems(NotFound, VehicleCodeTaken),
    status_code=200,
    tags=TAGS,
)
async def save_vehicle(data: VehicleIn, actor: Actor) -> Saved:
    """Add a vehicle with its own place of stock, or change the one with this code."""
    return Saved(await fleet.save_vehicle(**msgspec.structs.asdict(data), actor=actor))


@get("/console/vehicles", operation_id="listVehicles", opt=needs("tms:fleet:read"), tags=TAGS)
async def list_vehicles(actor: Actor) -> list[VehicleOut]:
    """List the vehicles of the person's channels, each with the shift it is out with."""
    condition, arguments = scope(actor).channels("v.channel_id")
    found = await db.rows(VEHICLES.format(scope=condition), *arguments)
    return msgspec.convert(found, list[VehicleOut])


@post(
    "/console/crews",
    operation_id="saveCrew",
    opt=needs("tms:fleet:manage"),
    responses=problems(NotFound, CrewMissing, CrewNameTaken, NotFitForACrew, CrewWithoutDriver),
    status_code=200,
    tags=TAGS,
)
async def save_crew(data: CrewIn, actor: Actor) -> Saved:
    """Write who belongs to a crew, and who leads it; planned shifts follow, open ones do not."""
    await fleet.save_crew(
        data.id,
        channel_id=data.channel_id,
        name=data.name,
        lead_id=data.lead_id,
        member_ids=data.member_ids,
        active=data.active,
        actor=actor,
    )
    return Saved(data.id)


@get("/console/crews", operation_id="listCrews", opt=needs("tms:fleet:read"), tags=TAGS)
async def list_crews(actor: Actor) -> list[CrewOut]:
    """List the crews of the person's channels."""
    condition, arguments = scope(actor).channels("c.channel_id")
    found = await db.rows(CREWS.format(scope=condition), *arguments)
    return msgspec.convert(found, list[CrewOut])


@post(
    "/console/shifts",
    operation_id="planShift",
    opt=needs("tms:fleet:manage"),
    responses=problems(CrewMissing, VehicleMissing, VehicleOfAnotherChannel, EventIdReused),
    tags=TAGS,
)
async def plan_shift(data: ShiftIn, actor: Actor) -> ShiftPlanned:
    """Give a crew a vehicle for a day; its runs are planned onto the shift."""
    planned = await fleet.plan_shift(
        data.id,
        crew_id=data.crew_id,
        vehicle_id=data.vehicle_id,
        planned_on=data.planned_on,
        actor=actor,
    )
    return ShiftPlanned(**planned)


@post(
    "/console/shifts/{shift_id:uuid}/cancel",
    operation_id="cancelShift",
    opt=needs("tms:fleet:manage"),
    responses=problems(ShiftMissing, ShiftAlreadyOpened, ShiftHasDeliveries),
    status_code=200,
    tags=TAGS,
)
async def cancel_shift(shift_id: UUID, data: CancelShiftIn, actor: Actor) -> ShiftCancelled:
    """Call off a planned shift that has no deliveries; a cancelled one stays as it is."""
    shift = await fleet.cancel_shift(shift_id, data.reason, actor=actor)
    return ShiftCancelled(shift["id"], shift["number"], shift["state"])


@get("/console/shifts", operation_id="listShifts", opt=needs("tms:fleet:read"), tags=TAGS)
async def list_shifts(
    actor: Actor, on: Annotated[date | None, QueryParameter()] = None
) -> list[ShiftRow]:
    """List the shifts of the person's channels, the newest day first, or those of one day."""
    condition, arguments = scope(actor).channels("s.channel_id", first=2)
    found = await db.rows(SHIFTS.format(scope=condition), on, *arguments)
    for row in found:
        load = await db.one(fleet_sql.LOAD, row["id"])
        row |= {"load_g": load["weight_g"], "load_ml": load["volume_ml"]}
    return msgspec.convert(found, list[ShiftRow])


@post(
    "/console/shifts/{shift_id:uuid}/van-down",
    operation_id="reportVanDown",
    opt=needs("tms:fleet:manage"),
    responses=problems(ShiftMissing, SameShift, ShiftOver, NothingToUndo, EventIdReused),
    status_code=200,
    tags=TAGS,
)
async def report_van_down(shift_id: UUID, data: VanDownIn, actor: Actor) -> VanDownOut:
    """Give everything a shift has to do to another one, tell the customers, name what is left.

    The same call in the other direction, naming the first one, moves back what is still to do.
    """
    parcels = await van_down.van_down(
        shift_id,
        event_id=data.event_id,
        to_shift_id=data.to_shift_id,
        reason=data.reason,
        undoes_id=data.undoes_id,
        actor=actor,
    )
    return VanDownOut(
        event_id=data.event_id,
        parcels=[
            HandedOver(
                fulfilment_id=parcel["fulfilment_id"],
                order_number=parcel["number"],
                state=parcel["state"],
                stop_id=parcel["new_stop_id"],
                position=parcel["position"],
                words=parcel["words"],
            )
            for parcel in parcels
        ],
    )


handlers = [
    save_vehicle,
    list_vehicles,
    save_crew,
    list_crews,
    plan_shift,
    cancel_shift,
    list_shifts,
    report_van_down,
]
"""The routes of this door."""
