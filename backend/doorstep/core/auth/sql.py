"""The statements of people, devices and sessions."""

# One index look-up per table. Whoever is inactive or revoked is out with the next request (IA5).
# A locked device may still hand in what it captured until this access token ends.
FIND_SESSION = """
SELECT s.id AS session_id, s.source, s.device_id, d.state AS device_state,
       p.id AS person_id, p.role, p.name, p.channel_ids, p.location_id, p.vendor_id,
       s.last_seen_at < $2::timestamptz - interval '1 minute' AS long_unseen,
       t.used_at IS NULL AS first_use
FROM session_token t
JOIN session s ON s.id = t.session_id
JOIN person p ON p.id = s.person_id
LEFT JOIN device d ON d.id = s.device_id
WHERE t.token_hash = $1 AND t.kind = 'access' AND t.expires_at > $2 AND s.revoked_at IS NULL
  AND p.active AND d.state IS DISTINCT FROM 'revoked'
"""

# At most once a minute and session; of several requests at once the first one writes.
SEEN = """
WITH seen AS (
  UPDATE session SET last_seen_at = $2
  WHERE id = $1 AND last_seen_at < $2::timestamptz - interval '1 minute'
  RETURNING device_id
)
UPDATE device SET last_seen_at = $2 FROM seen WHERE device.id = seen.device_id
"""

# From now on the refresh token before this one is good for nothing any more.
USED = "UPDATE session_token SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL"

