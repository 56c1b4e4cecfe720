"""Crews with vans on the road, whose goods really change hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import fleet, hands, shift_close, transport, van_down, warehouse
from doorstep.flows.allocate import turn_holds_into_allocations
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import Explanation
from doorstep.modules.wms.service import custody
from tests.factories.road import FRESH, REACTIONS, Road, a_scan, evaluate, labels_of, make_actor

MOVING: Mapping[str, Sequence[journey.Reaction]] = {
    **REACTIONS,
    "1002": [turn_holds_into_allocations],
    "1009": [warehouse.hand_to_carrier],
    "1013": [warehouse.hand_to_customer, *REACTIONS["1013"]],
}
"""The reactions of transport, and those that move stock."""


@dataclass
class Team:
    """A shift with its people, the lead first, and the place of its van."""

    shift_id: UUID
    vehicle: str
    van: UUID
    people: list[Actor]

    @property
    def lead(self) -> Actor:
        return self.people[0]


async def make_team(
    road: Road,
    code: str,
    *,
    people: int = 2,
    kg: int = 1000,
    litres: int = 10_000,
    begun: bool = True,
    members: Sequence[Actor] = (),
) -> Team:
    """Make a vehicle, a crew and their shift, which has begun unless it is said otherwise."""
    vehicle_id = await fleet.save_vehicle(
        code=code,
        channel_id=road.world.channel_id,
        plate=f"DXB {code}",
        capacity_kg=kg,
        capacity_l=litres,
        actor=road.dispatcher,
    )
    crew = list(members) or [await make_actor("delivery") for _ in range(people)]
    crew_id, shift_id = uuid7(), uuid7()
    await fleet.save_crew(
        crew_id,
        channel_id=road.world.channel_id,
        name=f"Crew {code} {crew_id.hex[-4:]}",
        lead_id=id_of(crew[0]),
        member_ids=[id_of(one) for one in crew],
        actor=road.dispatcher,
    )
    await fleet.plan_shift(
        shift_id, crew_id=crew_id, vehicle_id=vehicle_id, planned_on=FRESH, actor=road.dispatcher
    )
    van = await db.value("SELECT location_id FROM vehicle WHERE id = $1", vehicle_id)
    if begun:
        await fleet.open_shift(shift_id, uuid7(), actor=crew[0])
    return Team(shift_id, code, van, crew)


def id_of(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


async def plan(road: Road, team: Team, *parcels: UUID) -> dict[str, Any]:
    """Give deliveries to a team's shift."""
    return await transport.plan_run(parcels, shift_id=team.shift_id, actor=road.dispatcher)


async def drive(road: Road, team: Team, *parcels: UUID) -> dict[UUID, UUID]:
    """Give deliveries to a team whose last member accepts them; return parcel → stop."""
    run = await plan(road, team, *parcels)
    await transport.accept_run(
        run["id"], event_id=uuid7(), captured_at=now(), actor=team.people[-1]
    )
    return {stop["fulfilment_id"]: stop["id"] for stop in run["stops"]}


async def see(who: Actor, kind: str, *labels: str) -> None:
    """Scan labels, and let what follows from it happen, as the worker does."""
    await transport.keep_scans([a_scan(label, kind) for label in labels], actor=who)
    await evaluate()
    for row in await db.rows(
        "UPDATE outbox SET done_at = now() WHERE kind = 'flows.follow_scans' AND done_at IS NULL"
        " RETURNING payload"
    ):
        await hands.follow_scans(row["payload"])


async def see_all(who: Actor, kind: str, *parcels: UUID) -> None:
    """Scan every box of these parcels."""
    await see(who, kind, *[label for one in parcels for label in await labels_of(one)])


async def places(parcel: UUID) -> set[str]:
    """Tell where a parcel's goods are, by the codes of the places."""
    rows = await db.rows(
        "SELECT DISTINCT y.code FROM custody c JOIN location y ON y.id = c.location_id"
        " JOIN fulfilment_line l ON l.id = c.fulfilment_line_id WHERE l.fulfilment_id = $1",
        parcel,
    )
    return {row["code"] for row in rows}


async def take_over(
    road: Road,
    down: Team,
    other: Team,
    event_id: UUID | None = None,
    undoes_id: UUID | None = None,
) -> Any:
    """Say that a team's van is down and that another takes over."""
    return await van_down.van_down(
        down.shift_id,
        event_id=event_id or uuid7(),
        to_shift_id=other.shift_id,
        reason="flat battery",
        undoes_id=undoes_id,
        actor=road.dispatcher,
    )


async def close(team: Team, *told: Explanation, event_id: UUID | None = None) -> dict[str, Any]:
    """Let a team's lead close its shift."""
    return await shift_close.close_shift(
        team.shift_id, event_id=event_id or uuid7(), explanations=told, actor=team.lead
    )


async def holds(team: Team) -> str:
    """Tell in words what a team holds."""
    return (await shift_close.balance(await tms.read_shift(team.shift_id))).words


async def state_of(team: Team) -> str:
    state: str = await db.value("SELECT state FROM shift WHERE id = $1", team.shift_id)
    return state


async def sound() -> None:
    """Nothing is lost, doubled or left on a van of nobody."""
    found = [str(one) for one in await doctor.run()]
    assert found == [], found[:5]


async def on_the_shelf(road: Road, parcel: UUID) -> None:
    """Let receiving take a parcel back, as its own scan does."""
    order_id = await db.value("SELECT order_id FROM fulfilment WHERE id = $1", parcel)
    await custody.take_back(
        parcel, order_id, road.world.warehouse_id, ref=f"back:{parcel}", grade="sellable"
    )


async def floor(road: Road) -> Actor:
    """Add somebody who works the warehouse."""
    person_id = uuid7()
    await db.execute(
        "INSERT INTO person (id, role, name, location_id, created_at)"
        " VALUES ($1, 'warehouse', 'floor', $2, $3)",
        person_id,
        road.world.warehouse_id,
        now(),
    )
    return Actor(
        role="warehouse",
        source="phone",
        person_id=person_id,
        device_id=uuid7(),
        location_id=road.world.warehouse_id,
        request_id=uuid7().hex,
    )
