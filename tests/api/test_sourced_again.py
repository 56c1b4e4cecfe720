"""Goods that a vendor does not deliver are found elsewhere: who said no, against what others have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import source_again, vendor_answers
from doorstep.modules.scm import service as scm
from doorstep.modules.wms.service import stock
from tests.factories import floor
from tests.factories.backorders import short_order, told
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import open_kinds, parcel_of
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.factories.world import make_vendor

SAID_NO = "purchase-order-already-answered"
WITHDRAWN = "purchase-order-withdrawn"


async def says_no(order: Order, clock: Any) -> str:
    path = f"/vendor/purchase-orders/{await order.po_id()}/decline"
    body = {"event_id": uuid7(), "reason": "None left."}
    for _ in range(2):
        assert (await order.company.send("vendor", path, body)).status_code == 204
    return SAID_NO


async def says_nothing(order: Order, clock: Any) -> str:
    due_at = await db.value("SELECT answer_due_at FROM purchase_order")
    await floor.later(order.company, clock, due_at - now())
    for _ in range(2):
        await vendor_answers.watch_vendors({})
    return WITHDRAWN


async def says_no_by_phone(order: Order, clock: Any) -> str:
    no = {
        "event_id": uuid7(), "kind": "vendor_declined", "reason": "declined", "words": "By phone.",
    }  # fmt: skip
    path = f"/console/fulfilments/{order.parcel}/detours"
    for _ in range(2):
        await floor.ok(order.company, "dispatcher", path, no)
    return WITHDRAWN


Shelf = tuple[str, str, int]
"""Where, whose, how many kettles there are beside those of the vendor who says no."""

ELSEWHERE: dict[str, tuple[list[Shelf], list[tuple[str, int]]]] = {
    "nobody has them": ([], [("short", 3)]),
    "he has them elsewhere": ([("AUH", "V-GULF", 9)], [("short", 3)]),
    "another vendor has them": ([("DXB", "V-OTHER", 9)], [("V-OTHER", 3)]),
    "we have them": ([("AUH", "", 3)], [("", 3)]),
    "two have a part each": ([("DXB", "", 2), ("AUH", "V-OTHER", 1)], [("", 2), ("V-OTHER", 1)]),
    "there is a part": ([("DXB", "", 2)], [("", 2), ("short", 1)]),
}


async def fill(company: Company, shelves: list[Shelf]) -> None:
    """Put kettles on shelves, of which the other vendor's cost him something."""
    world, kettles = company.world, company.world.products["KET-17"]
    auh = {"code": "AUH", "name": "AUH", "kind": "warehouse", "channel_id": world.channel_id}
    places = {
        "DXB": world.warehouse_id,
        "AUH": await stock.save_location(auh | {"erp_store_id": "AUH"}),
    }
    owners: dict[str, UUID | None] = {
        "": None, "V-GULF": world.vendor_id, "V-OTHER": await make_vendor("V-OTHER"),
    }  # fmt: skip
    other = owners["V-OTHER"]
    assert other is not None
    await scm.save_cost(other, kettles, "AED", 90_00)
    for place, owner, pieces in shelves:
        ref = f"{place}:{owner}"
        await stock.receive(places[place], kettles, owners[owner], pieces, ref=ref)


async def now_travelling(order: Order) -> list[dict[str, Any]]:
    """List the parcels of an order that live, each with whose goods it carries and how many."""
    return await db.rows(
        "SELECT f.*, v.code, (SELECT sum(quantity)::int FROM fulfilment_line l"
        "   WHERE l.fulfilment_id = f.id) AS pieces"
        " FROM fulfilment f LEFT JOIN vendor v ON v.id = f.owner_id"
        " WHERE f.order_id = $1 AND f.state = 'open' ORDER BY f.parcel",
        order.order_id,
    )


