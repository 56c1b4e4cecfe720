"""Visits on a real database: booked before or after the delivery, moved, refused, cancelled."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.flows import install
from doorstep.modules.fsm.refusals import (
    GoodsMustStand,
    NoFreeSlot,
    NothingToInstall,
    OutsideHours,
    SkillLacking,
    SlotTaken,
    VisitAlreadyBooked,
    VisitOver,
    VisitTimeImpossible,
)
from tests.conftest import Clock
from tests.factories.care import passed, travel
from tests.factories.road import Road, a_machine, make_technician, packed, problems_of, visit_of

pytestmark = pytest.mark.usefixtures("db")


async def stands(hours: int) -> None:
    await core_db.execute("UPDATE product SET standing_hours = $1 WHERE sku = 'WM-7KG'", hours)


async def test_a_visit_booked_after_the_delivery_passes_1014_at_once(
    road: Road, technician: Actor
) -> None:
    parcel = await a_machine(road, delivered=True)
    booked = await install.book_visit(parcel, actor=road.dispatcher)
    assert booked.technician_id == technician.person_id
    assert 1014 in await passed(parcel)
    event = await core_db.one("SELECT actor_id, evidence FROM journey_event WHERE stage = 1014")
    assert event["actor_id"] == road.dispatcher.person_id
    assert event["evidence"][0]["ref"] == str(booked.visit_id)


async def test_a_visit_booked_before_the_delivery_passes_1014_with_it(
    road: Road, technician: Actor
) -> None:
    parcel = await a_machine(road)
    tomorrow = datetime.combine(now().date() + timedelta(days=1), datetime.min.time(), UTC)
    await install.book_visit(parcel, actor=road.dispatcher, starts_at=tomorrow + timedelta(hours=8))
    assert 1014 not in await passed(parcel)
    await travel(parcel, 1009, 1010, 1012, 1013)
    assert 1014 in await passed(parcel)
    assert (await visit_of(parcel))["moves"] == 0


async def test_goods_that_come_late_or_must_stand_move_the_visit(
    road: Road, technician: Actor
) -> None:
    await stands(6)
    parcel = await a_machine(road)
    soon = await install.book_visit(parcel, actor=road.dispatcher)
    assert soon.starts_at < now() + timedelta(hours=6)
    await travel(parcel, 1009, 1010, 1012, 1013)
    visit = await visit_of(parcel)
    assert visit["moves"] == 1 and visit["starts_at"] >= now() + timedelta(hours=5, minutes=59)
    assert 1014 in await passed(parcel)


async def test_a_visit_that_cannot_be_moved_is_a_problem(road: Road, technician: Actor) -> None:
    await stands(6)
    parcel = await a_machine(road)
    await install.book_visit(parcel, actor=road.dispatcher)
    await core_db.execute("UPDATE technician SET active = false")
    await travel(parcel, 1009, 1010, 1012, 1013)
    assert 1014 not in await passed(parcel)
    assert await problems_of(parcel) == ["visit_unplannable"]


async def test_of_many_bookings_at_once_a_technician_takes_each_hour_once(
    road: Road, technician: Actor
) -> None:
    parcels = [await a_machine(road) for _ in range(4)]
    ends = await asyncio.gather(
        *(install.book_visit(parcel, actor=road.dispatcher) for parcel in parcels)
    )
    spans = sorted((one.starts_at, one.ends_at) for one in ends)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


async def test_each_free_hour_is_that_of_whoever_is_free(
    road: Road, technician: Actor, clock: Clock
) -> None:
    clock.set(now().replace(hour=5, minute=0) + timedelta(days=1))
    made = [await make_technician(road) for _ in range(2)]
    people = {one.person_id for one in (technician, *made) if one.person_id}
    # The last of them has no time for days, the others all of it.
    last = max(people)
    parcels = [await a_machine(road) for _ in range(4)]
    busy = await install.book_visit(parcels[0], actor=road.dispatcher, technician_id=last)
    await core_db.execute(
        "UPDATE visit SET during = tstzrange(lower(during), lower(during) + interval '20 days')"
        " WHERE id = $1",
        busy.visit_id,
    )
    booked = [await install.book_visit(one, actor=road.dispatcher) for one in parcels[1:]]
    assert {one.technician_id for one in booked} == people - {last}
    # Two have time at the same hour.
    assert booked[0].starts_at == booked[1].starts_at < booked[2].starts_at
    slots = await install.free_slots(
        parcels[0], since=now(), until=now() + timedelta(days=1), actor=road.dispatcher
    )
    assert {slot.technician_id for slot in slots} == people - {last}
    for slot in slots:
        for one in booked:
            apart = slot.end <= one.starts_at or one.ends_at <= slot.start
            assert apart or slot.technician_id != one.technician_id


async def test_a_wished_time_that_is_taken_is_refused(
    road: Road, technician: Actor, clock: Clock
) -> None:
    # In the morning, so that half an hour after the first free time is still within the day.
    clock.set(now().replace(hour=5, minute=0) + timedelta(days=1))
    one, other = await a_machine(road), await a_machine(road)
    first = await install.book_visit(one, actor=road.dispatcher)
    with pytest.raises(SlotTaken):
        await install.book_visit(
            other, actor=road.dispatcher, starts_at=first.starts_at + timedelta(minutes=30)
        )
    with pytest.raises(VisitAlreadyBooked):
        await install.book_visit(one, actor=road.dispatcher)
    assert await core_db.value("SELECT count(*) FROM visit") == 1


async def test_wishes_that_cannot_be_met_are_named(road: Road) -> None:
    await stands(4)
    parcel = await a_machine(road, delivered=True)
    book = install.book_visit
    with pytest.raises(NoFreeSlot):
        await book(parcel, actor=road.dispatcher)
    stranger = await make_technician(road, "cooling")
    with pytest.raises(SkillLacking):
        await book(parcel, actor=road.dispatcher, technician_id=stranger.person_id)
    await make_technician(road, hours={"1": [("09:00", "09:30")]})
    with pytest.raises(OutsideHours):
        await book(parcel, actor=road.dispatcher, starts_at=now() + timedelta(hours=5))
    with pytest.raises(VisitTimeImpossible):
        await book(parcel, actor=road.dispatcher, starts_at=now() - timedelta(hours=1))
    with pytest.raises(GoodsMustStand):
        await book(parcel, actor=road.dispatcher, starts_at=now() + timedelta(hours=1))
    plain = (await packed(road, ("KET-17", 1))).parcels[0]
    with pytest.raises(NothingToInstall):
        await book(plain, actor=road.dispatcher)
    with pytest.raises(NotFound):
        await book(uuid4(), actor=road.dispatcher)


async def test_free_slots_are_those_of_the_skilled_and_begin_when_goods_have_stood(
    road: Road, technician: Actor
) -> None:
    await make_technician(road, "cooling")
    await stands(3)
    parcel = await a_machine(road, delivered=True)
    slots = await install.free_slots(
        parcel, since=now(), until=now() + timedelta(days=2), actor=road.dispatcher
    )
    assert {slot.technician_id for slot in slots} == {technician.person_id}
    assert slots[0].start >= now() + timedelta(hours=2, minutes=59)
    assert slots == sorted(slots)
    with pytest.raises(install.WindowNotUsable):
        await install.free_slots(
            parcel, since=now(), until=now() + timedelta(days=40), actor=road.dispatcher
        )


async def test_a_cancelled_visit_frees_its_time(road: Road, technician: Actor) -> None:
    parcel = await a_machine(road)
    first = await install.book_visit(parcel, actor=road.dispatcher)
    await install.cancel_visit(first.visit_id, actor=road.dispatcher)
    with pytest.raises(VisitOver):
        await install.cancel_visit(first.visit_id, actor=road.dispatcher)
    again = await install.book_visit(parcel, actor=road.dispatcher)
    assert again.starts_at == first.starts_at
