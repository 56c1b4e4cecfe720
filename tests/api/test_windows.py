"""Windows that deliveries are promised for: by a desk, seen by the phone, kept with their reasons (P15)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.floor import ok, refused
from tests.factories.journeys import Order, standing
from tests.factories.phones import a_phone, told
from tests.factories.steps import healthy


async def promised(
    company: Company, order: Order, window: tuple[timedelta, timedelta] | None, **other: Any
) -> dict[str, Any]:
    """Promise a window that begins and ends so much from now; give the body."""
    span = None
    if window is not None:
        begin = now().replace(microsecond=0)
        span = {"from_at": begin + window[0], "until_at": begin + window[1]}
    body = {"event_id": uuid7(), "window": span, "reason": "The customer asked."} | other
    await ok(company, "dispatcher", f"/console/parcels/{order.parcel}/window", body)
    return body


async def on_the_phone(company: Company, order: Order) -> dict[str, Any] | None:
    runs = await company.get("delivery", "/field/runs")
    stops = {stop["number"]: stop for run in runs for stop in run["stops"]}
    window: dict[str, Any] | None = stops[order.number]["window"]
    return window


async def test_the_newest_promise_holds_and_each_is_kept_with_its_reason(company: Company) -> None:
    order = await standing(company, 1012)
    assert await on_the_phone(company, order) is None
    first = await promised(company, order, (timedelta(hours=1), timedelta(hours=3)))
    await ok(company, "dispatcher", f"/console/parcels/{order.parcel}/window", first)
    seen = await on_the_phone(company, order)
    assert seen is not None
    assert datetime.fromisoformat(seen["from_at"]) == first["window"]["from_at"]
    later = (timedelta(hours=4), timedelta(hours=6))
    second = await promised(company, order, later, reason="The road is closed.")
    seen = await on_the_phone(company, order)
    assert seen is not None
    assert datetime.fromisoformat(seen["until_at"]) == second["window"]["until_at"]
    await promised(company, order, None, reason="He does not know when.")
    assert await on_the_phone(company, order) is None
    kept = await company.get("dispatcher", f"/console/parcels/{order.parcel}/windows")
    assert [one["reason"] for one in kept] == [
        "He does not know when.", "The road is closed.", "The customer asked.",
    ]  # fmt: skip
    assert [one["from_at"] is None for one in kept] == [True, False, False]
    await healthy()


async def test_the_customer_is_told_each_change_once_with_its_reason(
    company: Company, db: Any
) -> None:
    order = await standing(company, 1012)
    await promised(company, order, None, reason="Nothing was promised yet.")
    first = await promised(company, order, (timedelta(hours=1), timedelta(hours=3)))
    await ok(company, "dispatcher", f"/console/parcels/{order.parcel}/window", first)
    await promised(
        company, order, (timedelta(hours=4), timedelta(hours=6)), reason="A closed road."
    )
    await promised(company, order, None, reason="The van broke down.")
    await company.work()
    rows = await db.rows(
        "SELECT event, body, state FROM message WHERE event LIKE 'window_%' AND channel = 'sms'"
        " ORDER BY attempt"
    )
    assert [row["event"] for row in rows] == ["window_changed"] * 2 + ["window_withdrawn"]
    assert {row["state"] for row in rows} == {"sent"}
    assert "The customer asked." in rows[0]["body"] and "A closed road." in rows[1]["body"]
    until = first["window"]["until_at"].astimezone(ZoneInfo("Asia/Dubai"))
    assert f"{until:%H:%M}" in rows[0]["body"] and order.number in rows[0]["body"]
    await healthy()


@pytest.mark.parametrize(
    "window",
    [
        (timedelta(hours=-3), timedelta(hours=-1)),
        (timedelta(hours=3), timedelta(hours=1)),
        (timedelta(hours=1), timedelta(hours=26)),
        (timedelta(days=400), timedelta(days=400, hours=1)),
    ],
)
async def test_no_window_that_is_over_backwards_too_long_or_too_far(
    company: Company, window: tuple[timedelta, timedelta]
) -> None:
    order = await standing(company, 1012)
    span = {"from_at": now() + window[0], "until_at": now() + window[1]}
    body = {"event_id": uuid7(), "window": span, "reason": "x"}
    path = f"/console/parcels/{order.parcel}/window"
    await refused(company, "dispatcher", path, body, "no-such-window")
    assert await on_the_phone(company, order) is None


async def test_whoever_drives_is_told_once_and_an_event_is_one_parcels(company: Company) -> None:
    order = await standing(company, 1012)
    phone = await a_phone(company.users["delivery"].id)
    body = await promised(company, order, (timedelta(hours=1), timedelta(hours=3)))
    path = f"/console/parcels/{order.parcel}/window"
    await ok(company, "dispatcher", path, body)
    assert [kind for kind, _ in await told(phone)] == ["stop_changed"]
    other = await standing(company, 1012)
    again = f"/console/parcels/{other.parcel}/window"
    await refused(company, "dispatcher", again, body, "event-id-reused")
