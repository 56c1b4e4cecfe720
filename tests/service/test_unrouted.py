"""The alarm of orders that nobody routes (O8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core.actor import Actor
from doorstep.flows.unrouted import find_unrouted
from doorstep.modules.helpdesk import service as helpdesk
from tests.factories.care import Travelling, pass_stage, place, reacting
from tests.factories.road import problems_of

MINUTES = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _bound() -> Any:
    """No reactions: what 1002 sets off (1003) does not come."""
    with reacting({}):
        yield


async def alarmed(order: Travelling) -> list[str]:
    await find_unrouted({})
    return await problems_of(order.parcels[0])


async def test_paid_and_not_allocated_for_fifteen_minutes_rings_once(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    clock.advance(60 * MINUTES)
    assert await alarmed(order) == [], "an order that is not paid has time"
    await pass_stage(order.parcels[0], 1002)
    clock.advance(14 * MINUTES)
    assert await alarmed(order) == []
    clock.advance(2 * MINUTES)
    assert await alarmed(order) == ["unrouted"]
    assert await alarmed(order) == ["unrouted"]
    problem = await db.one("SELECT * FROM problem")
    assert problem["title"] == f"{order.number}, parcel 1: not routed for 15 minutes"
    assert (problem["order_id"], problem["owner_role"]) == (order.order_id, "dispatcher")
    assert "is paid but not allocated since" in problem["detail"]


async def test_the_alarm_ends_by_itself_when_the_order_is_routed(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    await pass_stage(order.parcels[0], 1002)
    clock.advance(16 * MINUTES)
    assert await alarmed(order) == ["unrouted"]
    await pass_stage(order.parcels[0], 1003)
    assert await alarmed(order) == []
    assert await db.value("SELECT closing_words FROM problem") == "The order was routed."


async def test_without_a_location_the_time_counts_from_the_beginning(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    await db.execute("UPDATE fulfilment SET location_id = NULL")
    clock.advance(14 * MINUTES)
    assert await alarmed(order) == []
    # Being paid does not give it another quarter of an hour.
    await pass_stage(order.parcels[0], 1002)
    clock.advance(2 * MINUTES)
    assert await alarmed(order) == ["unrouted"]
    assert "has no location" in await db.value("SELECT detail FROM problem")


async def test_an_alarm_that_a_person_has_closed_does_not_ring_again(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    await pass_stage(order.parcels[0], 1002)
    clock.advance(16 * MINUTES)
    await alarmed(order)
    problem_id = await db.value("SELECT id FROM problem")
    await helpdesk.close_problem(problem_id, actor=Actor.system("test"), words="Known.")
    clock.advance(60 * MINUTES)
    assert await alarmed(order) == []
    assert await db.value("SELECT count(*) FROM problem") == 1


async def test_what_has_ended_needs_no_route(db: Any, clock: Any) -> None:
    order = await place(("KET-17", 1))
    await db.execute("UPDATE fulfilment SET location_id = NULL")
    clock.advance(16 * MINUTES)
    assert await alarmed(order) == ["unrouted"]
    await db.execute("UPDATE fulfilment SET state = 'ended', ended_as = 'cancelled'")
    assert await alarmed(order) == []
