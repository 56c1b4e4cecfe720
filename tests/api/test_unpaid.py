"""Orders whose money comes late, or waits for us: nobody is told what is not so, none is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import unpaid
from tests.factories import floor
from tests.factories.approvals import say, waiting
from tests.factories.backorders import told
from tests.factories.company import Company
from tests.factories.journeys import Order, place
from tests.factories.mishaps import open_kinds, parcel_of
from tests.factories.snapshots import everything
from tests.factories.steps import healthy

SYSTEM = Actor.system("flows.watch_unpaid")


async def wait(company: Company, clock: Any, **time: int) -> None:
    """Let time pass and the clock's job run twice."""
    await floor.later(company, clock, timedelta(**time))
    for _ in range(2):
        await unpaid.watch_unpaid({})
        await company.work()


async def given_up(company: Company, clock: Any, *lines: tuple[str, int]) -> Order:
    """An order that was cancelled because nobody has paid it."""
    order = await place(company, *lines)
    await wait(company, clock, minutes=31)
    await wait(company, clock, days=1)
    rows = await db.rows("SELECT ended_as FROM fulfilment WHERE order_id = $1", order.order_id)
    assert {row["ended_as"] for row in rows} == {"cancelled"}
    return order


@pytest.mark.parametrize("lines", [[("KET-17", 2)], [("KET-17", 1), ("MIX-500", 1)]])
async def test_money_that_comes_after_the_order_was_given_up_is_owed_back_once(
    company: Company, clock: Any, lines: list[tuple[str, int]]
) -> None:
    order = await given_up(company, clock, *lines)
    free = await db.value("SELECT sum(on_hand - held - allocated)::int FROM stock")
    assert await floor.open_problems("refund_due") == []
    for _ in range(2):
        await order.pay()
    [owed] = await floor.open_problems("refund_due")
    assert "200.00 AED is owed back" in owed["title"] and owed["owner_role"] == "finance"
    passed = await db.rows("SELECT passed FROM fulfilment WHERE order_id = $1", order.order_id)
    assert all(1002 not in row["passed"] for row in passed), "nothing is sent that was given up"
    assert await db.value("SELECT sum(on_hand - held - allocated)::int FROM stock") == free
    await order.pay("refunded")
    assert await floor.open_problems("refund_due") == []
    await healthy()


async def test_money_that_comes_while_the_order_is_being_given_up_keeps_it(
    company: Company, clock: Any
) -> None:
    order = await place(company, ("KET-17", 2))
    await wait(company, clock, minutes=31)
    await floor.later(company, clock, timedelta(days=1))
    await order.pay()
    before = await everything()
    await unpaid.expire(order.parcel, actor=SYSTEM)
    await unpaid.give_up(order.order_id, actor=SYSTEM)
    assert await everything() == before
    assert {1002, 1003} <= set(await order.passed())
    await healthy()


async def payments_wait(company: Company) -> None:
    """Let every payment of the channel wait for a person."""
    await place(company, ("MIX-500", 1))
    [held] = await company.get("admin", "/console/approval-policies")
    change = {
        "event_id": uuid7(), "after_version": held["version"], "reason": "Frauds lately.",
        "rules": held["rules"] | {"payment_amount_minor": 0},
    }  # fmt: skip
    path = f"/console/approval-policies/{company.world.channel_id}"
    await floor.ok(company, "admin", path, change, 201)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
async def test_who_has_paid_and_waits_for_our_word_is_not_told_that_no_money_came(
    company: Company, clock: Any, verdict: str
) -> None:
    await payments_wait(company)
    order = await place(company, ("KET-17", 2))
    await order.pay()
    assert 1002 not in await order.passed()
    for time in ({"minutes": 31}, {"days": 2}):
        await wait(company, clock, **time)
        of_it = "SELECT kind FROM detour_case WHERE order_id = $1 AND closed_at IS NULL"
        rows = await db.rows(of_it, order.order_id)
        assert [row["kind"] for row in rows] == ["approval_waiting"]
    held = "SELECT count(*) FROM reservation WHERE order_id = $1 AND state = 'held'"
    assert await db.value(held, order.order_id) == 1, "the hold runs on"
    assert not [text for text in await told("payment_expired") if order.number in text]
    answered = await say(company, "finance", verdict, await waiting(order.order_id, "payment"))
    assert answered.status_code == 200, answered.text
    if verdict == "approve":
        assert {1002, 1003} <= set(await order.passed())
    else:
        assert (await parcel_of(order))["ended_as"] == "cancelled"
        assert len(await floor.open_problems("refund_due")) == 1
    await healthy()


async def test_a_part_of_the_money_keeps_nothing_and_is_owed_back(
    company: Company, clock: Any
) -> None:
    order = await place(company, ("KET-17", 2))
    order.total_minor //= 2
    await order.pay()
    await wait(company, clock, minutes=31)
    assert "payment_expired" in await open_kinds()
    await wait(company, clock, days=1)
    assert (await parcel_of(order))["ended_as"] == "cancelled"
    [owed] = await floor.open_problems("refund_due")
    assert "100.00 AED is owed back" in owed["title"]
    await healthy()
