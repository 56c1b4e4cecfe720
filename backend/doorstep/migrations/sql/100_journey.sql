-- The journey: fulfilments, the chained events they travel by, steps that came too early, detours.
-- crm loads before and oms after this file; foreign keys to customer_order stand in 110_oms.sql.

CREATE TABLE fulfilment (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL,
  channel_id uuid NOT NULL,
  parcel smallint NOT NULL,
  location_id uuid,                       -- null: short stock, nothing to ship from yet
  owner_id uuid,                          -- vendor whose goods these are; null: our own
  po_id uuid,
  replaces_id uuid REFERENCES fulfilment (id),
  needs_vendor boolean NOT NULL,
  needs_install boolean NOT NULL,
  has_warranty boolean NOT NULL,
  collection boolean NOT NULL DEFAULT false,
  state text NOT NULL DEFAULT 'open',
  ended_as text,
  attempt smallint NOT NULL DEFAULT 1,
  -- The fold of the events below (IO2): stages that are settled, those that a new attempt does not
  -- begin again. Stage and progress never fall, whatever a new attempt begins again (IO1).
  passed smallint[] NOT NULL DEFAULT '{}',
  stage smallint NOT NULL DEFAULT 0,
  progress smallint NOT NULL DEFAULT 0,
  head_seq int NOT NULL DEFAULT 0,
  head_hash bytea NOT NULL DEFAULT '\x',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT fulfilment_parcel_unique UNIQUE (order_id, parcel),
  CONSTRAINT fulfilment_state_known CHECK (state IN ('open', 'ended')),
  CONSTRAINT fulfilment_end_named CHECK ((state = 'ended') = (ended_as IS NOT NULL)),
  CONSTRAINT fulfilment_end_known CHECK (ended_as IN ('cancelled', 'returned', 'lost', 'replaced')),
  CONSTRAINT fulfilment_owner_needs_vendor CHECK (needs_vendor = (owner_id IS NOT NULL))
);
CREATE INDEX fulfilment_open_by_location ON fulfilment (location_id, stage) WHERE state = 'open';
CREATE INDEX fulfilment_by_owner ON fulfilment (owner_id, created_at) WHERE owner_id IS NOT NULL;
CREATE INDEX fulfilment_by_po ON fulfilment (po_id) WHERE po_id IS NOT NULL;
CREATE INDEX fulfilment_by_replaced ON fulfilment (replaces_id) WHERE replaces_id IS NOT NULL;

CREATE TABLE fulfilment_line (
  id uuid PRIMARY KEY,
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  order_line_id uuid NOT NULL,
  product_id uuid NOT NULL,
  quantity int NOT NULL,
  CONSTRAINT fulfilment_line_quantity_positive CHECK (quantity > 0)
);
CREATE INDEX fulfilment_line_by_fulfilment ON fulfilment_line (fulfilment_id);
CREATE INDEX fulfilment_line_by_order_line ON fulfilment_line (order_line_id);

CREATE TABLE journey_event (
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  seq int NOT NULL,
  event_id uuid NOT NULL,
  order_id uuid NOT NULL,
  kind text NOT NULL,                     -- stage: it moved; evidence: kept beside; fact; detour
  name text NOT NULL,                     -- '1013', 'bytes_verified', …
  stage smallint,                         -- of a detour: where the new attempt begins, if it opens one
  ends_as text,                           -- of a detour: how the fulfilment ends, if it does
  how text NOT NULL,
  attempt smallint NOT NULL,
  verdict text NOT NULL,
  reason text NOT NULL,
  actor_id uuid,
  actor_role text NOT NULL,
  source text NOT NULL,
  device text NOT NULL,                   -- the phone's id, or system:<job> (IO4)
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  request_id text NOT NULL,
  evidence jsonb NOT NULL,                -- [{kind, ref, sha256}]
  body bytea NOT NULL,                    -- the exact bytes under the hash; ids, codes, hashes only
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT journey_event_pkey PRIMARY KEY (fulfilment_id, seq),
  CONSTRAINT journey_event_id_unique UNIQUE (event_id),
  CONSTRAINT journey_event_kind_known CHECK (kind IN ('stage', 'evidence', 'fact', 'detour')),
  CONSTRAINT journey_event_how_known CHECK (how IN ('done', 'implied', 'not_applicable', 'not_given')),
  CONSTRAINT journey_event_verdict_known
    CHECK (verdict IN ('applied', 'duplicate', 'held', 'review', 'rejected'))
);
-- One passing per stage and attempt: two writers cannot both win (IO3).
CREATE UNIQUE INDEX journey_event_stage_once ON journey_event (fulfilment_id, stage, attempt)
  WHERE kind = 'stage';
