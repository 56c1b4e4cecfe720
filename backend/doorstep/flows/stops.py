"""What a delivery stop asks for: pieces, money due, and the recipe of its proof (SPEC F)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.flows import door_money
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import KeptBack

GOODS = """
SELECT f.id, coalesce((SELECT array_agg(p.label_no ORDER BY p.n)
                   FROM shipment s JOIN piece p ON p.shipment_id = s.id
                  WHERE s.id = (SELECT id FROM shipment WHERE fulfilment_id = f.id AND leg = 'outbound'
                                 ORDER BY attempt DESC LIMIT 1)), '{}')
         AS labels,
       coalesce((SELECT array_agg(product_id) FROM fulfilment_line WHERE fulfilment_id = f.id), '{}')
         AS product_ids
  FROM unnest($1::uuid[]) AS f (id)
"""


class StopAsk(NamedTuple):
    """The labels on the pieces, the money due at the door, and the recipes that may hold there.

    `unit_prices` tells by line of the parcel what one piece that is kept back takes off the money.
    """

    labels: tuple[str, ...]
    currency: str
    due_minor: int
    unit_prices: Mapping[UUID, int]
    channel_id: UUID
    product_ids: tuple[UUID, ...]
    recipes: tuple[rules.Recipe, ...]
    """Also those of other stops that were asked about with it: `recipe` takes what fits here."""

    def due_without(self, kept_back: Sequence[KeptBack]) -> int:
        """Tell the money due for what is handed over when some of it is kept back."""
        prices = self.unit_prices
        kept = sum(one.quantity * prices.get(one.fulfilment_line_id, 0) for one in kept_back)
        return max(0, self.due_minor - kept)

    def recipe(self, handed_to: str, due_minor: int | None = None) -> rules.Recipe:
        """Pick the recipe that holds when the goods go to `customer` or to `other`.

        `due_minor` is what must be paid, where it is not all that the stop asks.
        """
        due = self.due_minor if due_minor is None else due_minor
        return rules.choose_recipe(
            self.recipes,
            channel_id=self.channel_id,
            product_ids=self.product_ids,
            payment="cod" if due else "prepaid",
            handed_to=handed_to,
        )


async def ask_of_stop(fulfilment: Mapping[str, Any]) -> StopAsk:
    """Read what handing over this fulfilment (id, order_id, channel_id) asks for."""
    return (await ask_of_stops([fulfilment]))[fulfilment["id"]]


async def ask_of_stops(fulfilments: Sequence[Mapping[str, Any]]) -> dict[UUID, StopAsk]:
    """Read it for a whole tour, by as many statements as for one stop: fulfilment → what it asks."""
    if not fulfilments:
        return {}
    dues = await door_money.dues_of({one["id"]: one["order_id"] for one in fulfilments})
    goods = {row["id"]: row for row in await db.rows(GOODS, list(dues))}
    recipes = tuple(
        await tms.recipes(
            {one["channel_id"] for one in fulfilments},
            {product for row in goods.values() for product in row["product_ids"]},
        )
    )
    return {
        one["id"]: StopAsk(
            tuple(goods[one["id"]]["labels"]),
            dues[one["id"]].currency,
            dues[one["id"]].minor,
            dues[one["id"]].unit_prices,
            one["channel_id"],
            tuple(goods[one["id"]]["product_ids"]),
            recipes,
        )
        for one in fulfilments
    }
