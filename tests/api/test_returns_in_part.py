"""A part of what was delivered comes back: credit, warranties, visits and messages follow the pieces."""

from __future__ import annotations

from doorstep.core import db
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import open_kinds, parcel_of, receive_all
from tests.factories.steps import healthy


async def ask(order: Order, sku: str, quantity: int) -> str:
    """Ask for pieces of a SKU to come back; tell the arrival."""
    line = await db.value(
        "SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
        " WHERE l.fulfilment_id = $1 AND p.sku = $2",
        order.parcel,
        sku,
    )
    body = {
        "event_id": uuid7(), "reason": "changed_mind", "how": "store",
        "lines": [{"fulfilment_line_id": line, "quantity": quantity}],
    }  # fmt: skip
    path = f"/console/fulfilments/{order.parcel}/returns"
    answer = await floor.ok(order.company, "support", path, body)
    arrival: str = answer["arrival_ids"][0]
    return arrival


async def test_pieces_of_one_line_in_two_grades_are_all_credited(company: Company) -> None:
    order = await standing(company, 1018, ("KET-17", 3))
    arrival = await ask(order, "KET-17", 2)
    kettle = floor.BARCODES["KET-17"]
    beeps = [floor.beep(kettle, grade=grade) for grade in ("sellable", "scrap")]
    await floor.scanned(company, arrival, *beeps)
    await floor.finished(company, arrival)
    await company.work()
    assert await db.value("SELECT sum(amount_minor)::bigint FROM credit_note") == 200_00
    assert await open_kinds() == ["returned_part"]
    await healthy()


async def test_a_return_of_which_nothing_came_is_told_as_nothing(company: Company) -> None:
    order = await standing(company, 1018, ("KET-17", 3))
    arrival = await ask(order, "KET-17", 2)
    word = {"event_id": uuid7(), "words": "She keeps them."}
    await floor.ok(company, "dispatcher", f"/console/arrivals/{arrival}/close", word)
    await company.work()
    assert await open_kinds() == []
    assert await db.value("SELECT count(*) FROM message WHERE event = 'returned_part'") == 0
    assert await db.value("SELECT count(*) FROM credit_note") == 0
    await healthy()


async def test_of_several_units_whichever_the_customer_brings_is_taken(company: Company) -> None:
    order = await standing(company, 1013, ("WM-7KG", 2))
    serials = await db.rows(
        "SELECT serial FROM unit WHERE fulfilment_line_id IS NOT NULL ORDER BY 1"
    )
    arrival = await ask(order, "WM-7KG", 1)
    last = floor.beep(serials[-1]["serial"], grade="sellable")
    assert await floor.scanned(company, arrival, last) == ["right"]
    assert (await floor.finished(company, arrival))["complete"]
    await company.work()
    assert await open_kinds() == ["returned_part"]
    await healthy()


async def test_what_came_back_before_its_installation_is_not_installed(company: Company) -> None:
    order = await standing(company, 1014)
    await ask(order, "WM-7KG", 1)
    await receive_all(company, order, "sellable")
    assert await db.value("SELECT state FROM visit") == "cancelled"
    path = f"/console/fulfilments/{order.parcel}/detours/returned_part/settle"
    await floor.ok(company, "finance", path, {"event_id": uuid7()})
    await company.work()
    await order.go_on(1016)
    assert (await parcel_of(order))["progress"] == 100
    covered = await db.rows("SELECT serial, quantity, state FROM warranty")
    assert [tuple(row.values()) for row in covered] == [(None, 1, "active")], "the kettle alone"
    await healthy()


async def test_of_two_machines_the_one_that_stays_is_installed(company: Company) -> None:
    order = await standing(company, 1014, ("WM-7KG", 2))
    arrival = await ask(order, "WM-7KG", 1)
    back, stays = [
        row["serial"]
        for row in await db.rows(
            "SELECT serial FROM unit WHERE fulfilment_line_id IS NOT NULL ORDER BY 1"
        )
    ]
    await floor.scanned(company, arrival, floor.beep(back, grade="sellable"))
    await floor.finished(company, arrival)
    await company.work()
    assert await db.value("SELECT state FROM visit") == "booked"
    await order.take_well(await order.report())
    covered = await db.rows("SELECT serial, quantity, state FROM warranty")
    assert [tuple(row.values()) for row in covered] == [(stays, 1, "active")]
    await healthy()


async def test_the_warranty_of_a_unit_that_came_back_ends_and_the_next_owner_has_his(
    company: Company,
) -> None:
    order = await standing(company, 1018, ("WM-7KG", 1), ("KET-17", 3))
    await ask(order, "WM-7KG", 1)
    await receive_all(company, order, "sellable")
    await ask(order, "KET-17", 2)
    await receive_all(company, order, "sellable")
    left = await db.rows("SELECT quantity, state FROM warranty ORDER BY serial NULLS FIRST")
    assert [tuple(row.values()) for row in left] == [(1, "active"), (1, "void")]
    serial = await db.value("SELECT serial FROM warranty WHERE serial IS NOT NULL")
    await standing(company, 1015, ("WM-7KG", 1))
    living = "SELECT count(*) FROM warranty WHERE serial = $1 AND state = 'active'"
    assert await db.value(living, serial) == 1
    await healthy()
