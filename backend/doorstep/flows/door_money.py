"""What is to be paid at the door for each parcel of an order (SPEC P11, J "Payment lines").

Every parcel asks for its own goods, so that two couriers without a signal never take the same money
twice. The first parcel that is not delivered yet also asks for what belongs to no goods (shipping,
what does not divide) and asks less for what was paid before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.flows.settle_sql import FIRST_MONEY
from doorstep.modules.tms import rules

# The money of the fulfilment's own proofs is not taken off, so that a repeated capture is judged
# like the first one. Cash counts as soon as it was taken, and not again when the desk counts it;
# of a card or a link both the courier and the gateway tell, whichever is ahead.
MONEY = f"""
SELECT asked.fulfilment_id, o.currency, at_door.minor - credited.minor - taken.cash_minor
         - greatest(at_door.captured_minor - counted.minor, taken.other_minor) AS owed_minor
  FROM unnest($1::uuid[], $2::uuid[]) AS asked (order_id, fulfilment_id)
  JOIN customer_order o ON o.id = asked.order_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0)::bigint AS minor,
           coalesce(sum(captured_minor), 0)::bigint AS captured_minor
      FROM payment_line WHERE order_id = o.id AND due = 'at_door') at_door
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount_minor), 0)::bigint AS minor
      FROM credit_note WHERE order_id = o.id) credited
  CROSS JOIN LATERAL (
    SELECT least(coalesce(sum(amount_minor), 0), at_door.captured_minor)::bigint AS minor
      FROM payment_event
     WHERE order_id = o.id AND provider = 'cash' AND type = 'captured') counted
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.amount_minor) FILTER (WHERE t.method = 'cash'), 0)::bigint AS cash_minor,
           coalesce(sum(t.amount_minor) FILTER (WHERE t.method <> 'cash'), 0)::bigint AS other_minor
      FROM pod d JOIN pod_tender t ON t.pod_id = d.id
     WHERE d.order_id = o.id AND d.fulfilment_id <> asked.fulfilment_id AND {FIRST_MONEY}) taken
"""  # noqa: S608 - a constant of this project

PARCELS = """
SELECT asked.fulfilment_id AS asked_id, f.id, l.id AS line_id, l.quantity,
       ol.total_minor / ol.quantity AS unit_price_minor
  FROM unnest($1::uuid[], $2::uuid[]) AS asked (order_id, fulfilment_id)
  JOIN fulfilment f ON f.order_id = asked.order_id
    AND (f.id = asked.fulfilment_id OR (f.state = 'open' AND 1013 <> ALL (f.passed)))
  JOIN fulfilment_line l ON l.fulfilment_id = f.id
  JOIN order_line ol ON ol.id = l.order_line_id
 ORDER BY f.parcel, l.id
"""


class Due(NamedTuple):
    """Money due at the door for a parcel; `unit_prices` by its lines, in the same minor units."""

    minor: int
    currency: str
    unit_prices: Mapping[UUID, int]


async def due_of(order_id: UUID, fulfilment_id: UUID) -> Due:
    """Tell what is still to be paid when this parcel is handed over; nothing where it has no goods."""
    return (await dues_of({fulfilment_id: order_id}))[fulfilment_id]


async def dues_of(orders: Mapping[UUID, UUID]) -> dict[UUID, Due]:
    """Tell it for several parcels at once (fulfilment → its order), each as if asked alone."""
    asked = [*orders.values()], [*orders]
    parcels: dict[UUID, list[dict[str, Any]]] = {}
    for row in await db.rows(PARCELS, *asked):
        parcels.setdefault(row["asked_id"], []).append(row)
    return {
        row["fulfilment_id"]: _due(row, parcels.get(row["fulfilment_id"], []))
        for row in await db.rows(MONEY, *asked)
    }


def _due(money: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Due:
    asked: UUID = money["fulfilment_id"]
    goods: dict[UUID, int] = {}
    for row in rows:
        worth = row["quantity"] * row["unit_price_minor"]
        goods[row["id"]] = goods.get(row["id"], 0) + worth
    own = {row["line_id"]: row["unit_price_minor"] for row in rows if row["id"] == asked}
    due = rules.share_at_door(money["owed_minor"], goods)
    return Due(due.get(asked, 0), money["currency"], own)
