"""What a vendor is paid when a part of his goods did not stay: each minor unit once, none too many."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.core.money import Money
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import Order, place
from tests.factories.mishaps import kept, parcel_of, receive_all
from tests.factories.money import make_costs
from tests.factories.steps import healthy


class Costs(NamedTuple):
    """What the vendor's goods cost, none of it a round sum of the percentages."""

    currency: str
    machine: int
    kettle: int

    @property
    def total(self) -> int:
        return self.machine + 3 * self.kettle


DIRHAM = Costs("AED", 900_01, 77_77)
DINAR = Costs("KWD", 90_001, 7_777)


async def at_the_door(company: Company, costs: Costs) -> Order:
    """A machine and three kettles of the vendor before the customer's door."""
    await db.execute("UPDATE channel SET currency = $1", costs.currency)
    await make_costs(
        company.world, washing_machine=costs.machine, kettle=costs.kettle, currency=costs.currency
    )
    order = await place(company, ("WM-7KG", 1), ("KET-17", 3), currency=costs.currency)
    await order.go_on(1012)
    return order


async def hand_over_but(order: Order, pieces: int, reason: str) -> Order:
    """Hand everything over but some kettles; tell the parcel that has them."""
    back = await kept(order, "KET-17", pieces, reason)
    await order.take_well(await order.pod(kept_back=[back]))
    rest = await db.value(
        "SELECT id FROM fulfilment WHERE po_id = $1 AND id <> $2", await order.po_id(), order.parcel
    )
    return Order(order.company, order.external_id, order.order_id, order.number, rest, 0)


async def decide(order: Order, event_id: Any = None) -> list[dict[str, Any]]:
    path = f"/console/finance/purchase-orders/{await order.po_id()}/rest"
    word = {"event_id": event_id or uuid7(), "reason": "Agreed with the vendor."}
    told: list[dict[str, Any]] = await floor.ok(order.company, "finance", path, word)
    await order.company.work()
    return told


async def money_of(order: Order) -> tuple[int, int, int]:
    """Tell what the bank has paid on the purchase order, what is withheld and what is claimed."""
    po_id = await order.po_id()
    keys = await db.rows("SELECT key FROM payout WHERE po_id = $1 AND state = 'paid'", po_id)
    withheld = "SELECT sum(withheld_minor)::bigint FROM tranche WHERE po_id = $1"
    claimed = "SELECT coalesce(sum(amount_minor), 0)::bigint FROM vendor_claim WHERE po_id = $1"
    return (
        sum(order.company.bank.paid[row["key"]] for row in keys),
        await db.value(withheld, po_id),
        await db.value(claimed, po_id),
    )


@pytest.mark.parametrize("costs", [DIRHAM, DINAR], ids=lambda costs: costs.currency)
async def test_of_what_is_released_after_the_word_only_the_part_of_what_stayed_is_paid(
    company: Company, costs: Costs
) -> None:
    order = await at_the_door(company, costs)
    shares = [
        row["amount_minor"]
        for row in await db.rows("SELECT amount_minor FROM tranche ORDER BY number")
    ]
    assert sum(shares) == costs.total
    rest = await hand_over_but(order, 1, "refused")
    await receive_all(company, rest, "sellable")
    advanced = sum(shares[:3])
    owed = costs.kettle * advanced // costs.total
    assert await money_of(order) == (advanced, 0, owed)
    [asked] = await floor.open_problems("purchase_order_rest")
    gone, total = (Money(n, costs.currency) for n in (costs.kettle, costs.total))
    assert f"Goods for {gone} of {total} did not stay." in asked["detail"]
    event_id = uuid7()
    for _ in range(2):
        told = await decide(order, event_id)
    assert [one["state"] for one in told] == ["released"] * 4 + ["waiting"] * 2
    await order.go_on(1016)
    paid, withheld, claimed = await money_of(order)
    assert claimed == owed, "what is paid after the word is not claimed back"
    assert paid - claimed == costs.total - costs.kettle, "exactly what stayed"
    assert withheld + claimed == costs.kettle
    rows = await db.rows("SELECT * FROM tranche ORDER BY number")
    for row, share in zip(rows, shares, strict=True):
        assert row["amount_minor"] + row["withheld_minor"] == share
        exact = share * costs.kettle / costs.total if row["number"] > 3 else 0
        assert abs(row["withheld_minor"] - exact) < 1
    words = f"{Money(rows[3]['withheld_minor'], costs.currency)} is for goods that did not stay."
    assert words in rows[3]["reason"]
    seen = await company.get("vendor", f"/vendor/purchase-orders/{await order.po_id()}/tranches")
    assert [one["withheld_minor"] for one in seen] == [row["withheld_minor"] for row in rows]
    await healthy()


async def test_goods_that_go_later_are_withheld_from_what_is_left_and_claimed_of_the_rest(
    company: Company,
) -> None:
    order = await at_the_door(company, DIRHAM)
    first = await hand_over_but(order, 1, "refused")
    await receive_all(company, first, "sellable")
    await decide(order)
    line = await db.value(
        "SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
        " WHERE l.fulfilment_id = $1 AND p.sku = 'KET-17'",
        order.parcel,
    )
    asked = {
        "event_id": uuid7(), "reason": "changed_mind", "how": "store",
        "lines": [{"fulfilment_line_id": line, "quantity": 1}],
    }  # fmt: skip
    await floor.ok(company, "support", f"/console/fulfilments/{order.parcel}/returns", asked)
    await receive_all(company, order, "sellable")
    over = f"/console/fulfilments/{order.parcel}/detours/returned_part/settle"
    await floor.ok(company, "finance", over, {"event_id": uuid7()})
    await company.work()
    await order.go_on(1015)
    before, _, _ = await money_of(order)
    assert len(await floor.open_problems("purchase_order_rest")) == 1, "that word was about one"
    await decide(order)
    await order.go_on(1016)
    paid, withheld, claimed = await money_of(order)
    assert before < paid and paid - claimed == DIRHAM.total - 2 * DIRHAM.kettle
    assert withheld + claimed == 2 * DIRHAM.kettle
    await healthy()


async def test_what_never_arrives_is_not_paid_by_the_proof_of_the_others(company: Company) -> None:
    order = await at_the_door(company, DINAR)
    rest = await hand_over_but(order, 2, "left_behind")
    lost = {"event_id": uuid7(), "kind": "lost", "words": "The carrier has looked everywhere."}
    for _ in range(2):
        await floor.ok(company, "dispatcher", f"/console/fulfilments/{rest.parcel}/detours", lost)
        await company.work()
    assert (await parcel_of(rest))["ended_as"] == "lost"
    states = await db.rows(
        "SELECT state FROM tranche WHERE po_id = $1 AND number > 3", await order.po_id()
    )
    assert {row["state"] for row in states} == {"held"}
    await decide(order)
    await order.go_on(1016)
    paid, withheld, claimed = await money_of(order)
    assert paid - claimed == DINAR.total - 2 * DINAR.kettle
    assert withheld + claimed == 2 * DINAR.kettle and withheld > 0
    await healthy()
