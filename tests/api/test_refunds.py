"""What a customer is owed back, and what he still has to pay at the door, after things went wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.flows import closing
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.mishaps import receive_all
from tests.factories.steps import healthy


async def cancel(order: Order, *parcels: UUID) -> None:
    body: dict[str, Any] = {"event_id": uuid7(), "reason": "customer"}
    if parcels:
        body["fulfilment_ids"] = parcels
    await floor.ok(order.company, "support", f"/console/orders/{order.order_id}/cancel", body)
    await order.company.work()


async def asked(company: Company) -> list[str]:
    """List what finance is asked to give back."""
    return [one["title"] for one in await company.get("finance", "/problems?kind=refund_due")]


async def parcels_of(order: Order) -> list[UUID]:
    rows = await db.rows(
        "SELECT id FROM fulfilment WHERE order_id = $1 ORDER BY parcel", order.order_id
    )
    return [row["id"] for row in rows]


async def test_money_that_comes_after_the_cancellation_is_owed_back(company: Company) -> None:
    order = await place(company)
    await cancel(order)
    assert await asked(company) == []
    await order.pay()
    assert await asked(company) == [f"{order.number}: 200.00 AED is owed back to the customer"]
    await order.pay("refunded")
    assert await asked(company) == [], "the gateway has given it back"
    await healthy()


async def cancelled_and_owed(company: Company) -> tuple[Order, dict[str, Any]]:
    """Cancel a paid order; tell it and the request that its task names."""
    order = await place(company)
    await order.pay()
    await cancel(order)
    [problem] = await company.get("finance", "/problems?kind=refund_due")
    action = problem["action"]
    assert (action["operation_id"], action["method"]) == ("recordRefund", "POST")
    assert action["path"] == f"/console/finance/orders/{order.order_id}/refunds"
    return order, action


def by_hand(amount: int, method: str, reference: str, **other: Any) -> dict[str, Any]:
    return {
        "event_id": uuid7(), "amount_minor": amount, "currency": "AED", "method": method,
        "reference": reference,
    } | other  # fmt: skip


async def balance(account: str) -> int:
    found: int = await db.value(
        "SELECT coalesce(sum(credit_minor - debit_minor), 0)::bigint FROM journal_line"
        " WHERE account = $1",
        account,
    )
    return found


async def test_a_refund_in_cash_or_by_transfer_counts_once_and_ends_the_task(
    company: Company,
) -> None:
    order, action = await cancelled_and_owed(company)
    assert await balance("customer_deposit") == 200_00
    cash = by_hand(50_00, "cash", "Receipt 17")
    for _ in range(2):
        answer = await floor.ok(company, "finance", action["path"], cash, 201)
        assert answer["amount_minor"] == 50_00
    await company.work()
    assert await asked(company) == [f"{order.number}: 150.00 AED is owed back to the customer"]
    assert (await balance("customer_deposit"), await balance("cash_desk")) == (150_00, 50_00)
    line = await db.one("SELECT captured_minor, provider_ref FROM payment_line")
    assert line["captured_minor"] == 150_00 and line["provider_ref"] != "Receipt 17"
    transfer = by_hand(150_00, "bank_transfer", "FT26330-1")
    await floor.ok(company, "finance", action["path"], transfer, 201)
    await company.work()
    assert await asked(company) == []
    assert (await balance("customer_deposit"), await balance("bank")) == (0, 150_00)
    kept = await db.rows("SELECT method, recorded_by FROM desk_refund ORDER BY method")
    assert [row["method"] for row in kept] == ["bank_transfer", "cash"]
    await healthy()


async def test_a_desk_gives_back_no_more_than_is_owed_and_each_receipt_once(
    company: Company,
) -> None:
    _, action = await cancelled_and_owed(company)
    path = action["path"]
    told = await floor.refused(
        company, "finance", path, by_hand(200_01, "cash", "R"), "more-than-owed"
    )
    assert told["owed_minor"] == 200_00
    riyals = by_hand(1_00, "cash", "R", currency="QAR")
    await floor.refused(company, "finance", path, riyals, "refund-in-another-currency")
    first = by_hand(1_00, "cash", "R")
    await floor.ok(company, "finance", path, first, 201)
    await floor.refused(company, "finance", path, first | {"amount_minor": 2_00}, "event-id-reused")
    await floor.refused(company, "finance", path, by_hand(1_00, "cash", "R"), "refund-known")
    assert await balance("customer_deposit") == 199_00
    await healthy()


async def test_what_was_paid_twice_is_given_back_by_hand_and_the_order_goes_on(
    company: Company,
) -> None:
    order = await place(company)
    await order.pay()
    path = f"/console/finance/orders/{order.order_id}/refunds"
    none = by_hand(1, "cash", "R")
    told = await floor.refused(company, "finance", path, none, "more-than-owed")
    assert told["owed_minor"] == 0, "the goods are still to be sent"
    order.total_minor = 30_00
    await order.pay(action="act_once_more")
    back = by_hand(30_00, "bank_transfer", "FT-2")
    await floor.ok(company, "finance", path, back, 201)
    await company.work()
    assert await balance("customer_deposit") == 200_00
    assert await asked(company) == []
    await healthy()


async def test_a_second_credit_raises_what_finance_is_asked_for(company: Company) -> None:
    order = await standing(company, 1003, ("WM-7KG", 1), ("MIX-500", 1))
    first, second = await parcels_of(order)
    await cancel(order, first)
    assert await asked(company) == [f"{order.number}: 100.00 AED is owed back to the customer"]
    await cancel(order, second)
    assert await asked(company) == [f"{order.number}: 200.00 AED is owed back to the customer"]
    await healthy()


async def cod(company: Company, *lines: tuple[str, int]) -> Order:
    order = await place(company, *lines, method="cod")
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    await floor.ok(company, "finance", path, {"event_id": uuid7(), "reason": "Known to us."})
    await company.work()
    return order


async def test_cash_that_is_counted_after_the_goods_came_back_is_owed_back(
    company: Company,
) -> None:
    order = await cod(company, ("MIX-500", 1))
    await order.go_on(1012)
    money = [{"method": "cash", "amount_minor": 100_00}]
    await order.take_well(await order.pod(tenders=money))
    ask = {"event_id": uuid7(), "reason": "changed_mind", "how": "store"}
    await floor.ok(company, "support", f"/console/fulfilments/{order.parcel}/returns", ask)
    await receive_all(company, order, "sellable")
    assert await asked(company) == [], "the cash is not here yet"
    run = await db.value("SELECT run_id FROM delivery_stop")
    count = {"event_id": uuid7(), "run_id": run, "amount_minor": 100_00, "currency": "AED"}
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201, counted.text
    await company.work()
    assert await asked(company) == [f"{order.number}: 100.00 AED is owed back to the customer"]


async def test_what_was_cancelled_is_not_asked_for_at_the_door_nor_told_to_be(
    company: Company,
) -> None:
    order = await cod(company, ("KET-17", 1), ("MIX-500", 1))
    _, mixer = await parcels_of(order)
    await cancel(order, mixer)
    token = company.told(r"/t/([\w-]{20,})", order.number)
    seen = (await company.http.get(f"/track/{token}")).json()
    words = [one["sentence"] for one in seen["parcels"][0]["milestones"] if one["id"] == "T2"]
    assert words == ["To pay at the door: AED 100.00."]


async def test_a_refund_of_what_came_back_is_nothing_odd_and_the_order_closes(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1018, ("MIX-500", 2))
    line = await db.value("SELECT id FROM fulfilment_line")
    ask = {
        "event_id": uuid7(), "reason": "changed_mind", "how": "store",
        "lines": [{"fulfilment_line_id": line, "quantity": 1}],
    }  # fmt: skip
    await floor.ok(company, "support", f"/console/fulfilments/{order.parcel}/returns", ask)
    await receive_all(company, order, "sellable")
    order.total_minor = 100_00
    await order.pay("refunded")
    assert await asked(company) == []
    assert await company.get("finance", "/problems?kind=payment_held") == []
    settle = f"/console/fulfilments/{order.parcel}/detours/returned_part/settle"
    await floor.ok(company, "finance", settle, {"event_id": uuid7()})
    await db.execute("UPDATE ticket SET state = 'resolved', resolved_at = now()")
    await db.execute("UPDATE problem SET closed_at = now() WHERE kind = 'ticket_return'")
    await floor.later(company, clock, timedelta(days=40))
    await closing.close_orders({})
    open_still = (await closing.read_closing(order.order_id)).keeps_open
    assert open_still == [], "a payment that was given back is not missing"


async def test_an_order_paid_at_the_door_closes_although_a_part_was_cancelled(
    company: Company,
) -> None:
    order = await cod(company, ("KET-17", 1), ("MIX-500", 1))
    kettle, mixer = await parcels_of(order)
    await cancel(order, mixer)
    order.parcel = kettle
    await order.go_on(1012)
    await order.take_well(await order.pod(tenders=[{"method": "cash", "amount_minor": 100_00}]))
    run = await db.value("SELECT run_id FROM delivery_stop")
    count = {"event_id": uuid7(), "run_id": run, "amount_minor": 100_00, "currency": "AED"}
    await company.send("finance", "/console/finance/cash-counts", count)
    await company.work()
    open_still = (await closing.read_closing(order.order_id)).keeps_open
    assert not [words for words in open_still if "payment" in words.lower()], open_still
