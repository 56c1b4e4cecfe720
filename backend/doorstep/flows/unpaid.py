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

# Of an order o: something that is due now is not captured. Whoever has paid waits for us, and not we
# for him, though 1002 may wait for an approval or for finance.
UNPAID = """EXISTS (
  SELECT FROM payment_line l
   WHERE l.order_id = o.id AND l.due = 'now' AND l.captured_minor < l.amount_minor)"""

# Half of the time that the hold has is over, and nobody has paid.
PENDING = f"""
SELECT DISTINCT l.fulfilment_id
  FROM reservation r
  JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
 WHERE r.state = 'held' AND r.expires_at > $1 AND r.created_at + (r.expires_at - r.created_at) / 2 <= $1
   AND f.state = 'open' AND 1002 <> ALL (f.passed) AND {UNPAID}
   AND NOT EXISTS (SELECT FROM detour_case d WHERE d.fulfilment_id = f.id
                    AND d.kind IN ('payment_pending', 'payment_failed', 'approval_waiting'))
 LIMIT 200
"""  # noqa: S608 - a constant of this file

EXPIRED = f"""
SELECT DISTINCT l.fulfilment_id
  FROM reservation r
  JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
 WHERE r.state = 'held' AND r.expires_at <= $1 AND f.state = 'open' AND 1002 <> ALL (f.passed)
   AND {UNPAID} AND ($2::uuid IS NULL OR f.id = $2)
 LIMIT 200
"""  # noqa: S608 - a constant of this file

GIVEN_UP = f"""
SELECT DISTINCT f.order_id
  FROM detour_case d
  JOIN fulfilment f ON f.id = d.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN channel c ON c.id = f.channel_id
 WHERE d.kind = 'payment_expired' AND d.closed_at IS NULL AND f.state = 'open' AND {UNPAID}
   AND d.opened_at + c.unpaid_grace_minutes * interval '1 minute' <= $1
   AND ($2::uuid IS NULL OR o.id = $2)
 LIMIT 200
"""  # noqa: S608 - a constant of this file

UNPAID_PARCELS = """
SELECT id FROM fulfilment WHERE order_id = $1 AND state = 'open' AND 1002 <> ALL (passed)
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
    for row in await db.rows(EXPIRED, now(), None):
        await expire(row["fulfilment_id"], actor=system)
    for row in await db.rows(GIVEN_UP, now(), None):
        await give_up(row["order_id"], actor=system)


@db.transactional
async def expire(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Give an unpaid fulfilment's hold back; a payment that comes later is routed again."""
    await journey.lock(fulfilment_id)
    if not await db.rows(EXPIRED, now(), fulfilment_id):
        return  # The money has come, or somebody else was here.
    await stock.release(fulfilment_id)
    await journey.open_detour(uuid7(), fulfilment_id, "payment_expired", actor=actor)


@db.transactional
async def give_up(order_id: UUID, *, actor: Actor) -> None:
    """Cancel what of an order is unpaid after the grace time; money that comes later is owed back.

    Parcels that were paid before stay, and so do all if the money has come meanwhile.
    """
    await db.execute("SELECT FROM customer_order WHERE id = $1 FOR NO KEY UPDATE", order_id)
    if not await db.rows(GIVEN_UP, now(), order_id):
        return
    unpaid = [row["id"] for row in await db.rows(UNPAID_PARCELS, order_id)]
    await cancel_order(order_id, uuid7(), reason="unpaid", actor=actor, fulfilment_ids=unpaid)
