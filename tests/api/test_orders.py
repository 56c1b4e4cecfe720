"""Orders in by our own API and out again: taken once, refused whole, listed within sight."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db as core_db
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import place, standing
from tests.factories.snapshots import everything
from tests.factories.world import stock_of


async def test_an_order_is_taken_and_read_with_its_first_stage(company: Company) -> None:
    order = await place(company)
    found = await company.get("support", f"/api/orders/{order.number}")
    assert (found["external_id"], found["total_minor"], found["progress"]) == (
        order.external_id,
        200_00,
        5,
    )
    [parcel] = found["parcels"]
    assert [(stage["stage"], stage["how"]) for stage in parcel["stages"]] == [(1001, "done")]
    assert parcel["stages"][0]["evidence"][0]["kind"] == "order"
    assert parcel["stages"][0]["role"] == "sales"


async def test_the_same_key_is_the_same_answer_and_another_body_is_refused(
    company: Company,
) -> None:
    body = order_body("T-1")
    first = await send_order(company, body, "key-0001")
    again = await send_order(company, body, "key-0001")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replay" not in first.headers
    other = await send_order(company, order_body("T-2"), "key-0001")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-key-reused")
    missing = await company.http.post(
        "/api/orders", json=body, headers=company.users["sales"].headers
    )
    assert missing.status_code == 422
    assert await core_db.value("SELECT count(*) FROM customer_order") == 1


async def test_out_of_stock_says_what_is_short_and_writes_nothing(company: Company) -> None:
    before = await everything()
    answer = await send_order(company, order_body("T-3", ("KET-17", 2), ("WM-7KG", 21)))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/out-of-stock")
    # The kettles could have gone; but an order is taken whole or not at all.
    assert [(one["sku"], one["quantity"]) for one in answer.json()["short"]] == [("WM-7KG", 1)]
    assert await everything() == before
    assert await stock_of(company.world, "KET-17") == (20, 0, 0)


def _without_lines(body: dict[str, Any]) -> None:
    body["lines"] = []


def _unknown_sku(body: dict[str, Any]) -> None:
    body["lines"][0]["sku"] = "NO-SUCH"


def _wrong_currency(body: dict[str, Any]) -> None:
    body["currency"] = "QAR"


def _unknown_channel(body: dict[str, Any]) -> None:
    body["channel"] = "XX"


def _too_little_paid(body: dict[str, Any]) -> None:
    body["payments"][0]["amount_minor"] -= 1


def _one_reference_twice(body: dict[str, Any]) -> None:
    [whole] = body["payments"]
    half = whole | {"amount_minor": whole["amount_minor"] // 2}
    body["payments"] = [half, half | {"due": "at_door", "method": "cod"}]


def _one_of_two_without_reference(body: dict[str, Any]) -> None:
    _one_reference_twice(body)
    body["payments"][1] |= {"due": "now", "reference": ""}


def _unknown_field(body: dict[str, Any]) -> None:
    body["discount_code"] = "X"


def _nul(body: dict[str, Any]) -> None:
    body["customer"]["name"] = "A\x00B"


@pytest.mark.parametrize(
    "spoil",
    [
        _without_lines, _unknown_sku, _wrong_currency, _unknown_channel, _too_little_paid,
        _one_reference_twice, _one_of_two_without_reference, _unknown_field, _nul,
    ],
)  # fmt: skip
async def test_an_order_that_cannot_be_is_refused_whole(company: Company, spoil: Any) -> None:
    body = order_body("T-4")
    spoil(body)
    before = await everything()
    answer = await send_order(company, body)
    assert answer.status_code == (400 if spoil is _nul else 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await everything() == before


async def test_lists_go_on_after_the_last_one_seen(company: Company) -> None:
    numbers = [(await place(company, ("MIX-500", 1))).number for _ in range(3)]
    listed = await company.get("support", "/api/orders")
    assert [one["number"] for one in listed] == numbers[::-1]
    rest = await company.get("support", f"/api/orders?before={listed[0]['id']}")
    assert [one["number"] for one in rest] == numbers[1::-1]
    one = await company.get("support", f"/api/orders?external_id={listed[1]['external_id']}")
    assert [found["number"] for found in one] == [numbers[1]]


async def test_the_order_shows_its_least_advanced_parcel(company: Company) -> None:
    order = await standing(company, 1008)
    [found] = await company.get("support", f"/api/orders?external_id={order.external_id}")
    assert found["progress"] == 40
