"""What desks read of kept captures. {scope} and the like come from core.auth.scope: names of ours."""

from __future__ import annotations

# What can be listed whole has an index of its own; the rest is listed for one person.
LIST = """
SELECT c.event_id, c.person_id, p.name, p.role, c.device_id, d.label AS device_label, c.app_version,
       c.type, c.lane, c.device_seq, c.captured_at, c.earliest_at, c.latest_at, c.time_flag,
       c.received_at, c.recorded_at, coalesce(c.verdict, 'open') AS verdict, coalesce(c.reason, '') AS reason,
       c.signature, c.surrendered
  FROM capture c JOIN person p ON p.id = c.person_id JOIN device d ON d.id = c.device_id
 WHERE ($1::uuid IS NULL OR c.person_id = $1) AND {verdict}
   AND ($2::uuid IS NULL OR (c.received_at, c.event_id) <
       (SELECT b.received_at, b.event_id FROM capture b WHERE b.event_id = $2))
   AND {scope}
 ORDER BY c.received_at DESC, c.event_id DESC LIMIT $3
"""

VERDICT = {
    None: "TRUE",
    "open": "c.verdict IS NULL",
    "applied": "c.verdict = 'applied'",
    "duplicate": "c.verdict = 'duplicate'",
    "held": "c.verdict = 'held'",
    "review": "c.verdict = 'review'",
    "rejected": "c.verdict = 'rejected'",
}
"""By the filter's word: a constant, so that the planner sees which index fits."""

ONE = """
SELECT c.event_id, c.person_id, p.name, p.role, c.device_id, d.label AS device_label, c.app_version,
       c.type, c.lane, c.device_seq, c.captured_at, c.earliest_at, c.latest_at, c.time_flag,
       c.received_at, c.recorded_at, coalesce(c.verdict, 'open') AS verdict, coalesce(c.reason, '') AS reason,
       c.signature, c.surrendered, d.state AS device_state, c.schema_version, c.server_at, c.body,
       c.attempts, c.next_at, c.failure
  FROM capture c JOIN person p ON p.id = c.person_id JOIN device d ON d.id = c.device_id
 WHERE c.event_id = $1 AND {scope}
"""

COPIES = """
SELECT s.id, s.event_id, s.why, s.person_id, p.name, s.device_id, d.label AS device_label, s.app_version,
       s.received_at, s.body
  FROM stray_capture s JOIN person p ON p.id = s.person_id JOIN device d ON d.id = s.device_id
 WHERE s.event_id = $1 AND {scope}
 ORDER BY s.received_at, s.id LIMIT 20
"""

STRAYS = """
SELECT s.id, s.event_id, s.why, s.person_id, p.name, s.device_id, d.label AS device_label, s.app_version,
       s.received_at, s.body
  FROM stray_capture s JOIN person p ON p.id = s.person_id JOIN device d ON d.id = s.device_id
 WHERE ($1::uuid IS NULL OR s.person_id = $1) AND ($2::uuid IS NULL OR s.id < $2) AND {scope}
 ORDER BY s.id DESC LIMIT $3
"""

# Those that name this event, its pictures, or (where it was rejected) what its phone hands in: a phone
# that errs is one problem, so only if it was open after this came in.
PROBLEMS = """
SELECT p.id, p.kind, p.title, p.owner_role, p.opened_at, p.closed_at, p.closing_words
  FROM problem p
 WHERE (p.kind = ANY ($1::text[]) AND p.ref = 'capture:' || $2::text
     OR p.kind = 'picture_missing' AND p.ref = $2::text
     OR p.kind = 'capture_rejected' AND $3::boolean AND p.ref = 'device:' || $4::text
       AND coalesce(p.closed_at, 'infinity') >= $5::timestamptz)
   AND {scope}
 ORDER BY p.opened_at, p.id LIMIT 20
"""

# Whose it is matters: a hash that somebody writes down opens nothing that he has not handed in.
PICTURES = """
SELECT w.sha256, u.received, u.length, u.verified_at IS NOT NULL AS here, r.reason AS refused,
       EXISTS (SELECT FROM picture x WHERE x.sha256 = w.sha256 AND x.derivative = 'large') AS shown
  FROM unnest($1::text[]) AS w (sha256)
  LEFT JOIN upload u ON u.sha256 = w.sha256 AND u.person_id = $2
  LEFT JOIN picture_refusal r ON r.sha256 = w.sha256 AND u.verified_at IS NOT NULL
"""
