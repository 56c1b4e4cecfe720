"""Cash on delivery in several parcels and in parts: each stop asks for what it hands over (P11, J)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import door_money
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, place
from tests.factories.mishaps import kept
from tests.factories.steps import healthy


async def cod(company: Company, stage: int, *lines: tuple[str, int]) -> list[Order]:
    """Place an order to be paid at the door and bring each of its parcels just behind a stage."""
    order = await place(company, *lines, method="cod")
    await db.execute("UPDATE customer SET phone_verified_at = $1", now())
    await company.send(
        "finance",
        f"/console/finance/orders/{order.order_id}/payment-approval",
        {"event_id": uuid7(), "reason": "A known customer."},
    )
    await company.work()
    rows = await db.rows(
        "SELECT id FROM fulfilment WHERE order_id = $1 ORDER BY parcel", order.order_id
    )
    parcels = [replace(order, parcel=row["id"]) for row in rows]
    for parcel in parcels:
        await parcel.go_on(stage)
    return parcels


async def stop_of(order: Order) -> dict[str, Any]:
    """Tell the stop as the delivery executive's phone has it."""
    runs = await order.company.get("delivery", "/field/runs")
    stops = [stop for run in runs for stop in run["stops"]]
    found: dict[str, Any] = next(
        stop for stop in stops if stop["fulfilment_id"] == str(order.parcel)
    )
    return found


async def hand_over(order: Order, minor: int, **other: Any) -> None:
    """Hand over against so much cash."""
    tenders = [{"method": "cash", "amount_minor": minor}] if minor else []
    answer = await order.take(await order.pod(tenders=tenders, **other))
    assert answer.json()["verdict"] == "applied", answer.text


async def money_problems() -> list[str]:
    rows = await db.rows("SELECT detail FROM problem WHERE kind = 'door_payment_differs'")
    return [row["detail"] for row in rows]


async def test_a_part_delivery_asks_for_what_is_handed_over_and_the_rest_for_its_own(
    company: Company,
) -> None:
    [order] = await cod(company, 1012, ("KET-17", 3))
    stop = await stop_of(order)
    [goods] = stop["goods"]
    assert (stop["cash_due_minor"], goods["unit_price_minor"], goods["sku"]) == (
        300_00, 100_00, "KET-17",
    )  # fmt: skip
    back = {
        "fulfilment_line_id": goods["fulfilment_line_id"],
        "quantity": 2,
        "reason": "left_behind",
    }
    await hand_over(order, 100_00, kept_back=[back])
    assert await money_problems() == []
    rest = await db.value("SELECT id FROM fulfilment WHERE id <> $1", order.parcel)
    second = replace(order, parcel=rest)
    await second.take_well(await second.accept_run())
    assert (await stop_of(second))["cash_due_minor"] == 200_00
    await hand_over(second, 200_00)
    assert await money_problems() == []
    await healthy()


async def test_goods_refused_at_the_door_are_not_paid_and_leave_nothing_to_give_back(
    company: Company,
) -> None:
    [order] = await cod(company, 1012, ("WM-7KG", 1), ("KET-17", 1))
    back = await kept(order, "KET-17", 1, "refused")
    await hand_over(order, 100_00, kept_back=[back])
    assert await money_problems() == []
    assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 0
    await healthy()


async def test_taking_the_whole_price_for_a_part_is_looked_at(company: Company) -> None:
    [order] = await cod(company, 1012, ("KET-17", 3))
    back = await kept(order, "KET-17", 2, "left_behind")
    await hand_over(order, 300_00, kept_back=[back])
    assert await money_problems() == ["Due 100.00 AED, taken 300.00 AED."]


@pytest.mark.parametrize("first", [0, 1])
async def test_two_parcels_that_are_out_at_once_ask_for_the_price_once(
    company: Company, first: int
) -> None:
    parcels = await cod(company, 1012, ("WM-7KG", 1), ("MIX-500", 2))
    asked = [(await stop_of(parcel))["cash_due_minor"] for parcel in parcels]
    assert sorted(asked) == [100_00, 200_00], "what both phones show without a signal"
    for n in (first, 1 - first):
        await hand_over(parcels[n], asked[n])
    assert await money_problems() == []
    count = {
        "event_id": uuid7(), "order_ids": [parcels[0].order_id], "amount_minor": 300_00,
        "currency": "AED",
    }  # fmt: skip
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201, counted.text
    assert await db.value("SELECT sum(captured_minor)::int FROM payment_line") == 300_00
    await healthy()


async def test_shipping_and_a_first_payment_belong_to_the_first_parcel(company: Company) -> None:
    body = order_body("T-SHARED", ("WM-7KG", 1), ("MIX-500", 1), method="credit_card")
    [payment] = body["payments"]
    body |= {
        "shipping_minor": 15_00,
        "payments": [
            payment | {"amount_minor": 40_00},
            {"method": "cod", "due": "at_door", "amount_minor": 175_00},
        ],
    }
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    rows = await db.rows("SELECT id, order_id FROM fulfilment ORDER BY parcel")
    due = [(await door_money.due_of(row["order_id"], row["id"])).minor for row in rows]
    assert due == [75_00, 100_00]
