"""Some pieces of a delivered parcel are sent anew; the customer keeps the rest (SPEC J, Service)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import open_kinds, parcel_of, receive_all
from tests.factories.steps import healthy


async def line_of(order: Order, sku: str) -> Any:
    return await db.value(
        "SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
        " WHERE l.fulfilment_id = $1 AND p.sku = $2",
        order.parcel,
        sku,
    )


async def report(order: Order, **body: Any) -> dict[str, Any]:
    path = f"/console/fulfilments/{order.parcel}/detours"
    answer: dict[str, Any] = await floor.ok(order.company, "support", path, body)
    await order.company.work()
    return answer


async def goods() -> list[tuple[Any, ...]]:
    """Tell per parcel what it carries and how it stands."""
    rows = await db.rows(
        "SELECT f.parcel, p.sku, l.quantity, f.state, f.ended_as, f.replaces_id IS NOT NULL AS successor"
        " FROM fulfilment f JOIN fulfilment_line l ON l.fulfilment_id = f.id"
        " JOIN product p ON p.id = l.product_id ORDER BY f.parcel, p.sku"
    )
    return [tuple(row.values()) for row in rows]


async def test_a_dead_machine_is_replaced_and_the_kettle_beside_it_stays(company: Company) -> None:
    order = await standing(company, 1014, ("WM-7KG", 1), ("KET-17", 1))
    visit = await db.value("SELECT id FROM visit")
    await floor.ok(
        company, "technician", f"/field/visits/{visit}/failed", floor.capture(reason="unit_faulty")
    )
    await company.work()
    assert await open_kinds() == ["dead_on_arrival", "installation_failed"]
    machine = {"fulfilment_line_id": await line_of(order, "WM-7KG"), "quantity": 1}
    body = {
        "event_id": uuid7(), "kind": "replaced", "reason": "dead_on_arrival", "lines": [machine],
    }  # fmt: skip
    first = await report(order, **body)
    assert await report(order, **body) == first, "the same report is known"
    assert await goods() == [
        (1, "KET-17", 1, "open", None, False),
        (2, "WM-7KG", 1, "ended", "replaced", False),
        (3, "WM-7KG", 1, "open", None, True),
    ]
    assert await open_kinds() == []
    kept = await parcel_of(order)
    assert not kept["needs_install"] and 1013 in kept["passed"]
    [expected] = await db.rows("SELECT product_id, quantity FROM expected_line")
    assert expected == {"product_id": company.world.products["WM-7KG"], "quantity": 1}
    kettle = order.parcel
    order.parcel = await db.value("SELECT id FROM fulfilment WHERE parcel = 2")
    await receive_all(company, order, "vendor_return")
    order.parcel = await db.value("SELECT id FROM fulfilment WHERE parcel = 3")
    await order.go_on()
    assert (await parcel_of(order))["progress"] == 100
    order.parcel = kettle
    held = await db.rows(
        "SELECT DISTINCT state FROM tranche WHERE po_id = $1 AND number > 4", await order.po_id()
    )
    assert [row["state"] for row in held] == ["held"], "a person agrees with the vendor first"
    agreed = {"event_id": uuid7(), "reason": "He takes the machine back."}
    path = f"/console/finance/purchase-orders/{await order.po_id()}/rest"
    await floor.ok(company, "finance", path, agreed)
    await order.go_on(1016)
    assert (await parcel_of(order))["progress"] == 100
    assert await db.value("SELECT count(*) FROM credit_note") == 0, "nothing is given back"
    await healthy()


@pytest.mark.parametrize("installed", [False, True])
async def test_one_of_three_kettles_is_replaced_with_its_warranty(
    company: Company, installed: bool
) -> None:
    order = await standing(company, 1015 if installed else 1013, ("KET-17", 3))
    line = await line_of(order, "KET-17")
    one = {"fulfilment_line_id": line, "quantity": 1}
    await report(order, event_id=uuid7(), kind="hidden_damage", lines=[one])
    assert await open_kinds() == ["hidden_damage"]
    await report(order, event_id=uuid7(), kind="replaced", reason="hidden_damage", lines=[one])
    assert [row[:5] for row in await goods()] == [
        (1, "KET-17", 2, "open", None),
        (2, "KET-17", 1, "ended", "replaced"),
        (3, "KET-17", 1, "open", None),
    ]
    assert await open_kinds() == []
    whose = await db.rows(
        "SELECT quantity, state FROM warranty WHERE fulfilment_id = $1", order.parcel
    )
    assert [tuple(row.values()) for row in whose if row["state"] != "void"] in ([], [(2, "active")])
    await healthy()


async def test_serials_of_another_line_and_refusals_of_the_engine_move_nothing(
    company: Company,
) -> None:
    order = await standing(company, 1013, ("WM-7KG", 1), ("KET-17", 1))
    path = f"/console/fulfilments/{order.parcel}/detours"
    kettle = {"fulfilment_line_id": await line_of(order, "KET-17"), "quantity": 1}
    body = {"event_id": uuid7(), "kind": "replaced", "reason": "dead_on_arrival"}
    odd = body | {"lines": [kettle | {"serials": ["WM-7KG-SN0000"]}]}
    await floor.refused(company, "support", path, odd, "line-not-of-parcel")
    wrong = body | {"reason": "no such reason", "lines": [kettle]}
    assert (await company.send("support", path, wrong)).status_code in (409, 422)
    assert len(await goods()) == 2 and len({row[0] for row in await goods()}) == 1
    on_the_road = await standing(company, 1010, ("KET-17", 2))
    part = body | {
        "lines": [{"fulfilment_line_id": await line_of(on_the_road, "KET-17"), "quantity": 1}]
    }
    road = f"/console/fulfilments/{on_the_road.parcel}/detours"
    await floor.refused(company, "support", road, part, "whole-parcel-only")
    await healthy()
