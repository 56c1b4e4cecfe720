"""The vendors' portal and the finance desk over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from doorstep.app import create_app
from doorstep.core import limits
from doorstep.core import redis as core_redis
from doorstep.core.ids import uuid7
from doorstep.core.outbox import bell
from doorstep.doors.console import finance
from doorstep.doors.vendor import routes as vendor_door
from tests.factories import money
from tests.factories.care import Travelling, place, travel
from tests.factories.world import an_order
from tests.support.access import Person

SignedIn = Callable[..., Awaitable[Person]]


@pytest.fixture(autouse=True)
async def bank(db: Any) -> AsyncIterator[money.Bank]:
    async with money.open_bank() as double:
        yield double


@pytest.fixture
async def client(db: Any, redis: Any) -> AsyncIterator[httpx.AsyncClient]:
    limits.forget_outage()
    app = create_app(doors=[*vendor_door.handlers, *finance.handlers])
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorstep.test") as given:
        yield given
    await bell.rest()
    await core_redis.stop()


@pytest.fixture
async def order(db: Any) -> Travelling:
    travelling, _ = await money.purchased()
    return travelling


async def test_a_vendor_finds_accepts_and_follows_his_purchase_order(
    client: httpx.AsyncClient, signed_in: SignedIn, order: Travelling
) -> None:
    vendor = await signed_in("vendor", vendor_id=order.world.vendor_id)
    [found] = (await client.get("/vendor/purchase-orders", headers=vendor.headers)).json()
    assert (found["state"], found["total_minor"]) == ("sent", 100001)
    path = f"/vendor/purchase-orders/{found['id']}"
    detail = (await client.get(path, headers=vendor.headers)).json()
    assert [line["sku"] for line in detail["lines"]] == ["WM-7KG", "KET-17"]
    body = {"event_id": str(uuid7())}
    for _ in range(2):
        answer = await client.post(f"{path}/accept", json=body, headers=vendor.headers)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    parts = (await client.get(f"{path}/tranches", headers=vendor.headers)).json()
    assert [part["state"] for part in parts] == ["waiting", "released"] + ["waiting"] * 4
    assert parts[1]["payout_state"] == "due"
    other = await client.post(
        f"{path}/accept", json={"event_id": str(uuid7())}, headers=vendor.headers
    )
    assert other.status_code == 409
    assert other.json()["type"] == "/problems/purchase-order-already-answered"


async def test_another_vendor_finds_nothing(
    client: httpx.AsyncClient, signed_in: SignedIn, order: Travelling, db: Any
) -> None:
    stranger = await signed_in("vendor")
    po_id = await db.value("SELECT id FROM purchase_order")
    assert (await client.get("/vendor/purchase-orders", headers=stranger.headers)).json() == []
    path = f"/vendor/purchase-orders/{po_id}"
    answers = [
        await client.get(path, headers=stranger.headers),
        await client.get(f"{path}/tranches", headers=stranger.headers),
        await client.post(
            f"{path}/accept", json={"event_id": str(uuid7())}, headers=stranger.headers
        ),
        await client.post(
            f"{path}/decline",
            json={"event_id": str(uuid7()), "reason": "no"},
            headers=stranger.headers,
        ),
        await client.get(
            f"/console/finance/purchase-orders/{po_id}/tranches", headers=stranger.headers
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}


async def test_a_vendor_declines_with_a_reason(
    client: httpx.AsyncClient, signed_in: SignedIn, order: Travelling, db: Any
) -> None:
    vendor = await signed_in("vendor", vendor_id=order.world.vendor_id)
    path = f"/vendor/purchase-orders/{await db.value('SELECT id FROM purchase_order')}/decline"
    bare = await client.post(path, json={"event_id": str(uuid7())}, headers=vendor.headers)
    assert bare.status_code in (400, 422)
    answer = await client.post(
        path, json={"event_id": str(uuid7()), "reason": "none left"}, headers=vendor.headers
    )
    assert answer.status_code == 204
    assert await db.value("SELECT answer_reason FROM purchase_order") == "none left"


async def test_finance_sees_tranches_ledger_and_orders_a_payout_again(
    client: httpx.AsyncClient, signed_in: SignedIn, order: Travelling, db: Any
) -> None:
    desk = await signed_in("finance")
    po_id = await db.value("SELECT id FROM purchase_order")
    await money.accept(order, po_id)
    [row] = (
        await client.get(
            f"/console/finance/purchase-orders?order_id={order.order_id}", headers=desk.headers
        )
    ).json()
    assert (row["released_minor"], row["paid_minor"], row["order_number"]) == (
        20000,
        0,
        order.number,
    )
    parts = (
        await client.get(f"/console/finance/purchase-orders/{po_id}/tranches", headers=desk.headers)
    ).json()
    assert parts[0]["reason"].startswith("Waits for the whole customer price: 200.00 AED")
    entries = (
        await client.get(f"/console/finance/ledger?order_id={order.order_id}", headers=desk.headers)
    ).json()
    assert [entry["memo"] for entry in entries] == ["V2 released"]
    again = await client.post(
        f"/console/finance/tranches/{parts[1]['id']}/payouts", headers=desk.headers
    )
    assert (again.status_code, again.json()["type"]) == (409, "/problems/payout-still-live")
    await db.execute("UPDATE payout SET state = 'failed', sent_at = now()")
    again = await client.post(
        f"/console/finance/tranches/{parts[1]['id']}/payouts", headers=desk.headers
    )
    assert (again.status_code, again.json()["attempt"]) == (201, 2)


async def test_finance_counts_cash_and_approves_a_payment_at_the_door(
    client: httpx.AsyncClient, signed_in: SignedIn, db: Any
) -> None:
    desk = await signed_in("finance")
    order = await place(order=an_order(method="cod"))
    await money.make_costs(order.world)
    approved = await client.post(
        f"/console/finance/orders/{order.order_id}/payment-approval",
        json={"event_id": str(uuid7()), "reason": "known to us"},
        headers=desk.headers,
    )
    assert (approved.status_code, approved.json()["state"]) == (200, "verified")
    await travel(order.parcels[0], 1003)
    await money.accept(order, await db.value("SELECT id FROM purchase_order"))
    run_id = await money.make_pod(order, order.parcels[0], cash=20000)
    body = {
        "event_id": str(uuid7()), "run_id": str(run_id), "amount_minor": 20000, "currency": "AED",
    }  # fmt: skip
    answers = [
        await client.post("/console/finance/cash-counts", json=body, headers=desk.headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["difference_minor"] == 0
    nothing = await client.post(
        "/console/finance/cash-counts",
        json=body | {"event_id": str(uuid7()), "run_id": None},
        headers=desk.headers,
    )
    assert (nothing.status_code, nothing.json()["type"]) == (422, "/problems/nothing-named")
