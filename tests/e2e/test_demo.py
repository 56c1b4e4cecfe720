"""Orders from the shop to the installed product, on real processes, by the people who do it."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from doorstep.journey.stages import STAGES
from doorstep.play import leave_jobs, play_demo, simulate
from doorstep.play.demo import EXPECTED_TRANCHES
from doorstep.play.phone_key import PhoneKey
from doorstep.play.visitors import visit
from tests.support import reckoning
from tests.support.whole_stack import WholeStack, whole_stack

SEED = 7


async def test_the_demo_order_passes_every_stage_and_pays_the_vendor_in_six_tranches(
    stack: WholeStack,
) -> None:
    told = io.StringIO()
    result = await play_demo(stack.base_url, stack.sandbox_url, out=told)
    assert result.ok, f"{told.getvalue()}\n{stack.logs()}"
    for stage in STAGES:
        assert f"\n{stage.code}  {stage.action}" in told.getvalue()
    (order,) = result.document["orders"]
    assert order["tranches_minor"] == list(EXPECTED_TRANCHES)

    (po,) = await stack.rows(
        "SELECT p.number, p.total_minor, p.currency FROM purchase_order p"
        " JOIN customer_order o ON o.id = p.order_id WHERE o.number = $1",
        order["number"],
    )
    assert (po["total_minor"], po["currency"]) == (1000_01, "AED")
    ledger = await stack.sandbox("/bank/ledger")
    payouts = {
        p["reference"]: p
        for p in ledger["payouts"]
        if p["reference"].startswith(f"{po['number']} V")
    }
    assert {name: (p["amount"], p["currency"], p["status"]) for name, p in payouts.items()} == {
        f"{po['number']} V{n}": (amount, "AED", "processed")
        for n, amount in enumerate(EXPECTED_TRANCHES, start=1)
    }
    assert [len(ledger["keys_by_reference"][name]) for name in payouts] == [1] * 6
    assert {ledger["by_key"][p["key"]] for p in payouts.values()} == {1}


async def test_what_the_demo_writes_lets_a_visitor_look_around(stack: WholeStack) -> None:
    result = await play_demo(stack.base_url, stack.sandbox_url, out=io.StringIO())
    (order,) = result.document["orders"]
    users = result.document["users"]
    assert {user["role"] for user in users} >= {
        *("sales", "finance", "dispatcher", "support", "admin", "vendor"),
        *("warehouse", "courier", "delivery", "technician"),
    }
    for user in users:
        assert (user["login"] and user["secret"]) or user["enrolment_code"], user
    sales = next(user for user in users if user["role"] == "sales")
    courier = next(user for user in users if user["role"] == "courier")

    async with stack.client() as visitor:
        signed_in = await visitor.post(
            "/api/sign-in", json={"login": sales["login"], "password": sales["secret"]}
        )
        assert signed_in.is_success, signed_in.text
        token = signed_in.json()["access_token"]
        found = await visitor.get(
            f"/api/orders/{order['number']}", headers={"Authorization": f"Bearer {token}"}
        )
        assert (found.json()["id"], found.json()["progress"]) == (order["id"], 100)
        assert found.json()["total_minor"] == order["total_minor"]
        enrolled = await visitor.post(
            "/api/enrol",
            json={
                "code": courier["enrolment_code"],
                "device_label": "phone",
                "pin": "135790",
                "public_key": msgspec.to_builtins(PhoneKey().public),
            },
        )
        assert enrolled.is_success, enrolled.text
        tracked = await visitor.get(f"/track/{order['tracking_token']}")
        assert tracked.is_success, tracked.text


PARCEL = """
SELECT f.id::text, s.awb FROM customer_order o JOIN fulfilment f ON f.order_id = o.id
  LEFT JOIN shipment s ON s.fulfilment_id = f.id WHERE o.number = $1"""

LISTS = {
    "warehouse": "/field/pick-lists",
    "courier": "/field/manifests",
    "delivery": "/field/runs",
    "technician": "/field/visits",
}
"""Where each phone finds its work."""


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[WholeStack]:
    """A stack of this test alone, since its orders stay where they are."""
    async with whole_stack(tmp_path / "own", fsync=False) as running:
        yield running


async def test_after_the_demo_a_job_waits_on_each_phone(demo: WholeStack) -> None:
    stack, told = demo, io.StringIO()
    jobs = await leave_jobs(stack.base_url, stack.sandbox_url, out=told)
    assert [job.role for job in jobs] == [*LISTS], told.getvalue()
    async with visit(stack.base_url, stack.sandbox_url) as company:
        for job in jobs:
            assert job.order in told.getvalue()
            [user] = [one for one in company.users(job.role, "AE") if one.name == job.person]
            listed = await (await company.person(user)).get(LISTS[job.role])
            [parcel] = await stack.rows(PARCEL, job.order)
            assert any(ref in str(listed) for ref in parcel.values() if ref), job
            tracked = await company.http.get(job.tracking_url.replace("/t/", "/track/"))
            assert tracked.is_success


@pytest.mark.parametrize(
    "orders", [pytest.param(12), pytest.param(50, marks=pytest.mark.soak)], ids=str
)
async def test_orders_at_once_all_reach_100_percent_and_everything_adds_up(
    stack: WholeStack, orders: int
) -> None:
    (before,) = await stack.rows("SELECT count(*) AS n FROM customer_order")
    result = await simulate(stack.base_url, stack.sandbox_url, orders, SEED)
    assert result.ok, f"{result.failures}\n{stack.logs()}"
    await reckoning.check_orders(stack, before["n"] + orders)
    await reckoning.check_money(stack)
    await reckoning.check_goods(stack)
    await reckoning.check_messages(stack)
    await reckoning.check_doctor(stack)
