"""Orders whose goods are not there, and what their customer sees and answers."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import httpx

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import expected_dates
from doorstep.flows.place_order import place_order
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order
from tests.factories.world import SHOP, an_order

FREE = """
SELECT coalesce(sum(on_hand - held - allocated), 0)::int FROM stock WHERE product_id = $1
"""


async def short_order(company: Company, sku: str = "MIX-500", pieces: int = 2) -> Order:
    """Place a shop's order that no stock covers, another one having taken all that there was."""
    free = await db.value(FREE, company.world.products[sku])
    if free:
        await place_order(an_order((sku, free)), actor=SHOP, may_be_short=True)
    wanted = an_order((sku, pieces))
    await place_order(wanted, actor=SHOP, may_be_short=True)
    await company.work()
    row = await db.one(
        "SELECT o.id, o.number, f.id AS parcel FROM customer_order o"
        " JOIN fulfilment f ON f.order_id = o.id AND f.location_id IS NULL"
        " WHERE o.external_id = $1",
        wanted.external_id,
    )
    return Order(
        company, wanted.external_id, row["id"], row["number"], row["parcel"], wanted.total_minor
    )


def in_days(days: int) -> date:
    """Tell a day on the clock of the company's channel."""
    return now().astimezone(floor.DUBAI).date() + timedelta(days=days)


def end_of(day: date) -> datetime:
    """Tell when a day is over on that clock."""
    return datetime.combine(day + timedelta(days=1), time.min, floor.DUBAI)


def date_path(parcel: UUID, kind: str = "short_stock") -> str:
    return f"/console/fulfilments/{parcel}/detours/{kind}/date"


def a_date(days: int, **other: Any) -> dict[str, Any]:
    """What a desk says of a date."""
    return {
        "event_id": uuid7(),
        "expected_on": in_days(days),
        "words": "The supplier said so.",
    } | other


async def dated(company: Company, days: int = 5, **short: Any) -> Order:
    """Bring a paid order to where its customer is asked about a date."""
    order = await short_order(company, **short)
    await order.pay()
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(days))
    await company.work()
    return order


def link_of(order: Order) -> str:
    token = order.company.told(r"/t/([\w-]{20,})", order.number)
    return f"/track/{token}"


async def seen(order: Order) -> dict[str, Any]:
    """Read what the customer's page says of the parcel."""
    number = await parcel_number(order)
    shown = await order.company.get("", link_of(order))
    return next(one for one in shown["parcels"] if one["parcel"] == number)


async def parcel_number(order: Order) -> int:
    found: int = await db.value("SELECT parcel FROM fulfilment WHERE id = $1", order.parcel)
    return found


async def answer(order: Order, path: str, **body: Any) -> httpx.Response:
    """Send what the customer answers by his link, and let what follows run."""
    whole = {"event_id": uuid7(), "parcel": await parcel_number(order)} | body
    answered = await order.company.send("", f"{link_of(order)}/{path}", whole)
    await order.company.work()
    return answered


async def told(event: str) -> list[str]:
    """List the text messages of an event, the first one first."""
    rows = await db.rows(
        "SELECT body FROM message WHERE event = $1 AND channel = 'sms' ORDER BY created_at", event
    )
    return [row["body"] for row in rows]


async def watch(company: Company) -> None:
    """Let the clock's job run twice: the second time there is nothing left to do."""
    for _ in range(2):
        await expected_dates.watch_expected_dates({})
        await company.work()
