"""Extras are paid at the visit: each tender once, cash in the technician's hands, the rest to be billed."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from tests.api.test_extras import SIGNED, at_a_visit, set_price
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.floor import ok
from tests.factories.steps import healthy


async def sold(company: Company, visit: str, quantity: int = 2) -> int:
    """Let the customer agree to a hose or more; return what it costs with tax."""
    price = await set_price(company)
    lines = [{"price_id": price, "quantity": quantity}]
    cost = (quantity * 35_01 * 10_500 + 5_000) // 10_000
    told = floor.capture(lines=lines, shown_minor=cost, sign_off=SIGNED)
    kept = await ok(company, "technician", f"/field/visits/{visit}/extras", told)
    assert kept["charged_minor"] == cost
    return cost


def tender(amount: int, method: str = "cash", reference: str = "") -> dict[str, Any]:
    return {"method": method, "amount_minor": amount, "reference": reference}


async def pay(company: Company, visit: str, shown: int, *tenders: Any, **other: Any) -> Any:
    told = floor.capture(shown_minor=shown, tenders=[*tenders], **other)
    path = f"/field/visits/{visit}/extras-payments"
    first = await ok(company, "technician", path, told)
    assert await ok(company, "technician", path, told) == first, "sent again, it is paid once"
    return first


async def balances() -> dict[str, int]:
    found = await db.rows(
        "SELECT account, sum(debit_minor - credit_minor)::bigint AS minor FROM journal_line l"
        " JOIN journal_entry e ON e.id = l.entry_id WHERE e.key LIKE 'extra%'"
        " OR e.key LIKE 'cash-count%' GROUP BY account"
    )
    return {row["account"]: row["minor"] for row in found if row["minor"]}


async def billing() -> list[str]:
    found = await db.rows(
        "SELECT title FROM problem WHERE kind = 'extras_to_bill' AND closed_at IS NULL"
    )
    return [row["title"] for row in found]


async def test_what_is_paid_in_cash_and_by_card_is_billed_no_more_and_has_a_receipt(
    company: Company,
) -> None:
    visit = await at_a_visit(company)
    cost = await sold(company, visit)
    assert await balances() == {
        "customer_receivable": cost, "extras_sales": -70_02, "sales_tax": -3_50
    }  # fmt: skip
    kept = await pay(company, visit, cost, tender(50_00), tender(cost - 50_00, "credit_card", "A1"))
    assert (kept["paid_minor"], kept["open_minor"], kept["reason"]) == (cost, 0, "")
    assert await billing() == []
    assert await balances() == {
        "courier_cash": 50_00, "terminal_clearing": cost - 50_00,
        "extras_sales": -70_02, "sales_tax": -3_50,
    }  # fmt: skip

    [row] = await company.get("finance", "/console/receipts")
    assert row["number"] == kept["number"] == f"{row['order_number']}-R{row['id'][-8:].upper()}"
    assert [one["method"] for one in row["tenders"]] == ["cash", "credit_card"]
    paper = await company.http.get(
        f"/console/receipts/{row['id']}/paper", headers=company.users["support"].headers
    )
    assert paper.content.startswith(b"%PDF-")

    [card] = await company.get("technician", "/field/visits")
    assert [one["charged_minor"] for one in card["extras"]] == [cost]
    assert [one["number"] for one in card["receipts"]] == [kept["number"]]
    day = await company.get("technician", "/field/day")
    assert day["cash"] == [{"currency": "AED", "amount_minor": 50_00}]
    count = {"event_id": uuid7(), "amount_minor": 49_00, "currency": "AED"}
    counted = await ok(
        company, "finance", "/console/finance/cash-counts", count | {"order_ids": [row["order_id"]]}, 201
    )  # fmt: skip
    assert (counted["expected_minor"], counted["difference_minor"]) == (50_00, -1_00)
    assert (await company.get("technician", "/field/day"))["cash"] == []
    assert (await balances())["cash_difference"] == 1_00
    await healthy()


async def test_what_is_not_paid_stays_to_be_billed_and_can_be_paid_before_the_end(
    company: Company,
) -> None:
    visit = await at_a_visit(company)
    cost = await sold(company, visit)
    later = await pay(company, visit, cost, bill_later=True)
    assert (later["paid_minor"], later["open_minor"], later["reason"]) == (0, cost, "")
    assert [f"{cost / 100:.2f} AED" in title for title in await billing()] == [True]
    part = await pay(company, visit, cost, tender(20_00), bill_later=True)
    assert part["open_minor"] == cost - 20_00
    rest = await pay(company, visit, cost - 20_00, tender(cost - 20_00, "debit_card", "B2"))
    assert (rest["open_minor"], await billing()) == (0, [])
    more = await sold(company, visit, quantity=1)
    assert len(await billing()) == 1
    await pay(company, visit, more, tender(more))
    assert await billing() == []
    assert "customer_receivable" not in await balances()
    await healthy()


async def test_a_bill_is_paid_at_the_desk_by_the_action_that_its_task_names(
    company: Company,
) -> None:
    visit = await at_a_visit(company)
    cost = await sold(company, visit)
    await pay(company, visit, cost, bill_later=True)
    [task] = await company.get("finance", "/problems?kind=extras_to_bill")
    assert task["action"]["operation_id"] == "recordExtrasPayment"
    path = task["action"]["path"]
    bill = {"event_id": uuid7(), "amount_minor": 13_52, "currency": "AED"}
    bill |= {"method": "desk_cash", "reference": "R-1"}
    for _ in range(2):
        part = await ok(company, "finance", path, bill, 201)
        assert part["open_minor"] == cost - 13_52
    for wrong, problem in (
        ({"event_id": uuid7(), "currency": "USD"}, "bill-in-another-currency"),
        ({"event_id": uuid7(), "amount_minor": cost}, "more-than-billed"),
        ({"amount_minor": 1}, "event-id-reused"),
    ):
        await floor.refused(company, "finance", path, bill | wrong, problem)
    rest = {"event_id": uuid7(), "amount_minor": cost - 13_52, "method": "bank_transfer"}
    assert (await ok(company, "finance", path, bill | rest, 201))["open_minor"] == 0
    assert await billing() == []
    assert await balances() == {
        "cash_desk": 13_52, "bank": cost - 13_52, "extras_sales": -70_02, "sales_tax": -3_50
    }  # fmt: skip
    taken = await company.get("finance", f"/console/receipts?visit_id={visit}")
    assert [one["tenders"][0]["method"] for one in taken[:2]] == ["bank_transfer", "desk_cash"]
    assert (await company.get("technician", "/field/day"))["cash"] == [], "no cash on the road"
    await healthy()


@pytest.mark.parametrize(
    ("shown", "tenders", "words"),
    [
        (0, [tender(1_00)], "1.00 AED too much was taken"),
        (0, [], ""),
        (5_00, [], "The screen showed 5.00 AED as open, it is 0.00 AED"),
        (0, [tender(1_00, "upi", "U1")], "by UPI, which moves rupees alone"),
        (0, [tender(1_00, "credit_card", " ")], "by credit_card, without a reference"),
    ],
)
async def test_money_that_was_taken_is_kept_whatever_does_not_fit(
    company: Company, shown: int, tenders: list[Any], words: str
) -> None:
    visit = await at_a_visit(company)
    kept = await pay(company, visit, shown, *tenders)
    assert words in kept["reason"]
    asked = await db.value("SELECT detail FROM problem WHERE kind = 'extras_payment_differs'")
    assert asked is None if not words else words in asked
    await healthy()


async def test_another_technicians_visit_and_a_used_event_are_refused(company: Company) -> None:
    visit = await at_a_visit(company)
    cost = await sold(company, visit)
    told = floor.capture(shown_minor=cost, tenders=[tender(cost)])
    gone = await company.send("technician", f"/field/visits/{uuid7()}/extras-payments", told)
    assert gone.status_code == 404
    link = told | {"tenders": [tender(cost, "payment_link")]}
    path = f"/field/visits/{visit}/extras-payments"
    assert (await company.send("technician", path, link)).status_code in (400, 422)
    assert await db.value("SELECT count(*) FROM extra_receipt") == 0


async def test_cash_of_extras_keeps_the_shift_open_and_what_comes_later_is_asked_for(
    company: Company,
) -> None:
    visit = await at_a_visit(company)
    shift = await crewed(company, "VAN-7", company.users["technician"].id)
    cost = await sold(company, visit)
    await pay(company, visit, cost, tender(cost))
    close = {"event_id": uuid7()}
    held = await company.send("delivery", f"/field/shifts/{shift}/close", close)
    assert (held.status_code, held.json()["cash"]) == (
        409, [{"currency": "AED", "amount_minor": cost}]
    )  # fmt: skip
    count = {"event_id": uuid7(), "amount_minor": cost, "currency": "AED", "shift_id": shift}
    await ok(company, "finance", "/console/finance/cash-counts", count, 201)
    more = await sold(company, visit)
    late = floor.capture(shown_minor=more, tenders=[tender(more)])
    await ok(company, "delivery", f"/field/shifts/{shift}/close", close)
    await ok(company, "technician", f"/field/visits/{visit}/extras-payments", late)
    asked = await db.value("SELECT ref FROM problem WHERE kind = 'cash_after_shift'")
    assert asked == str(shift)
    await healthy()
