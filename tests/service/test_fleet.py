"""Crews and vehicles on a real database: who may work together, one shift at a time, what fits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from doorstep.core import db as core_db
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import deliver, dispatch, fleet, transport
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    CrewTooSmall,
    CrewWithoutDriver,
    NotFitForACrew,
    OnAnotherShift,
    RunMissing,
    ShiftAlreadyOpened,
    ShiftMissing,
    ShiftNotOpen,
    ShiftOver,
    StopMissing,
    VehicleCodeTaken,
    VehicleFull,
)
from tests.factories.care import passed, reacting
from tests.factories.fleet import (
    MOVING,
    Team,
    close,
    drive,
    floor,
    id_of,
    make_team,
    places,
    plan,
    see,
    see_all,
    sound,
    state_of,
)
from tests.factories.road import (
    FRESH,
    KETTLE,
    Road,
    a_machine,
    a_parcel,
    a_proof,
    how,
    labels_of,
    make_actor,
    out_for_delivery,
    packed,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
async def _moving(road: Road) -> AsyncIterator[None]:
    with reacting(MOVING):
        yield


# --- Crews, vehicles, shifts --------------------------------------------------------------------


async def test_a_crew_is_made_of_people_of_the_road_and_led_by_a_driver(road: Road) -> None:
    technician, driver = await make_actor("technician"), await make_actor("delivery")
    given = {"channel_id": road.world.channel_id, "actor": road.dispatcher}
    both = [id_of(technician), id_of(driver)]
    with pytest.raises(CrewWithoutDriver):
        await fleet.save_crew(uuid7(), name="A", lead_id=both[0], member_ids=both, **given)
    with pytest.raises(CrewWithoutDriver):
        await fleet.save_crew(uuid7(), name="A", lead_id=both[1], member_ids=both[:1], **given)
    desk = id_of(road.dispatcher)
    with pytest.raises(NotFitForACrew):
        await fleet.save_crew(uuid7(), name="A", lead_id=both[1], member_ids=[*both, desk], **given)
    await fleet.save_crew(uuid7(), name="A", lead_id=both[1], member_ids=both, **given)
    assert await core_db.value("SELECT count(*) FROM crew_member") == 2


async def test_a_vehicle_has_its_own_place_and_its_code_is_nobody_elses(road: Road) -> None:
    given = {"plate": "DXB 1", "capacity_kg": 800, "capacity_l": 9000, "actor": road.dispatcher}
    own = {**given, "channel_id": road.world.channel_id}
    first = await fleet.save_vehicle(code="VAN-1", **own)
    again = await fleet.save_vehicle(code="VAN-1", **own | {"capacity_kg": 900})
    assert first == again
    row = await core_db.one(
        "SELECT v.capacity_kg, y.kind, y.code FROM vehicle v JOIN location y ON y.id = v.location_id"
    )
    assert row == {"capacity_kg": 900, "kind": "van", "code": "VAN-1"}
    with pytest.raises(VehicleCodeTaken):
        await fleet.save_vehicle(code="DXB", **own)
    with pytest.raises(NotFound):
        await fleet.save_vehicle(code="VAN-9", **given, channel_id=uuid7())


async def test_a_planned_shift_follows_its_crew_and_an_open_one_does_not(road: Road) -> None:
    team = await make_team(road, "VAN-1", begun=False)
    crew_id = await core_db.value("SELECT id FROM crew")
    newcomer = await make_actor("courier")
    change = {
        "channel_id": road.world.channel_id, "name": "Crew VAN-1", "actor": road.dispatcher,
        "lead_id": id_of(newcomer), "member_ids": [id_of(newcomer)],
    }  # fmt: skip
    await fleet.save_crew(crew_id, **change)
    with pytest.raises(ShiftMissing):
        await tms.open_shift(team.lead, team.shift_id, uuid7())
    await tms.open_shift(newcomer, team.shift_id, uuid7())
    old = {"lead_id": id_of(team.lead), "member_ids": [id_of(one) for one in team.people]}
    await fleet.save_crew(crew_id, **change | old)
    members = await core_db.rows("SELECT person_id FROM shift_member")
    assert [row["person_id"] for row in members] == [id_of(newcomer)]


async def test_a_shift_is_planned_and_opened_once_however_often_it_is_asked(road: Road) -> None:
    team = await make_team(road, "VAN-1", begun=False)
    row = await core_db.one("SELECT crew_id, vehicle_id, planned_on, number FROM shift")
    number = row.pop("number")
    again = await fleet.plan_shift(team.shift_id, **row, actor=road.dispatcher)
    assert again["number"] == number
    with pytest.raises(EventIdReused):
        await fleet.plan_shift(
            team.shift_id, **row | {"planned_on": FRESH.replace(day=1)}, actor=road.dispatcher
        )
    event = uuid7()
    for who in team.people:
        assert (await tms.open_shift(who, team.shift_id, event))["state"] == "open"
    with pytest.raises(ShiftAlreadyOpened):
        await tms.open_shift(team.lead, team.shift_id, uuid7())
    assert await core_db.value("SELECT count(*) FROM shift_member WHERE on_duty") == 2


async def test_of_two_shifts_that_share_somebody_one_opens_even_at_once(road: Road) -> None:
    shared = await make_actor("delivery")
    teams = [
        await make_team(
            road, f"VAN-{n}", members=[await make_actor("delivery"), shared], begun=False
        )
        for n in range(4)
    ]
    opening = [tms.open_shift(team.lead, team.shift_id, uuid7()) for team in teams]
    ends = await asyncio.gather(*opening, return_exceptions=True)
    assert sum(isinstance(end, dict) for end in ends) == 1
    assert sum(isinstance(end, OnAnotherShift) for end in ends) == 3
    open_now = await core_db.value("SELECT count(*) FROM shift WHERE state = 'open'")
    assert open_now == 1
    [first] = [team for team in teams if await state_of(team) == "open"]
    await close(first)
    other = next(team for team in teams if team is not first)
    await tms.open_shift(other.lead, other.shift_id, uuid7())


async def test_one_vehicle_is_out_with_one_shift(road: Road) -> None:
    await make_team(road, "VAN-1")
    with pytest.raises(OnAnotherShift):
        await make_team(road, "VAN-1", members=[await make_actor("courier")])


# --- Work for a crew ----------------------------------------------------------------------------


async def test_everybody_of_the_crew_has_its_runs_and_the_doer_stands_in_the_event(
    road: Road,
) -> None:
    helper = await make_actor("technician")
    drivers = [await make_actor("delivery") for _ in range(2)]
    team = await make_team(road, "VAN-1", members=[*drivers, helper])
    parcel = await a_parcel(road)
    stops = await drive(road, Team(team.shift_id, "", team.van, drivers), parcel)
    assert await how(parcel, 1012) == "done"
    who = await core_db.value(
        "SELECT actor_id FROM journey_event WHERE stage = 1012 AND kind = 'stage'"
    )
    assert who == drivers[1].person_id
    for person in team.people:
        await scope(person).require_fulfilment(parcel)
    outsider = await make_actor("delivery")
    with pytest.raises(NotFound):
        await scope(outsider).require_fulfilment(parcel)
    with pytest.raises(StopMissing):
        await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=outsider)
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=drivers[0])
    assert await core_db.value("SELECT person_id FROM pod") == drivers[0].person_id
    assert 1013 in await passed(parcel) and await places(parcel) == {"CUST-AE"}
    await sound()


async def test_a_run_of_a_shift_is_accepted_by_its_crew_once_it_is_open(road: Road) -> None:
    team = await make_team(road, "VAN-1", begun=False)
    run = await plan(road, team, await a_parcel(road))
    accept = {"event_id": uuid7(), "captured_at": now()}
    with pytest.raises(ShiftNotOpen):
        await transport.accept_run(run["id"], **accept, actor=team.lead)
    await tms.open_shift(team.lead, team.shift_id, uuid7())
    with pytest.raises(RunMissing):
        await transport.accept_run(run["id"], **accept, actor=await make_actor("delivery"))
    for who in team.people:
        [stop] = await transport.accept_run(run["id"], **accept, actor=who)
        assert stop.answer.verdict.value in ("applied", "duplicate")
    assert await core_db.value("SELECT count(*) FROM journey_event WHERE stage = 1012") == 1


async def test_goods_for_two_are_not_given_to_a_crew_of_one(road: Road) -> None:
    alone = await make_team(road, "VAN-1", people=1)
    machine = await a_machine(road)
    with pytest.raises(CrewTooSmall, match="takes 2 people to carry; the crew is 1"):
        await plan(road, alone, machine)
    assert await core_db.value("SELECT count(*) FROM delivery_run") == 0
    two = await make_team(road, "VAN-2", people=2)
    await plan(road, two, machine)


async def test_a_vehicle_is_not_given_more_than_it_carries(road: Road) -> None:
    team = await make_team(road, "VAN-1", kg=100)
    machines = [await a_machine(road) for _ in range(2)]
    with pytest.raises(VehicleFull, match="takes 100 kg; it would carry 136 kg"):
        await plan(road, team, *machines)
    await plan(road, team, machines[0])
    with pytest.raises(VehicleFull):
        await plan(road, team, machines[1])
    small = await make_team(road, "VAN-2", litres=300)
    with pytest.raises(VehicleFull, match="takes 300 l; it would carry 371 l"):
        await plan(road, small, machines[1])


async def test_two_dispatchers_at_once_do_not_fill_one_vehicle_twice(road: Road) -> None:
    team = await make_team(road, "VAN-1", kg=100)
    machines = [await a_machine(road) for _ in range(3)]
    plans = [plan(road, team, machine) for machine in machines]
    ends = await asyncio.gather(*plans, return_exceptions=True)
    assert sum(isinstance(end, dict) for end in ends) == 1
    assert sum(isinstance(end, VehicleFull) for end in ends) == 2


async def test_a_closed_shift_gets_no_more_work(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    await close(team)
    with pytest.raises(ShiftOver):
        await plan(road, team, await a_parcel(road))


async def test_a_run_without_a_shift_works_as_before(road: Road) -> None:
    parcel = await a_parcel(road)
    await out_for_delivery(road, parcel)
    assert await places(parcel) == {"CARRIER-AE"}
    with pytest.raises(transport.NobodyNamed):
        await transport.plan_run([await a_parcel(road)], actor=road.dispatcher)


# --- Whose the goods are ------------------------------------------------------------------------


async def test_what_a_crew_picks_up_stands_on_its_van(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    parcel, other = await a_parcel(road, pieces=2), await a_parcel(road)
    await see_all(team.people[1], "pickup", parcel)
    await see_all(road.courier, "pickup", other)
    assert (await places(parcel), await places(other)) == ({"VAN-1"}, {"CARRIER-AE"})
    await sound()


async def test_an_accepted_run_takes_over_what_the_fleet_has_and_only_once(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    fetched, fresh = await a_parcel(road), await a_parcel(road)
    await see_all(road.courier, "pickup", fetched)
    await drive(road, team, fetched, fresh)
    assert await places(fetched) == await places(fresh) == {"VAN-1"}
    person = await floor(road)
    await see_all(person, "custody", fetched)
    assert await places(fetched) == {"CARRIER-AE"}
    # The job that finishes an acceptance does not take it out of the warehouse again.
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.start_run'")
    await transport.start_run(job["payload"])
    assert await places(fetched) == {"CARRIER-AE"}
    await see_all(team.lead, "load", fetched)
    assert await places(fetched) == {"VAN-1"}
    await sound()


async def test_half_the_boxes_scanned_load_nothing(road: Road) -> None:
    team = await make_team(road, "VAN-1", begun=False)
    parcel = await a_parcel(road, pieces=3)
    await see_all(road.courier, "pickup", parcel)
    await plan(road, team, parcel)
    await tms.open_shift(team.lead, team.shift_id, uuid7())
    labels = await labels_of(parcel)
    await see(team.lead, "load", *labels[:2])
    assert await places(parcel) == {"CARRIER-AE"}
    await see(team.people[1], "load", labels[2])
    assert await places(parcel) == {"VAN-1"}
    await see_all(team.lead, "load", parcel)
    await sound()


async def test_who_only_knows_the_labels_moves_nothing(road: Road) -> None:
    team, thieves = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    parcel = await a_parcel(road)
    await drive(road, team, parcel)
    await see_all(thieves.lead, "load", parcel)
    await see_all(thieves.lead, "transfer", parcel)
    await see_all(await make_actor("courier"), "load", parcel)
    stranger = await floor(road)
    await core_db.execute(
        "UPDATE person SET location_id = $2 WHERE id = $1", stranger.person_id, uuid7()
    )
    await see_all(stranger, "hub_in", parcel)
    assert await places(parcel) == {"VAN-1"}


async def test_an_outside_carriers_goods_stand_on_no_van(road: Road) -> None:
    await tms.create_carrier("BD", "Blue Dart", "aggregator", [tms.Service(road.world.channel_id)])
    await core_db.execute("DELETE FROM carrier_service WHERE carrier_id <>"
                          " (SELECT id FROM carrier WHERE code = 'BD')")  # fmt: skip
    team = await make_team(road, "VAN-1")
    parcel = (await packed(road, KETTLE)).parcels[0]
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD7", actor=road.dispatcher)
    await see_all(team.lead, "pickup", parcel)
    assert await places(parcel) == {"CARRIER-AE"}


async def test_at_the_next_attempt_the_boxes_are_the_same(road: Road) -> None:
    team, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    parcel = await a_parcel(road, pieces=2)
    await see_all(road.courier, "pickup", parcel)
    await core_db.execute("UPDATE fulfilment SET attempt = 2 WHERE id = $1", parcel)
    await plan(road, team, parcel)
    await see_all(team.lead, "load", parcel)
    assert await places(parcel) == {"VAN-1"}
    await see_all(other.lead, "load", parcel)
    assert await places(parcel) == {"VAN-1"}
