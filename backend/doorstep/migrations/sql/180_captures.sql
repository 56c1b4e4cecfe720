-- What phones hand in by sync: each event as it came, before anybody has looked into it, and then
-- what became of it. The row is the receipt: once it has a verdict it never changes again.
-- `earliest_at` and `latest_at` bound the capture by what the server itself knows of time;
-- `time_flag` says that the phone's wall clock was far outside. Nobody orders or pays by them.
CREATE TABLE capture (
  event_id       uuid CONSTRAINT capture_pkey PRIMARY KEY,
  person_id      uuid NOT NULL CONSTRAINT capture_of_person REFERENCES person (id),
  device_id      uuid NOT NULL CONSTRAINT capture_of_device REFERENCES device (id),
  body           bytea NOT NULL,
  -- Of type and payload: another content under this id is told apart, another signature is not.
  digest         bytea NOT NULL CONSTRAINT capture_digest_is_sha256 CHECK (octet_length(digest) = 32),
  type           text,
  schema_version integer,
  lane           text,
  device_seq     bigint,
  captured_at    timestamptz,
  mono_ms        bigint,
  boot           uuid,
  server_at      timestamptz,
  server_mono_ms bigint,
  app_version    text NOT NULL,
  request_id     text NOT NULL,
  received_at    timestamptz NOT NULL,
  earliest_at    timestamptz,
  latest_at      timestamptz,
  time_flag      text CONSTRAINT capture_time_flag_known CHECK (time_flag IN ('backdated', 'postdated')),
  verdict        text CONSTRAINT capture_verdict_known
    CHECK (verdict IN ('applied', 'duplicate', 'held', 'review', 'rejected')),
  reason         text,
  -- Whether the device has signed it as it was enrolled (of what cannot be read nobody knows), and
  -- whether it came without a session, by the signature alone (IC5).
  signature      text CONSTRAINT capture_signature_known
    CHECK (signature IN ('valid', 'missing', 'wrong')),
  surrendered    boolean NOT NULL,
  recorded_at    timestamptz,
  attempts       integer NOT NULL DEFAULT 0,
  next_at        timestamptz NOT NULL,
  failure        text,
  CONSTRAINT capture_receipt_whole CHECK (
    (verdict IS NULL) = (recorded_at IS NULL) AND (verdict IS NULL) = (reason IS NULL)),
  -- What could not be read was rejected as it came.
  CONSTRAINT capture_readable_or_rejected CHECK (verdict = 'rejected' OR num_nulls(
    type, schema_version, lane, device_seq, captured_at, mono_ms, boot, earliest_at, latest_at) = 0),
  -- Only what its device has signed and handed in with a session is ever carried out.
  CONSTRAINT capture_proven_or_reviewed CHECK (
    signature = 'valid' AND NOT surrendered
    OR verdict IS NOT NULL AND verdict IN ('review', 'rejected')),
  CONSTRAINT capture_interval_forwards CHECK (earliest_at <= latest_at)
) WITH (fillfactor = 80);
CREATE INDEX capture_by_device ON capture (device_id, device_seq);
CREATE INDEX capture_by_person ON capture (person_id, received_at);
-- Desks list what did not simply count, the newest first.
CREATE INDEX capture_of_concern ON capture (verdict, received_at, event_id)
  WHERE verdict IN ('held', 'review', 'rejected');
CREATE INDEX capture_open_by_device ON capture (device_id, device_seq, event_id) WHERE verdict IS NULL;
CREATE INDEX capture_open_due ON capture (next_at) WHERE verdict IS NULL;

-- What a phone sent stays as it came, and a receipt that was given stays given.
CREATE FUNCTION capture_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.verdict IS NULL
     AND (OLD.event_id, OLD.person_id, OLD.device_id, OLD.body, OLD.received_at)
       = (NEW.event_id, NEW.person_id, NEW.device_id, NEW.body, NEW.received_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'capture % is kept as it is', OLD.event_id USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER capture_stays BEFORE UPDATE OR DELETE ON capture
  FOR EACH ROW EXECUTE FUNCTION capture_stays();

-- What has no place there, kept all the same: without a readable id, under an id that another phone
-- has made, or with other content than what was kept under its id first.
CREATE TABLE stray_capture (
  id          uuid CONSTRAINT stray_capture_pkey PRIMARY KEY,
  event_id    uuid,
  why         text NOT NULL CONSTRAINT stray_capture_why_known
    CHECK (why IN ('unreadable', 'foreign', 'differs')),
  body        bytea NOT NULL,
  sha256      bytea NOT NULL CONSTRAINT stray_capture_sha256_length CHECK (octet_length(sha256) = 32),
  person_id   uuid NOT NULL CONSTRAINT stray_capture_of_person REFERENCES person (id),
  device_id   uuid NOT NULL CONSTRAINT stray_capture_of_device REFERENCES device (id),
  app_version text NOT NULL,
  request_id  text NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT stray_capture_kept_once UNIQUE (device_id, sha256, why),
  CONSTRAINT stray_capture_has_id CHECK ((event_id IS NULL) = (why = 'unreadable'))
);
CREATE INDEX stray_capture_by_event ON stray_capture (event_id) WHERE event_id IS NOT NULL;
SELECT make_append_only('stray_capture');
