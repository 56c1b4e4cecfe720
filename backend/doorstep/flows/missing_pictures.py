"""Pictures that a capture names and no phone has handed in: after six hours somebody must ask (IC4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import recurring
from doorstep.modules.helpdesk import service as helpdesk

ALARM_AFTER = timedelta(hours=6)
LOOKS_BACK = timedelta(days=7)
"""The alarm looks every ten minutes: what is older has rung long ago."""

# Whatever may name a picture, by the hash of its bytes.
NAMED = """
SELECT 'proof of delivery' AS what, d.id AS capture_id, x.sha256, d.order_id, d.fulfilment_id,
       d.person_id, d.recorded_at
  FROM pod d JOIN pod_photo x ON x.pod_id = d.id
UNION ALL
SELECT 'failed delivery', a.id, unnest(a.photos), a.order_id, a.fulfilment_id, a.person_id, a.recorded_at
  FROM delivery_attempt a
UNION ALL
SELECT 'installation report', r.id, x.sha256, r.order_id, r.fulfilment_id, r.technician_id, r.recorded_at
  FROM visit_report r JOIN visit_report_photo x ON x.report_id = r.id
UNION ALL
SELECT 'report of ' || r.kind || ' pieces', r.id, x.sha256, p.order_id, p.fulfilment_id, r.person_id,
       r.recorded_at
  FROM piece_report r CROSS JOIN unnest(r.photos) AS x (sha256)
  LEFT JOIN piece_report_parcel p ON p.report_id = r.id
UNION ALL
SELECT 'failed visit', f.id, unnest(f.photos), f.order_id, f.fulfilment_id, f.technician_id, f.recorded_at
  FROM visit_failure f
UNION ALL
SELECT 'finding at a visit', e.event_id, x ->> 'sha256', e.order_id, e.fulfilment_id, e.actor_id,
       e.recorded_at
  FROM detour_case c JOIN journey_event e ON e.event_id = c.id, jsonb_array_elements(e.evidence) x
 WHERE c.kind IN ('hidden_damage', 'part_missing') AND x ->> 'kind' = 'photo'
UNION ALL
SELECT 'shift explanation', e.id, e.photo_sha256, e.order_id, e.fulfilment_id, e.explained_by, e.explained_at
  FROM shift_explanation e WHERE e.photo_sha256 IS NOT NULL
UNION ALL
SELECT 'ticket', t.id, x.sha256, t.order_id, t.fulfilment_id, x.added_by, x.added_at
  FROM ticket t JOIN ticket_photo x ON x.ticket_id = t.id
UNION ALL
SELECT 'rating', b.id, x.sha256, b.order_id, b.fulfilment_id, NULL, b.created_at
  FROM feedback b JOIN feedback_photo x ON x.feedback_id = b.id
UNION ALL
SELECT 'receiving scan', s.id, s.photo_sha256, NULL, NULL, s.actor_id, s.recorded_at
  FROM receipt_scan s WHERE s.photo_sha256 IS NOT NULL
UNION ALL
SELECT 'unannounced goods', g.id, g.photo_sha256, NULL, NULL, g.actor_id, g.recorded_at
  FROM unannounced_goods g WHERE g.photo_sha256 IS NOT NULL
UNION ALL
SELECT CASE w.kind WHEN 'problem' THEN 'problem report' ELSE w.kind END, w.id, unnest(w.photos),
       w.order_id, w.fulfilment_id, w.person_id, w.recorded_at
  FROM field_word w WHERE w.photos <> ARRAY[]::text[]
UNION ALL
SELECT 'stock adjustment', j.id, j.photo_sha256, NULL, NULL, j.proposed_by, j.proposed_at
  FROM stock_adjustment j WHERE j.photo_sha256 IS NOT NULL
"""

MISSING = f"""
SELECT n.what, n.capture_id, n.order_id, n.fulfilment_id, n.recorded_at, p.name,
       count(DISTINCT n.sha256)::int AS missing
  FROM ({NAMED}) n LEFT JOIN person p ON p.id = n.person_id
 WHERE n.recorded_at BETWEEN $1 AND $2
   AND NOT EXISTS (SELECT FROM blob b WHERE b.sha256 = n.sha256)
   -- A person who has closed the alarm knows: it rings once for each capture.
   AND NOT EXISTS (SELECT FROM problem q
                    WHERE q.kind = 'picture_missing' AND q.ref = n.capture_id::text)
 GROUP BY n.what, n.capture_id, n.order_id, n.fulfilment_id, n.recorded_at, p.name
 ORDER BY n.recorded_at LIMIT 200
"""  # noqa: S608 - a constant of this file

ARRIVED = f"""
SELECT q.ref FROM problem q
 WHERE q.kind = 'picture_missing' AND q.closed_at IS NULL AND NOT EXISTS (
   SELECT FROM ({NAMED}) n
    WHERE n.capture_id::text = q.ref AND NOT EXISTS (SELECT FROM blob b WHERE b.sha256 = n.sha256))
 LIMIT 200
"""  # noqa: S608 - as above


@recurring("flows.find_missing_pictures", every=600, timeout=120)
async def find_missing_pictures(_payload: dict[str, Any]) -> None:
    """Raise an alarm for captures whose pictures have not come, and end those that have."""
    system = Actor.system("flows.find_missing_pictures")
    for row in await db.rows(ARRIVED):
        await helpdesk.close_problems(
            "picture_missing", row["ref"], "The pictures are here.", system
        )
    for capture in await db.rows(MISSING, now() - LOOKS_BACK, now() - ALARM_AFTER):
        await helpdesk.open_problem(
            "picture_missing",
            f"{capture['missing']} picture(s) of a {capture['what']} have not come for six hours",
            ref=str(capture["capture_id"]),
            detail=f"Captured by {capture['name'] or 'somebody unknown'},"
            f" known since {capture['recorded_at']:%Y-%m-%d %H:%M} UTC.",
            order_id=capture["order_id"],
            fulfilment_id=capture["fulfilment_id"],
        )
