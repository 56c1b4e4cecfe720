"""When a vendor has his goods ready: told once per date, asked about when the day is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.backorders import a_date, date_path, in_days, seen, told, watch
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import open_kinds
from tests.factories.steps import healthy


async def accepted_for(company: Company, days: int) -> Order:
    order = await standing(company, 1003)
    later = {"event_id": uuid7(), "ready_on": in_days(days)}
    await floor.ok(
        company, "vendor", f"/vendor/purchase-orders/{await order.po_id()}/accept", later
    )
    await company.work()
    return order


async def test_the_day_on_which_a_vendor_is_ready_is_told_once_per_date(company: Company) -> None:
    order = await accepted_for(company, 3)
    [words] = await told("vendor_ready_later")
    assert f"{in_days(3).day} {in_days(3):%B %Y}" in words
    assert f"{in_days(3).day} {in_days(3):%B}" in (await seen(order))["detours"][0]["sentence"]
    path = f"/vendor/purchase-orders/{await order.po_id()}/ready-date"
    moved = {"event_id": uuid7(), "ready_on": in_days(6)}
    for body in (moved, moved, moved | {"event_id": uuid7()}):
        await floor.ok(company, "vendor", path, body)
        await company.work()
    [words] = await told("vendor_ready_later_dated")
    assert f"{in_days(6).day} {in_days(6):%B %Y}" in words
    read = await company.get("vendor", f"/vendor/purchase-orders/{await order.po_id()}")
    assert read["ready_on"] == in_days(6).isoformat()
    await floor.ok(company, "dispatcher", date_path(order.parcel, "vendor_ready_later"), a_date(8))
    read = await company.get("vendor", f"/vendor/purchase-orders/{await order.po_id()}")
    assert read["ready_on"] == in_days(8).isoformat()
    await healthy()


async def test_a_vendor_who_accepted_at_once_may_name_a_later_day_until_picking(
    company: Company,
) -> None:
    order = await standing(company, 1004)
    path = f"/vendor/purchase-orders/{await order.po_id()}/ready-date"
    later = {"event_id": uuid7(), "ready_on": in_days(2)}
    await floor.refused(company, "vendor", path, later | {"ready_on": in_days(0)}, "date-not-ahead")
    for _ in range(2):
        await floor.ok(company, "vendor", path, later)
        await company.work()
    assert await open_kinds() == ["vendor_ready_later"]
    assert len(await told("vendor_ready_later")) == 1
    over = f"/console/fulfilments/{order.parcel}/detours/vendor_ready_later/settle"
    await floor.ok(company, "dispatcher", over, {"event_id": uuid7()})
    await floor.ok(company, "vendor", path, later)
    assert await open_kinds() == [], "a repeat opens nothing"
    await floor.ok(company, "vendor", path, {"event_id": uuid7(), "ready_on": in_days(4)})
    await company.work()
    assert len(await told("vendor_ready_later")) == 2, "a second delay has a date of its own"
    await order.go_on(1005)
    late = {"event_id": uuid7(), "ready_on": in_days(5)}
    await floor.refused(company, "vendor", path, late, "detour-not-possible")
    await healthy()


async def test_before_a_vendor_accepts_he_has_no_ready_date_to_move(company: Company) -> None:
    order = await standing(company, 1003)
    path = f"/vendor/purchase-orders/{await order.po_id()}"
    body = {"event_id": uuid7(), "ready_on": in_days(2)}
    await floor.refused(
        company, "vendor", f"{path}/ready-date", body, "purchase-order-not-accepted"
    )
    past = body | {"ready_on": in_days(0)}
    await floor.refused(company, "vendor", f"{path}/accept", past, "date-not-ahead")
    assert await order.passed() == [1001, 1002, 1003]


@pytest.mark.parametrize("ends_by", ["picking", "a new date", "cancelling"])
async def test_a_ready_date_that_passes_is_somebodys_task_until_the_goods_move(
    company: Company, clock: Any, ends_by: str
) -> None:
    order = await accepted_for(company, 3)
    day = in_days(3)
    await watch(company)
    assert await floor.open_problems("vendor_ready_later") == []
    await floor.later(company, clock, timedelta(days=4))
    await watch(company)
    [task] = await floor.open_problems("vendor_ready_later")
    assert task["owner_role"] == "dispatcher"
    assert "V-GULF" in task["title"] and day.isoformat() in task["title"]
    [listed] = await company.get("dispatcher", "/problems?kind=vendor_ready_later")
    assert listed["action"]["path"] == date_path(order.parcel, "vendor_ready_later")
    if ends_by == "picking":
        await order.go_on(1005)
    elif ends_by == "a new date":
        await floor.ok(company, "dispatcher", listed["action"]["path"], a_date(2))
    else:
        no = {"event_id": uuid7(), "reason": "customer"}
        await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", no)
    await company.work()
    assert await floor.open_problems("vendor_ready_later") == []
    await healthy()
