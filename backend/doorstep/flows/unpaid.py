"""Orders that wait for money: reminded, their hold expired, at last cancelled (O2)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.jobs import recurring
from doorstep.flows.cancel import cancel_order
from doorstep.modules.wms.service import stock

# Half of the time that the hold has is over, and nobody has paid.
PENDING = """
SELECT DISTINCT l.fulfilment_id
  FROM reservation r
  JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
 WHERE r.state = 'held' AND r.expires_at > $1 AND r.created_at + (r.expires_at - r.created_at) / 2 <= $1
   AND f.state = 'open' AND 1002 <> ALL (f.passed)
   AND NOT EXISTS (SELECT FROM detour_case d WHERE d.fulfilment_id = f.id
                    AND d.kind IN ('payment_pending', 'payment_failed', 'approval_waiting'))
 LIMIT 200
"""

EXPIRED = """
SELECT DISTINCT l.fulfilment_id
  FROM reservation r
  JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
 WHERE r.state = 'held' AND r.expires_at <= $1 AND f.state = 'open' AND 1002 <> ALL (f.passed)
 LIMIT 200
"""

GIVEN_UP = """
SELECT DISTINCT f.order_id
  FROM detour_case d
  JOIN fulfilment f ON f.id = d.fulfilment_id
  JOIN channel c ON c.id = f.channel_id
 WHERE d.kind = 'payment_expired' AND d.closed_at IS NULL AND f.state = 'open'
   AND d.opened_at + c.unpaid_grace_minutes * interval '1 minute' <= $1
 LIMIT 200
"""


@recurring("flows.watch_unpaid", every=20)
async def watch_unpaid(_payload: dict[str, Any]) -> None:
    """Remind at half time, give the hold back when it expires, cancel after the grace time."""
    system = Actor.system("flows.watch_unpaid")
    for row in await db.rows(PENDING, now()):
        await journey.open_detour(
            journey.derived_id(row["fulfilment_id"], "payment_pending"),
            row["fulfilment_id"],
            "payment_pending",
            actor=system,
        )
    for row in await db.rows(EXPIRED, now()):
        await expire(row["fulfilment_id"], actor=system)
    for row in await db.rows(GIVEN_UP, now()):
        await cancel_order(row["order_id"], uuid7(), reason="unpaid", actor=system)


@db.transactional
async def expire(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Give an unpaid fulfilment's hold back; a payment that comes later is routed again."""
    fulfilment = await journey.lock(fulfilment_id)
    if 1002 in fulfilment["passed"] or fulfilment["state"] != "open":
        return
    if await stock.release(fulfilment_id):
        await journey.open_detour(uuid7(), fulfilment_id, "payment_expired", actor=actor)
