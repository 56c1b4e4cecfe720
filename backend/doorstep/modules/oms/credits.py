"""Credit notes: what an order costs less because goods were cancelled, lost for good or came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import clock, db
from doorstep.core.ids import uuid7

# What of each line is credited already, with the line's own price and quantity.
LINES = """
SELECT fl.id AS fulfilment_line_id, fl.order_line_id, fl.quantity AS carried,
       ol.quantity AS ordered, ol.total_minor,
       coalesce(sum(c.quantity), 0)::int AS credited,
       coalesce(sum(c.amount_minor), 0)::bigint AS credited_minor,
       coalesce(sum(c.quantity) FILTER (WHERE c.fulfilment_line_id = fl.id), 0)::int AS credited_here
  FROM fulfilment_line fl
  JOIN order_line ol ON ol.id = fl.order_line_id
  LEFT JOIN credit_note_line c ON c.order_line_id = ol.id
 WHERE fl.fulfilment_id = $1
 GROUP BY fl.id, ol.id ORDER BY ol.position, fl.id
"""

SHIPPING = """
SELECT o.shipping_minor, NOT EXISTS (
         SELECT FROM order_line ol WHERE ol.order_id = o.id AND ol.quantity > coalesce((
           SELECT sum(c.quantity) FROM credit_note_line c WHERE c.order_line_id = ol.id), 0))
         AS nothing_left, o.total_minor, o.currency,
       coalesce((SELECT sum(n.amount_minor) FROM credit_note n WHERE n.order_id = o.id), 0)::bigint
         AS credited_minor
  FROM customer_order o WHERE o.id = $1
"""


class Credit(NamedTuple):
    """Pieces of a fulfilment's line that are credited, and what they cost."""

    fulfilment_line_id: UUID
    order_line_id: UUID
    quantity: int
    amount_minor: int


def price_of(line: Mapping[str, Any], quantity: int, credited: int, credited_minor: int) -> int:
    """Price pieces of an order line to the minor unit: the last piece takes what is left."""
    if credited + quantity >= line["ordered"]:
        left: int = line["total_minor"] - credited_minor
        return left
    share: int = line["total_minor"] * quantity // line["ordered"]
    return share


def choose(lines: Sequence[Mapping[str, Any]], wanted: Mapping[UUID, int] | None) -> list[Credit]:
    """Choose what is credited: `wanted` pieces by line, or all that is not credited yet."""
    credits: list[Credit] = []
    so_far: dict[UUID, tuple[int, int]] = {}
    for line in lines:
        left = line["carried"] - line["credited_here"]
        asked = left if wanted is None else wanted.get(line["fulfilment_line_id"], 0)
        quantity = min(left, asked)
        if quantity <= 0:
            continue
        credited, minor = so_far.get(
            line["order_line_id"], (line["credited"], line["credited_minor"])
        )
        amount = price_of(line, quantity, credited, minor)
        so_far[line["order_line_id"]] = (credited + quantity, minor + amount)
        credits.append(Credit(line["fulfilment_line_id"], line["order_line_id"], quantity, amount))
    return credits


@db.transactional
async def credit(
    credit_id: UUID,
    order_id: UUID,
    fulfilment_id: UUID,
    reason: str,
    wanted: Mapping[UUID, int] | None = None,
) -> int:
    """Write the credit note of pieces that are not credited yet; return its amount (minor units).

    With the last piece of an order the rest of its price goes too (shipping). The same `credit_id`
    again changes nothing, and so does crediting what is credited. The caller holds the order's lock.
    """
    if await db.value("SELECT true FROM credit_note WHERE id = $1", credit_id):
        return 0
    chosen = choose(await db.rows(LINES, fulfilment_id), wanted)
    if not chosen:
        return 0
    order = await db.one(SHIPPING, order_id)
    amount = sum(one.amount_minor for one in chosen)
    await db.execute(
        "INSERT INTO credit_note (id, order_id, fulfilment_id, reason, amount_minor, currency,"
        " created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)",
        credit_id, order_id, fulfilment_id, reason, amount, order["currency"], clock.offset(),
    )  # fmt: skip
    await db.execute_many(
        "INSERT INTO credit_note_line (credit_note_id, fulfilment_line_id, order_line_id, quantity,"
        " amount_minor) VALUES ($1, $2, $3, $4, $5)",
        [(credit_id, *one) for one in chosen],
    )
    return amount + await _credit_the_rest(credit_id, order_id, fulfilment_id, reason)


async def _credit_the_rest(
    credit_id: UUID, order_id: UUID, fulfilment_id: UUID, reason: str
) -> int:
    """Credit what is left of the price once no piece of the order is left to pay for."""
    order = await db.one(SHIPPING, order_id)
    rest: int = order["total_minor"] - order["credited_minor"]
    if not order["nothing_left"] or rest <= 0:
        return 0
    await db.execute(
        "INSERT INTO credit_note (id, order_id, fulfilment_id, reason, amount_minor, currency,"
        " created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() + $7::interval)",
        uuid7(), order_id, fulfilment_id, f"{reason}: shipping", rest, order["currency"], clock.offset(),
    )  # fmt: skip
    return rest
