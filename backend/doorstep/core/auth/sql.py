"""The statements of people, devices and sessions."""

# One index look-up per table. Whoever is inactive or revoked is out with the next request (IA5).
# A locked device may still hand in what it captured until this access token ends.
FIND_SESSION = """
SELECT s.id AS session_id, s.source, s.device_id, p.id AS person_id, p.role, p.name,
       p.channel_ids, p.location_id, p.vendor_id,
       s.last_seen_at < $2::timestamptz - interval '1 minute' AS long_unseen
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

INSERT_DEVICE = """
INSERT INTO device (id, person_id, label, pin_hash, created_at, last_seen_at)
VALUES ($1, $2, $3, $4, $5, $5)
"""

# The attempt is counted before the PIN is looked at, so a hundred at once are still ten at most.
COUNT_PIN_ATTEMPT = """
UPDATE device SET pin_failures = pin_failures + 1,
                  state = CASE WHEN pin_failures + 1 >= $2 THEN 'locked' ELSE state END
FROM person
WHERE device.id = $1 AND device.state = 'active' AND person.id = device.person_id AND person.active
RETURNING device.person_id, device.pin_hash
"""

# A right PIN takes its own attempt back, and the lock too if it was the tenth.
PIN_WAS_RIGHT = """
UPDATE device SET pin_failures = 0, state = 'active', last_seen_at = $2
WHERE id = $1 AND state <> 'revoked'
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
SELECT s.id AS session_id, s.device_id,
       s.revoked_at IS NULL AND p.active AND (d.id IS NULL OR d.state = 'active') AS welcome
FROM session_token t
JOIN session s ON s.id = t.session_id
JOIN person p ON p.id = s.person_id
LEFT JOIN device d ON d.id = s.device_id
WHERE t.token_hash = $1 AND t.kind = 'refresh'
FOR UPDATE OF s
"""

READ_TOKEN = "SELECT spent_at, expires_at FROM session_token WHERE token_hash = $1"  # noqa: S105 - a statement

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

# Keeps sessions for a while after their end, for whoever asks who was signed in where.
FORGET_SESSIONS = """
DELETE FROM session s
WHERE NOT EXISTS (SELECT 1 FROM session_token t WHERE t.session_id = s.id AND t.expires_at > $1)
   OR s.revoked_at < $1
"""
