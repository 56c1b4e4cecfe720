"""What goes wrong at the customer's door and after it, told by the people it happens to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.mishaps import failed_attempt, kept, open_kinds, parcel_of, receive_all
from tests.factories.steps import healthy

# --- At the door ----------------------------------------------------------------------------------


async def test_a_failed_attempt_voids_the_code_moves_the_visit_and_goes_out_again(
    company: Company, clock: Any
) -> None:
    await floor.at_hour(company, clock, 10)
    order = await standing(company, 1008)
    await order.take_well(await order.book())
    planned = await db.value("SELECT lower(during) FROM visit")
    await order.go_on(1012)
    first_code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    event = {"event_id": uuid7()}
    for _ in range(2):
        answer = await failed_attempt(order, **event)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    kept = await db.one("SELECT reason, called, dwell_seconds FROM delivery_attempt")
    assert tuple(kept.values()) == ("not_home", True, 600)
    assert await db.value("SELECT lower(during) FROM visit WHERE state = 'booked'") > planned
    [sms] = [b for _, channel, _, b in company.post.sent if channel == "sms" and "could not" in b]
    assert "installation is now planned" in sms
    token = company.told(r"/t/([\w-]{20,})", order.number)
    seen = (await company.http.get(f"/track/{token}")).json()
    assert seen["parcels"][0]["detours"][0]["kind"] == "delivery_failed"
    assert seen["progress"] == 60

    await order.take_well(await order.accept_run())
    second_code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    assert second_code != first_code
    wrong = await order.take(await order.pod(handover_code=first_code))
    assert wrong.status_code == 200
    assert await db.value("SELECT hold_reason FROM pod") is not None, "the old code opens nothing"
    assert (await parcel_of(order))["attempt"] == 2
    await healthy()


async def test_after_the_last_attempt_the_goods_come_back_and_the_customer_his_money(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    await failed_attempt(order)
    for _ in range(2):
        await order.take_well(await order.accept_run())
        await failed_attempt(order)
    assert await open_kinds() == ["delivery_failed", "return_to_origin"]
    run = {
        "person_id": company.users["delivery"].id, "vehicle": "VAN-1",
        "planned_on": now().date(), "fulfilment_ids": [order.parcel],
    }  # fmt: skip
    refused = await company.send("dispatcher", "/console/runs", run)
    assert refused.json()["type"] == "/problems/not-for-a-run"
    await receive_all(company, order, "sellable")
    parcel = await parcel_of(order)
    assert (parcel["state"], parcel["ended_as"]) == ("ended", "returned")
    assert await db.value("SELECT sum(amount_minor)::bigint FROM credit_note") == order.total_minor
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 1
    held = await db.rows("SELECT DISTINCT state FROM tranche WHERE number > 3")
    assert [row["state"] for row in held] == ["held"]
    await healthy()


@pytest.mark.parametrize("reason", ["wrong_model", "broken_seal"])
async def test_wrong_goods_are_not_handed_over_and_the_right_ones_are_sent(
    company: Company, reason: str
) -> None:
    order = await standing(company, 1012)
    answer = await failed_attempt(order, reason)
    assert answer.json()["verdict"] == "applied"
    assert (await parcel_of(order))["ended_as"] == "replaced"
    successor = await db.one("SELECT * FROM fulfilment WHERE replaces_id = $1", order.parcel)
    assert 1003 in successor["passed"] and successor["po_id"] is not None
    late = await order.take(await order.pod(receiver={"name": "The guard", "relation": "guard"}))
    assert (late.status_code, late.json()["verdict"]) == (202, "review")
    await receive_all(company, order, "open_box")
    grades = await db.rows("SELECT grade, sum(on_hand)::int FROM stock GROUP BY 1 ORDER BY 1")
    assert ("open_box", 2) in [tuple(row.values()) for row in grades]
    order.parcel = successor["id"]
    await order.go_on()
    assert (await parcel_of(order))["progress"] == 100
    await healthy()


async def test_a_part_delivery_passes_for_what_was_handed_over_and_the_rest_goes_out_again(
    company: Company,
) -> None:
    order = await standing(company, 1012, ("WM-7KG", 1), ("KET-17", 3))
    pod = await order.pod(kept_back=[await kept(order, "KET-17", 2, "left_behind")])
    for _ in range(2):
        answer = await order.take(pod)
        assert answer.json()["verdict"] == "applied", answer.text
    rest = await db.one(
        "SELECT * FROM fulfilment WHERE order_id = $1 AND id <> $2", order.order_id, order.parcel
    )
    assert rest["po_id"] == await order.po_id() and rest["progress"] == 55
    states = await db.rows("SELECT number, state FROM tranche WHERE number >= 4 ORDER BY 1")
    assert {row["state"] for row in states} == {"waiting"}, "V4 to V6 wait for the rest"
    await healthy()
    await order.go_on(1016)
    second = Order(company, order.external_id, order.order_id, order.number, rest["id"], 0)
    await second.take_well(await second.accept_run())
    await second.take_well(await second.pod())
    await second.go_on(1016)
    assert await db.value("SELECT count(*) FROM payout WHERE state = 'paid'") == 6
    progress = await db.rows("SELECT progress FROM fulfilment")
    assert [row["progress"] for row in progress] == [100, 100]
    await healthy()


@pytest.mark.parametrize(("reason", "ends"), [("refused", "returned"), ("damaged", "replaced")])
async def test_what_the_customer_did_not_take_comes_back_or_is_sent_anew(
    company: Company, reason: str, ends: str
) -> None:
    order = await standing(company, 1012, ("WM-7KG", 1), ("KET-17", 1))
    [serial] = await db.rows("SELECT serial FROM unit WHERE fulfilment_line_id IS NOT NULL")
    back = await kept(order, "WM-7KG", 1, reason, serials=[serial["serial"]])
    answer = await order.take(await order.pod(kept_back=[back]))
    assert answer.json()["verdict"] == "applied", answer.text
    assert not (await parcel_of(order))["needs_install"], "the machine is not with the customer"
    rest = await db.one("SELECT id FROM fulfilment WHERE po_id = $1 AND id <> $2",
                        await order.po_id(), order.parcel)  # fmt: skip
    kettle = order.parcel
    order.parcel = rest["id"]
    await receive_all(company, order, "sellable")
    assert (await parcel_of(order))["ended_as"] == ends
    credited = await db.value("SELECT coalesce(sum(amount_minor), 0)::bigint FROM credit_note")
    assert credited == (100_00 if reason == "refused" else 0)
    if reason == "damaged":
        order.parcel = await db.value(
            "SELECT id FROM fulfilment WHERE replaces_id = $1", rest["id"]
        )
        await order.go_on()
        assert (await parcel_of(order))["progress"] == 100
    order.parcel = kettle
    po_id = await order.po_id()
    held = await db.rows("SELECT state FROM tranche WHERE po_id = $1 AND number > 3", po_id)
    assert {row["state"] for row in held} == {"held"}
    path = f"/console/finance/purchase-orders/{po_id}/rest"
    word = {"event_id": uuid7(), "reason": "Agreed with the vendor."}
    for _ in range(2):
        tranches = await floor.ok(company, "finance", path, word)
    assert [one["state"] for one in tranches] == ["released"] * 6
    asked = await db.one("SELECT closed_at FROM problem WHERE kind = 'purchase_order_rest'")
    assert asked["closed_at"] is not None
    await company.work()
    await order.go_on(1016)
    assert (await parcel_of(order))["progress"] == 100
    await healthy()


@pytest.mark.parametrize("quantity", [9, 1])
async def test_a_capture_that_keeps_back_what_is_not_there_or_everything_is_looked_at(
    company: Company, quantity: int
) -> None:
    order = await standing(company, 1012, ("KET-17", 1))
    back = await kept(order, "KET-17", quantity, "refused")
    answer = await order.take(await order.pod(kept_back=[back]))
    assert (answer.status_code, answer.json()["verdict"]) == (202, "review")
    assert await db.value("SELECT missing FROM pod") == ["kept_back"]
    assert await db.value("SELECT count(*) FROM fulfilment") == 1
    await healthy()


async def test_another_serial_is_handed_over_and_the_vendor_says_whether_it_is_his(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    answer = await order.take(await order.pod(serials=["SOMETHING-ELSE"]))
    assert answer.json()["verdict"] == "applied"
    assert await open_kinds() == ["serial_differs"]
    held = await db.rows("SELECT number, state FROM tranche ORDER BY 1")
    assert [row["state"] for row in held[:3]] == ["released"] * 3
    assert held[3]["state"] == "held"
    word = {"event_id": uuid7()}
    path = f"/vendor/purchase-orders/{await order.po_id()}/serials/confirm"
    for _ in range(2):
        await floor.ok(company, "vendor", path, word)
    await company.work()
    assert await open_kinds() == []
    assert await db.value("SELECT state FROM tranche WHERE number = 4") == "released"
    await healthy()


async def test_a_refusal_of_goods_to_be_paid_at_the_door_asks_for_approval_next_time(
    company: Company,
) -> None:
    order = await place(company, ("MIX-500", 1), method="cod")
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    approval = {"event_id": uuid7(), "reason": "known"}
    await company.send("finance", path, approval)
    await company.work()
    await order.go_on(1012)
    await failed_attempt(order, "refused")
    assert await open_kinds() == ["delivery_failed", "return_to_origin"]
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 0
    await healthy()


# --- After the delivery ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason", ["site_not_ready", "not_home", "part_needed", "unit_faulty", "demo_refused", "unsafe"]
)
async def test_a_visit_that_failed_books_the_next_one_unless_the_unit_is_faulty(
    company: Company, reason: str
) -> None:
    order = await standing(company, 1014)
    visit = await db.value("SELECT id FROM visit")
    body = capture(reason=reason, words="As I found it.")
    for _ in range(2):
        answer = await floor.ok(company, "technician", f"/field/visits/{visit}/failed", body)
        assert answer["verdict"] == "applied"
    await company.work()
    booked = await db.value("SELECT count(*) FROM visit WHERE state = 'booked'")
    faulty = reason == "unit_faulty"
    assert booked == (0 if faulty else 1)
    expected = {
        "unit_faulty": ["dead_on_arrival", "installation_failed"], "part_needed": ["part_missing"],
    }  # fmt: skip
    assert await open_kinds() == expected.get(reason, [])
    for kind in await open_kinds():
        if kind != "installation_failed":
            path = f"/console/fulfilments/{order.parcel}/detours/{kind}/settle"
            await floor.ok(company, "support", path, {"event_id": uuid7()})
            await company.work()
    assert await open_kinds() == []
    await order.go_on()
    assert (await parcel_of(order))["progress"] == 100
    await healthy()


async def test_a_unit_that_is_dead_on_arrival_is_fetched_and_replaced(company: Company) -> None:
    order = await standing(company, 1014)
    visit = await db.value("SELECT id FROM visit")
    body = capture(reason="unit_faulty")
    await floor.ok(company, "technician", f"/field/visits/{visit}/failed", body)
    report = {"event_id": uuid7(), "kind": "replaced", "reason": "dead_on_arrival"}
    path = f"/console/fulfilments/{order.parcel}/detours"
    await floor.ok(company, "support", path, report)
    await company.work()
    assert await open_kinds() == []
    successor = await db.value("SELECT id FROM fulfilment WHERE replaces_id = $1", order.parcel)
    await receive_all(company, order, "vendor_return")
    order.parcel = successor
    await order.go_on()
    assert (await parcel_of(order))["progress"] == 100
    await healthy()


async def test_a_part_of_the_goods_comes_back_and_is_credited_to_the_minor_unit(
    company: Company,
) -> None:
    order = await standing(company, 1018, ("WM-7KG", 1), ("KET-17", 3))
    line = await db.value(
        "SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
        " WHERE p.sku = 'KET-17'"
    )
    ask = {
        "event_id": uuid7(), "reason": "changed_mind", "words": "Too many.", "how": "store",
        "lines": [{"fulfilment_line_id": line, "quantity": 2}],
    }  # fmt: skip
    path = f"/console/fulfilments/{order.parcel}/returns"
    for _ in range(2):
        answer = await floor.ok(company, "support", path, ask)
        assert answer["step"]["verdict"] == "applied"
    assert await open_kinds() == ["return_requested"]
    assert await db.value("SELECT count(*) FROM ticket WHERE type = 'return'") == 1
    await receive_all(company, order, "sellable")
    assert await open_kinds() == ["returned_part"]
    assert await db.value("SELECT sum(amount_minor)::bigint FROM credit_note") == 200_00
    parcel = await parcel_of(order)
    assert (parcel["state"], parcel["progress"]) == ("open", 100)
    await healthy()


async def test_everything_comes_back_and_ends_the_parcel_with_its_warranties(
    company: Company,
) -> None:
    order = await standing(company, 1018)
    ask = {"event_id": uuid7(), "reason": "damaged", "how": "home"}
    await floor.ok(company, "support", f"/console/fulfilments/{order.parcel}/returns", ask)
    await receive_all(company, order, "scrap")
    assert (await parcel_of(order))["ended_as"] == "returned"
    assert await open_kinds() == []
    states = await db.rows("SELECT DISTINCT state FROM warranty")
    assert [row["state"] for row in states] == ["void"]
    await healthy()


async def test_a_return_is_refused_after_its_time_and_for_more_than_the_customer_has(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1014)
    path = f"/console/fulfilments/{order.parcel}/returns"
    line = await db.value("SELECT id FROM fulfilment_line ORDER BY id LIMIT 1")
    many = {
        "event_id": uuid7(), "reason": "other", "how": "store",
        "lines": [{"fulfilment_line_id": line, "quantity": 9}],
    }  # fmt: skip
    await floor.refused(company, "support", path, many, "not-with-customer")
    assert await open_kinds() == [], "a refusal changes nothing"
    await floor.later(company, clock, timedelta(days=15))
    late = {"event_id": uuid7(), "reason": "other", "how": "store"}
    await floor.refused(company, "support", path, late, "return-window-over")
    await floor.ok(company, "support", path, late | {"late": True})
    assert await open_kinds() == ["return_requested"]


async def test_a_desk_reports_only_what_is_a_desks_to_report(company: Company) -> None:
    order = await standing(company, 1003)
    path = f"/console/fulfilments/{order.parcel}/detours"
    by_hand = {"event_id": uuid7(), "kind": "cancelled", "reason": "customer"}
    await floor.refused(company, "dispatcher", path, by_hand, "not-by-hand")
    early = {"event_id": uuid7(), "kind": "hidden_damage"}
    await floor.refused(company, "support", path, early, "detour-not-possible")
    other = {"event_id": uuid7(), "kind": "dispute"}
    await floor.refused(company, "dispatcher", path, other, "role-not-allowed")
    await floor.ok(company, "finance", path, other | {"event_id": uuid7()})
    await floor.refused(company, "finance", path, other | {"event_id": uuid7()}, "detour-known")
    table = await company.get("support", "/console/detours")
    assert len(table) > 25


async def test_goods_that_nobody_installs_may_be_dead_on_arrival_as_well(company: Company) -> None:
    order = await standing(company, 1013, ("KET-17", 1))
    path = f"/console/fulfilments/{order.parcel}/detours"
    dead = {"event_id": uuid7(), "kind": "dead_on_arrival", "words": "It does not heat."}
    await floor.ok(company, "support", path, dead)
    await company.work()
    assert await open_kinds() == ["dead_on_arrival"]
    report = {"event_id": uuid7(), "kind": "replaced", "reason": "dead_on_arrival"}
    await floor.ok(company, "support", path, report)
    await receive_all(company, order, "vendor_return")
    assert (await parcel_of(order))["ended_as"] == "replaced"
    await healthy()


async def test_a_detour_names_goods_of_its_parcel_and_an_end_all_of_them(company: Company) -> None:
    order = await standing(company, 1013, ("WM-7KG", 1), ("KET-17", 3))
    path = f"/console/fulfilments/{order.parcel}/detours"
    lines = [
        {"fulfilment_line_id": row["id"], "quantity": row["quantity"]}
        for row in await db.rows("SELECT id, quantity FROM fulfilment_line ORDER BY quantity DESC")
    ]
    kettle = lines[0] | {"quantity": 1}
    damage = {"event_id": uuid7(), "kind": "hidden_damage"}
    foreign = [{"fulfilment_line_id": uuid7(), "quantity": 1}]
    for wrong in (foreign, [lines[0] | {"quantity": 4}], [kettle] * 4):
        body = damage | {"lines": wrong}
        await floor.refused(company, "support", path, body, "line-not-of-parcel")
    await floor.ok(company, "support", path, damage | {"lines": [kettle]})
    replaced = {"event_id": uuid7(), "kind": "replaced", "reason": "hidden_damage"}
    lost = {"event_id": uuid7(), "kind": "lost", "lines": [kettle]}
    await floor.refused(company, "support", path, lost, "whole-parcel-only")
    await floor.ok(company, "support", path, replaced | {"lines": lines})
    assert (await parcel_of(order))["ended_as"] == "replaced"
    await healthy()
