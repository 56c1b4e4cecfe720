"""The bank: RazorpayX's vector and states, and payouts that are made once whatever happens."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.adapters.razorpayx import RazorpayX, RazorpayXHook, payload
from doorstep.ports import Beneficiary, EventUnreadable
from doorstep.sandbox.app import create_app
from tests.contract.conftest import Outside, outside_settings
from tests.contract.served import served

VECTOR_BODY = (
    b'{"event":"payout.processed","payload":{"payout":{"entity":'
    b'{"id":"pout_1","status":"processed"}}}}'
)
VECTOR = "a29ba60024402b38d2231601a01bbbc41380933604673fce9b09bcf26d4e3467"

GULF = Beneficiary(
    name="Gulf Appliances FZE",
    account_number="AE460090000000123456789",
    bank_code="BOMLAEAD",
    email="accounts@gulf.example",
)


def test_the_published_vector_is_genuine() -> None:
    hook = RazorpayXHook(("rzp-secret",))
    assert hook.genuine(VECTOR_BODY, {"x-razorpay-signature": VECTOR})
    assert not hook.genuine(VECTOR_BODY + b"\n", {"x-razorpay-signature": VECTOR})
    event = hook.read(VECTOR_BODY)
    assert (event.bank_ref, event.state, event.key) == ("pout_1", "paid", "")


def test_an_event_is_named_by_its_header_or_by_its_bytes() -> None:
    hook = RazorpayXHook(())
    assert hook.source_id(VECTOR_BODY, {"x-razorpay-event-id": "ev_1"}) == "ev_1"
    assert len(hook.source_id(VECTOR_BODY, {})) == 64


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "processing"),
        ("queued", "processing"),
        ("scheduled", "processing"),
        ("processing", "processing"),
        ("processed", "paid"),
        ("reversed", "failed"),
        ("cancelled", "failed"),
        ("rejected", "failed"),
        ("failed", "failed"),
        ("on_the_moon", "unknown"),
    ],
)
def test_every_status_has_a_state(status: str, state: str) -> None:
    entity = {"id": "pout_1", "status": status, "reference_id": "key-1"}
    body = msgspec.json.encode({"event": "x", "payload": {"payout": {"entity": entity}}})
    event = RazorpayXHook(()).read(body)
    assert (event.state, event.raw_status, event.key) == (state, status, "key-1")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"event":"x","payload":{}}', b"\xff"])
def test_a_broken_event_is_named_as_such(body: bytes) -> None:
    with pytest.raises(EventUnreadable):
        RazorpayXHook(()).read(body)


@given(reference=st.text(max_size=300), amount=st.integers(1, 10**12))
def test_a_payload_is_the_same_bytes_each_time_and_within_their_limits(
    reference: str, amount: int
) -> None:
    arguments: Any = ("acc", "key-1", amount, "AED", GULF, reference)
    assert payload(*arguments) == payload(*arguments)
    content = msgspec.json.decode(payload(*arguments))
    assert len(content["narration"]) <= 30
    assert content["narration"].replace(" ", "").isascii()
    assert content["reference_id"] == "key-1"


def bank_of(url: str, *, key: str = "rzp_id:rzp_secret", total_seconds: float = 5) -> RazorpayX:
    return RazorpayX(url, key, "7878780080316316", total_seconds=total_seconds)


async def ledger(outside: Outside) -> dict[str, Any]:
    content: dict[str, Any] = (await outside.http.get("/bank/ledger")).json()
    return content


async def test_a_payout_is_processing_then_paid_and_told(outside: Outside) -> None:
    key = str(uuid4())
    bank = bank_of(outside.url)
    sent = await bank.pay(key, 20001, "AED", GULF, "PO-1 V1")
    assert (sent.state, sent.raw_status) == ("processing", "processing")

    (told,) = await outside.receiver.wait_for(1)
    hook = RazorpayXHook(("rzp-hook",))
    assert told.path == "/hooks/bank"
    assert hook.genuine(told.body, told.headers)
    event = hook.read(told.body)
    assert (event.key, event.bank_ref, event.state) == (key, sent.bank_ref, "paid")
    assert (await bank.enquire(key)).state == "paid"
    assert (await ledger(outside))["keys_by_reference"] == {"PO-1 V1": [key]}


async def test_the_same_key_pays_once_however_often_and_at_once(outside: Outside) -> None:
    key = str(uuid4())
    bank = bank_of(outside.url)
    answers = await asyncio.gather(*(bank.pay(key, 100, "AED", GULF, "PO-1 V2") for _ in range(20)))
    assert len({answer.bank_ref for answer in answers}) == 1
    (payout,) = (await ledger(outside))["payouts"]
    assert (payout["amount"], payout["requests"]) == (100, 20)


async def test_a_bank_that_pays_and_then_times_out_has_paid_once(outside: Outside) -> None:
    key = str(uuid4())
    await outside.fault(system="bank", kind="timeout_after_success", count=1, delay_seconds=1.8)
    lost = await bank_of(outside.url, total_seconds=0.9).pay(key, 100, "AED", GULF, "PO-1 V3")
    assert (lost.state, lost.bank_ref) == ("unknown", "")

    bank = bank_of(outside.url)
    assert (await bank.enquire(key)).bank_ref
    again = await bank.pay(key, 100, "AED", GULF, "PO-1 V3")
    assert again.bank_ref == (await bank.enquire(key)).bank_ref
    assert (await ledger(outside))["by_key"] == {key: 1}


@pytest.mark.parametrize("kind", ["status_429", "status_500"])
async def test_a_busy_bank_leaves_the_outcome_unknown(outside: Outside, kind: str) -> None:
    await outside.fault(system="bank", kind=kind, count=1)
    answer = await bank_of(outside.url).pay(str(uuid4()), 100, "AED", GULF, "PO")
    assert answer.state == "unknown"
    assert (await ledger(outside))["payouts"] == []


async def test_a_refused_payout_has_failed_and_says_why(outside: Outside) -> None:
    answer = await bank_of(outside.url).pay(str(uuid4()), 0, "AED", GULF, "PO")
    assert (answer.state, answer.raw_status) == ("failed", "refused")
    assert "amount" in answer.reason


async def test_a_key_used_with_another_amount_never_counts_as_failed(outside: Outside) -> None:
    key = str(uuid4())
    bank = bank_of(outside.url)
    first = await bank.pay(key, 100, "AED", GULF, "PO")
    second = await bank.pay(key, 200, "AED", GULF, "PO")
    assert second.bank_ref == first.bank_ref
    assert second.state != "failed"


async def test_a_refusal_without_a_clear_enquiry_stays_unknown(outside: Outside) -> None:
    bank = bank_of(outside.url)
    await outside.fault(system="bank", kind="status_500", count=10, rate=0.0)
    wrong_key = bank_of(outside.url, key="wrong:key")
    assert (await wrong_key.pay(str(uuid4()), 100, "AED", GULF, "PO")).state == "unknown"
    assert (await wrong_key.enquire("none")).state == "unknown"
    assert (await bank.enquire("nothing-with-this-key")).state == "unknown"


async def test_a_payout_may_fail_later(outside: Outside) -> None:
    await outside.fault(system="bank", kind="payout_fails", count=1)
    key = str(uuid4())
    await bank_of(outside.url).pay(key, 100, "AED", GULF, "PO")
    (told,) = await outside.receiver.wait_for(1)
    event = RazorpayXHook(()).read(told.body)
    assert (event.state, event.raw_status) == ("failed", "failed")
    assert "refused" in event.reason


async def test_a_bank_out_of_reach_leaves_the_outcome_unknown(db: object, allow: Any) -> None:
    allow("http://127.0.0.1:9")
    answer = await bank_of("http://127.0.0.1:9").pay(str(uuid4()), 100, "AED", GULF, "PO")
    assert answer.state == "unknown"


async def test_the_sandbox_remembers_what_it_paid_over_a_restart(
    db: object, allow: Any, tmp_path: Any
) -> None:
    own = outside_settings("http://127.0.0.1:9", str(tmp_path / "state.sqlite"))
    key = str(uuid4())
    references = []
    for _ in range(2):
        async with served(create_app(own)) as url:
            allow(url)
            references.append((await bank_of(url).pay(key, 100, "AED", GULF, "PO")).bank_ref)
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                found = (await http.get("/bank/ledger")).json()
    assert references[0] == references[1]
    assert (found["by_key"], found["payouts"][0]["requests"]) == ({key: 1}, 2)
