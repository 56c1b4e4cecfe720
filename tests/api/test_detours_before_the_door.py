"""What goes wrong before the door: vendors, money, the floor and the carrier."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import pickups, source_again, unpaid, vendor_answers
from doorstep.modules.wms.service import stock
from tests.factories import floor
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.journeys import place, standing
from tests.factories.mishaps import failed_attempt, open_kinds, parcel_of, receive_all
from tests.factories.steps import carrier_scan, healthy, outside

# --- Vendors --------------------------------------------------------------------------------------


async def test_a_vendor_who_takes_a_part_is_owed_the_part_and_the_rest_comes_from_elsewhere(
    company: Company,
) -> None:
    order = await place(company, ("WM-7KG", 1), ("KET-17", 3))
    await order.go_on(1003)
    po_id = await order.po_id()
    read = await company.get("vendor", f"/vendor/purchase-orders/{po_id}")
    kettle = next(line for line in read["lines"] if line["sku"] == "KET-17")
    machine = next(line for line in read["lines"] if line["sku"] == "WM-7KG")
    part = {
        "event_id": uuid7(),
        "lines": [
            {"fulfilment_line_id": kettle["fulfilment_line_id"], "quantity": 1},
            {"fulfilment_line_id": machine["fulfilment_line_id"], "quantity": 1},
        ],
    }
    for _ in range(2):
        answer = await company.send("vendor", f"/vendor/purchase-orders/{po_id}/accept", part)
        await company.work()
    assert answer.status_code == 200, answer.text
    after = await company.get("vendor", f"/vendor/purchase-orders/{po_id}")
    assert after["total_minor"] == machine["total_minor"] + kettle["unit_cost_minor"]
    tranches = await company.get("vendor", f"/vendor/purchase-orders/{po_id}/tranches")
    assert sum(t["amount_minor"] for t in tranches) == after["total_minor"]
    assert [t["state"] for t in tranches[:2]] == ["released", "released"]
    rest = await db.one("SELECT * FROM fulfilment WHERE order_id = $1 AND id <> $2",
                        order.order_id, order.parcel)  # fmt: skip
    assert rest["location_id"] is None, "nobody else has kettles, and this vendor said no"
    assert await open_kinds() == ["short_stock"]
    await stock.receive(
        company.world.warehouse_id, company.world.products["KET-17"], None, 5, ref="own kettles"
    )
    await source_again.source_short({})
    await company.work()
    rest = await db.one("SELECT * FROM fulfilment WHERE id = $1", rest["id"])
    assert {1002, 1003, 1004} <= set(rest["passed"]) and not rest["needs_vendor"]
    assert await open_kinds() == []
    await healthy()


@pytest.mark.parametrize(
    ("lines", "problem"),
    [(0, "nothing-accepted"), (9, "not-ordered")],
)
async def test_a_vendor_cannot_take_nothing_or_more_than_was_ordered(
    company: Company, lines: int, problem: str
) -> None:
    order = await standing(company, 1003, ("KET-17", 3))
    po_id = await order.po_id()
    read = await company.get("vendor", f"/vendor/purchase-orders/{po_id}")
    [kettle] = read["lines"]
    part = {
        "event_id": uuid7(),
        "lines": [{"fulfilment_line_id": kettle["fulfilment_line_id"], "quantity": lines}],
    }
    path = f"/vendor/purchase-orders/{po_id}/accept"
    await floor.refused(company, "vendor", path, part, problem)
    assert await order.passed() == [1001, 1002, 1003]


async def test_goods_that_are_ready_later_move_the_promise_once(company: Company) -> None:
    order = await standing(company, 1003)
    later = {"event_id": uuid7(), "ready_on": now().date() + timedelta(days=3)}
    path = f"/vendor/purchase-orders/{await order.po_id()}/accept"
    await floor.ok(company, "vendor", path, later)
    await company.work()
    assert await open_kinds() == ["vendor_ready_later"]
    told = await db.value("SELECT count(*) FROM message WHERE event = 'vendor_ready_later'")
    assert told == 2
    await order.go_on(1005)
    assert await open_kinds() == []


async def test_a_silent_vendor_is_reminded_called_and_then_replaced(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1003)
    po = await db.one("SELECT sent_at, answer_due_at FROM purchase_order")
    whole = po["answer_due_at"] - po["sent_at"]
    await vendor_answers.watch_vendors({})
    assert await db.value("SELECT reminded_at FROM purchase_order") is None
    await db.execute(
        "UPDATE vendor SET working_hours = $1",
        {str(day): [["00:00", "24:00"]] for day in range(1, 8)},
    )
    await db.execute("UPDATE purchase_order SET answer_due_at = sent_at + interval '8 hours'")
    for share, expected in ((0.55, []), (0.85, ["vendor_silent"])):
        clock.set(po["sent_at"] + timedelta(hours=8) * share)
        await vendor_answers.watch_vendors({})
        await vendor_answers.watch_vendors({})
        await company.work()
        assert await open_kinds() == expected
    reminders = await db.value("SELECT count(*) FROM message WHERE event = 'po_reminder'")
    assert (reminders, whole > timedelta()) == (1, True)
    task = await db.one("SELECT owner_role FROM problem WHERE kind = 'vendor_silent'")
    assert task["owner_role"] == "dispatcher"
    clock.set(po["sent_at"] + timedelta(hours=8, minutes=1))
    await vendor_answers.watch_vendors({})
    await company.work()
    assert (await parcel_of(order))["ended_as"] == "replaced"
    assert await db.value("SELECT state FROM purchase_order") == "cancelled"
    assert await open_kinds() == ["short_stock"], "nobody else has a washing machine"
    late = {"event_id": uuid7()}
    path = f"/vendor/purchase-orders/{await order.po_id()}/accept"
    clock.set(now())
    user = await company.join("vendor", vendor_id=company.world.vendor_id)
    company.users["vendor"] = user
    await floor.refused(company, "vendor", path, late, "purchase-order-withdrawn")


# --- Money that does not come ---------------------------------------------------------------------


async def test_an_unpaid_order_is_reminded_gives_its_goods_back_and_is_cancelled(
    company: Company, clock: Any
) -> None:
    order = await place(company, ("KET-17", 2))
    free = await db.value("SELECT sum(on_hand - held - allocated)::int FROM stock")
    clock.advance(timedelta(minutes=16))
    for _ in range(2):
        await unpaid.watch_unpaid({})
        await company.work()
    assert await open_kinds() == ["payment_pending"]
    clock.advance(timedelta(minutes=15))
    await unpaid.watch_unpaid({})
    await company.work()
    assert await open_kinds() == ["payment_expired", "payment_pending"]
    assert await db.value("SELECT sum(on_hand - held - allocated)::int FROM stock") == free + 2
    clock.advance(timedelta(days=1))
    await unpaid.watch_unpaid({})
    await company.work()
    assert (await parcel_of(order))["ended_as"] == "cancelled"
    assert await db.value("SELECT state FROM customer_order") == "cancelled"
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 0
    await healthy()


@pytest.mark.parametrize("sold_out", [False, True])
async def test_a_payment_that_comes_after_the_hold_is_routed_again(
    company: Company, clock: Any, sold_out: bool
) -> None:
    order = await place(company, ("KET-17", 2))
    clock.advance(timedelta(minutes=31))
    await unpaid.watch_unpaid({})
    if sold_out:
        await db.execute("UPDATE stock SET held = on_hand WHERE held = 0 AND allocated = 0")
    await order.pay()
    await company.work()
    if sold_out:
        assert await open_kinds() == ["short_stock"]
        assert await order.passed() == [1001, 1002]
        await db.execute("UPDATE stock SET held = 0 WHERE held = on_hand")
        await source_again.source_short({})
        await company.work()
    assert {1002, 1003} <= set(await order.passed())
    assert await open_kinds() == []
    await healthy()


# --- The floor and the carrier --------------------------------------------------------------------


async def test_a_wrong_code_blocks_the_parcel_until_the_right_one_is_scanned(
    company: Company,
) -> None:
    order = await standing(company, 1005, ("KET-17", 1))
    wrong = floor.beep(floor.BARCODES["MIX-500"])
    path = f"/field/fulfilments/{order.parcel}/checks"
    answer = await floor.ok(company, "warehouse", path, {"event_id": uuid7(), "scans": [wrong]})
    assert answer["scans"][0]["ok"] is False
    assert await open_kinds() == ["qc_mismatch"]
    early = await order.take(await order.pack())
    assert early.json()["verdict"] == "held"
    await order.take_well(await order.check())
    assert await open_kinds() == []
    assert 1007 in await order.passed(), "what was held is tried again"
    await healthy()


async def test_the_wrong_pick_goes_back_to_the_shelf_and_is_picked_anew(company: Company) -> None:
    order = await standing(company, 1006)
    path = f"/field/fulfilments/{order.parcel}/repick"
    body = capture(words="Wrong colour.")
    for _ in range(2):
        answer = await floor.ok(company, "warehouse", path, body)
        assert answer["verdict"] == "applied"
    assert await db.value("SELECT count(*) FROM unit WHERE state = 'picked'") == 0
    listed = await company.get("warehouse", "/field/pick-lists")
    assert [one["state"] for one in listed] == ["open"]
    await order.go_on(1008)
    assert (await parcel_of(order))["attempt"] == 2
    await order.go_on()
    await healthy()


async def test_a_pickup_that_was_missed_gets_its_next_window_and_a_task(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1008)
    until = await db.value("SELECT pickup_until FROM shipment")
    clock.set(until + timedelta(minutes=1))
    for _ in range(2):
        await pickups.watch_pickups({})
    assert await open_kinds() == ["pickup_missed"]
    assert await db.value("SELECT pickup_until FROM shipment") > until
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'pickup_missed'") == 1
    clock.set(now())
    assert 1009 not in await order.passed()


async def test_what_another_carrier_has_is_to_be_stopped_there_when_the_order_is_cancelled(
    company: Company,
) -> None:
    order = await outside(company, 1010)
    cancel = {"event_id": uuid7(), "reason": "customer", "words": "Changed her mind."}
    for _ in range(2):
        answer = await floor.ok(
            company, "support", f"/console/orders/{order.order_id}/cancel", cancel
        )
        assert [one["step"]["verdict"] for one in answer] == ["applied"]
    await company.work()
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'shipment_to_cancel'") == 1
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 1
    again = {"event_id": uuid7(), "reason": "customer"}
    path = f"/console/orders/{order.order_id}/cancel"
    await floor.refused(company, "support", path, again, "nothing-to-cancel")
    await healthy()


async def test_goods_that_a_carrier_has_brought_back_are_expected_on_the_floor(
    company: Company,
) -> None:
    order = await outside(company, 1010)
    for code in (14, 11):
        await company.hook("clickpost", carrier_scan(order.awb, code, minute=code))
        await company.work()
    assert await open_kinds() == ["return_to_origin"], "the way back was never told of before"
    await receive_all(company, order, "sellable")
    assert (await parcel_of(order))["ended_as"] == "returned"
    carriers = "SELECT count(*) FROM problem WHERE owner_role = 'dispatcher' AND closed_at IS NULL"
    assert await db.value(carriers) == 0
    await healthy()


async def test_goods_on_their_way_back_are_expected_once_although_the_order_is_cancelled(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    await failed_attempt(order, "refused")
    cancel = {"event_id": uuid7(), "reason": "customer"}
    await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", cancel)
    await company.work()
    expected = "SELECT count(*) FROM expected_arrival WHERE state = 'expected'"
    assert await db.value(expected) == 1
    await receive_all(company, order, "sellable")
    assert await db.value(expected) == 0
    await healthy()


async def test_a_vendor_who_says_no_on_the_phone_is_recorded_by_the_dispatcher(
    company: Company,
) -> None:
    order = await standing(company, 1003, ("KET-17", 1))
    no = {
        "event_id": uuid7(),
        "kind": "vendor_declined",
        "reason": "declined",
        "words": "By phone.",
    }
    path = f"/console/fulfilments/{order.parcel}/detours"
    for _ in range(2):
        await floor.ok(company, "dispatcher", path, no)
        await company.work()
    assert (await parcel_of(order))["ended_as"] == "replaced"
    assert await db.value("SELECT state FROM purchase_order") == "cancelled"
    assert await open_kinds() == ["short_stock"]
    await healthy()


async def test_a_dispatcher_has_the_wrong_pick_done_again(company: Company) -> None:
    order = await standing(company, 1006)
    again = {"event_id": uuid7(), "kind": "repick", "words": "Wrong colour."}
    path = f"/console/fulfilments/{order.parcel}/detours"
    await floor.ok(company, "dispatcher", path, again)
    await company.work()
    listed = await company.get("warehouse", "/field/pick-lists")
    assert [one["state"] for one in listed] == ["open"]
    await order.go_on(1008)
    assert (await parcel_of(order))["attempt"] == 2
    await healthy()
