"""Every stage done twice is done once: the same event id, and another one."""

from __future__ import annotations

import httpx
import pytest

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import allocate, care, settle
from doorstep.flows.place_order import order_placed
from doorstep.journey import Fact, Verdict
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import LAST, Order, place, standing
from tests.factories.snapshots import effects
from tests.factories.steps import CARRIER, Make, carrier_scan, claim, healthy, outside, passings

STEPS: dict[int, Make] = {
    1004: Order.accept,
    1005: Order.pick,
    1006: Order.check,
    1007: Order.pack,
    1009: lambda order: order.scan("pickup"),
    1010: lambda order: order.scan("departure"),
    1011: lambda order: order.scan("hub_in"),
    1012: Order.accept_run,
    1013: Order.pod,
    1014: Order.book,
    1015: Order.report,
    1016: Order.feedback,
}
ONCE_ONLY = frozenset({1004, 1012, 1014, 1016})
"""Doors that say 409 to the same claim under another event id; the others keep it as evidence."""


@pytest.mark.parametrize("stage", STEPS)
async def test_a_step_of_a_person_twice_is_once(company: Company, stage: int) -> None:
    order = await standing(company, stage - 1)
    step = await STEPS[stage](order)
    first = await order.take(step)
    assert first.status_code in (200, 201), first.text
    assert stage in await order.passed()
    before = await effects()

    again = await order.take(step)
    if stage == 1014:
        assert again.status_code == 409  # A booking has no event id: the second is another one.
    else:
        assert again.status_code == 200, again.text
        assert said(again) == said(first) or stage in (1009, 1010, 1011)
    assert await effects() == before

    another = await order.take(step.under_another_id())
    assert another.status_code == (409 if stage in ONCE_ONLY else 200), another.text
    assert await effects() == before
    assert await passings(order, stage) == 1
    await healthy()


def said(answer: httpx.Response) -> object:
    """What the answer says of the event; the percentage beside it is today's."""
    content = answer.json()
    return {name: part for name, part in content.items() if name != "progress"}


async def test_an_order_twice_is_one_order(company: Company) -> None:
    body = order_body("T-TWICE")
    first = await send_order(company, body, "the-same-key")
    placed = await db.value("SELECT payload FROM outbox WHERE kind = 'flows.order_placed'")
    await company.work()
    before = await effects()
    again = await send_order(company, body, "the-same-key")
    other = await send_order(company, body, "another-key")
    await order_placed(placed)
    await company.work()
    assert first.content == again.content == other.content
    assert again.headers["Idempotent-Replay"] == "true"
    assert await effects() == before
    await healthy()


async def test_a_payment_twice_is_counted_once(company: Company) -> None:
    order = await place(company)
    hook = order.payment()
    for _ in range(2):
        assert (await company.hook("checkout", hook)).status_code == 200
        await company.work()
    before = await effects()
    assert {1002, 1003} <= {*await order.passed()}
    await order.pay()  # The same action in another event.
    assert await effects() == before
    await healthy()


async def test_checking_a_payment_and_allocating_again_changes_nothing(company: Company) -> None:
    order = await standing(company, 1003)
    before = await effects()
    await settle.verify_order_payment(order.order_id)
    fulfilment = await journey.lock(order.parcel)
    fact = Fact(
        event_id=uuid7(),
        name="1002", order_id=order.order_id, fulfilment_id=order.parcel, fulfilment=fulfilment,
        actor=Actor.system("test"), attempt=1, evidence=(), data={"how": "done"},
    )  # fmt: skip
    await allocate.turn_holds_into_allocations(fact)
    for stage in (1002, 1003):
        answer = await claim(order, stage, "webhook")
        assert answer.verdict is Verdict.DUPLICATE
    await company.work()
    assert await effects() == before
    await healthy()


async def test_an_awb_twice_is_one_shipment(company: Company) -> None:
    order = await outside(company, 1007)
    step = await order.record_awb("CP-1")
    for _ in range(2):
        answer = await order.take(step)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    before = await effects()
    await order.take(await order.record_awb("CP-2"))
    await order.company.hook("clickpost", carrier_scan("CP-1", 1))
    await company.work()
    assert await effects() == before
    assert await passings(order, 1008) == 1
    await healthy()


@pytest.mark.parametrize("stage", CARRIER)
async def test_a_carriers_word_twice_is_once(company: Company, stage: int) -> None:
    order = await outside(company, 1008)
    for code in [code for at, code in CARRIER.items() if at <= stage]:
        await company.hook("clickpost", carrier_scan(order.awb, code))
        await company.work()
    before = await effects()
    for minute in (0, 7):  # The very same scan, then the same status told again later.
        await company.hook("clickpost", carrier_scan(order.awb, CARRIER[stage], minute=minute))
        await company.work()
    assert await effects() == before
    assert await passings(order, stage) == 1
    await healthy()


async def test_settlement_and_certificate_twice_are_once(company: Company) -> None:
    order = await standing(company, LAST)
    before = await effects()
    await settle.review_purchase_order(await order.po_id())
    await care.issue_certificates({"fulfilment_id": str(order.parcel)})
    for stage in (1017, 1018):
        assert (await claim(order, stage, "system")).verdict is Verdict.DUPLICATE
    await company.work()
    assert await effects() == before
    assert len(company.bank.paid) == len(company.bank.calls) == 6
    await healthy()


async def test_a_courier_who_captures_a_cash_delivery_twice_brings_its_money_once(
    company: Company,
) -> None:
    order = await place(company, ("MIX-500", 1), method="cod")
    approval = {"event_id": uuid7(), "reason": "known to us"}
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    assert (await company.send("finance", path, approval)).status_code == 200
    await company.work()
    await order.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": order.total_minor}]}
    step = await order.pod(**cash)
    for one in (step, step, step.under_another_id()):
        assert (await order.take(one)).status_code == 200
    count = {
        "event_id": uuid7(), "order_ids": [order.order_id], "amount_minor": order.total_minor,
        "currency": "AED",
    }  # fmt: skip
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201, counted.text
    assert counted.json()["expected_minor"] == order.total_minor
    await company.work()
    await healthy()
