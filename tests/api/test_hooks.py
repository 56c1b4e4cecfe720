"""Inbound webhooks: stored once when genuine, nothing but a counter when forged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar

from doorstep import ports
from doorstep.adapters.checkout import CheckoutHook
from doorstep.adapters.clickpost import ClickPostHook
from doorstep.adapters.razorpayx import RazorpayXHook
from doorstep.adapters.signatures import hex_hmac_sha256
from doorstep.core import db as core_db
from doorstep.core.metrics import REGISTRY

CAPTURED = (
    b'{"id":"evt_1","type":"payment_captured","data":{"id":"pay_1","action_id":"act_1",'
    b'"reference":"AE-1","amount":10500,"currency":"AED"}}'
)
PAID = (
    b'{"event":"payout.processed","payload":{"payout":{"entity":{"id":"p","status":"processed"}}}}'
)
SCAN = msgspec.json.encode(
    {"waybill": "A1", "clickpost_status_code": 4, "timestamp": "2026-01-10T10:00:00Z"}
)


@pytest.fixture(autouse=True)
def no_bell(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker listens here; a ring still under way would outlive the test's Redis client."""
    monkeypatch.setattr("doorstep.core.outbox.wake", lambda: None)


@pytest.fixture(autouse=True)
def secrets(app: Litestar) -> Iterator[None]:
    bound = ports.checkout(), ports.clickpost(), ports.bank_hook()
    ports.bind(
        checkout=CheckoutHook(("cko-key",)),
        clickpost=ClickPostHook(("cp-key",), ("cp-path",)),
        bank_hook=RazorpayXHook(("rzp-key",)),
    )
    yield
    ports.bind(checkout=bound[0], clickpost=bound[1], bank_hook=bound[2])


def signed(body: bytes, key: str = "cko-key") -> dict[str, str]:
    return {"Cko-Signature": hex_hmac_sha256(key, body)}


async def stored() -> list[dict[str, Any]]:
    return await core_db.rows("SELECT * FROM inbox ORDER BY received_at")


def forged(source: str) -> float:
    return REGISTRY.get_sample_value("doorstep_hook_refused_total", {"source": source}) or 0.0


async def test_a_genuine_event_is_stored_once_with_its_exact_bytes(
    client: httpx.AsyncClient,
) -> None:
    first = await client.post("/hooks/checkout", content=CAPTURED, headers=signed(CAPTURED))
    again = await client.post("/hooks/checkout", content=CAPTURED, headers=signed(CAPTURED))
    assert (first.status_code, first.json()) == (200, {"new": True})
    assert (again.status_code, again.json()) == (200, {"new": False})
    (row,) = await stored()
    assert (row["source"], row["source_id"], row["body"]) == ("checkout", "evt_1", CAPTURED)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/hooks/checkout", {}),
        ("/hooks/checkout", {"Cko-Signature": "0" * 64}),
        ("/hooks/bank", {"X-Razorpay-Signature": "0" * 64}),
        ("/hooks/clickpost/cp-path", {"webhook_key": "wrong"}),
        ("/hooks/clickpost/wrong", {"webhook_key": "cp-key"}),
    ],
)
async def test_a_forged_event_changes_nothing_but_a_counter(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    source = path.split("/")[2]
    before = forged(source)
    answer = await client.post(path, content=CAPTURED, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/signature-not-valid"
    assert forged(source) == before + 1
    assert await stored() == []
    assert await core_db.value("SELECT count(*) FROM outbox") == 0


async def test_the_signature_is_checked_before_anything_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/hooks/checkout", content=b"\xff\x00not json")
    assert answer.status_code == 401


async def test_a_genuine_event_that_cannot_be_read_is_a_bad_request(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/hooks/checkout", content=b"[]", headers=signed(b"[]"))
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/event-unreadable")


async def test_a_body_above_256_kb_is_too_large(client: httpx.AsyncClient) -> None:
    body = b" " * (256 * 1024 + 1)
    answer = await client.post("/hooks/checkout", content=body, headers=signed(body))
    assert answer.status_code == 413


async def test_scans_and_payouts_come_in_too_and_no_secret_is_stored(
    client: httpx.AsyncClient,
) -> None:
    scan = await client.post(
        "/hooks/clickpost/cp-path", content=SCAN, headers={"webhook_key": "cp-key"}
    )
    paid = await client.post(
        "/hooks/bank",
        content=PAID,
        headers={
            "X-Razorpay-Signature": hex_hmac_sha256("rzp-key", PAID),
            "X-Razorpay-Event-Id": "ev_1",
        },
    )
    assert (scan.status_code, paid.status_code) == (200, 200)
    rows = await stored()
    assert [row["source"] for row in rows] == ["clickpost", "bank"]
    assert rows[1]["source_id"] == "ev_1"
    assert "cp-key" not in str(rows)