CREATE INDEX journey_event_by_order ON journey_event (order_id, recorded_at);
SELECT make_append_only('journey_event');

CREATE TABLE held_step (
  event_id uuid PRIMARY KEY,
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  order_id uuid NOT NULL,
  stage smallint NOT NULL,
  actor jsonb NOT NULL,                   -- what core.actor.Actor needs to act again later
  evidence jsonb NOT NULL,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  waits_for text NOT NULL,                -- in words, for the console
  released_at timestamptz,
  verdict text,
  CONSTRAINT held_step_release_has_verdict CHECK ((released_at IS NULL) = (verdict IS NULL))
);
CREATE INDEX held_step_waiting ON held_step (fulfilment_id) WHERE released_at IS NULL;

-- A detour (journey/detours.py). Its id is the event that opened it.
CREATE TABLE detour_case (
  id uuid PRIMARY KEY,
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  order_id uuid NOT NULL,
  kind text NOT NULL,
  attempt smallint NOT NULL,              -- the attempt it happened in
  blocks_from smallint,                   -- steps from this stage on are held while it is open
  holds_from smallint,                    -- tranches from this number on wait while it is open
  reason text NOT NULL,                   -- a code of the row, or empty
  detail text NOT NULL,                   -- in words; may name people, so it stands outside the chain
  lines jsonb NOT NULL DEFAULT '[]',      -- [{fulfilment_line_id, quantity, serials}], empty: all
  progress smallint NOT NULL,             -- what the customer sees while it is open
  opened_role text NOT NULL,
  opened_source text NOT NULL,
  happened_at timestamptz NOT NULL,       -- by the clock of who told it
  opened_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_as text,
  expected_on date,                       -- by when it is expected to be over; null: nobody has said
  accepted_at timestamptz,                -- when the customer said yes to that date
  CONSTRAINT detour_case_accepted_has_date CHECK (accepted_at IS NULL OR expected_on IS NOT NULL),
  CONSTRAINT detour_case_closed_whole CHECK ((closed_at IS NULL) = (closed_as IS NULL)),
  -- overtaken: told after the stage that settles it; ended: the fulfilment has ended with it open.
  CONSTRAINT detour_case_closed_known CHECK (closed_as IN ('settled', 'overtaken', 'ended'))
);
CREATE UNIQUE INDEX detour_case_open_once ON detour_case (fulfilment_id, kind) WHERE closed_at IS NULL;
CREATE INDEX detour_case_by_fulfilment ON detour_case (fulfilment_id, kind);
CREATE INDEX detour_case_by_order ON detour_case (order_id);
CREATE INDEX detour_case_expected ON detour_case (expected_on)
  WHERE closed_at IS NULL AND expected_on IS NOT NULL;

-- Covers all heads, itself chained, so that a cut tail or a removed fulfilment is named (IA8).
CREATE TABLE journey_checkpoint (
  seq bigint PRIMARY KEY,
  recorded_at timestamptz NOT NULL,
  heads jsonb NOT NULL,                   -- {fulfilment id: [seq, hash hex]} of heads that moved
  prev_hash bytea NOT NULL,
  hash bytea NOT NULL,
  CONSTRAINT journey_checkpoint_seq_positive CHECK (seq > 0)
);
SELECT make_append_only('journey_checkpoint');

