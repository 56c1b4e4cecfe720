"""Installation on a real database: booking, the offline card's facts, reports, approval."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import install, install_reports, proof_pictures
from doorstep.journey import Verdict
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import (
    ChecklistNotMade,
    GoodsMustStand,
    NoFreeSlot,
    NothingToInstall,
    OutsideHours,
    ReportIncomplete,
    ReportMissing,
    SkillLacking,
    SlotTaken,
    VisitAlreadyBooked,
    VisitMissing,
    VisitOver,
    VisitTimeImpossible,
)
from doorstep.modules.fsm.schemas import (
    InstalledUnit,
    Photo,
    SignOff,
    VisitCompleted,
    VisitStarted,
)
from tests.factories.care import pass_stage, passed, serials_for, travel
from tests.factories.road import (
    Road,
    a_checklist,
    make_actor,
    make_technician,
    packed,
    picture,
    problems_of,
    upload,
)

pytestmark = pytest.mark.usefixtures("db")

WASHER = ("WM-7KG", 1)


@pytest.fixture
async def technician(road: Road) -> Actor:
    return await make_technician(road)


async def a_parcel(road: Road, *, delivered: bool = False) -> UUID:
    parcel = (await packed(road, WASHER)).parcels[0]
    serial = await core_db.value("SELECT serial FROM unit WHERE state = 'in_stock' LIMIT 1")
    await serials_for(parcel, [serial])
    if delivered:
        await travel(parcel, 1009, 1010, 1012, 1013)
    return parcel


async def stands(hours: int) -> None:
    await core_db.execute("UPDATE product SET standing_hours = $1 WHERE sku = 'WM-7KG'", hours)


async def visit_of(parcel: UUID) -> dict[str, Any]:
    return await core_db.one(
        "SELECT *, lower(during) AS starts_at FROM visit WHERE fulfilment_id = $1", parcel
    )


# --- Booking ------------------------------------------------------------------------------------


async def test_a_visit_booked_after_the_delivery_passes_1014_at_once(
    road: Road, technician: Actor
) -> None:
    parcel = await a_parcel(road, delivered=True)
    booked = await install.book_visit(parcel, actor=road.dispatcher)
    assert booked.technician_id == technician.person_id
    assert 1014 in await passed(parcel)
    event = await core_db.one("SELECT actor_id, evidence FROM journey_event WHERE stage = 1014")
    assert event["actor_id"] == road.dispatcher.person_id
    assert event["evidence"][0]["ref"] == str(booked.visit_id)


async def test_a_visit_booked_before_the_delivery_passes_1014_with_it(
    road: Road, technician: Actor
) -> None:
    parcel = await a_parcel(road)
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
    parcel = await a_parcel(road)
    soon = await install.book_visit(parcel, actor=road.dispatcher)
    assert soon.starts_at < now() + timedelta(hours=6)
    await travel(parcel, 1009, 1010, 1012, 1013)
    visit = await visit_of(parcel)
    assert visit["moves"] == 1 and visit["starts_at"] >= now() + timedelta(hours=5, minutes=59)
    assert 1014 in await passed(parcel)


async def test_a_visit_that_cannot_be_moved_is_a_problem(road: Road, technician: Actor) -> None:
    await stands(6)
    parcel = await a_parcel(road)
    await install.book_visit(parcel, actor=road.dispatcher)
    await core_db.execute("UPDATE technician SET active = false")
    await travel(parcel, 1009, 1010, 1012, 1013)
    assert 1014 not in await passed(parcel)
    assert await problems_of(parcel) == ["visit_unplannable"]


async def test_of_many_bookings_at_once_a_technician_takes_each_hour_once(
    road: Road, technician: Actor
) -> None:
    parcels = [await a_parcel(road) for _ in range(4)]
    ends = await asyncio.gather(
        *(install.book_visit(parcel, actor=road.dispatcher) for parcel in parcels)
    )
    spans = sorted((one.starts_at, one.ends_at) for one in ends)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


async def test_a_wished_time_that_is_taken_is_refused(road: Road, technician: Actor) -> None:
    one, other = await a_parcel(road), await a_parcel(road)
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
    parcel = await a_parcel(road, delivered=True)
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
    parcel = await a_parcel(road, delivered=True)
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
    parcel = await a_parcel(road)
    first = await install.book_visit(parcel, actor=road.dispatcher)
    await install.cancel_visit(first.visit_id, actor=road.dispatcher)
    with pytest.raises(VisitOver):
        await install.cancel_visit(first.visit_id, actor=road.dispatcher)
    again = await install.book_visit(parcel, actor=road.dispatcher)
    assert again.starts_at == first.starts_at


# --- Checklists ---------------------------------------------------------------------------------


async def test_a_changed_checklist_is_a_new_version_and_the_old_one_stays(road: Road) -> None:
    product = road.world.products["WM-7KG"]
    first = await fsm.save_checklist(product, a_checklist())
    assert await fsm.save_checklist(product, a_checklist()) == first
    second = await fsm.save_checklist(product, a_checklist(minutes=90))
    assert (await fsm.current_checklists([product]))[product][0] == second
    assert set(await fsm.checklists_by_id([first, second])) == {first, second}
    with pytest.raises(ChecklistNotMade):
        await fsm.save_checklist(product, a_checklist(photo_slots=["after", "after"]))
    with pytest.raises(Exception, match="append-only"):
        await core_db.execute("DELETE FROM checklist")


async def test_a_general_checklist_holds_for_goods_without_one(road: Road) -> None:
    general = await fsm.save_checklist(None, a_checklist(title="Anything"))
    products = road.world.products
    own = await fsm.save_checklist(products["WM-7KG"], a_checklist())
    current = await fsm.current_checklists(list(products.values()))
    assert current[products["WM-7KG"]][0] == own
    assert current[products["KET-17"]][0] == general


# --- Reports ------------------------------------------------------------------------------------


@pytest.fixture
async def visit(road: Road, technician: Actor) -> dict[str, Any]:
    """A delivered washing machine with a booked visit and a checklist."""
    await fsm.save_checklist(road.world.products["WM-7KG"], a_checklist())
    parcel = await a_parcel(road, delivered=True)
    await install.book_visit(parcel, actor=road.dispatcher)
    return await visit_of(parcel)


async def a_report(visit: dict[str, Any], **other: Any) -> VisitCompleted:
    line = await core_db.one(
        "SELECT l.id, c.id AS checklist_id, u.serial FROM fulfilment_line l"
        " JOIN checklist c ON c.product_id = l.product_id"
        " JOIN unit u ON u.fulfilment_line_id = l.id WHERE l.fulfilment_id = $1",
        visit["fulfilment_id"],
    )
    unit = {
        "fulfilment_line_id": line["id"],
        "checklist_id": line["checklist_id"],
        "serial": line["serial"],
        "answers": {"level": True},
    }
    given: dict[str, Any] = {
        "event_id": uuid7(),
        "captured_at": now(),
        "units": [InstalledUnit(**unit | other.pop("unit", {}))],
        "photos": [Photo(slot=slot, sha256=picture(slot)) for slot in ("before", "after")],
        "demo_topics": ["modes"],
        "sign_off": SignOff(name="Aisha Khan", strokes=[[(0.0, 0.0, 0), (2.0, 2.0, 9)]]),
    }
    return VisitCompleted(**given | other)


async def report_row() -> dict[str, Any]:
    return await core_db.one("SELECT * FROM visit_report ORDER BY recorded_at DESC LIMIT 1")


async def test_a_whole_report_passes_1015_and_approves_itself_with_its_pictures(
    road: Road, technician: Actor, visit: dict[str, Any]
) -> None:
    answer = await install_reports.complete_visit(
        visit["id"], await a_report(visit), actor=technician
    )
    assert answer.verdict is Verdict.APPLIED
    assert 1015 in await passed(visit["fulfilment_id"])
    assert (await report_row())["approved_at"] is None
    for slot in ("before", "after"):
        await upload(picture(slot))
        await proof_pictures.photo_verified(picture(slot))
    report = await report_row()
    assert report["approval"] == "automatic" and report["bytes_verified_at"]
    facts = await core_db.value(
        "SELECT count(*) FROM journey_event WHERE name = 'install_approved'"
    )
    assert facts == 1
    assert await core_db.value("SELECT state FROM visit") == "completed"
    assert await problems_of(visit["fulfilment_id"]) == []


async def test_a_report_whose_pictures_are_there_approves_itself_at_once(
    technician: Actor, visit: dict[str, Any]
) -> None:
    for slot in ("before", "after"):
        await upload(picture(slot))
    await install_reports.complete_visit(visit["id"], await a_report(visit), actor=technician)
    assert (await report_row())["approval"] == "automatic"


async def test_the_same_report_twice_is_one_report(
    technician: Actor, visit: dict[str, Any]
) -> None:
    report = await a_report(visit)
    for _ in range(2):
        answer = await install_reports.complete_visit(visit["id"], report, actor=technician)
        assert answer.verdict is Verdict.APPLIED
    assert await core_db.value("SELECT count(*) FROM visit_report") == 1


@pytest.mark.parametrize("unit", [{"serial": "OTHER-1"}, {"answers": {"level": False}}])
async def test_what_does_not_agree_passes_1015_and_waits_for_a_dispatcher(
    road: Road, technician: Actor, visit: dict[str, Any], unit: dict[str, Any]
) -> None:
    for slot in ("before", "after"):
        await upload(picture(slot))
    report = await a_report(visit, unit=unit)
    answer = await install_reports.complete_visit(visit["id"], report, actor=technician)
    assert answer.verdict is Verdict.APPLIED
    assert 1015 in await passed(visit["fulfilment_id"])
    assert (await report_row())["approved_at"] is None
    assert await problems_of(visit["fulfilment_id"]) == ["installation_approval"]
    await install_reports.approve_visit(visit["id"], "Vendor confirmed", actor=road.dispatcher)
    approved = await report_row()
    assert (approved["approval"], approved["approved_by"]) == (
        "dispatcher",
        road.dispatcher.person_id,
    )
    with pytest.raises(ReportMissing):
        await install_reports.approve_visit(visit["id"], "again", actor=road.dispatcher)


async def test_a_phones_report_that_lacks_something_is_kept_and_a_screens_is_refused(
    road: Road, technician: Actor, visit: dict[str, Any]
) -> None:
    at_screen = Actor(role="technician", source="person", person_id=technician.person_id)
    half = await a_report(visit, photos=[], sign_off=None)
    with pytest.raises(ReportIncomplete):
        await install_reports.complete_visit(visit["id"], half, actor=at_screen)
    assert await core_db.value("SELECT count(*) FROM visit_report") == 0
    answer = await install_reports.complete_visit(visit["id"], half, actor=technician)
    assert answer.verdict is Verdict.REVIEW and "photo:before" in answer.reason
    assert 1015 not in await passed(visit["fulfilment_id"])
    again = await install_reports.complete_visit(visit["id"], half, actor=technician)
    assert again.verdict is Verdict.REVIEW
    await install_reports.approve_visit(visit["id"], "Seen on video", actor=road.dispatcher)
    assert 1015 in await passed(visit["fulfilment_id"])
    assert (await report_row())["verdict"] == "applied"


async def test_another_technicians_visit_does_not_exist(
    road: Road, technician: Actor, visit: dict[str, Any]
) -> None:
    other = await make_technician(road)
    started = VisitStarted(event_id=uuid7(), captured_at=now())
    with pytest.raises(VisitMissing):
        await install.start_visit(visit["id"], started, actor=other)
    with pytest.raises(VisitMissing):
        await install_reports.complete_visit(visit["id"], await a_report(visit), actor=other)


async def test_a_visit_is_started_once(technician: Actor, visit: dict[str, Any]) -> None:
    started = VisitStarted(event_id=uuid7(), captured_at=now())
    assert await install.start_visit(visit["id"], started, actor=technician)
    assert not await install.start_visit(visit["id"], started, actor=technician)
    assert await core_db.value("SELECT state FROM visit") == "started"


async def test_a_report_that_comes_before_the_delivery_is_held(
    road: Road, technician: Actor
) -> None:
    await fsm.save_checklist(road.world.products["WM-7KG"], a_checklist())
    parcel = await a_parcel(road)
    await install.book_visit(parcel, actor=road.dispatcher)
    visit = await visit_of(parcel)
    answer = await install_reports.complete_visit(
        visit["id"], await a_report(visit), actor=technician
    )
    assert answer.verdict is Verdict.HELD
    await travel(parcel, 1009, 1010, 1012, 1013)
    assert {1014, 1015} <= set(await passed(parcel))


async def test_a_report_of_goods_that_another_device_has_installed_is_reviewed(
    road: Road, technician: Actor, visit: dict[str, Any]
) -> None:
    parcel = visit["fulfilment_id"]
    await pass_stage(parcel, 1015)
    answer = await install_reports.complete_visit(
        visit["id"], await a_report(visit), actor=technician
    )
    assert answer.verdict is Verdict.REVIEW
    assert (await report_row())["approved_at"] is None


async def test_only_the_channels_dispatchers_approve(
    road: Road, technician: Actor, visit: dict[str, Any]
) -> None:
    await install_reports.complete_visit(
        visit["id"], await a_report(visit, unit={"serial": "X"}), actor=technician
    )
    stranger = Actor(role="dispatcher", source="person", person_id=uuid7(), channel_ids=(uuid7(),))
    with pytest.raises(NotFound):
        await install_reports.approve_visit(visit["id"], "mine", actor=stranger)
    assert (await make_actor("dispatcher")).person_id