@pytest.mark.parametrize(
    ("refuses", "elsewhere"),
    [
        *((says_no, elsewhere) for elsewhere in ELSEWHERE),
        *((says_nothing, f"{who} them") for who in ("nobody has", "another vendor has", "we have")),
        *((says_no_by_phone, elsewhere) for elsewhere in ("we have them", "there is a part")),
    ],
)
async def test_what_a_vendor_does_not_deliver_comes_from_whoever_has_it(
    company: Company,
    clock: Any,
    refuses: Callable[[Order, Any], Awaitable[str]],
    elsewhere: str,
) -> None:
    shelves, expected = ELSEWHERE[elsewhere]
    order = await standing(company, 1003, ("KET-17", 3))
    old = await order.po_id()
    await fill(company, shelves)
    problem = await refuses(order, clock)
    await company.work()
    assert (await parcel_of(order))["ended_as"] == "replaced"
    found = await now_travelling(order)
    assert expected == [
        ("short" if row["location_id"] is None else row["code"] or "", row["pieces"])
        for row in found
    ]
    for row in found:
        placed = row["location_id"] is not None
        assert row["replaces_id"] == order.parcel
        assert (1003 in row["passed"]) is placed and 1002 in row["passed"]
        assert (row["po_id"] not in (None, old)) is (row["code"] is not None)
    short = any(whose == "short" for whose, _ in expected)
    assert await open_kinds() == (["short_stock"] if short else [])
    assert len(await told("short_stock")) == len(await floor.open_problems("short_stock")) == short
    released = "SELECT count(*) FROM tranche WHERE state = 'released' AND po_id = $1"
    assert await db.value(released, old) == 0, "nothing is paid on what he does not deliver"
    before = await everything()
    for path, body in (
        ("accept", {}),
        ("accept", {"lines": [{"fulfilment_line_id": uuid7(), "quantity": 1}]}),
        ("decline", {"reason": "Too late."}),
    ):
        late = {"event_id": uuid7()} | body
        await floor.refused(
            company, "vendor", f"/vendor/purchase-orders/{old}/{path}", late, problem
        )
    assert await everything() == before
    await healthy()


async def test_a_vendor_who_has_answered_is_not_given_up_by_a_clock_that_looked_before(
    company: Company,
) -> None:
    order = await standing(company, 1004, ("KET-17", 3))
    before = await everything()
    await vendor_answers.give_up(
        await order.po_id(), order.parcel, actor=Actor.system("flows.watch_vendors")
    )
    assert await everything() == before


async def test_short_goods_that_come_to_two_places_go_on_from_both_and_the_rest_waits(
    company: Company,
) -> None:
    order = await short_order(company, "KET-17", 4)
    await order.pay()
    await fill(company, [("DXB", "", 2), ("AUH", "V-OTHER", 1)])
    for _ in range(2):
        await source_again.source_short({})
        await company.work()
    found = await now_travelling(order)
    assert [(row["code"], row["pieces"], 1003 in row["passed"]) for row in found] == [
        (None, 2, True), ("V-OTHER", 1, True), (None, 1, False),
    ]  # fmt: skip
    assert [row["replaces_id"] for row in found] == [None] * 3, "a split stands beside the others"
    assert found[0]["id"] == order.parcel and found[2]["location_id"] is None
    [task] = await floor.open_problems("short_stock")
    assert task["ref"] == str(found[2]["id"])
    await healthy()


@pytest.mark.parametrize("meanwhile", ["allocated", "ended"])
async def test_goods_are_not_routed_again_that_have_gone_on_or_ended(
    company: Company, meanwhile: str
) -> None:
    order = await standing(company, 1003, ("KET-17", 1))
    if meanwhile == "ended":
        body = {"event_id": uuid7(), "reason": "customer"}
        await floor.ok(company, "support", f"/console/orders/{order.order_id}/cancel", body)
        await company.work()
    before = await parcel_of(order)
    await outbox.add(
        "flows.route_again", {"fulfilment_id": str(order.parcel), "event_id": str(uuid7())}
    )
    await company.work()
    assert await parcel_of(order) == before and await open_kinds() == []
    await healthy()
