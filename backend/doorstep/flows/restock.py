"""Restocking: what a location needs for the days to come, and why (SPEC P3, P20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.flows import announce
from doorstep.modules.wms.rules.restocking import Demand, propose
from doorstep.modules.wms.service.receiving import Arrival

HISTORY_DAYS, COVER_DAYS = 30, 14

# Short lines stand in parcels without a location; the channel's first warehouse answers for them,
# with the goods of the owner of whom it ships most, else of the cheapest vendor.
DEMAND = """
WITH place AS (
  SELECT l.id, l.channel_id, c.currency, l.id = (
    SELECT first.id FROM location first
     WHERE first.channel_id = l.channel_id AND first.kind = 'warehouse' AND first.active
     ORDER BY first.code LIMIT 1) AS answers_for_short
    FROM location l JOIN channel c ON c.id = l.channel_id WHERE l.id = ANY ($1)
), short AS (
  SELECT place.id AS location_id, place.currency, fl.product_id, sum(fl.quantity)::int AS quantity
    FROM place
    JOIN fulfilment f ON f.channel_id = place.channel_id AND f.location_id IS NULL
                     AND f.state = 'open'
    JOIN fulfilment_line fl ON fl.fulfilment_id = f.id
   WHERE place.answers_for_short GROUP BY 1, 2, 3
), shelf AS (
  SELECT s.location_id, s.product_id, s.owner_id, s.on_hand, s.held + s.allocated AS promised,
         s.on_hand - s.held - s.allocated AS free,
         (SELECT coalesce(-sum(m.quantity), 0)::int FROM stock_movement m
           WHERE m.stock_id = s.id AND m.reason = 'ship' AND m.moved_at > $2) AS shipped
    FROM stock s WHERE s.location_id = ANY ($1) AND s.grade = 'sellable'
), every AS (
  SELECT * FROM shelf
  UNION ALL
  SELECT short.location_id, short.product_id, (
      SELECT v.vendor_id FROM vendor_product v JOIN vendor w ON w.id = v.vendor_id AND w.active
       WHERE v.product_id = short.product_id AND v.currency = short.currency
       ORDER BY v.cost_minor, v.vendor_id LIMIT 1), 0, 0, 0, 0
    FROM short
   WHERE NOT EXISTS (SELECT FROM shelf
                      WHERE (shelf.location_id, shelf.product_id)
                            = (short.location_id, short.product_id))
), ranked AS (
  SELECT every.*, row_number() OVER (
      PARTITION BY location_id, product_id ORDER BY shipped DESC, free DESC, owner_id) AS rank
    FROM every
)
SELECT r.location_id, p.id AS product_id, p.sku, p.name, r.owner_id, v.name AS owner_name, r.on_hand,
       r.promised, r.free, r.shipped,
       CASE WHEN r.rank = 1 THEN coalesce(short.quantity, 0) ELSE 0 END AS backordered,
       (SELECT coalesce(sum(l.quantity - l.received), 0)::int
          FROM expected_line l JOIN expected_arrival a ON a.id = l.arrival_id
         WHERE a.location_id = r.location_id AND a.kind IN ('purchase', 'transfer')
           AND a.state IN ('expected', 'receiving') AND l.product_id = r.product_id
           AND a.owner_id IS NOT DISTINCT FROM r.owner_id) AS incoming
  FROM ranked r
  JOIN product p ON p.id = r.product_id
  LEFT JOIN vendor v ON v.id = r.owner_id
  LEFT JOIN short ON short.location_id = r.location_id AND short.product_id = r.product_id
 ORDER BY p.sku, r.location_id, r.owner_id
"""


class NothingToRestock(Refusal):
    """What is there and on the way is enough."""

    title = "Nothing of this SKU is missing at this location."


class RestockProposal(NamedTuple):
    """So many pieces of an owner's SKU are missing at a location, and why."""

    product_id: UUID
    sku: str
    name: str
    owner_id: UUID | None
    owner_name: str | None
    quantity: int
    why: str


async def demands(
    location_ids: Sequence[UUID], *, history_days: int = HISTORY_DAYS
) -> list[dict[str, Any]]:
    """Read what left each shelf of these locations lately, and what stands against it, in pieces.

    Each has location_id, product_id, sku, name, owner_id, owner_name, on_hand, promised, and the
    fields of a Demand.
    """
    return await db.rows(DEMAND, list(location_ids), now() - timedelta(days=history_days))


async def proposals(
    location_id: UUID, *, history_days: int = HISTORY_DAYS, cover_days: int = COVER_DAYS
) -> list[RestockProposal]:
    """List what a location lacks for `cover_days` of sales like those of the last `history_days`."""
    found = []
    for row in await demands([location_id], history_days=history_days):
        proposed = propose(demand_of(row), history_days=history_days, cover_days=cover_days)
        if proposed.quantity:
            found.append(
                RestockProposal(
                    row["product_id"], row["sku"], row["name"], row["owner_id"],
                    row["owner_name"], proposed.quantity, proposed.why,
                )
            )  # fmt: skip
    return found


def demand_of(row: Mapping[str, Any]) -> Demand:
    """Take the demand out of a row."""
    return Demand(row["shipped"], row["backordered"], row["free"], row["incoming"])


class RestockOrder(NamedTuple):
    """A desk's word on a proposal; `quantity` None takes what is proposed."""

    id: UUID
    location_id: UUID
    sku: str
    owner_id: UUID | None
    quantity: int | None
    ref: str
    expected_on: date | None


@db.transactional
async def order_restock(wanted: RestockOrder, *, actor: Actor) -> Arrival:
    """Turn a proposal into an expected arrival; the same id again changes nothing.

    Raises: LocationMissing, NothingToRestock, ArrivalRefTaken, EventIdReused.
    """
    await announce.shelf_location(wanted.location_id, actor)
    known = await db.value("SELECT true FROM expected_arrival WHERE id = $1", wanted.id)
    if known:
        return await announce.in_sight(wanted.id, actor)
    # Two desks that order the same at once: the second sees what the first has announced.
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", str(wanted.location_id)
    )
    fitting = [
        one.quantity
        for one in await proposals(wanted.location_id)
        if (one.sku, one.owner_id) == (wanted.sku, wanted.owner_id)
    ]
    if not fitting:
        raise NothingToRestock(wanted.sku)
    new = announce.NewArrival(
        wanted.id,
        "purchase",
        wanted.ref,
        wanted.location_id,
        None,
        wanted.owner_id,
        wanted.expected_on,
        [(wanted.sku, wanted.quantity or fitting[0], ())],
    )
    return await announce.announce(new, actor=actor)
