"""A van is down, on a real database: one call moves deliveries, goods by scan, and messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import deliver, transport, van_down
from doorstep.journey import Verdict
from doorstep.modules.tms.refusals import NothingToUndo, SameShift, ShiftMissing, ShiftOver
from tests.factories.care import passed, reacting
from tests.factories.fleet import (
    MOVING,
    Team,
    close,
    drive,
    make_team,
    places,
    plan,
    see,
    see_all,
    sound,
    take_over,
)
from tests.factories.road import (
    KETTLE,
    Road,
    a_machine,
    a_parcel,
    a_proof,
    labels_of,
    make_actor,
    packed,
    problems_of,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
async def _moving(road: Road) -> AsyncIterator[None]:
    with reacting(MOVING):
        yield


async def stops_of(team: Team) -> list[UUID]:
    """List the parcels that a team has to deliver, in driving order."""
    rows = await core_db.rows(
        "SELECT t.fulfilment_id FROM delivery_stop t JOIN delivery_run r ON r.id = t.run_id"
        " WHERE r.shift_id = $1 AND t.state = 'open' ORDER BY r.number, t.position",
        team.shift_id,
    )
    return [row["fulfilment_id"] for row in rows]


async def messages() -> int:
    count: int = await core_db.value("SELECT count(*) FROM message WHERE event = 'other_team'")
    return count


def states(told: list[dict[str, Any]]) -> list[str]:
    return [parcel["state"] for parcel in told]


async def two_teams(road: Road, parcels: int = 3) -> tuple[Team, Team, list[UUID]]:
    down, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    given = [await a_parcel(road, pieces=2) for _ in range(parcels)]
    await drive(road, down, *given)
    return down, other, given


async def test_one_call_moves_every_stop_in_order_and_tells_each_customer_once(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    assert states(await take_over(road, down, other)) == ["moved"] * 3
    assert (await stops_of(down), await stops_of(other)) == ([], parcels)
    # Two addresses of each customer: one message on each.
    assert await messages() == 6
    assert await core_db.value("SELECT count(*) FROM delivery_run WHERE shift_id = $1",
                               other.shift_id) == 1  # fmt: skip
    state = await core_db.value("SELECT state FROM delivery_run WHERE shift_id = $1", down.shift_id)
    assert state == "cancelled"
    for parcel in parcels:
        await scope(other.lead).require_fulfilment(parcel)
        with pytest.raises(NotFound):
            await scope(down.lead).require_fulfilment(parcel)
    await sound()


async def test_goods_are_the_other_vans_once_its_crew_has_scanned_every_box(road: Road) -> None:
    down, other, [parcel, second, _] = await two_teams(road)
    await take_over(road, down, other)
    first, last = await labels_of(parcel)
    await see(other.lead, "transfer", first)
    assert await places(parcel) == {"VAN-1"}
    await sound()
    await see(other.people[1], "transfer", last)
    assert await places(parcel) == {"VAN-2"} and await places(second) == {"VAN-1"}
    moves = await core_db.rows(
        "SELECT quantity, reason FROM stock_movement WHERE ref LIKE 'scan:%' ORDER BY quantity"
    )
    assert [(row["quantity"], row["reason"]) for row in moves] == [
        (-1, "hand_over"), (1, "hand_over"),
    ]  # fmt: skip
    await see_all(other.lead, "transfer", parcel)
    assert await core_db.value("SELECT count(*) FROM stock_movement WHERE ref LIKE 'scan:%'") == 2
    await sound()


async def test_boxes_that_were_scanned_before_the_call_follow_it(road: Road) -> None:
    down, other, [parcel, *_] = await two_teams(road)
    await see_all(other.lead, "transfer", parcel)
    assert await places(parcel) == {"VAN-1"}
    await take_over(road, down, other)
    assert await places(parcel) == {"VAN-2"}
    await sound()


async def test_the_same_call_again_moves_nothing_and_says_the_same(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    event = uuid7()
    first = await take_over(road, down, other, event)
    again = await asyncio.gather(*(take_over(road, down, other, event) for _ in range(4)))
    assert all(one == first for one in again)
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.move_parcels'")
    await van_down.move_parcels(job["payload"])
    assert await stops_of(other) == parcels and await messages() == 6
    assert await core_db.value("SELECT count(*) FROM delivery_stop") == 6
    with pytest.raises(EventIdReused):
        await take_over(road, other, down, event)


async def test_the_first_call_asked_five_times_at_once_is_one_call(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    event = uuid7()
    await asyncio.gather(*(take_over(road, down, other, event) for _ in range(5)))
    assert await stops_of(other) == parcels and await messages() == 6
    await sound()


async def test_the_job_finishes_a_call_that_died_after_its_first_parcel(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    down, other, parcels = await two_teams(road)
    moved = 0
    real = van_down._move

    async def dying(parcel: dict[str, Any]) -> None:
        nonlocal moved
        if moved:
            raise ConnectionResetError("the process died")
        moved += 1
        await real(parcel)

    monkeypatch.setattr(van_down, "_move", dying)
    with pytest.raises(ConnectionResetError):
        await take_over(road, down, other)
    monkeypatch.undo()
    assert await stops_of(other) == parcels[:1] and await stops_of(down) == parcels[1:]
    await sound()
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.move_parcels'")
    await van_down.move_parcels(job["payload"])
    assert (await stops_of(down), await stops_of(other)) == ([], parcels)
    assert await messages() == 6


async def test_moving_back_is_the_same_call_and_needs_new_scans(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    own = await a_parcel(road)
    await drive(road, other, own)
    await see_all(down.lead, "load", *parcels)
    event = uuid7()
    await take_over(road, down, other, event)
    await see_all(other.lead, "transfer", parcels[0])
    for wrong in (uuid7(), None):
        with pytest.raises(NothingToUndo if wrong else EventIdReused):
            await take_over(road, other, down, None if wrong else event, wrong or event)
    back = uuid7()
    for _ in range(2):
        await take_over(road, other, down, back, event)
    assert (await stops_of(down), await stops_of(other)) == (parcels, [own])
    # The old scans of the first crew do not bring back what the other one has.
    assert await places(parcels[0]) == {"VAN-2"} and await places(parcels[1]) == {"VAN-1"}
    await see_all(down.lead, "transfer", parcels[0])
    assert await places(parcels[0]) == {"VAN-1"}
    # One message for the customer, however often the teams change.
    assert await messages() == 6
    await sound()


async def test_stops_go_behind_what_the_other_crew_has_to_do_already(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    own = [await a_parcel(road) for _ in range(2)]
    await drive(road, other, *own)
    await take_over(road, down, other)
    assert await stops_of(other) == [*own, *parcels]
    assert await core_db.value("SELECT count(*) FROM delivery_run WHERE shift_id = $1",
                               other.shift_id) == 1  # fmt: skip


async def test_the_new_crew_accepts_and_delivers_with_the_customers_old_code(road: Road) -> None:
    down, other, [parcel, *_] = await two_teams(road)
    [moved, *_] = await take_over(road, down, other)
    await see_all(other.lead, "transfer", parcel)
    run_id = await core_db.value("SELECT id FROM delivery_run WHERE shift_id = $1", other.shift_id)
    event = uuid7()
    for _ in range(2):
        accepted = await transport.accept_run(
            run_id, event_id=event, captured_at=now(), actor=other.lead
        )
        assert {stop.answer.verdict for stop in accepted} == {Verdict.DUPLICATE}
    facts = await core_db.rows("SELECT actor_id FROM journey_event WHERE name = 'run_taken_over'")
    assert [row["actor_id"] for row in facts] == [other.lead.person_id] * 3
    assert await problems_of(parcel) == []
    proof = await a_proof(parcel)
    answer = await deliver.record_pod(moved["new_stop_id"], proof, actor=other.people[1])
    assert answer.verdict is Verdict.APPLIED and await places(parcel) == {"CUST-AE"}
    assert await core_db.value("SELECT code_ok FROM pod")
    await sound()


async def test_a_delivery_in_the_middle_of_the_call_counts_for_who_made_it(road: Road) -> None:
    down, other, [parcel, *rest] = await two_teams(road)
    old = await core_db.value("SELECT id FROM delivery_stop WHERE fulfilment_id = $1", parcel)
    proof = await a_proof(parcel)
    await take_over(road, down, other)
    # The phone of the first crew had no network; its proof arrives after the stop has moved.
    answer = await deliver.record_pod(old, proof, actor=down.lead)
    assert answer.verdict is Verdict.APPLIED and await places(parcel) == {"CUST-AE"}
    assert await stops_of(other) == rest
    again = await deliver.record_pod(old, proof, actor=down.lead)
    assert again.verdict is Verdict.APPLIED
    assert await core_db.value("SELECT count(*) FROM pod") == 1
    await sound()


async def test_deliveries_that_race_the_call_are_done_once_and_driven_by_nobody(road: Road) -> None:
    down, other, parcels = await two_teams(road, 4)
    stops = {
        row["fulfilment_id"]: row["id"]
        for row in await core_db.rows("SELECT id, fulfilment_id FROM delivery_stop")
    }
    proofs = {parcel: await a_proof(parcel) for parcel in parcels[:3]}
    ends = await asyncio.gather(
        take_over(road, down, other),
        *(
            deliver.record_pod(stops[parcel], proof, actor=down.lead)
            for parcel, proof in proofs.items()
        ),
    )
    assert all(end.verdict is Verdict.APPLIED for end in ends[1:])
    assert (await stops_of(down), await stops_of(other)) == ([], parcels[3:])
    for parcel in parcels[:3]:
        assert 1013 in await passed(parcel) and await places(parcel) == {"CUST-AE"}
    assert set(states(ends[0])) <= {"moved", "gone"}
    await sound()


async def test_two_crews_that_scan_the_same_boxes_at_once_share_nothing(road: Road) -> None:
    down, other, parcels = await two_teams(road)
    await take_over(road, down, other)
    await asyncio.gather(
        *(see_all(team.lead, "transfer", *parcels) for team in (down, other) for _ in range(3))
    )
    for parcel in parcels:
        assert len(await places(parcel)) == 1
    await sound()
    await see_all(other.lead, "transfer", *parcels)
    assert [await places(parcel) for parcel in parcels] == [{"VAN-2"}] * 3
    await sound()


async def test_what_the_other_vehicle_cannot_take_stays_and_becomes_a_problem(road: Road) -> None:
    down = await make_team(road, "VAN-1")
    small = await make_team(road, "VAN-2", people=1, kg=2)
    kettles = [await a_parcel(road) for _ in range(2)]
    machine = await a_machine(road)
    await drive(road, down, machine, *kettles)
    event = uuid7()
    for _ in range(2):
        told = await take_over(road, down, small, event)
        assert states(told) == ["left", "moved", "left"]
    assert "2 people" in told[0]["words"] and "2 kg" in told[2]["words"]
    assert await stops_of(down) == [machine, kettles[1]] and await stops_of(small) == kettles[:1]
    assert await problems_of(machine) == await problems_of(kettles[1]) == ["van_down_leftover"]
    assert await problems_of(kettles[0]) == []
    assert await messages() == 2
    await sound()


async def test_goods_without_a_stop_are_handed_over_too(road: Road) -> None:
    down, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    loose = await a_parcel(road)
    await see_all(down.lead, "pickup", loose)
    [told] = await take_over(road, down, other)
    assert (told["state"], told["new_stop_id"]) == ("moved", None)
    await see_all(other.lead, "transfer", loose)
    assert await places(loose) == {"VAN-2"} and await messages() == 0
    await take_over(road, other, down)
    await see_all(down.lead, "transfer", loose)
    assert await places(loose) == {"VAN-1"}
    await sound()


async def test_a_van_may_be_down_before_its_shift_begins(road: Road) -> None:
    down = await make_team(road, "VAN-1", begun=False)
    other = await make_team(road, "VAN-2", begun=False)
    parcel = (await packed(road, KETTLE)).parcels[0]
    await plan(road, down, parcel)
    assert states(await take_over(road, down, other)) == ["moved"]
    assert await stops_of(other) == [parcel]


async def test_work_goes_only_to_another_living_shift_in_sight(road: Road) -> None:
    down, other, _ = await two_teams(road, 1)
    with pytest.raises(SameShift):
        await take_over(road, down, down)
    foreign = await make_actor("dispatcher", "person")
    stranger = type(foreign)(role="dispatcher", source="person", channel_ids=(uuid7(),))
    for pair in ((down, other), (other, down)):
        with pytest.raises(ShiftMissing):
            await take_over(Road(road.world, road.courier, stranger), *pair)
    await close(other)
    with pytest.raises(ShiftOver):
        await take_over(road, down, other)
