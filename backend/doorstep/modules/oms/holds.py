"""How long stock is kept for an order: by how it is paid, as data of its channel (SPEC J readings)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now

TERMS = """
SELECT c.hold_minutes_prepaid, c.hold_minutes_transfer,
       coalesce(array_agg(l.method) FILTER (WHERE l.due = 'now'), '{}') AS methods
  FROM customer_order o
  JOIN channel c ON c.id = o.channel_id
  LEFT JOIN payment_line l ON l.order_id = o.id
 WHERE o.id = $1 GROUP BY c.id
"""


async def until(order_id: UUID) -> datetime | None:
    """Tell until when a hold made now is kept; None where everything is paid at the door."""
    terms = await db.one(TERMS, order_id)
    if not terms["methods"]:
        return None
    transfer = "bank_transfer" in terms["methods"]
    minutes = terms["hold_minutes_transfer" if transfer else "hold_minutes_prepaid"]
    return now() + timedelta(minutes=minutes)
