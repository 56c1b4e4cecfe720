"""Restocking: what a location needs for the days to come, and why (SPEC P3, P20)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
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
    FROM location l JOIN channel c ON c.id = l.channel_id WHERE l.id = $1
), short AS (
  SELECT fl.product_id, sum(fl.quantity)::int AS quantity
    FROM fulfilment f JOIN fulfilment_line fl ON fl.fulfilment_id = f.id, place
   WHERE place.answers_for_short AND f.channel_id = place.channel_id
     AND f.location_id IS NULL AND f.state = 'open'
   GROUP BY fl.product_id
), shelf AS (
  SELECT s.product_id, s.owner_id, s.on_hand - s.held - s.allocated AS free,
         (SELECT coalesce(-sum(m.quantity), 0)::int FROM stock_movement m
           WHERE m.stock_id = s.id AND m.reason = 'ship' AND m.moved_at > $2) AS shipped
    FROM stock s WHERE s.location_id = $1 AND s.grade = 'sellable'
), every AS (
  SELECT * FROM shelf
  UNION ALL
  SELECT short.product_id, (
      SELECT v.vendor_id FROM vendor_product v JOIN vendor w ON w.id = v.vendor_id AND w.active
       WHERE v.product_id = short.product_id AND v.currency = place.currency
       ORDER BY v.cost_minor, v.vendor_id LIMIT 1), 0, 0
    FROM short, place
   WHERE NOT EXISTS (SELECT FROM shelf WHERE shelf.product_id = short.product_id)
), ranked AS (
  SELECT every.*, row_number() OVER (
      PARTITION BY product_id ORDER BY shipped DESC, free DESC, owner_id) AS rank FROM every
)
SELECT p.id AS product_id, p.sku, p.name, r.owner_id, v.name AS owner_name, r.free, r.shipped,
       CASE WHEN r.rank = 1 THEN coalesce(short.quantity, 0) ELSE 0 END AS backordered,
       (SELECT coalesce(sum(l.quantity - l.received), 0)::int
          FROM expected_line l JOIN expected_arrival a ON a.id = l.arrival_id
         WHERE a.location_id = $1 AND a.kind IN ('purchase', 'transfer')
           AND a.state IN ('expected', 'receiving') AND l.product_id = r.product_id
           AND a.owner_id IS NOT DISTINCT FROM r.owner_id) AS incoming
  FROM ranked r
  JOIN product p ON p.id = r.product_id
  LEFT JOIN vendor v ON v.id = r.owner_id
  LEFT JOIN short ON short.product_id = r.product_id
 ORDER BY p.sku, r.owner_id
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


async def proposals(
    location_id: UUID, *, history_days: int = HISTORY_DAYS, cover_days: int = COVER_DAYS
) -> list[RestockProposal]:
    """List what a location lacks for `cover_days` of sales like those of the last `history_days`."""
    found = []
    for row in await db.rows(DEMAND, location_id, now() - timedelta(days=history_days)):
        demand = Demand(row["shipped"], row["backordered"], row["free"], row["incoming"])
        proposed = propose(demand, history_days=history_days, cover_days=cover_days)
        if proposed.quantity:
            found.append(
                RestockProposal(
                    row["product_id"], row["sku"], row["name"], row["owner_id"],
                    row["owner_name"], proposed.quantity, proposed.why,
                )
            )  # fmt: skip
    return found


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
