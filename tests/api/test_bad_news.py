"""What customers and desks hear when something goes wrong: everything that is true, nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import source_again, unpaid
from doorstep.flows.place_order import place_order
from doorstep.modules.wms.service import stock
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import place, standing
from tests.factories.mishaps import failed_attempt, open_kinds, receive_all
from tests.factories.steps import healthy
from tests.factories.world import SHOP, an_order


async def told(event: str) -> int:
    """Count the text messages of an event."""
    found: int = await db.value(
        "SELECT count(*) FROM message WHERE event = $1 AND channel = 'sms'", event
    )
    return found


async def short(company: Company) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await company.get("dispatcher", "/problems?kind=short_stock")
    return found


async def test_an_order_that_comes_in_short_is_told_and_is_somebodys_task(
    company: Company,
) -> None:
    await place_order(an_order(("MIX-500", 21)), actor=SHOP, may_be_short=True)
    await company.work()
    assert await told("short_stock") == 1
    [task] = await short(company)
    assert task["owner_role"] == "dispatcher" and "MIX-500" in task["reason"]
    mixers = company.world.products["MIX-500"]
    await stock.receive(company.world.warehouse_id, mixers, None, 9, ref="more mixers")
    await source_again.source_short({})
    await company.work()
    assert await short(company) == [] and "short_stock" not in await open_kinds()
    assert await told("short_stock") == 1
    await healthy()


async def test_short_parcels_that_get_nothing_keep_nobody_waiting(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = await standing(company, 1003, ("KET-17", 1))
    path = f"/vendor/purchase-orders/{await refused.po_id()}/decline"
    await company.send("vendor", path, {"event_id": uuid7(), "reason": "None left."})
    for _ in range(3):
        await place_order(an_order(("MIX-500", 21)), actor=SHOP, may_be_short=True)
    await company.work()
    asked: list[UUID] = []
    find_place = source_again.find_place

    async def noted(fulfilment_id: UUID, *, actor: Actor) -> bool:
        asked.append(fulfilment_id)
        # The first is beaten to it by somebody else, each time.
        return fulfilment_id != asked[0] and await find_place(fulfilment_id, actor=actor)

    monkeypatch.setattr(source_again, "find_place", noted)
    monkeypatch.setattr(source_again, "PAGE", 1)
    mixers = company.world.products["MIX-500"]
    await stock.receive(company.world.warehouse_id, mixers, None, 99, ref="more mixers")
    await source_again.source_short({})
    left = await db.rows(
        "SELECT id, replaces_id FROM fulfilment WHERE location_id IS NULL AND state = 'open'"
        " ORDER BY created_at, id"
    )
    assert len(asked) == 3, "the one whose vendor has said no is not asked for at all"
    assert [row["id"] for row in left if row["replaces_id"] is None] == asked[:1]
    assert [row["replaces_id"] for row in left if row["replaces_id"]] == [refused.parcel]


async def test_goods_that_nobody_else_has_are_told_and_are_somebodys_task(
    company: Company,
) -> None:
    order = await standing(company, 1003)
    no = {"event_id": uuid7(), "reason": "None left."}
    path = f"/vendor/purchase-orders/{await order.po_id()}/decline"
    for _ in range(2):
        await company.send("vendor", path, no)
        await company.work()
    assert await open_kinds() == ["short_stock"]
    assert await told("short_stock") == 1
    assert len(await short(company)) == 1
    await healthy()


@pytest.mark.parametrize("reasons", [["refused"], ["not_home", "address", "not_home"]])
async def test_nobody_is_told_that_we_come_again_when_we_do_not(
    company: Company, reasons: list[str]
) -> None:
    order = await standing(company, 1012)
    for n, reason in enumerate(reasons):
        if n:
            await order.take_well(await order.accept_run())
        await failed_attempt(order, reason)
    assert await told("delivery_failed") == len(reasons) - 1
    assert await told("return_to_origin") == 1
    await healthy()


async def test_an_order_of_two_parcels_is_asked_for_its_money_once(
    company: Company, clock: Any
) -> None:
    await place(company, ("KET-17", 1), ("MIX-500", 1))
    for minutes, event in ((16, "payment_pending"), (15, "payment_expired")):
        clock.advance(timedelta(minutes=minutes))
        await unpaid.watch_unpaid({})
        await company.work()
        assert await told(event) == 1
    await healthy()


async def test_who_keeps_the_other_parcel_is_not_told_that_the_order_was_cancelled(
    company: Company,
) -> None:
    order = await place(company, ("KET-17", 1), ("MIX-500", 1))
    await order.pay()
    one = {"event_id": uuid7(), "reason": "customer", "fulfilment_ids": [order.parcel]}
    await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", one)
    await company.work()
    words = await db.value("SELECT body FROM message WHERE event = 'cancelled' AND channel = 'sms'")
    assert "Goods of your order were cancelled" in words


async def test_of_two_parcels_each_message_names_its_goods(company: Company) -> None:
    order = await place(company, ("WM-7KG", 1), ("MIX-500", 2))
    body = {"event_id": uuid7(), "reason": "customer"}
    await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", body)
    await company.work()
    rows = await db.rows("SELECT body FROM message WHERE event = 'cancelled' AND channel = 'sms'")
    assert len(rows) == 2
    for goods in ("(1 × Washing machine 7 kg)", "(2 × Hand mixer)"):
        assert sum(goods in row["body"] for row in rows) == 1
    await healthy()


async def test_a_second_return_is_told_as_well(company: Company) -> None:
    order = await standing(company, 1016, ("KET-17", 3))
    line = await db.value("SELECT id FROM fulfilment_line WHERE fulfilment_id = $1", order.parcel)
    for times in (1, 2):
        asked = {
            "event_id": uuid7(), "reason": "changed_mind", "how": "store",
            "lines": [{"fulfilment_line_id": line, "quantity": 1}],
        }  # fmt: skip
        path = f"/console/fulfilments/{order.parcel}/returns"
        await floor.ok(company, "support", path, asked)
        await receive_all(company, order, "sellable")
        assert await told("return_requested") == await told("returned_part") == times
        over = f"/console/fulfilments/{order.parcel}/detours/returned_part/settle"
        await floor.ok(company, "finance", over, {"event_id": uuid7()})
        await company.work()
    await healthy()
