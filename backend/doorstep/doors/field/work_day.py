"""What a person has done today beside doors and visits, as the office has it: floor work and pickups."""

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
WORK_DONE = """
SELECT d.kind, d.id, d.number, d.pieces, d.at FROM (
    SELECT 'pick_list' AS kind, k.fulfilment_id AS id, o.number, f.location_id, count(*) AS pieces,
           max(k.packed_at) AS at
      FROM package k
      JOIN fulfilment f ON f.id = k.fulfilment_id
      JOIN customer_order o ON o.id = f.order_id
     WHERE k.packed_by = $1 AND k.packed_at > $2::timestamptz - interval '2 days'
     GROUP BY k.fulfilment_id, o.number, f.location_id
    UNION ALL
    SELECT 'arrival', r.id, a.number, r.location_id,
           (SELECT coalesce(sum(x.quantity), 0) FROM receipt_line x WHERE x.receipt_id = r.id),
           r.recorded_at
      FROM receipt r JOIN expected_arrival a ON a.id = r.arrival_id
     WHERE r.actor_id = $1 AND r.recorded_at > $2::timestamptz - interval '2 days'
    UNION ALL
    SELECT 'count', c.id, c.number, c.location_id,
           (SELECT count(*) FROM cycle_count_line l WHERE l.count_id = c.id), c.finished_at
      FROM cycle_count c
     WHERE c.finished_by = $1 AND c.finished_at > $2::timestamptz - interval '2 days'
    UNION ALL
    SELECT 'manifest', m.id, m.number, m.location_id, m.counted, m.captured_at
      FROM manifest m
     WHERE m.courier_id = $1 AND m.confirmed_at > $2::timestamptz - interval '2 days') d
  JOIN location l ON l.id = d.location_id
  JOIN channel c ON c.id = l.channel_id
 WHERE (d.at AT TIME ZONE c.zone)::date = ($2::timestamptz AT TIME ZONE c.zone)::date
 ORDER BY d.at DESC, d.id LIMIT 100
"""


class WorkDone(Struct):
    """Work that is done: a parcel packed, goods received, shelves counted, boxes picked up.

    `pieces` are the boxes, the goods that came in, or the shelves.
    """

    kind: Literal["pick_list", "arrival", "count", "manifest"]
    id: UUID
    number: str
    pieces: int
    at: datetime


@get(
    "/field/work-day",
    operation_id="listWorkDone",
    opt=needs("helpdesk:word:write"),
    tags=["helpdesk"],
)
async def list_work_done(actor: Actor) -> list[WorkDone]:
    """List what the person has finished today on the floor and at pickups, the last first."""
    rows = await db.rows(WORK_DONE, actor.person_id, now())
    return msgspec.convert(rows, list[WorkDone])


handlers = [list_work_done]
"""The routes of this door."""
