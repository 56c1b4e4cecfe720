"""A part of what was delivered comes back: credit, warranties, visits and messages follow the pieces."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.core.money import Money
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


async def tranches_of(order: Order) -> list[str]:
    rows = await db.rows("SELECT state FROM tranche WHERE po_id = $1 ORDER BY number",
                         await order.po_id())  # fmt: skip
    return [row["state"] for row in rows]


async def settle(order: Order) -> None:
    path = f"/console/fulfilments/{order.parcel}/detours/returned_part/settle"
    await floor.ok(order.company, "finance", path, {"event_id": uuid7()})
    await order.company.work()


async def let_rest_go_on(order: Order, event_id: UUID | None = None) -> None:
    path = f"/console/finance/purchase-orders/{await order.po_id()}/rest"
    word = {"event_id": event_id or uuid7(), "reason": "Agreed with the vendor."}
    await floor.ok(order.company, "finance", path, word)
    await order.company.work()


async def asked(company: Company, kind: str) -> list[str]:
    return [one["title"] for one in await company.get("finance", f"/problems?kind={kind}")]


async def cost_of(order: Order, sku: str) -> tuple[int, int]:
    """Tell what a piece of a SKU costs, and the whole purchase order."""
    row = await db.one(
        "SELECT l.unit_cost_minor, p.total_minor FROM po_line l JOIN purchase_order p ON p.id = l.po_id"
        " WHERE p.id = $1 AND l.sku = $2",
        await order.po_id(),
        sku,
    )
    return row["unit_cost_minor"], row["total_minor"]


async def test_a_vendor_is_not_paid_by_himself_for_what_he_has_back(company: Company) -> None:
    order = await standing(company, 1014)
    cost, total = await cost_of(order, "WM-7KG")
    before = await tranches_of(order)
    assert set(before) == {"released", "waiting"}
    await ask(order, "WM-7KG", 1)
    await receive_all(company, order, "sellable")
    number = await db.value("SELECT number FROM purchase_order")
    released = await db.value(
        "SELECT sum(amount_minor)::bigint FROM tranche WHERE state = 'released'"
    )
    first = cost * released // total
    assert await asked(company, "vendor_claim_due") == [
        f"{number}: {Money(first, 'AED')} was released for goods that did not stay"
    ]
    await settle(order)
    assert await tranches_of(order) == [
        state if state == "released" else "held" for state in before
    ], "settling the detour releases nothing"
    assert len(await asked(company, "purchase_order_rest")) == 1
    event_id = uuid7()
    for _ in range(2):
        await let_rest_go_on(order, event_id)
    assert await asked(company, "purchase_order_rest") == []
    await order.go_on(1016)
    assert await tranches_of(order) == ["released"] * 6
    claimed = await db.value("SELECT sum(amount_minor)::bigint FROM vendor_claim")
    withheld = await db.value("SELECT sum(withheld_minor)::bigint FROM tranche")
    assert (claimed, claimed + withheld) == (first, cost), "nothing is paid to be claimed"
    await healthy()


async def test_a_word_about_the_rest_is_no_word_about_what_comes_back_later(
    company: Company,
) -> None:
    order = await standing(company, 1014, ("WM-7KG", 1), ("KET-17", 3))
    await ask(order, "KET-17", 1)
    await receive_all(company, order, "sellable")
    await settle(order)
    first = uuid7()
    await let_rest_go_on(order, first)
    assert "held" not in await tranches_of(order)
    await ask(order, "KET-17", 1)
    await receive_all(company, order, "sellable")
    await settle(order)
    assert "held" in await tranches_of(order)
    await let_rest_go_on(order, first)
    assert len(await asked(company, "purchase_order_rest")) == 1, "that word was about one kettle"
    await let_rest_go_on(order)
    assert "held" not in await tranches_of(order)
    assert await asked(company, "purchase_order_rest") == []
    await healthy()


async def test_what_comes_back_after_everything_is_paid_is_claimed(company: Company) -> None:
    order = await standing(company, 1018, ("WM-7KG", 1), ("KET-17", 3))
    cost, _ = await cost_of(order, "KET-17")
    await ask(order, "KET-17", 2)
    await receive_all(company, order, "sellable")
    number = await db.value("SELECT number FROM purchase_order")
    words = f"{Money(2 * cost, 'AED')} was released for goods that did not stay"
    assert await asked(company, "vendor_claim_due") == [f"{number}: {words}"]
    assert await asked(company, "purchase_order_rest") == [], "nothing is left to be released"
    await ask(order, "WM-7KG", 1)
    await receive_all(company, order, "sellable")
    await ask(order, "KET-17", 1)
    await receive_all(company, order, "sellable")
    assert (await parcel_of(order))["ended_as"] == "returned"
    claimed = await db.rows("SELECT sum(amount_minor)::bigint AS sum FROM vendor_claim")
    total = await db.value("SELECT total_minor FROM purchase_order")
    assert claimed == [{"sum": total}], "each piece is claimed once"
    await healthy()


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
    await let_rest_go_on(order)
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
    [card] = await company.get("technician", "/field/visits")
    assert [(unit["quantity"], len(unit["serials"])) for unit in card["units"]] == [(1, 1)]
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