-- Takes the locks of one fulfilment in the order of every writer: order row, then fulfilment.
CREATE FUNCTION journey_lock(p_fulfilment uuid) RETURNS fulfilment LANGUAGE plpgsql AS $$
DECLARE
  found fulfilment;
BEGIN
  PERFORM 1 FROM customer_order o
   WHERE o.id = (SELECT f.order_id FROM fulfilment f WHERE f.id = p_fulfilment)
     FOR NO KEY UPDATE;
  SELECT * INTO found FROM fulfilment f WHERE f.id = p_fulfilment FOR NO KEY UPDATE;
  RETURN found;
END $$;

-- Locks, and reads in the same round trip all that the engine decides by.
CREATE FUNCTION journey_enter(p_fulfilment uuid, p_event uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  f fulfilment;
BEGIN
  f := journey_lock(p_fulfilment);
  IF f.id IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN jsonb_build_object(
    'fulfilment', to_jsonb(f) - 'head_hash',
    'answered', (
      SELECT jsonb_build_object('verdict', e.verdict, 'reason', e.reason, 'name', e.name)
        FROM journey_event e WHERE e.event_id = p_event),
    -- The same id on another parcel is no repeat: it would get the answer of what it is not.
    'taken', EXISTS (SELECT FROM journey_event e
                      WHERE e.event_id = p_event AND e.fulfilment_id <> p_fulfilment)
          OR EXISTS (SELECT FROM held_step h
                      WHERE h.event_id = p_event AND h.fulfilment_id <> p_fulfilment),
    'passed', coalesce((
      SELECT jsonb_agg(to_jsonb(p)) FROM (
        SELECT DISTINCT ON (e.stage) e.stage, e.how, e.actor_id
          FROM journey_event e
         WHERE e.fulfilment_id = p_fulfilment AND e.kind = 'stage' AND e.stage = ANY (f.passed)
         ORDER BY e.stage, e.attempt DESC) p), '[]'),
    'detours', coalesce((
      SELECT jsonb_agg(jsonb_build_object('id', d.id, 'kind', d.kind, 'blocks_from', d.blocks_from,
               'carrier_at', CASE WHEN d.opened_source = 'carrier' THEN d.happened_at END))
        FROM detour_case d
       WHERE d.fulfilment_id = p_fulfilment AND d.closed_at IS NULL), '[]'),
    'held', coalesce((
      SELECT jsonb_agg(to_jsonb(h) ORDER BY h.stage, h.recorded_at)
        FROM held_step h
       WHERE h.fulfilment_id = p_fulfilment AND (h.released_at IS NULL OR h.event_id = p_event)), '[]'));
END $$;

-- Appends events to the chain and moves the projection. The caller holds the fulfilment's lock
-- (or has just inserted the row). Each event: event_id, kind, name, stage, how, verdict, reason,
-- actor_id, actor_role, source, device, captured_at, recorded_at, request_id, evidence, ends_as.
-- A detour with a stage begins a new attempt there; one with ends_as ends the fulfilment.
-- hash = sha256(previous hash || seq as 8 bytes || body bytes).
CREATE FUNCTION journey_append(
  p_fulfilment uuid, p_events jsonb, p_stage smallint, p_progress smallint
) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  f fulfilment;
  e jsonb;
  next_body bytea;
  next_hash bytea;
BEGIN
  SELECT * INTO STRICT f FROM fulfilment WHERE id = p_fulfilment;
  FOR e IN SELECT value FROM jsonb_array_elements(p_events) LOOP
    f.head_seq := f.head_seq + 1;
    next_body := convert_to((e || jsonb_build_object(
      'fulfilment_id', f.id, 'order_id', f.order_id, 'attempt', f.attempt, 'seq', f.head_seq))::text, 'UTF8');
    next_hash := sha256(f.head_hash || int8send(f.head_seq) || next_body);
    INSERT INTO journey_event VALUES (
      f.id, f.head_seq, (e->>'event_id')::uuid, f.order_id, e->>'kind', e->>'name',
      (e->>'stage')::smallint, e->>'ends_as', e->>'how', f.attempt, e->>'verdict', e->>'reason',
      (e->>'actor_id')::uuid, e->>'actor_role', e->>'source', e->>'device',
      (e->>'captured_at')::timestamptz, (e->>'recorded_at')::timestamptz, e->>'request_id',
      e->'evidence', next_body, f.head_hash, next_hash);
    f.head_hash := next_hash;
    IF e->>'kind' = 'stage' THEN
      f.passed := f.passed || (e->>'stage')::smallint;
    ELSIF e->>'kind' = 'detour' AND e->>'stage' IS NOT NULL THEN
      f.attempt := f.attempt + 1;
      f.passed := ARRAY(SELECT s FROM unnest(f.passed) AS s WHERE s < (e->>'stage')::smallint);
    ELSIF e->>'kind' = 'detour' AND e->>'ends_as' IS NOT NULL THEN
      f.state := 'ended';
      f.ended_as := e->>'ends_as';
    END IF;
  END LOOP;
  UPDATE fulfilment
     SET head_seq = f.head_seq, head_hash = f.head_hash, passed = f.passed, attempt = f.attempt,
         state = f.state, ended_as = f.ended_as, stage = greatest(stage, p_stage),
         progress = greatest(progress, p_progress), updated_at = now()
   WHERE id = p_fulfilment;
  RETURN f.head_seq;
END $$;

-- What a body says, or null where it says nothing: whoever rewrites history may write anything, and
-- the doctor must still name it.
CREATE FUNCTION journey_said(body bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END $$;

CREATE FUNCTION journey_time(said text) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN pg_input_is_valid(said, 'timestamptz') THEN said::timestamptz END
$$;

-- Begins a fulfilment: its row, lines, first events, and a detour it is born with (short stock).
CREATE FUNCTION journey_begin(
  parcel jsonb, p_order uuid, p_channel uuid, moment timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO fulfilment (id, order_id, channel_id, parcel, location_id, owner_id, replaces_id, po_id,
                          needs_vendor, needs_install, has_warranty, collection, created_at, updated_at)
  SELECT f.id, p_order, p_channel, f.parcel, f.location_id, f.owner_id, f.replaces_id, f.po_id,
         f.needs_vendor, f.needs_install, f.has_warranty, f.collection, moment, moment
    FROM jsonb_to_record(parcel) AS f(
      id uuid, parcel smallint, location_id uuid, owner_id uuid, replaces_id uuid, po_id uuid,
      needs_vendor boolean, needs_install boolean, has_warranty boolean, collection boolean);
  INSERT INTO fulfilment_line (id, fulfilment_id, order_line_id, product_id, quantity)
  SELECT l.id, (parcel->>'id')::uuid, l.order_line_id, l.product_id, l.quantity
    FROM jsonb_to_recordset(parcel->'lines') AS l(
      id uuid, order_line_id uuid, product_id uuid, quantity int);
  PERFORM journey_append((parcel->>'id')::uuid, parcel->'events', (parcel->>'stage')::smallint,
                         (parcel->>'progress')::smallint);
  INSERT INTO detour_case (id, fulfilment_id, order_id, kind, attempt, blocks_from, holds_from, reason,
                           detail, progress, opened_role, opened_source, happened_at, opened_at)
  SELECT d.id, (parcel->>'id')::uuid, p_order, d.kind, 1, d.blocks_from, d.holds_from, d.reason,
         d.detail, 5, 'system', 'system', moment, moment
    FROM jsonb_to_record(CASE WHEN parcel->'detour' = 'null' THEN '{}' ELSE parcel->'detour' END) AS d(
      id uuid, kind text, blocks_from smallint, holds_from smallint, reason text, detail text)
   WHERE d.id IS NOT NULL;
END $$;
