"""The technician's report on a real database: the offline card's facts, pictures, and who approves."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import install, install_reports, proof_pictures
from doorstep.journey import Verdict
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import ReportIncomplete, ReportMissing, VisitMissing
from doorstep.modules.fsm.schemas import InstalledUnit, Photo, SignOff, VisitCompleted, VisitStarted
from tests.factories.care import pass_stage, passed, travel
from tests.factories.road import (
    Road,
    a_checklist,
    a_machine,
    make_technician,
    picture,
    problems_of,
    upload,
    visit_of,
)

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
async def visit(road: Road, technician: Actor) -> dict[str, Any]:
    """A delivered washing machine with a booked visit and a checklist."""
    await fsm.save_checklist(road.world.products["WM-7KG"], a_checklist())
    parcel = await a_machine(road, delivered=True)
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
    parcel = await a_machine(road)
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
    await install_reports.approve_visit(
        visit["id"], "The serial is on the photo.", actor=road.dispatcher
    )
    approved_by = await core_db.value("SELECT approved_by FROM visit_report")
    assert approved_by == road.dispatcher.person_id
