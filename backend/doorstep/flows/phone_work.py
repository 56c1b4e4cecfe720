"""What a person has to do today, and since when: whether a phone that is not heard is missed.

A join for a query that has the device as `d`, its person as `p` and its `sync_health` as `h`; it gives
`work.what` (null: nothing today) and `work.since` (null: not begun, as far as anybody knows).
"""

from __future__ import annotations

# {moment} is a placeholder. A day is one of the person's channel. Crews open a shift and end it; whoever
# works at a place answers a checklist at the end (P20); everybody else has done what is not open.
WORK = """
  CROSS JOIN LATERAL (
    SELECT date_trunc('day', {moment}::timestamptz AT TIME ZONE z.zone) AT TIME ZONE z.zone AS begins,
           ({moment}::timestamptz AT TIME ZONE z.zone)::date AS day
      FROM (SELECT coalesce((SELECT c.zone FROM channel c WHERE c.id = coalesce(
              (SELECT l.channel_id FROM location l WHERE l.id = p.location_id),
              (SELECT t.channel_id FROM technician t WHERE t.person_id = p.id),
              p.channel_ids[1])), 'UTC') AS zone) z) today
  LEFT JOIN LATERAL (
    SELECT w.what, w.since FROM (
      SELECT 1 AS rank, 'shift' AS what, s.opened_at AS since
        FROM shift_member m JOIN shift s ON s.id = m.shift_id WHERE m.person_id = p.id AND m.on_duty
      UNION ALL
      SELECT 2, 'visit', coalesce(v.started_at, lower(v.during))
        FROM visit v WHERE v.technician_id = p.id AND v.state IN ('booked', 'started')
         AND v.during && tstzrange(today.begins, today.begins + interval '1 day')
      UNION ALL
      SELECT 3, 'run', r.accepted_at
        FROM run_person m JOIN delivery_run r ON r.id = m.run_id
       WHERE m.person_id = p.id
         AND (r.state = 'accepted' OR r.state = 'planned' AND r.planned_on = today.day)
      UNION ALL
      SELECT 4, 'manifest', f.created_at
        FROM manifest f
       WHERE f.courier_id = p.id AND f.confirmed_at IS NULL AND f.created_at >= today.begins
      UNION ALL
      SELECT 5, 'floor', today.begins
       WHERE p.location_id IS NOT NULL AND NOT EXISTS (SELECT FROM shift_answer a
               WHERE a.person_id = p.id AND a.recorded_at >= today.begins)
         AND greatest(d.last_seen_at, h.last_push_at, h.last_pull_at) >= today.begins
      UNION ALL
      SELECT 6, 'active', NULL
       WHERE greatest(d.last_seen_at, h.last_push_at, h.last_pull_at) >= today.begins) w
     ORDER BY w.rank, w.since NULLS LAST LIMIT 1) work ON true
"""
