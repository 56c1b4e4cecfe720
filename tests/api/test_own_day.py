"""What a person has done today as the office has it, and the cash that is to be handed in (P11, F)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.api.test_money_at_the_door import cod, hand_over
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import place, standing
from tests.factories.mishaps import failed_attempt, kept
from tests.factories.sync import SyncedCompany

OTHERS = ("courier", "technician")


async def day(company: Company, who: str = "delivery") -> dict[str, Any]:
    found: dict[str, Any] = await company.get(who, "/field/day")
    return found


async def test_what_was_handed_over_stands_with_its_cash_until_that_is_counted(
    company: Company,
) -> None:
    assert await day(company) == {"done": [], "cash": []}
    [order] = await cod(company, 1012, ("KET-17", 3))
    await hand_over(order, 300_00)
    told = await day(company)
    [job] = told["done"]
    number = await db.value("SELECT number FROM customer_order")
    assert (job["kind"], job["number"], job["outcome"]) == ("stop", number, "done")
    recorded = job["recorded"]
    assert (recorded["amount_minor"], recorded["currency"]) == (300_00, "AED")
    assert (recorded["code_ok"], recorded["photos"]) == (True, 1)
    assert recorded["tenders"] == [{"method": "cash", "amount_minor": 300_00, "reference": ""}]
    assert recorded["kept_back"] == 0
    assert recorded["name"] and recorded["reason"] is None
    assert job["address"] == "12 Marina Walk, Dubai"
    assert [(one["quantity"], one["serials"]) for one in job["goods"]] == [(3, [])]
    assert told["cash"] == [{"currency": "AED", "amount_minor": 300_00}]
    assert [await day(company, who) for who in OTHERS] == [{"done": [], "cash": []}] * 2
    run_id = await db.value("SELECT run_id FROM delivery_stop")
    await company.send(
        "finance",
        "/console/finance/cash-counts",
        {
            "event_id": uuid7(),
            "run_id": run_id,
            "order_ids": [],
            "amount_minor": 300_00,
            "currency": "AED",
        },
    )
    told = await day(company)
    assert (len(told["done"]), told["cash"]) == (1, [])


async def test_what_was_kept_back_is_told_with_the_money_for_the_rest(company: Company) -> None:
    [order] = await cod(company, 1012, ("KET-17", 3))
    back = await kept(order, "KET-17", 2, "left_behind")
    card = {"method": "credit_card", "amount_minor": 60_00, "reference": "R-1"}
    cash = {"method": "cash", "amount_minor": 40_00}
    await order.take_well(await order.pod(tenders=[card, cash], kept_back=[back]))
    [job] = (await day(company))["done"]
    recorded = job["recorded"]
    assert (recorded["kept_back"], recorded["amount_minor"]) == (2, 100_00)
    assert [(one["quantity"], one["reason"]) for one in recorded["kept"]] == [(2, "left_behind")]
    assert [(one["method"], one["amount_minor"]) for one in recorded["tenders"]] == [
        ("credit_card", 60_00),
        ("cash", 40_00),
    ]


async def test_the_last_word_on_a_door_counts(company: Company) -> None:
    order = await place(company, ("KET-17", 1))
    await order.go_on(1012)
    await failed_attempt(order)
    [job] = (await day(company))["done"]
    assert job["outcome"] == "failed"
    assert (job["recorded"]["reason"], job["recorded"]["code_ok"]) == ("not_home", None)


@pytest.mark.parametrize(("over", "outcome"), [("completed", "done"), ("failed", "failed")])
async def test_a_visit_stands_with_how_it_went(company: Company, over: str, outcome: str) -> None:
    order = await place(company, ("WM-7KG", 1))
    await order.go_on(1015 if over == "completed" else 1014)
    if over == "failed":
        visit = await db.value("SELECT id FROM visit")
        body = floor.capture(reason="site_not_ready")
        await floor.ok(company, "technician", f"/field/visits/{visit}/failed", body)
    [job] = (await day(company, "technician"))["done"]
    assert (job["kind"], job["outcome"]) == ("visit", outcome)
    assert (job["recorded"]["reason"] is None) == (over == "completed")
    assert job["recorded"]["signed"] == (over == "completed")
    # What was installed is told as it was reported, with its warranty; else what was to be.
    [goods] = job["goods"]
    assert (goods["quantity"], len(goods["serials"])) == (1, 1)
    assert (goods["warranty_months"] > 0) == (over == "completed")


async def test_a_new_day_begins_empty(company: Company) -> None:
    [order] = await cod(company, 1012, ("KET-17", 1))
    await hand_over(order, 100_00)
    await db.execute("UPDATE pod SET captured_at = captured_at - interval '1 day'")
    told = await day(company)
    assert (told["done"], told["cash"]) == ([], [{"currency": "AED", "amount_minor": 100_00}])


async def test_what_a_phone_has_said_of_a_door_is_named_so_that_it_can_be_amended(
    company: Company,
) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1012)
    await failed_attempt(order)
    [job] = (await day(company))["done"]
    first = await db.one(
        "SELECT event_id, type FROM capture WHERE event_id = $1", UUID(job["event_id"])
    )
    assert first["type"] == "delivery.failed"
    word = {
        "event_id": uuid7(), "captured_at": now(), "amends": job["event_id"],
        "words": "It was the blue door.", "photos": [],
    }  # fmt: skip
    answer = await synced.send("delivery", "/field/amendments", word)
    assert answer.status_code == 200, answer.text
    assert await db.value("SELECT count(*) FROM field_word WHERE kind = 'amendment'") == 1
    assert job["amended_at"] is None
    assert (await day(company))["done"][0]["amended_at"] is not None


async def test_what_no_phone_has_said_cannot_be_amended(company: Company) -> None:
    [order] = await cod(company, 1012, ("KET-17", 1))
    await hand_over(order, 100_00)
    [job] = (await day(company))["done"]
    assert job["event_id"] is None
