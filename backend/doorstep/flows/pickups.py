"""Pickup windows that pass without a pickup scan (P13)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms

MISSED = """
SELECT s.id, s.fulfilment_id, s.service, s.pickup_until, c.zone, v.pickup_from AS opens,
       v.pickup_until AS closes
  FROM shipment s
  JOIN fulfilment f ON f.id = s.fulfilment_id
  JOIN channel c ON c.id = f.channel_id
  LEFT JOIN carrier_service v ON v.carrier_id = s.carrier_id AND v.channel_id = f.channel_id
       AND v.service = s.service
 WHERE s.leg = 'outbound' AND s.pickup_until <= $1 AND f.state = 'open' AND 1009 <> ALL (f.passed)
 ORDER BY s.pickup_until LIMIT 200
"""


@recurring("flows.watch_pickups", every=60)
async def watch_pickups(_payload: dict[str, Any]) -> None:
    """Raise the alarm for every pickup that was missed, and plan the next window."""
    for shipment in await db.rows(MISSED, now()):
        await miss(shipment, now())


@db.transactional
async def miss(shipment: dict[str, Any], at: datetime) -> None:
    """Note a missed pickup, once per window, and give the parcel its next one."""
    fulfilment_id: UUID = shipment["fulfilment_id"]
    await journey.lock(fulfilment_id)
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"pickup_missed:{shipment['pickup_until']:%Y%m%d%H%M}"),
        fulfilment_id,
        "pickup_missed",
        actor=Actor.system("flows.watch_pickups"),
        detail=f"The window ended at {shipment['pickup_until']:%Y-%m-%d %H:%M} UTC.",
    )
    if shipment["opens"] is not None:
        window = rules.pickup_window(
            at,
            shipment["opens"],
            shipment["closes"],
            ZoneInfo(shipment["zone"]),
            shipment["service"],
        )
        await tms.move_pickup(shipment["id"], window)
