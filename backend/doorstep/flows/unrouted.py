"""The alarm of orders that nobody routes: after 15 minutes a person must look (O8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.modules.helpdesk import service as helpdesk

ALARM_AFTER = timedelta(minutes=15)

# Short goods by when they are expected: somebody knows, and is asked again when the day is over.
_DATED = """EXISTS (SELECT FROM detour_case e
                    WHERE e.fulfilment_id = f.id AND e.kind = 'short_stock'
                      AND e.closed_at IS NULL AND e.expected_on IS NOT NULL)"""

# Since when a parcel has had no location, or has been paid (1002) without an allocation (1003). The
# stage of a fulfilment is the last of an unbroken row, so 1002 means that 1003 is missing.
UNROUTED = f"""
SELECT f.id, f.order_id, f.parcel, o.number, f.location_id IS NULL AS nowhere, waits.since
  FROM fulfilment f
  JOIN customer_order o ON o.id = f.order_id
 CROSS JOIN LATERAL (
   SELECT CASE WHEN f.location_id IS NULL THEN f.created_at
               ELSE (SELECT max(e.recorded_at) FROM journey_event e
                      WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = 1002)
           END AS since) waits
 WHERE f.state = 'open' AND (f.location_id IS NULL OR f.stage = 1002) AND waits.since <= $1
   -- What waits for an approval has a problem of its own, with its own deadline.
   AND NOT EXISTS (SELECT FROM detour_case d
                    WHERE d.fulfilment_id = f.id AND d.kind = 'approval_waiting'
                      AND d.closed_at IS NULL)
   AND NOT {_DATED}
   -- A person who has closed the alarm knows: it rings once for each time of waiting.
   AND NOT EXISTS (SELECT FROM problem p
                    WHERE p.kind = 'unrouted' AND p.ref = f.id::text AND p.opened_at >= waits.since)
 ORDER BY waits.since LIMIT 200
"""  # noqa: S608 - a constant of this file

ROUTED = f"""
SELECT p.ref, {_DATED} AS dated FROM problem p JOIN fulfilment f ON f.id = p.fulfilment_id
 WHERE p.kind = 'unrouted' AND p.closed_at IS NULL
   AND (f.state <> 'open' OR (f.location_id IS NOT NULL AND f.stage <> 1002) OR {_DATED})
 LIMIT 200
"""  # noqa: S608 - as above


@recurring("flows.find_unrouted", every=60)
async def find_unrouted(_payload: dict[str, Any]) -> None:
    """Raise an alarm for what has waited 15 minutes, and end those that routing has overtaken."""
    for parcel in await db.rows(UNROUTED, now() - ALARM_AFTER):
        await _alarm(parcel)
    system = Actor.system("flows.find_unrouted")
    for row in await db.rows(ROUTED):
        words = "It waits for goods with a date." if row["dated"] else "The order was routed."
        await helpdesk.close_problems("unrouted", row["ref"], words, system)


async def _alarm(parcel: dict[str, Any]) -> UUID:
    why = "has no location to ship from" if parcel["nowhere"] else "is paid but not allocated"
    return await helpdesk.open_problem(
        "unrouted",
        f"{parcel['number']}, parcel {parcel['parcel']}: not routed for 15 minutes",
        ref=str(parcel["id"]),
        detail=f"It {why} since {parcel['since']:%Y-%m-%d %H:%M} UTC.",
        order_id=parcel["order_id"],
        fulfilment_id=parcel["id"],
    )
