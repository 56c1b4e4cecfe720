"""Intake on a real database: what is written, what is held, and what a refusal leaves behind."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from doorstep.core import idempotency
from doorstep.flows.order_document import RepeatKey
from doorstep.flows.place_order import OutOfStock, UnknownSku, WrongCurrency, place_order
from tests.factories.world import SHOP, an_order, make_world, stock_of


async def test_an_order_holds_its_stock_and_begins_its_journey_once(db) -> None:
    world = await make_world()
    order = an_order(("WM-7KG", 2), ("KET-17", 1))

    first = await place_order(order, actor=SHOP, may_be_short=False)
    again = await place_order(order, actor=SHOP, may_be_short=False)

    assert (first.outcome, again.outcome) == ("new", "known")
    assert first.answer == again.answer
    assert await stock_of(world, "WM-7KG") == (5, 2, 0)
    fulfilment = await db.one("SELECT * FROM fulfilment")
    assert (fulfilment["stage"], fulfilment["progress"], fulfilment["head_seq"]) == (1001, 5, 1)
    assert fulfilment["needs_vendor"] and fulfilment["needs_install"] and fulfilment["has_warranty"]
    assert await db.value("SELECT count(*) FROM outbox WHERE kind = 'flows.order_placed'") == 1
    hold = await db.one(
        "SELECT r.* FROM reservation r JOIN fulfilment_line l ON l.id = r.fulfilment_line_id"
        " WHERE l.quantity = 2"
    )
    assert hold["state"] == "held"
    assert (hold["expires_at"] - hold["created_at"]).total_seconds() == 30 * 60


async def test_goods_of_two_owners_travel_in_two_parcels(db) -> None:
    await make_world()
    await place_order(an_order(("WM-7KG", 1), ("MIX-500", 1)), actor=SHOP, may_be_short=False)
    rows = await db.rows("SELECT parcel, needs_vendor FROM fulfilment ORDER BY parcel")
    assert [(r["parcel"], r["needs_vendor"]) for r in rows] == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("order", "refusal"),
    [
        (an_order(("WM-7KG", 6)), OutOfStock),
        (an_order(("NO-SUCH", 1)), UnknownSku),
        (msgspec.structs.replace(an_order(), currency="QAR"), WrongCurrency),
    ],
)
async def test_a_refused_order_leaves_nothing(db, order, refusal) -> None:
    world = await make_world()
    with pytest.raises(refusal):
        await place_order(order, actor=SHOP, may_be_short=False)
    assert await db.value("SELECT count(*) FROM customer_order") == 0
    assert await db.value("SELECT count(*) FROM customer") == 0
    assert await stock_of(world, "WM-7KG") == (5, 0, 0)


async def test_a_shops_order_without_stock_is_kept_and_waits(db) -> None:
    world = await make_world()
    await place_order(an_order(("WM-7KG", 7)), actor=SHOP, may_be_short=True)
    rows = await db.rows(
        "SELECT f.location_id, l.quantity FROM fulfilment f"
        " JOIN fulfilment_line l ON l.fulfilment_id = f.id ORDER BY parcel"
    )
    assert [(r["location_id"], r["quantity"]) for r in rows] == [(world.warehouse_id, 5), (None, 2)]
    assert await db.value("SELECT kind FROM detour_case") == "short_stock"


async def test_two_hundred_buyers_of_the_last_unit(db) -> None:
    world = await make_world(units=1)

    async def buy() -> str:
        try:
            return (
                await place_order(an_order(("WM-7KG", 1)), actor=SHOP, may_be_short=False)
            ).outcome
        except OutOfStock:
            return "out"

    outcomes = await asyncio.gather(*(buy() for _ in range(200)))
    assert sorted(outcomes) == ["new"] + ["out"] * 199
    assert await stock_of(world, "WM-7KG") == (1, 1, 0)


async def test_the_same_key_gets_the_same_answer_also_when_the_stock_is_gone(db) -> None:
    await make_world(units=1)
    order = an_order(("WM-7KG", 1))
    key = RepeatKey("shop", "key-00001", "POST /api/orders", "aa" * 32)
    first = await place_order(order, actor=SHOP, may_be_short=False, repeat=key)
    again = await place_order(order, actor=SHOP, may_be_short=False, repeat=key)
    assert (again.outcome, again.answer) == ("replay", first.answer)
    other = msgspec.structs.replace(key, body_sha256="bb" * 32)
    with pytest.raises(idempotency.IdempotencyKeyReused):
        await place_order(order, actor=SHOP, may_be_short=False, repeat=other)
