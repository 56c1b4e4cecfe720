"""What a person has done today on the floor of the own location, as the office has it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now

# Today is the day on the clock of the location's channel.
DONE_ON_FLOOR = """
WITH today AS (
  SELECT date_trunc('day', $2::timestamptz AT TIME ZONE c.zone) AT TIME ZONE c.zone AS begins
    FROM location l JOIN channel c ON c.id = l.channel_id WHERE l.id = $3)
SELECT 'pick_list' AS kind, k.fulfilment_id AS id, o.number, count(*) AS pieces, max(k.packed_at) AS at
  FROM today, package k
  JOIN fulfilment f ON f.id = k.fulfilment_id AND f.location_id = $3
  JOIN customer_order o ON o.id = f.order_id
 WHERE k.packed_by = $1 AND k.packed_at >= today.begins GROUP BY k.fulfilment_id, o.number
UNION ALL
SELECT 'arrival', r.id, a.number,
       (SELECT coalesce(sum(x.quantity), 0) FROM receipt_line x WHERE x.receipt_id = r.id), r.recorded_at
  FROM today, receipt r JOIN expected_arrival a ON a.id = r.arrival_id
 WHERE r.actor_id = $1 AND r.recorded_at >= today.begins AND r.location_id = $3
UNION ALL
SELECT 'count', c.id, c.number, (SELECT count(*) FROM cycle_count_line l WHERE l.count_id = c.id),
       c.finished_at
  FROM today, cycle_count c
 WHERE c.finished_by = $1 AND c.finished_at >= today.begins AND c.location_id = $3
 ORDER BY at DESC, id LIMIT 100
"""


class FloorDone(Struct):
    """Work of the floor that is done: a parcel packed, goods received, shelves counted.

    `pieces` are the boxes of the parcel, the goods that came in, or the shelves.
    """

    kind: Literal["pick_list", "arrival", "count"]
    id: UUID
    number: str
    pieces: int
    at: datetime


@get(
    "/field/floor-day", operation_id="listFloorDone", opt=needs("wms:pick:read"), tags=["warehouse"]
)
async def list_floor_done(actor: Actor) -> list[FloorDone]:
    """List what the person has finished today at the own location, the last first."""
    if actor.location_id is None:
        return []
    rows = await db.rows(DONE_ON_FLOOR, actor.person_id, now(), actor.location_id)
    return msgspec.convert(rows, list[FloorDone])


handlers = [list_floor_done]
"""The routes of this door."""
