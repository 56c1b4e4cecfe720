"""The statements of the outbox. Leases go by the database's clock, due times too: a process whose
clock is wrong says how long from now, never when (an offset moves them when a test has moved the
clock)."""

ADD = """
INSERT INTO outbox (id, kind, payload, order_id, key, next_at)
SELECT id, kind, payload, order_id, key, now() + $7::interval + wait
FROM unnest($1::uuid[], $2::text[], $3::jsonb[], $4::uuid[], $5::text[], $6::interval[])
  AS new (id, kind, payload, order_id, key, wait)
ON CONFLICT (key) DO NOTHING
"""

# What stands under "secret" in a payload (a link's token, a handover code) is forgotten once used.
DONE = """
UPDATE outbox SET done_at = now(), claimed_until = NULL, payload = payload - 'secret'
WHERE id = $1 AND done_at IS NULL
"""

# A lost claim or start is found by its lease running out, so neither waits for the disk.
CLAIM = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true)), due AS (
  SELECT id FROM outbox
  WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= now() + $1::interval
    AND (claimed_until IS NULL OR claimed_until < now())
    AND kind <> ALL ($2::text[])
  ORDER BY next_at LIMIT $3
  FOR UPDATE SKIP LOCKED
), taken AS (
  UPDATE outbox o SET claimed_until = now() + $4::interval
  FROM due, quick WHERE o.id = due.id
  RETURNING o.id, o.kind, o.runs, o.attempts, o.next_at
)
SELECT id, kind, runs, attempts FROM taken ORDER BY next_at, id
"""

START = """
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true))
UPDATE outbox o
SET runs = runs + 1, attempts = attempts + 1, claimed_until = now() + $3::interval
FROM quick
WHERE id = $1 AND runs = $2 AND done_at IS NULL AND dead_at IS NULL
RETURNING kind, payload, order_id, runs, attempts
"""

# The run that is told about may have lost its lease to a later one, which then counts.
FAIL = """
UPDATE outbox
SET claimed_until = NULL, last_error = $3,
    next_at = now() + $4::interval + $5::interval,
    dead_at = CASE WHEN attempts >= $6 THEN now() END
WHERE id = $1 AND runs = $2 AND done_at IS NULL AND dead_at IS NULL
RETURNING dead_at IS NOT NULL AS dead
"""

# A later tick has done the work of those that were given up before it.
SUPERSEDE = """
UPDATE outbox SET dead_at = NULL, done_at = now()
WHERE dead_at IS NOT NULL AND kind = $1 AND id < $2
"""

POSTPONE = """
UPDATE outbox
SET claimed_until = NULL, attempts = greatest(attempts - 1, 0), last_error = coalesce($4, last_error),
    next_at = coalesce(now() + $5::interval + $3::interval, next_at)
WHERE id = $1 AND runs = $2 AND done_at IS NULL AND dead_at IS NULL
"""

DEAD_LETTERS = """
SELECT id, kind, payload - 'secret' AS payload, order_id, attempts, last_error, created_at, dead_at
FROM outbox
WHERE dead_at IS NOT NULL AND ($1::text IS NULL OR kind = $1) AND ($2::uuid IS NULL OR id < $2)
ORDER BY id DESC LIMIT $3
"""

REPLAY = """
UPDATE outbox
SET dead_at = NULL, attempts = 0, claimed_until = NULL, next_at = now() + $2::interval,
    replayed_at = now(), replayed_by = $3
WHERE id = $1 AND dead_at IS NOT NULL
RETURNING kind
"""
