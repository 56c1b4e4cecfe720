"""A month before a warranty ends its customer is reminded, once."""

from __future__ import annotations

from typing import Any

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.flows import notify, warranty_transfers

DAYS_BEFORE = 30
AT_ONCE = 200
"""Of many that end together the next turn takes the rest."""

# Per parcel and day one message with all that ends then; `nth` numbers the days of a parcel, so that
# each is told by a message of its own.
ENDING = """
SELECT w.order_id, w.fulfilment_id, w.ends_on, w.nth,
       string_agg(w.quantity || ' × ' || coalesce(p.names ->> o.language, p.name), ', ' ORDER BY p.name)
         AS goods
  FROM (SELECT x.*, dense_rank() OVER (PARTITION BY x.fulfilment_id ORDER BY x.ends_on) AS nth
          FROM warranty x
         WHERE x.fulfilment_id IN (SELECT y.fulfilment_id FROM warranty y
                                    WHERE y.state = 'active'
                                      AND y.ends_on BETWEEN $1::date AND $1::date + $2::int)) w
  JOIN customer_order o ON o.id = w.order_id
  JOIN product p ON p.id = w.product_id
 WHERE w.state = 'active' AND w.owner_n = 0 AND w.ends_on BETWEEN $1::date AND $1::date + $2::int
   AND NOT EXISTS (SELECT FROM message m
                    WHERE m.event = 'warranty_ending' AND m.order_id = w.order_id
                      AND m.fulfilment_id = w.fulfilment_id AND m.attempt = w.nth)
 GROUP BY w.order_id, w.fulfilment_id, w.ends_on, w.nth
 ORDER BY w.ends_on, w.fulfilment_id
 LIMIT $3
"""


@recurring("flows.remind_of_warranties", every=6 * 3600, timeout=120)
async def remind(_payload: dict[str, Any]) -> None:
    """Tell customers whose warranty ends within a month; run again it tells nobody twice."""
    today = now().date()
    for row in await db.rows(ENDING, today, DAYS_BEFORE, AT_ONCE):
        await notify.tell_warranty_ends(
            row["order_id"], row["fulfilment_id"], row["nth"], row["ends_on"], row["goods"]
        )
    await warranty_transfers.remind_owners(today, DAYS_BEFORE, AT_ONCE)
