-- People and how they get in. Tokens, codes, passwords and PINs are kept as hashes only.

CREATE TABLE person (
  id             uuid PRIMARY KEY,
  role           text NOT NULL,
  name           text NOT NULL,
  login          text,
  password_hash  text,
  -- Empty means every channel.
  channel_ids    uuid[] NOT NULL DEFAULT '{}',
  location_id    uuid,
  vendor_id      uuid,
  languages      text[] NOT NULL DEFAULT '{en}',
  phone          text,
  active         boolean NOT NULL DEFAULT true,
  created_at     timestamptz NOT NULL,
  created_by     uuid,
  deactivated_at timestamptz,
  CONSTRAINT person_created_by_person FOREIGN KEY (created_by) REFERENCES person (id),
  -- A customer comes by link and the system by itself: neither is a person here.
  CONSTRAINT person_role_known CHECK (role IN ('sales', 'finance', 'warehouse', 'store', 'courier',
    'delivery', 'technician', 'dispatcher', 'support', 'admin', 'vendor', 'vendor_store')),
  CONSTRAINT person_login_with_password CHECK ((login IS NULL) = (password_hash IS NULL)),
  -- Without its place such a role would see nothing, or with a mistake in a query everything.
  CONSTRAINT person_location_given
    CHECK (location_id IS NOT NULL OR role NOT IN ('warehouse', 'store', 'vendor_store')),
  CONSTRAINT person_vendor_given CHECK (vendor_id IS NOT NULL OR role <> 'vendor'),
  CONSTRAINT person_inactive_since CHECK (active = (deactivated_at IS NULL))
);
CREATE UNIQUE INDEX person_login_once ON person (lower(login));

-- A phone or scanner that a field worker enrolled, known by the key it made for this person. A locked
-- one keeps its sessions until their access runs out (so that it can hand in what it captured), a
-- draining one hands in all it has and then signs out, a revoked one is out at once and for good.
CREATE TABLE device (
  id             uuid PRIMARY KEY,
  person_id      uuid NOT NULL,
  label          text NOT NULL,
  pin_hash       text NOT NULL,
  pin_failures   integer NOT NULL DEFAULT 0,
  -- The point of its key on P-256, uncompressed: with the other half it signs what it captures.
  public_key     bytea NOT NULL,
  app_version    text NOT NULL DEFAULT '',
  state          text NOT NULL DEFAULT 'active',
  -- Since when it is so, by whose command (nobody's: ten wrong PINs, a sign-in), when it heard of it.
  state_at       timestamptz NOT NULL,
  state_by       uuid,
  heard_at       timestamptz,
  -- The time under its last surrender: an older one is a replay.
  surrendered_at timestamptz,
  created_at     timestamptz NOT NULL,
  last_seen_at   timestamptz NOT NULL,
  CONSTRAINT device_of_person FOREIGN KEY (person_id) REFERENCES person (id),
  CONSTRAINT device_state_by_person FOREIGN KEY (state_by) REFERENCES person (id),
  CONSTRAINT device_public_key_once UNIQUE (public_key),
  CONSTRAINT device_public_key_is_a_point
    CHECK (octet_length(public_key) = 65 AND get_byte(public_key, 0) = 4),
  CONSTRAINT device_state_known
    CHECK (state IN ('active', 'locked', 'draining', 'signed_out', 'revoked')),
  CONSTRAINT device_pin_failures_bounded CHECK (pin_failures BETWEEN 0 AND 10)
);
CREATE INDEX device_by_person ON device (person_id);

CREATE TABLE enrolment_code (
  code_hash  bytea PRIMARY KEY,
  person_id  uuid NOT NULL,
  created_at timestamptz NOT NULL,
  created_by uuid,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz,
  CONSTRAINT enrolment_code_of_person FOREIGN KEY (person_id) REFERENCES person (id),
  CONSTRAINT enrolment_code_created_by_person FOREIGN KEY (created_by) REFERENCES person (id),
  CONSTRAINT enrolment_code_hash_is_sha256 CHECK (octet_length(code_hash) = 32)
);
CREATE INDEX enrolment_code_by_person ON enrolment_code (person_id);

-- One row per sign-in: the family of all tokens that follow from it.
CREATE TABLE session (
  id           uuid PRIMARY KEY,
  person_id    uuid NOT NULL,
  device_id    uuid,
  source       text NOT NULL,
  label        text NOT NULL DEFAULT '',
  created_at   timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL,
  revoked_at   timestamptz,
  revoked_why  text,
  CONSTRAINT session_of_person FOREIGN KEY (person_id) REFERENCES person (id),
  CONSTRAINT session_of_device FOREIGN KEY (device_id) REFERENCES device (id),
  CONSTRAINT session_source_known CHECK (source IN ('person', 'phone', 'integration')),
  CONSTRAINT session_phone_has_device CHECK ((source = 'phone') = (device_id IS NOT NULL)),
  CONSTRAINT session_revoked_why CHECK ((revoked_at IS NULL) = (revoked_why IS NULL))
);
CREATE INDEX session_by_person ON session (person_id);
CREATE INDEX session_by_device ON session (device_id) WHERE device_id IS NOT NULL;

-- Spent refresh tokens stay until they would have expired: one that comes back once its successor was
-- used was stolen, however many rotations ago, and ends the whole session. The successor counts as
-- used when it is spent itself, or the access token that came with it has opened something.
CREATE TABLE session_token (
  token_hash bytea PRIMARY KEY,
  session_id uuid NOT NULL,
  kind       text NOT NULL,
  expires_at timestamptz NOT NULL,
  spent_at   timestamptz,
  used_at    timestamptz,
  CONSTRAINT session_token_of_session
    FOREIGN KEY (session_id) REFERENCES session (id) ON DELETE CASCADE,
  CONSTRAINT session_token_kind_known CHECK (kind IN ('access', 'refresh')),
  CONSTRAINT session_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
  CONSTRAINT session_token_only_refresh_is_spent CHECK (spent_at IS NULL OR kind = 'refresh'),
  CONSTRAINT session_token_only_access_is_used CHECK (used_at IS NULL OR kind = 'access')
);
-- A session has one refresh token that still works; two rotations at once cannot both win.
CREATE UNIQUE INDEX session_token_one_live_refresh
  ON session_token (session_id) WHERE kind = 'refresh' AND spent_at IS NULL;
CREATE INDEX session_token_by_session ON session_token (session_id, expires_at);
