"""Checkout.com's webhooks: the vector, rotation of keys, and what each event means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from doorstep import ports
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.checkout_links import CheckoutLinks
from doorstep.adapters.times import parse_time
from doorstep.core import clock
from doorstep.ports import EventUnreadable
from tests.contract.conftest import Outside

VECTOR_BODY = (
    b'{"id":"evt_test","type":"payment_captured","data":{"id":"pay_1",'
    b'"reference":"AE-100000042","amount":10500,"currency":"AED"}}'
)
VECTOR = "0d3e6ab5a9fbf5ddb04f689350a12930816e8483850245095511cbcbb54f6d3e"


def test_the_published_vector_is_genuine() -> None:
    hook = CheckoutHook(("cko-test-key",))
    assert hook.genuine(VECTOR_BODY, {"cko-signature": VECTOR})
    assert hook.genuine(VECTOR_BODY, {"cko-signature": VECTOR.upper()})


def test_an_old_key_is_valid_while_it_is_rotated() -> None:
    assert CheckoutHook(("new", "cko-test-key")).genuine(VECTOR_BODY, {"cko-signature": VECTOR})


@pytest.mark.parametrize(
    ("keys", "body", "headers"),
    [
        (("cko-test-key",), VECTOR_BODY + b" ", {"cko-signature": VECTOR}),
        (("cko-test-key",), VECTOR_BODY, {}),
        (("cko-test-key",), VECTOR_BODY, {"cko-signature": "é" * 64}),
        (("other",), VECTOR_BODY, {"cko-signature": VECTOR}),
        ((), VECTOR_BODY, {"cko-signature": VECTOR}),
    ],
    ids=["body changed", "unsigned", "not ASCII", "other key", "no key configured"],
)
def test_anything_else_is_forged(
    keys: tuple[str, ...], body: bytes, headers: dict[str, str]
) -> None:
    assert not CheckoutHook(keys).genuine(body, headers)


def test_a_capture_is_money_of_the_order_it_names() -> None:
    hook = CheckoutHook(())
    event = hook.read(VECTOR_BODY)
    assert (event.kind, event.reference, event.amount_minor, event.currency) == (
        "captured",
        "AE-100000042",
        10500,
        "AED",
    )
    assert event.action_id == "pay_1"
    assert hook.source_id(VECTOR_BODY, {}) == "evt_test"


@pytest.mark.parametrize(
    ("raw_type", "kind"),
    [
        ("payment_approved", "authorised"),
        ("payment_declined", "failed"),
        ("payment_expired", "failed"),
        ("payment_canceled", "failed"),
        ("payment_refunded", "refunded"),
        ("payment_capture_declined", "hold"),
        ("payment_paid", "info"),
        ("dispute_opened", "info"),
    ],
)
def test_only_a_capture_is_paid(raw_type: str, kind: str) -> None:
    event = {"id": "evt_1", "type": raw_type, "data": {"id": "pay_1", "action_id": "act_1"}}
    assert CheckoutHook(()).read(msgspec.json.encode(event)).kind == kind


def test_seven_digits_of_a_second_are_read() -> None:
    expected = datetime(2023, 5, 22, 11, 56, 4, 882154, tzinfo=UTC)
    assert parse_time("2023-05-22T11:56:04.8821546Z") == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"id":"evt_1","type":"payment_captured"}',
        b'{"id":"evt_1","type":"payment_captured","data":{"id":"pay_1"}}',
        b'{"id":"evt_1","type":"payment_captured","data":{"id":"p","amount":-1,"currency":"AED"}}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_broken_body_is_named_as_such(body: bytes) -> None:
    with pytest.raises(EventUnreadable):
        CheckoutHook(()).read(body)


async def test_the_sandbox_tells_a_capture_in_two_signed_events(outside: Outside) -> None:
    capture = {"reference": "AE-1", "amount": 10500, "currency": "AED"}
    first = await outside.http.post("/gateway/_capture", json=capture)
    again = await outside.http.post("/gateway/_capture", json={**capture, "amount": 1})
    assert first.json() == again.json()

    hook = CheckoutHook(("cko-new",))
    got = await outside.receiver.wait_for(4)
    assert all(one.path == "/hooks/checkout" for one in got)
    assert all(hook.genuine(one.body, one.headers) for one in got)
    events = {hook.source_id(one.body, one.headers): hook.read(one.body) for one in got}
    assert {event.kind: event.amount_minor for event in events.values()} == {
        "authorised": 10500,
        "captured": 10500,
    }


async def test_the_sandbox_doubles_and_shuffles_events_on_demand(outside: Outside) -> None:
    await outside.fault(system="gateway", kind="duplicate")
    await outside.fault(system="gateway", kind="out_of_order", delay_seconds=0.1)
    capture = {"reference": "AE-2", "amount": 1, "currency": "AED"}
    await outside.http.post("/gateway/_capture", json=capture)
    kinds = [CheckoutHook(()).read(one.body).kind for one in await outside.receiver.wait_for(4)]
    assert kinds == ["captured", "captured", "authorised", "authorised"]


async def test_the_sandbox_tries_again_until_it_is_heard(outside: Outside) -> None:
    outside.receiver.statuses = [503]
    capture = {"reference": "AE-3", "amount": 1, "currency": "AED", "outcome": "declined"}
    await outside.http.post("/gateway/_capture", json=capture)
    (one,) = await outside.receiver.wait_for(1)
    assert CheckoutHook(()).read(one.body).kind == "failed"


async def test_the_sandbox_makes_a_link_once_and_its_payment_names_the_reference(
    outside: Outside,
) -> None:
    links = CheckoutLinks(outside.url, "sk-test")
    asked = ("0198c0de-0000-7000-8000-000000000001", "DS-000042-L1234ABCD", 100_00, "AED", "AE")
    made = await links.make(*asked, 600)
    assert await links.make(*asked, 600) == made
    assert made.id.startswith("pl_")
    assert timedelta(0) < made.expires_at - clock.now() <= timedelta(seconds=600)
    assert "100.00 AED" in (await outside.http.get(made.url)).text
    for _ in range(2):
        (await outside.http.post(made.url)).raise_for_status()
    hook = CheckoutHook(("cko-new",))
    got = [hook.read(one.body) for one in await outside.receiver.wait_for(4)]
    captured = {one.action_id: one for one in got if one.kind == "captured"}
    assert [(one.reference, one.amount_minor) for one in captured.values()] == [asked[1:3]]


@pytest.mark.parametrize(
    ("key", "country", "refusal"),
    [("wrong", "AE", ports.OutsideRefused), ("sk-test", "Emirates", ports.OutsideRefused)],
)
async def test_a_link_that_is_refused_is_not_asked_for_again(
    outside: Outside, key: str, country: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await CheckoutLinks(outside.url, key).make("a-key", "DS-1-L1", 5, "AED", country, 60)


async def test_a_gateway_that_is_busy_makes_the_link_at_the_next_try(outside: Outside) -> None:
    await outside.fault(system="gateway", kind="status_500", count=1)
    made = await CheckoutLinks(outside.url, "sk-test").make("key", "DS-1-L2", 5, "AED", "AE", 60)
    assert made.url.startswith(outside.url)
