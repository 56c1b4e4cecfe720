"""The statements of push."""

# Locked, so that a sign-out at the same time comes before and is seen here, or after and ends it.
SIGNED_IN = """
SELECT 1 FROM session e JOIN device d ON d.id = e.device_id
 WHERE d.id = $1 AND d.state <> 'revoked' AND e.revoked_at IS NULL FOR SHARE OF e, d
"""

# Of two phones that bring one endpoint at once, the second waits and then takes it over.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('push:' || $1::text, 0))"

TAKE_OVER = "DELETE FROM push_subscription WHERE endpoint = $2 AND device_id <> $1"

SUBSCRIBE = """
INSERT INTO push_subscription (device_id, endpoint, p256dh, auth, expires_at, renewed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (device_id) DO UPDATE
   SET endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth,
       expires_at = excluded.expires_at, renewed_at = excluded.renewed_at
"""

UNSUBSCRIBE = "DELETE FROM push_subscription WHERE device_id = $1"

# A renewed one has another endpoint and stays.
FORGET_ENDPOINT = "DELETE FROM push_subscription WHERE device_id = $1 AND endpoint = $2"

TELL = """
INSERT INTO push_message (id, device_id, kind, lane, key, created_at, expires_at)
SELECT new_id(), s.device_id, $3, $4, $5, $6, $7
  FROM push_subscription s JOIN device d ON d.id = s.device_id
 WHERE d.person_id = ANY ($1) OR d.id = ANY ($2)
 ORDER BY s.device_id
ON CONFLICT ON CONSTRAINT push_message_told_once DO NOTHING
RETURNING id
"""

# An id knows the millisecond only, and much is told in one.
TO_SEND = """
SELECT m.device_id, m.kind, m.lane, m.expires_at, m.acked_at IS NOT NULL AS acked,
       p.languages, s.endpoint, s.p256dh, s.auth,
       s.expires_at <= $2 AS subscription_over,
       EXISTS (SELECT FROM push_message n WHERE n.device_id = m.device_id AND n.lane = m.lane
                  AND (n.created_at, n.id) > (m.created_at, m.id)
                  AND n.state IN ('waiting', 'sent')) AS overtaken
  FROM push_message m
  JOIN device d ON d.id = m.device_id
  JOIN person p ON p.id = d.person_id
  LEFT JOIN push_subscription s ON s.device_id = m.device_id
 WHERE m.id = $1 AND m.state = 'waiting'
"""

SENT = "UPDATE push_message SET state = 'sent', sent_at = $2 WHERE id = $1 AND state = 'waiting'"

END = "UPDATE push_message SET state = $2, reason = $3 WHERE id = $1 AND state = 'waiting'"

# The first word about each counts. One may be shown before we know that it was sent.
ACKNOWLEDGE = """
UPDATE push_message m
   SET shown_at = coalesce(m.shown_at, a.shown_at), tapped_at = coalesce(m.tapped_at, a.tapped_at),
       acked_at = coalesce(m.acked_at, $4)
  FROM (SELECT id, min(at) FILTER (WHERE what = 'shown') AS shown_at,
               min(at) FILTER (WHERE what = 'tapped') AS tapped_at
          FROM unnest($2::uuid[], $3::text[], $5::timestamptz[]) AS given (id, what, at)
         GROUP BY id) a
 WHERE m.id = a.id AND m.device_id = $1
"""

# Told long ago and no word since: the app is closed for good, or the browser swallows what we send.
REACH = """
SELECT device_id, person_id, subscribed, last_push_acked_at, unacked,
       subscribed AND coalesce(unacked_since > $2, true) AS reachable
  FROM device_push WHERE person_id = ANY ($1) ORDER BY person_id, device_id
"""

FORGET = """
DELETE FROM push_message WHERE id IN (
  SELECT id FROM push_message WHERE created_at < $1 AND state <> 'waiting' LIMIT $2)
"""
