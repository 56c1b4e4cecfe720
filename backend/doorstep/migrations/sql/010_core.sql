-- The plumbing of DESIGN §3: outbox, recurring jobs, inbox, idempotency keys.

-- What has to happen outside, or later, because of a fact; written in the fact's transaction.
-- `runs` is the fence: a message to a worker names the run it stands for, and starting that run
-- moves the number on, so two workers never start the same one. `attempts` counts towards giving
-- up; a replay sets it back. `claimed_until` is the lease of the relay, then of the running job.
CREATE TABLE outbox (
  id uuid CONSTRAINT outbox_pkey PRIMARY KEY DEFAULT new_id(),
  kind text NOT NULL CONSTRAINT outbox_kind_check CHECK (kind ~ '^[a-z0-9_]+\.[a-z0-9_]+$'),
  payload jsonb NOT NULL,
  order_id uuid,
  key text CONSTRAINT outbox_key_key UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now(),
  next_at timestamptz NOT NULL DEFAULT now(),
  runs integer NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  claimed_until timestamptz,
  last_error text,
  done_at timestamptz,
  dead_at timestamptz,
  replayed_at timestamptz,
  replayed_by uuid,
  CONSTRAINT outbox_ends_once_check CHECK (done_at IS NULL OR dead_at IS NULL)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- `kind` is in the index so that the kinds of a full queue are passed over without a look at the row.
CREATE INDEX outbox_due_idx ON outbox (next_at, kind) WHERE done_at IS NULL AND dead_at IS NULL;
CREATE INDEX outbox_dead_idx ON outbox (id) WHERE dead_at IS NOT NULL;
CREATE INDEX outbox_order_idx ON outbox (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX outbox_done_idx ON outbox (done_at) WHERE done_at IS NOT NULL;

-- The same row as `outbox.add`, for SQL functions; null when the key is already there.
CREATE FUNCTION outbox_add(
  of_kind text, with_payload jsonb, for_order uuid DEFAULT NULL, with_key text DEFAULT NULL,
  run_at timestamptz DEFAULT NULL
) RETURNS uuid LANGUAGE sql VOLATILE AS $$
  INSERT INTO outbox (kind, payload, order_id, key, next_at)
  VALUES (of_kind, with_payload, for_order, with_key, coalesce(run_at, now()))
  ON CONFLICT (key) DO NOTHING
  RETURNING id
$$;

-- What runs again and again; each tick is an outbox row. A tick that was missed is run once, late.
CREATE TABLE recurring_job (
  name text CONSTRAINT recurring_job_pkey PRIMARY KEY,
  next_at timestamptz NOT NULL,
  outbox_id uuid
);

-- Writes a row for every job that is due and whose last tick has ended; returns how many rows,
-- and the seconds until the next one. SKIP LOCKED: of many workers, one makes the tick.
CREATE FUNCTION recurring_tick(names text[], seconds double precision[], clock_offset interval)
RETURNS TABLE (started bigint, pause double precision) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  moment timestamptz := now() + clock_offset;
BEGIN
  INSERT INTO recurring_job (name, next_at)
  SELECT n, moment FROM unnest(names) AS n
  ON CONFLICT (name) DO NOTHING;

  WITH due AS (
    SELECT r.name, r.next_at, w.every, new_id() AS row_id
    FROM recurring_job r
    JOIN unnest(names, seconds) AS w (name, every) ON w.name = r.name
    LEFT JOIN outbox o ON o.id = r.outbox_id AND o.done_at IS NULL AND o.dead_at IS NULL
    WHERE r.next_at <= moment AND o.id IS NULL
    FOR UPDATE OF r SKIP LOCKED
  ), moved AS (
    -- The next tick lies on the grid of the first one, however late this one is.
    UPDATE recurring_job r
    SET outbox_id = due.row_id,
        next_at = due.next_at + make_interval(secs => due.every * (
          1 + floor(extract(epoch FROM moment - due.next_at) / due.every)))
    FROM due WHERE r.name = due.name
  )
  INSERT INTO outbox (id, kind, payload, next_at)
  SELECT row_id, name, jsonb_build_object('due_at', next_at), moment FROM due;
  GET DIAGNOSTICS started = ROW_COUNT;

  SELECT coalesce(extract(epoch FROM min(r.next_at) - moment), 60) INTO pause
  FROM recurring_job r WHERE r.name = ANY (names);
  RETURN NEXT;
END $$;

-- What others sent us, raw, before anybody has looked into it.
CREATE TABLE inbox (
  id uuid CONSTRAINT inbox_pkey PRIMARY KEY,
  source text NOT NULL CONSTRAINT inbox_source_check CHECK (length(source) BETWEEN 1 AND 40),
  source_id text NOT NULL CONSTRAINT inbox_source_id_check CHECK (length(source_id) BETWEEN 1 AND 200),
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  received_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'new'
    CONSTRAINT inbox_state_check CHECK (state IN ('new', 'waiting', 'done', 'problem')),
  waits_for text,
  attempts integer NOT NULL DEFAULT 0,
  last_error text,
  done_at timestamptz,
  CONSTRAINT inbox_source_source_id_key UNIQUE (source, source_id),
  CONSTRAINT inbox_waits_for_check CHECK (CASE state
    WHEN 'waiting' THEN waits_for IS NOT NULL WHEN 'problem' THEN true ELSE waits_for IS NULL END),
  CONSTRAINT inbox_done_at_check CHECK ((state = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX inbox_waits_for_idx ON inbox (waits_for) WHERE waits_for IS NOT NULL;
CREATE INDEX inbox_received_at_idx ON inbox (received_at) WHERE state = 'waiting';
CREATE INDEX inbox_done_at_idx ON inbox (done_at) WHERE done_at IS NOT NULL;

-- Taken by whoever parks a message and by whoever creates the key it waits for: so the message is
-- either parked before the creator looks, or is parked after the creator has committed, and then
-- the second look of the one who parked it finds the key.
CREATE FUNCTION inbox_lock(appearing text) RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('inbox:' || appearing, 0))
$$;

-- Called in the transaction that creates the things these keys name; wakes what waits for them,
-- also what has waited so long that it became a problem.
CREATE FUNCTION inbox_key_appeared(keys text[]) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  woken bigint;
BEGIN
  -- In one order, so that two creators never wait for one another.
  PERFORM inbox_lock(k) FROM (SELECT DISTINCT unnest(keys) AS k ORDER BY 1) AS sorted;
  -- A statement of its own: its snapshot is taken with the locks in hand.
  WITH freed AS (
    UPDATE inbox SET state = 'new', waits_for = NULL
    WHERE state IN ('waiting', 'problem') AND waits_for = ANY (keys)
    RETURNING id
  )
  INSERT INTO outbox (kind, payload)
  SELECT 'inbox.handle', jsonb_build_object('inbox_id', id) FROM freed;
  GET DIAGNOSTICS woken = ROW_COUNT;
  RETURN woken;
END $$;

-- What was answered to a request with an Idempotency-Key, to be answered again.
CREATE TABLE idempotency_key (
  scope text NOT NULL,
  key text NOT NULL CONSTRAINT idempotency_key_key_check CHECK (length(key) BETWEEN 8 AND 128),
  route text NOT NULL,
  body_sha256 bytea NOT NULL,
  status smallint NOT NULL,
  headers jsonb NOT NULL,
  answer bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT idempotency_key_pkey PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_key_created_at_idx ON idempotency_key (created_at);

-- Asks, at the start of a transaction, whether the request may run: `new` (and the key is this
-- transaction's until it ends), `replay` (with the stored answer), `other` (the key was used for
-- another request) or `busy` (another transaction is at it).
CREATE FUNCTION idempotency_begin(of_scope text, of_key text, of_route text, of_body_sha256 bytea)
RETURNS TABLE (outcome text, status smallint, headers jsonb, answer bytea)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  -- The first look needs no lock: a stored answer never changes. The second is for one that was
  -- stored between the look and the lock; each statement here has its own snapshot.
  FOR look IN 1..2 LOOP
    RETURN QUERY
      SELECT CASE WHEN k.route = of_route AND k.body_sha256 = of_body_sha256
                  THEN 'replay' ELSE 'other' END,
             k.status, k.headers, k.answer
      FROM idempotency_key k WHERE k.scope = of_scope AND k.key = of_key;
    IF FOUND THEN
      RETURN;
    END IF;
    IF look = 1 AND NOT pg_try_advisory_xact_lock(
         hashtextextended('idempotency:' || of_scope || E'\n' || of_key, 0)) THEN
      RETURN QUERY SELECT 'busy', NULL::smallint, NULL::jsonb, NULL::bytea;
      RETURN;
    END IF;
  END LOOP;
  RETURN QUERY SELECT 'new', NULL::smallint, NULL::jsonb, NULL::bytea;
END $$;

-- Keeps the answer, in the transaction that `idempotency_begin` let run.
CREATE FUNCTION idempotency_store(
  of_scope text, of_key text, of_route text, of_body_sha256 bytea,
  with_status integer, with_headers jsonb, with_answer bytea
) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO idempotency_key (scope, key, route, body_sha256, status, headers, answer)
  VALUES (of_scope, of_key, of_route, of_body_sha256, with_status, with_headers, with_answer)
$$;
