"""Steps that came too early and still wait: after hours somebody must find the step before (IC1).

What waits for a blocking detour is not asked for: that has its owner and its deadline.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.modules.helpdesk import service as helpdesk

PATIENCE = timedelta(hours=4)
"""A phone without a signal may still bring the step before."""

BLOCKING = sorted(kind for kind, row in journey.DETOURS.items() if row.blocks_from is not None)

WAITING = """
SELECT f.id AS fulfilment_id, f.order_id, f.parcel, min(h.recorded_at) AS since,
       array_agg(DISTINCT h.stage ORDER BY h.stage) AS stages,
       (array_agg(h.waits_for ORDER BY h.stage))[1] AS waits_for
  FROM held_step h JOIN fulfilment f ON f.id = h.fulfilment_id
 WHERE h.released_at IS NULL AND h.recorded_at <= $1
   AND NOT EXISTS (SELECT FROM detour_case d
                    WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL AND d.kind = ANY ($2))
   -- A person who has closed it knows: it rings once for the same step.
   AND NOT EXISTS (SELECT FROM problem q
                    WHERE q.kind = 'step_held' AND q.ref = f.id::text
                      AND (q.closed_at IS NULL OR q.opened_at >= h.recorded_at))
 GROUP BY f.id ORDER BY since LIMIT 200
"""

OVER = """
SELECT q.ref FROM problem q
 WHERE q.kind = 'step_held' AND q.closed_at IS NULL
   AND NOT EXISTS (SELECT FROM held_step h
                    WHERE h.fulfilment_id::text = q.ref AND h.released_at IS NULL)
 LIMIT 200
"""


@recurring("flows.find_steps_held", every=600, timeout=60)
async def find_steps_held(_payload: dict[str, Any]) -> None:
    """Have a desk look for what steps have waited for since hours; what counts by now is over."""
    system = Actor.system("flows.find_steps_held")
    for row in await db.rows(OVER):
        await helpdesk.close_problems("step_held", row["ref"], "What was held counts now.", system)
    for row in await db.rows(WAITING, now() - PATIENCE, BLOCKING):
        held = ", ".join(journey.label(stage) for stage in row["stages"])
        await helpdesk.open_problem(
            "step_held",
            f"Captured too early and still waiting: {held}",
            ref=str(row["fulfilment_id"]),
            detail=f"Parcel {row['parcel']}, since {row['since']:%Y-%m-%d %H:%M} UTC."
            f" {row['waits_for']}",
            order_id=row["order_id"],
            fulfilment_id=row["fulfilment_id"],
        )
