"""What `GET /problems` names as the way out is the way out; closing by hand loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk.kinds import KINDS, SETTLE
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt, open_kinds
from tests.factories.steps import healthy, outside


async def the_problem(company: Company, kind: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = await company.get("admin", f"/problems?kind={kind}")
    [problem] = found
    return problem


async def report(order: Order, kind: str, who: str) -> None:
    path = f"/console/fulfilments/{order.parcel}/detours"
    await floor.ok(order.company, who, path, {"event_id": uuid7(), "kind": kind})
    await order.company.work()


@pytest.mark.parametrize(
    ("kind", "stage", "who"),
    [
        ("pickup_missed", 1008, "dispatcher"),
        ("carrier_delayed", 1010, "dispatcher"),
        ("return_to_origin", 1010, "dispatcher"),
        ("serial_differs", 1013, "dispatcher"),
        ("part_missing", 1013, "dispatcher"),
        ("dispute", 1013, "finance"),
    ],
)
async def test_settling_by_the_named_action_ends_the_detour_and_its_task(
    company: Company, kind: str, stage: int, who: str
) -> None:
    order = await standing(company, stage)
    await report(order, kind, who)
    problem = await the_problem(company, kind)
    assert problem["action"]["operation_id"] == SETTLE
    by_hand = f"/problems/{problem['id']}/close"
    await floor.refused(company, who, by_hand, {"words": "Done."}, "detour-still-open")
    owner = KINDS[kind].owner_role
    await floor.ok(company, owner, problem["action"]["path"], {"event_id": uuid7()})
    assert await open_kinds() == []
    assert await company.get("admin", f"/problems?kind={kind}") == []
    await healthy()


@pytest.mark.parametrize(
    ("kind", "stage", "follows"),
    [
        ("carrier_lost", 1010, {"kind": "lost"}),
        ("carrier_damaged", 1010, {"kind": "replaced", "reason": "damaged"}),
        ("hidden_damage", 1014, {"kind": "replaced", "reason": "hidden_damage"}),
        ("dead_on_arrival", 1014, {"kind": "replaced", "reason": "dead_on_arrival"}),
    ],
)
async def test_reporting_what_follows_by_the_named_action_ends_the_task(
    company: Company, kind: str, stage: int, follows: dict[str, str]
) -> None:
    order = await standing(company, stage)
    await report(order, kind, "dispatcher")
    action = (await the_problem(company, kind))["action"]
    assert action["operation_id"] == "reportDetour"
    owner = KINDS[kind].owner_role
    await floor.ok(company, owner, action["path"], {"event_id": uuid7()} | follows)
    assert await company.get("admin", f"/problems?kind={kind}") == []
    await healthy()


async def test_an_installation_without_a_free_time_is_resolved_by_booking_one(
    company: Company,
) -> None:
    order = await standing(company, 1014)
    visit = await db.value("SELECT id FROM visit")
    await db.execute("UPDATE technician SET active = false")
    body = floor.capture(reason="not_home")
    await floor.ok(company, "technician", f"/field/visits/{visit}/failed", body)
    action = (await the_problem(company, "visit_needed"))["action"]
    assert (action["operation_id"], action["path"]) == ("bookVisit", "/console/visits")
    await db.execute("UPDATE technician SET active = true")
    booked = await company.send("dispatcher", action["path"], {"fulfilment_id": order.parcel})
    assert booked.status_code == 201, booked.text
    assert await company.get("admin", "/problems?kind=visit_needed") == []
    await healthy()


async def test_an_adjustment_is_decided_by_the_named_action(company: Company) -> None:
    change = {
        "event_id": uuid7(), "sku": "MIX-500", "owner_id": None, "grade": "sellable",
        "quantity": -4, "reason": "lost", "words": "Gone.", "captured_at": "2026-11-23T06:00:00Z",
    }  # fmt: skip
    body = {"location_id": company.world.warehouse_id, "adjustment": change}
    proposed = await company.send("admin", "/console/adjustments", body)
    assert proposed.json()["state"] == "proposed", proposed.text
    action = (await the_problem(company, "adjustment_approval"))["action"]
    assert action["operation_id"] == "decideAdjustment"
    await floor.ok(company, "dispatcher", action["path"], {"approve": True, "words": "Seen."})
    assert await company.get("admin", "/problems?kind=adjustment_approval") == []


async def test_what_an_ended_parcel_needed_is_nobodys_task_any_more(company: Company) -> None:
    order = await outside(company, 1007)
    assert await the_problem(company, "awb_needed")
    cancel = {"event_id": uuid7(), "reason": "customer"}
    await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", cancel)
    await company.work()
    assert await company.get("admin", "/problems?kind=awb_needed") == []
    await healthy()


async def test_the_task_of_goods_on_their_way_back_outlives_a_hasty_click(company: Company) -> None:
    order = await standing(company, 1012)
    await failed_attempt(order, "refused")
    problem = await the_problem(company, "return_to_origin")
    close = f"/problems/{problem['id']}/close"
    await floor.refused(company, "dispatcher", close, {"words": "Ok."}, "detour-still-open")
    assert (await the_problem(company, "return_to_origin"))["id"] == problem["id"]


async def test_what_belongs_to_no_order_is_seen_by_the_desks_of_its_channel(
    company: Company,
) -> None:
    unknown = floor.capture(code="4006381333931", words="A box of tiles.")
    await floor.ok(company, "warehouse", "/field/arrivals/unannounced", unknown)
    assert (await the_problem(company, "unannounced_goods"))["owner_role"] == "dispatcher"
    asked = await company.get("warehouse", "/field/shift-checklist")
    answers = [{"code": item["code"], "ok": False, "words": "None."} for item in asked["items"]]
    await floor.ok(company, "warehouse", "/field/shift-checklist", floor.capture(answers=answers))
    seen = await company.get("dispatcher", "/problems?kind=supplies_needed")
    assert len(seen) == len(answers)
