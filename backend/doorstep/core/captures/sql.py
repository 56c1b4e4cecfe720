"""The statements of the sync."""

from __future__ import annotations

from doorstep.core.auth.channel import CHANNEL

# In the order of the ids, so that two batches never wait for one another.
KEEP = """
INSERT INTO capture (event_id, body, digest, type, schema_version, lane, device_seq, captured_at,
    mono_ms, boot, server_at, server_mono_ms, earliest_at, latest_at, time_flag, verdict, reason,
    signature, surrendered, person_id, device_id, app_version, request_id, received_at, next_at,
    recorded_at)
SELECT u.*, $20::uuid, $21::uuid, $22::text, $23::text, $24::timestamptz, $24,
    CASE WHEN u.verdict IS NOT NULL THEN $24 END
  FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::text[], $5::integer[], $6::text[],
    $7::bigint[], $8::timestamptz[], $9::bigint[], $10::uuid[], $11::timestamptz[], $12::bigint[],
    $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::text[],
    $18::text[], $19::boolean[])
    AS u (event_id, body, digest, type, schema_version, lane, device_seq, captured_at, mono_ms, boot,
    server_at, server_mono_ms, earliest_at, latest_at, time_flag, verdict, reason, signature, surrendered)
 ORDER BY u.event_id
ON CONFLICT (event_id) DO NOTHING RETURNING event_id
"""

# What is known of the device's time before the first of these events.
NOT_BEFORE = """
SELECT greatest(d.created_at, (SELECT c.earliest_at FROM capture c
    WHERE c.device_id = d.id AND c.device_seq < $2 ORDER BY c.device_seq DESC LIMIT 1))
  FROM device d WHERE d.id = $1
"""

KNOWN = "SELECT event_id, person_id, device_id, digest FROM capture WHERE event_id = ANY ($1)"

KEEP_STRAYS = """
INSERT INTO stray_capture (id, event_id, why, body, sha256, person_id, device_id, app_version,
    request_id, received_at)
SELECT u.*, $6::uuid, $7::uuid, $8::text, $9::text, $10::timestamptz
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::bytea[])
    AS u (id, event_id, why, body, sha256)
 ORDER BY u.sha256
ON CONFLICT (device_id, sha256, why) DO NOTHING RETURNING id
"""

# An id that another phone has made gets its answer from the stray; never a word of the other row.
RECEIPTS = """
SELECT event_id, verdict, reason, recorded_at FROM capture
 WHERE event_id = ANY ($1) AND person_id = $2 AND device_id = $3 AND verdict IS NOT NULL
UNION ALL
(SELECT DISTINCT ON (s.event_id) s.event_id, 'rejected', $4, s.received_at
   FROM stray_capture s
  WHERE s.event_id = ANY ($1) AND s.person_id = $2 AND s.device_id = $3 AND s.why = 'foreign'
    AND NOT EXISTS (SELECT FROM capture c
      WHERE c.event_id = s.event_id AND c.person_id = $2 AND c.device_id = $3)
  ORDER BY s.event_id, s.received_at, s.id)
"""

# One process at a time carries out the events of a device.
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended('capture:' || $1::uuid, 0))"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('capture:' || $1::uuid, 0))"

# The first event of the device that may be carried out now: nothing earlier of its lane is open.
NEXT = f"""
SELECT e.event_id, e.body, e.type, e.schema_version, e.captured_at, e.request_id,
       p.id AS person_id, p.role, p.name, p.channel_ids, p.location_id, p.vendor_id,
       {CHANNEL} AS channel_id
  FROM capture e JOIN person p ON p.id = e.person_id
 WHERE e.device_id = $1 AND e.verdict IS NULL AND (e.attempts = 0 OR e.next_at <= $2)
   AND NOT EXISTS (SELECT FROM capture b
     WHERE b.device_id = e.device_id AND b.lane = e.lane AND b.verdict IS NULL
       AND (b.device_seq, b.event_id) < (e.device_seq, e.event_id))
 ORDER BY e.device_seq, e.event_id LIMIT 1
"""  # noqa: S608 - a constant

RECORD = """
UPDATE capture SET verdict = $2, reason = $3, recorded_at = $4, failure = NULL
 WHERE event_id = $1 AND verdict IS NULL
"""

FAILED = """
UPDATE capture SET attempts = attempts + 1, failure = $2
 WHERE event_id = $1 AND verdict IS NULL
RETURNING attempts, type, device_id,
  (SELECT name FROM person p WHERE p.id = capture.person_id) AS name
"""

WAIT = "UPDATE capture SET next_at = $2 WHERE event_id = $1"

# Devices with something to carry out that no request is at: it has waited for a while already.
LEFT_OVER = """
SELECT device_id FROM capture WHERE verdict IS NULL AND next_at <= $1 AND received_at <= $2
 GROUP BY device_id ORDER BY min(received_at), device_id LIMIT 200
"""
