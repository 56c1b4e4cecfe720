"""What a delivery stop asks for: pieces, money due, and the recipe of its proof (SPEC F)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms

# What is still to be paid at the door; tenders of this fulfilment's own proofs are not deducted,
# so that a repeated capture is judged like the first one.
DUE_AT_DOOR = """
SELECT o.currency,
       coalesce((SELECT sum(amount_minor) FROM payment_line
                  WHERE order_id = o.id AND due = 'at_door'), 0)::bigint AS at_door_minor,
       coalesce((SELECT sum(captured_minor) FROM payment_line
                  WHERE order_id = o.id AND due = 'at_door'), 0)::bigint AS captured_minor,
       coalesce((SELECT sum(amount_minor) FROM credit_note WHERE order_id = o.id), 0)::bigint
         AS credited_minor,
       coalesce((SELECT sum(t.amount_minor) FROM pod JOIN pod_tender t ON t.pod_id = pod.id
                  WHERE pod.order_id = o.id AND pod.fulfilment_id <> $2), 0)::bigint
         AS tendered_minor
  FROM customer_order o WHERE o.id = $1
"""

GOODS = """
SELECT coalesce((SELECT array_agg(p.label_no ORDER BY p.n)
                   FROM shipment s JOIN piece p ON p.shipment_id = s.id
                  WHERE s.id = (SELECT id FROM shipment WHERE fulfilment_id = $1 AND leg = 'outbound'
                                 ORDER BY attempt DESC LIMIT 1)), '{}')
         AS labels,
       (SELECT array_agg(product_id) FROM fulfilment_line WHERE fulfilment_id = $1) AS product_ids
"""


class StopAsk(NamedTuple):
    """The labels on the pieces, the money due at the door, and the recipes that may hold there."""

    labels: tuple[str, ...]
    currency: str
    due_minor: int
    channel_id: UUID
    product_ids: tuple[UUID, ...]
    recipes: tuple[rules.Recipe, ...]

    def recipe(self, handed_to: str) -> rules.Recipe:
        """Pick the recipe that holds when the goods go to `customer` or to `other`."""
        return rules.choose_recipe(
            self.recipes,
            channel_id=self.channel_id,
            product_ids=self.product_ids,
            payment="cod" if self.due_minor else "prepaid",
            handed_to=handed_to,
        )


async def ask_of_stop(fulfilment: Mapping[str, Any]) -> StopAsk:
    """Read what handing over this fulfilment (id, order_id, channel_id) asks for."""
    goods = await db.one(GOODS, fulfilment["id"])
    money = await db.one(DUE_AT_DOOR, fulfilment["order_id"], fulfilment["id"])
    currency: str = money.pop("currency")
    return StopAsk(
        tuple(goods["labels"]),
        currency,
        rules.cash_due(**money),
        fulfilment["channel_id"],
        tuple(goods["product_ids"]),
        tuple(await tms.recipes(fulfilment["channel_id"], goods["product_ids"])),
    )