INSERT_PERSON = """
INSERT INTO person (id, role, name, login, password_hash, channel_ids, location_id, vendor_id,
                    languages, phone, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

INSERT_CODE = """
INSERT INTO enrolment_code (code_hash, person_id, created_at, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""

# Used by exactly one of two that come at once, and only while the person is active.
USE_CODE = """
UPDATE enrolment_code SET used_at = $2
FROM person
WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2
  AND person.id = enrolment_code.person_id AND person.active
RETURNING person.id
"""

# The same key of the same person is the same device, whatever state it was in but revoked.
ENROL_DEVICE = """
INSERT INTO device (id, person_id, label, pin_hash, public_key, created_at, last_seen_at, state_at,
                    heard_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $6)
ON CONFLICT ON CONSTRAINT device_public_key_once DO UPDATE
  SET label = excluded.label, pin_hash = excluded.pin_hash, pin_failures = 0, state = 'active',
      state_at = excluded.state_at, state_by = NULL, heard_at = excluded.heard_at,
      last_seen_at = excluded.last_seen_at
  WHERE device.id = excluded.id AND device.person_id = excluded.person_id
    AND device.state <> 'revoked'
RETURNING id
"""

FIND_BY_KEY = "SELECT id, person_id, state FROM device WHERE public_key = $1"

# The attempt is counted before the PIN is looked at, so a hundred at once are still ten at most.
COUNT_PIN_ATTEMPT = """
UPDATE device SET pin_failures = pin_failures + 1,
  state = CASE WHEN pin_failures + 1 >= $2 THEN 'locked' ELSE state END,
  state_at = CASE WHEN pin_failures + 1 >= $2 THEN $3 ELSE state_at END,
  state_by = CASE WHEN pin_failures + 1 >= $2 THEN NULL ELSE state_by END
FROM person
WHERE device.id = $1 AND device.state IN ('active', 'draining', 'signed_out')
  AND person.id = device.person_id AND person.active
RETURNING device.person_id, device.pin_hash
"""

# A right PIN takes its own attempt back, and the lock too if it was the tenth; a lock by somebody's
# command stays. One that is to sign out does so after it has handed in what it has.
PIN_WAS_RIGHT = """
UPDATE device SET pin_failures = 0, last_seen_at = $2,
  state = CASE state WHEN 'draining' THEN state ELSE 'active' END,
  state_at = CASE WHEN state IN ('active', 'draining') THEN state_at ELSE $2 END,
  state_by = CASE WHEN state IN ('active', 'draining') THEN state_by END
WHERE id = $1 AND (state IN ('active', 'draining', 'signed_out')
                   OR state = 'locked' AND state_by IS NULL)
"""

INSERT_SESSION = """
INSERT INTO session (id, person_id, device_id, source, label, created_at, last_seen_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
"""

ADD_TO_SESSION = """
INSERT INTO session_token (token_hash, session_id, kind, expires_at) VALUES ($1, $2, $3, $4)
"""

# The session is locked, and only then the token read: of two rotations at once the second one
# must see what the first one wrote, which a row joined to the locked one would not show.
LOCK_SESSION_OF_REFRESH = """
SELECT s.id AS session_id, s.device_id, s.person_id, d.state AS device_state,
       s.revoked_at IS NULL AND p.active
         AND (d.id IS NULL OR d.state IN ('active', 'draining')) AS welcome
FROM session_token t
JOIN session s ON s.id = t.session_id
JOIN person p ON p.id = s.person_id
LEFT JOIN device d ON d.id = s.device_id
WHERE t.token_hash = $1 AND t.kind = 'refresh'
FOR UPDATE OF s
"""

READ_TOKEN = "SELECT spent_at, expires_at FROM session_token WHERE token_hash = $1"  # noqa: S105 - a statement

# Of a refresh token and the access token that was issued with it: did its phone ever have them?
WAS_USED = """
SELECT EXISTS (SELECT FROM session_token
  WHERE token_hash IN ($1, $2) AND num_nonnulls(spent_at, used_at) > 0)
"""

RENEW_TOKEN = "UPDATE session_token SET expires_at = $2 WHERE token_hash = $1"  # noqa: S105 - a statement

SPEND_REFRESH = "UPDATE session_token SET spent_at = $2 WHERE token_hash = $1"

DELETE_EXPIRED_TOKENS = """
DELETE FROM session_token WHERE session_id = $1 AND expires_at < $2
"""

REVOKE_SESSION = """
UPDATE session SET revoked_at = $2, revoked_why = $3 WHERE id = $1 AND revoked_at IS NULL
"""

REVOKE_SESSIONS_OF_PERSON = """
UPDATE session SET revoked_at = $2, revoked_why = $3 WHERE person_id = $1 AND revoked_at IS NULL
"""

REVOKE_SESSIONS_OF_DEVICE = """
UPDATE session SET revoked_at = $2, revoked_why = $3 WHERE device_id = $1 AND revoked_at IS NULL
"""

# What the server must know of a device that hands something in.
READ_DEVICE = """
SELECT d.id, d.person_id, d.public_key, d.state, d.app_version, d.heard_at, p.name, p.channel_ids
FROM device d JOIN person p ON p.id = d.person_id WHERE d.id = $1
"""

# Told is what the phone says that it was told last.
HEARD = """
UPDATE device SET app_version = coalesce($2, app_version),
  heard_at = CASE WHEN state = $3 THEN coalesce(heard_at, $4) ELSE heard_at END
WHERE id = $1
"""

# Whoever comes with a token of its session is the device, and is told now.
TOLD_ITS_STATE = """
UPDATE device SET heard_at = $2
FROM session_token t JOIN session s ON s.id = t.session_id
WHERE t.token_hash = $1 AND device.id = s.device_id AND device.heard_at IS NULL
"""

# Each time later than the one before: whoever has listened cannot send it again.
SURRENDERED = """
UPDATE device SET surrendered_at = $2, last_seen_at = $3
WHERE id = $1 AND (surrendered_at IS NULL OR surrendered_at < $2)
"""

COMMAND = """
UPDATE device SET state = $2, state_at = $3, state_by = $4, heard_at = NULL,
  pin_failures = CASE $2 WHEN 'active' THEN 0 ELSE pin_failures END
WHERE id = $1 AND state = ANY ($5::text[])
"""

SIGNED_OUT = """
UPDATE device SET state = 'signed_out', state_at = $2, heard_at = $2
FROM session WHERE session.id = $1 AND device.id = session.device_id AND device.state = 'draining'
"""

REVOKE_DEVICES_OF_PERSON = """
UPDATE device SET state = 'revoked', state_at = $2, state_by = $3, heard_at = NULL
WHERE person_id = $1 AND state <> 'revoked'
"""

LIST_DEVICES = """
SELECT d.id, d.label, d.state, d.state_at, d.state_by, d.heard_at, d.created_at AS enrolled_at,
       d.last_seen_at, d.app_version, d.surrendered_at,
       EXISTS (SELECT FROM session s JOIN session_token t ON t.session_id = s.id
         WHERE s.device_id = d.id AND s.revoked_at IS NULL AND t.expires_at > $2
           AND t.spent_at IS NULL) AS signed_in
FROM device d WHERE d.person_id = $1 ORDER BY d.last_seen_at DESC, d.id LIMIT 100
"""

# Keeps sessions for a while after their end, for whoever asks who was signed in where.
FORGET_SESSIONS = """
DELETE FROM session s
WHERE NOT EXISTS (SELECT 1 FROM session_token t WHERE t.session_id = s.id AND t.expires_at > $1)
   OR s.revoked_at < $1
"""
