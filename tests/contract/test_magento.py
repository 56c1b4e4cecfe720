"""Magento: the OAuth vector, its orders in our words, polling and shipping over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.adapters import magento
from doorstep.adapters.magento import MagentoShop, search
from doorstep.adapters.magento_order import read_order
from doorstep.adapters.oauth1 import OAuthKeys, authorization, encode_query, signature
from doorstep.ports import (
    IncomingOrder,
    OutsideOrderUnreadable,
    OutsideRefused,
    OutsideUnavailable,
    ShippedItem,
    Track,
)
from doorstep.sandbox.search_criteria import search as sandbox_search
from tests.contract.conftest import Outside
from tests.payloads.magento import encode, item, order, order_of

KEYS = OAuthKeys("ck", "cs", "at", "ats")
FILTER = [
    ("searchCriteria[filter_groups][0][filters][0][field]", "updated_at"),
    ("searchCriteria[filter_groups][0][filters][0][value]", "2026-01-01 00:00:00"),
    ("searchCriteria[filter_groups][0][filters][0][condition_type]", "gteq"),
]
VECTOR = "E4aXnJeOLT9oeqr3a/7Q7cGc0HeX7elm4T9EG4jJVQU="


def read(body: bytes | dict[str, Any], stores: dict[int, str] | None = None) -> IncomingOrder:
    return read_order(body if isinstance(body, bytes) else encode(body), stores or {}, "AE")


# --- Signing ------------------------------------------------------------------------------------


def test_the_published_vector_is_signed() -> None:
    url = "https://shop.example/rest/V1/orders"
    oauth = [
        ("oauth_consumer_key", "ck"),
        ("oauth_nonce", "nonce123"),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", "1700000000"),
        ("oauth_token", "at"),
        ("oauth_version", "1.0"),
    ]
    assert signature("GET", url, [*FILTER, *oauth], KEYS) == VECTOR
    header = authorization("GET", url, FILTER, KEYS, nonce="nonce123", timestamp=1700000000)
    assert header.startswith('OAuth oauth_consumer_key="ck", ')
    assert 'oauth_signature="E4aXnJeOLT9oeqr3a%2F7Q7cGc0HeX7elm4T9EG4jJVQU%3D"' in header


def test_what_is_signed_is_what_is_sent() -> None:
    assert parse_qsl(encode_query(FILTER)) == FILTER
    assert " " not in encode_query(FILTER)


# --- Reading orders -----------------------------------------------------------------------------


def test_the_demo_order_is_read_to_the_last_fils() -> None:
    got = read(order(entity_id=42))
    assert (got.external_id, got.external_entity_id) == ("AE-100000042", "42")
    assert (got.channel_code, got.currency) == ("AE", "AED")
    assert got.placed_at == datetime(2026, 1, 10, 9, 30, tzinfo=UTC)
    assert [(line.sku, line.quantity, line.total_minor) for line in got.lines] == [
        ("WM-7KG", 1, 124950),
        ("KET-17", 1, 8295),
    ]
    assert (got.shipping_minor, got.other_minor, got.total_minor) == (2100, 0, 135345)
    assert (got.tax_minor, got.discount_minor) == (6445, 0)
    assert got.ship_to.building and got.ship_to.floor and got.ship_to.flat
    assert got.ship_to.country == "AE"
    assert got.customer.phone.startswith("+97150")
    (payment,) = got.payments
    assert (payment.method, payment.amount_minor, payment.due) == ("credit_card", 135345, "now")
    assert (payment.state, payment.reference) == ("captured", "AE-100000042")


@given(
    channel=st.sampled_from(["AE", "QA", "IN", "KW"]),
    lines=st.lists(
        st.tuples(
            st.sampled_from(["WM-7KG", "KET-17", "TV-55", "AC-15T", "MIX-500"]), st.integers(1, 9)
        ),
        min_size=1,
        max_size=5,
    ),
    seed=st.integers(0, 1000),
)
def test_parts_always_add_up(channel: str, lines: list[tuple[str, int]], seed: int) -> None:
    body = encode(order(channel, lines=lines, seed=seed))
    got = read(body)
    assert sum(line.total_minor for line in got.lines) + got.shipping_minor == got.total_minor
    assert got.other_minor == 0
    assert sum(payment.amount_minor for payment in got.payments) == got.total_minor
    assert body == encode(order(channel, lines=lines, seed=seed))


def test_amounts_are_read_from_their_text() -> None:
    price = Decimal("1000.01")
    got = read(order_of([item(1, "A", price=price, row_total=price)], "1000.01"))
    assert got.total_minor == 100001
    assert b"1000.01" in order_of([], "1000.01")


def test_a_configurable_is_one_line_with_the_childs_goods_and_the_parents_money() -> None:
    money = {"price": 500, "row_total": 1000, "tax_amount": 50}
    parent = item(10, "TV", product_type="configurable", qty_ordered=2, **money)
    got = read(order_of([parent, item(11, "TV-55", parent_item_id=10, qty_ordered=2)], "1050"))
    (line,) = got.lines
    assert (line.sku, line.quantity, line.external_item_id) == ("TV-55", 2, "10")
    assert (line.unit_price_minor, line.tax_minor, line.total_minor) == (50000, 5000, 105000)


def test_a_bundle_of_priced_parts_is_its_parts() -> None:
    parent = item(10, "SET", product_type="bundle", price=300, row_total=300)
    parts = [
        item(11, "A", parent_item_id=10, price=100, row_total=100),
        item(12, "B", parent_item_id=10, price=200, row_total=200),
    ]
    got = read(order_of([parent, *parts], "300"))
    assert [(line.sku, line.total_minor) for line in got.lines] == [("A", 10000), ("B", 20000)]
    assert got.other_minor == 0


def test_the_money_of_a_fixed_bundle_is_shared_by_its_parts() -> None:
    parent = item(10, "SET", product_type="bundle", price=100, row_total=100, tax_amount=5)
    parts = [
        item(11, "A", parent_item_id=10, qty_ordered=1),
        item(12, "B", parent_item_id=10, qty_ordered=2),
    ]
    got = read(order_of([parent, *parts], "105"))
    assert [line.total_minor for line in got.lines] == [3500, 7000]
    assert got.other_minor == 0


def test_virtual_items_are_money_but_no_goods() -> None:
    goods = item(1, "A", price=100, row_total=100)
    service = item(2, "CARE", product_type="virtual", is_virtual=1, price=20, row_total=20)
    got = read(order_of([goods, service], "120"))
    assert [line.sku for line in got.lines] == ["A"]
    assert got.other_minor == 2000


def test_a_discount_on_prices_with_tax_leaves_an_exact_sum() -> None:
    # 105 with tax, 10.50 off the price with tax: 100 − 10 + 4.50 = 94.50.
    discounted = item(
        1,
        "A",
        price=100,
        row_total=100,
        tax_amount=Decimal("4.5"),
        discount_amount=Decimal("10.5"),
        discount_tax_compensation_amount=Decimal("0.5"),
    )
    got = read(order_of([discounted], "94.50", discount_amount=Decimal("-10.5")))
    assert (got.lines[0].total_minor, got.other_minor, got.discount_minor) == (9450, 0, 1050)


def test_store_credit_lowers_what_is_paid_and_shows_as_other() -> None:
    got = read(order_of([item(1, "A", price=100, row_total=100)], "60"))
    assert (got.other_minor, got.total_minor, got.payments[0].amount_minor) == (-4000, 6000, 6000)


def test_an_order_paid_by_credit_alone_has_no_payment_line() -> None:
    assert read(order_of([item(1, "A", price=100, row_total=100)], "0")).payments == ()


@pytest.mark.parametrize(
    ("payment", "method", "due"),
    [
        ("checkoutcom_card_payment", "credit_card", "now"),
        ("checkoutcom_apple_pay", "credit_card", "now"),
        ("cashondelivery", "cod", "at_door"),
        ("banktransfer", "bank_transfer", "now"),
        ("paypal_express", "paypal", "now"),
        ("razorpay", "upi", "now"),
        ("razorpay:upi", "upi", "now"),
        ("razorpay:netbanking", "net_banking", "now"),
        ("razorpay:debit_card", "debit_card", "now"),
        ("razorpay:card", "credit_card", "now"),
    ],
)
def test_payment_methods_become_tenders(payment: str, method: str, due: str) -> None:
    (line,) = read(order(payment=payment)).payments
    assert (line.method, line.due) == (method, due)


def test_razorpay_may_tell_its_tender_as_an_object() -> None:
    content = order(payment="razorpay")
    content["payment"]["additional_information"] = {"method": "NetBanking", "id": None}
    assert read(content).payments[0].method == "net_banking"


@pytest.mark.parametrize(
    ("changes", "paid", "released", "state"),
    [
        ({"state": "processing", "status": "processing"}, True, True, "captured"),
        ({"state": "processing", "status": "fraud"}, True, False, "pending"),
        ({"state": "holded", "status": "holded"}, True, False, "pending"),
        ({"state": "payment_review", "status": "payment_review"}, True, False, "pending"),
        ({"state": "pending_payment", "status": "pending_payment"}, False, False, "pending"),
        ({"state": "new", "status": "pending"}, False, False, "pending"),
        ({"state": "canceled", "status": "canceled"}, False, False, "pending"),
    ],
)
def test_only_a_processing_order_is_released(
    changes: dict[str, str], paid: bool, released: bool, state: str
) -> None:
    got = read({**order(paid=paid), **changes})
    assert (got.released, got.payments[0].state) == (released, state)
    assert got.shop_state == changes["state"]


def test_cash_on_delivery_is_released_while_new() -> None:
    got = read(order(payment="cashondelivery"))
    assert (got.shop_state, got.released, got.payments[0].state) == ("new", True, "pending")


def test_authorised_is_not_paid() -> None:
    content = order()
    content["payment"]["amount_paid"] = 0
    assert read(content).payments[0].state == "authorised"
    content["payment"]["amount_authorized"] = None
    assert read(content).payments[0].state == "pending"


@pytest.mark.parametrize(
    ("delivery", "service"),
    [
        ("flatrate_flatrate", "standard"),
        ("express_express", "express"),
        ("matrixrate_overnight", "overnight"),
        ("instore_pickup", "collection"),
    ],
)
def test_the_shipping_method_becomes_a_service(delivery: str, service: str) -> None:
    assert read(order(delivery=delivery)).delivery_service == service


def test_each_store_is_a_channel() -> None:
    assert read(order("QA"), {1: "AE", 2: "QA"}).channel_code == "QA"
    with pytest.raises(OutsideOrderUnreadable, match="mapped to no channel"):
        read(order("KW"), {1: "AE", 2: "QA"})


def test_an_address_without_details_is_taken_as_it_is() -> None:
    content = order()
    shipping = content["extension_attributes"]["shipping_assignments"][0]["shipping"]
    shipping["address"]["extension_attributes"] = []
    assert read(content).ship_to.building is None


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (b"", "Magento order"),
        (b"\xff", "Magento order"),
        (b"[" * 100_000, "Magento order"),
        (order_of([], "1"), "nothing to deliver"),
        (order_of([item(1, "A", is_virtual=1)], "0"), "nothing to deliver"),
        (order_of([item(1, "A", qty_ordered=Decimal("0.5"))], "1"), "quantity of 0.5"),
        (order_of([item(1, "A")], "1.005"), "money"),
        (order_of([item(1, "A")], "1", order_currency_code="ZZZ"), "money"),
        (encode(order(payment="bitcoin")), "bitcoin"),
    ],
)
def test_what_cannot_be_understood_is_named(broken: bytes, why: str) -> None:
    with pytest.raises(OutsideOrderUnreadable, match=why):
        read(broken)


# --- The sandbox's search -----------------------------------------------------------------------

ROWS = [{"entity_id": n, "updated_at": f"2026-01-01 00:00:{n:02d}"} for n in (10, 2, 30)]


def test_search_filters_sorts_and_repeats_the_last_page() -> None:
    query = [*search([("updated_at", "gteq", "2026-01-01 00:00:05")], sort=("updated_at",))]
    assert [row["entity_id"] for row in sandbox_search(ROWS, query)[0]] == [10, 30]
    query = [("searchCriteria[pageSize]", "2"), ("searchCriteria[currentPage]", "9")]
    assert [row["entity_id"] for row in sandbox_search(ROWS, query)[0]] == [30]


# --- Over HTTP ----------------------------------------------------------------------------------


def shop_of(outside: Outside, **arguments: Any) -> MagentoShop:
    stores = {1: "AE", 2: "QA", 3: "IN", 4: "KW"}
    return MagentoShop(outside.url, "shop-token", stores=stores, **arguments)


async def place(outside: Outside, **placing: Any) -> dict[str, Any]:
    answer = await outside.http.post("/shop/_place", json=placing)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


def just_now() -> datetime:
    return datetime.now(UTC)


async def test_orders_of_every_channel_come_by_polling(outside: Outside) -> None:
    numbers = [(await place(outside, channel=c))["increment_id"] for c in ("AE", "QA", "IN", "KW")]
    shop = shop_of(outside)
    found = await shop.orders_since(just_now())
    assert [order.external_id for order in found] == numbers
    read_back = [shop.read(order.body) for order in found]
    assert [order.channel_code for order in read_back] == ["AE", "QA", "IN", "KW"]
    assert [order.currency for order in read_back] == ["AED", "QAR", "INR", "KWD"]
    assert all(order.released for order in read_back)


async def test_a_changed_order_comes_again_as_another_version(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = (await place(outside, paid=False))["increment_id"]
    shop = shop_of(outside)
    (before,) = await shop.orders_since(just_now())
    assert shop.read(before.body).payments[0].state == "pending"

    monkeypatch.setattr(
        "doorstep.sandbox.shop_routes._stamp",
        lambda: (before.updated_at + timedelta(seconds=5)).strftime("%Y-%m-%d %H:%M:%S"),
    )
    await outside.http.post("/shop/_change", json={"increment_id": number, "paid": True})
    (after,) = await shop.orders_since(just_now())
    assert before.source_id != after.source_id
    assert shop.read(after.body).payments[0].state == "captured"


async def test_more_orders_than_a_page_come_once_each(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Seven orders in the same second or two, three a page: neither watermark nor page alone does.
    monkeypatch.setattr(magento, "PAGE", 3)
    numbers = [(await place(outside, seed=n))["increment_id"] for n in range(7)]
    found = await shop_of(outside).orders_since(just_now())
    assert sorted(order.external_id for order in found) == sorted(numbers)


async def test_old_orders_are_not_asked_for(outside: Outside) -> None:
    await place(outside)
    assert await shop_of(outside).orders_since(just_now() + timedelta(minutes=11)) == []


async def test_a_wrong_token_is_refused_and_a_signed_call_is_taken(outside: Outside) -> None:
    with pytest.raises(OutsideRefused) as refused:
        await MagentoShop(outside.url, "wrong").orders_since(just_now())
    assert refused.value.facts["http_status"] == 401
    assert await shop_of(outside, oauth=KEYS).orders_since(just_now()) == []


async def test_polling_survives_a_busy_shop(outside: Outside) -> None:
    await place(outside)
    await outside.fault(system="shop", kind="status_429", count=2)
    assert len(await shop_of(outside).orders_since(just_now())) == 1
    await outside.fault(system="shop", kind="status_500", count=3)
    with pytest.raises(OutsideUnavailable):
        await shop_of(outside).orders_since(just_now())


async def test_a_shipment_is_told_once_even_when_the_answer_is_lost(outside: Outside) -> None:
    placed = await place(outside)
    entity = str(placed["entity_id"])
    items = [ShippedItem(external_item_id=str(placed["items"][0]["item_id"]), quantity=1)]
    track = Track(number="DS-AWB-1", title="Doorstep fleet", source_code="dxb_wh")
    await outside.fault(system="shop", kind="timeout_after_success", count=1, delay_seconds=1.8)
    with pytest.raises(OutsideUnavailable):
        await shop_of(outside, total_seconds=0.9).ship(entity, items, track)
    shipment = await shop_of(outside).ship(entity, items, track)
    assert shipment == await shop_of(outside).ship(entity, items, track)

    with pytest.raises(OutsideRefused) as refused:
        other = Track(number="DS-AWB-2", title="Doorstep fleet", source_code="")
        await shop_of(outside).ship(entity, items, other)
    assert refused.value.facts["http_status"] == 400


async def test_an_order_shipped_whole_is_complete(outside: Outside) -> None:
    placed = await place(outside, lines=[{"sku": "AC-15T", "quantity": 2}])
    items = [ShippedItem(external_item_id=str(placed["items"][0]["item_id"]), quantity=2)]
    shop = shop_of(outside)
    track = Track(number="A1", title="Naqel", source_code="")
    await shop.ship(str(placed["entity_id"]), items, track)
    (told,) = await shop.orders_since(just_now())
    assert shop.read(told.body).shop_state == "complete"
