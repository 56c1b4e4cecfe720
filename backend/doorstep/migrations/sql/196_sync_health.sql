-- How each phone stands, as it told with its last push, and when it was last heard.
CREATE TABLE sync_health (
  device_id         uuid CONSTRAINT sync_health_pkey PRIMARY KEY
    CONSTRAINT sync_health_of_device REFERENCES device (id),
  last_push_at      timestamptz,
  last_pull_at      timestamptz,
  -- When it last got a receipt: from then on it may forget what it had captured.
  last_receipt_at   timestamptz,
  -- From here on in the words of the phone; all NULL for one that has never told.
  reported_at       timestamptz,
  entries           integer,
  entry_bytes       bigint,
  pictures          integer,
  picture_bytes     bigint,
  quarantined       integer,
  -- By our clock: the phone tells the age.
  oldest_at         timestamptz,
  storage_used      bigint,
  storage_quota     bigint,
  storage_persisted boolean,
  clock_offset_ms   bigint,
  -- Places of its that could not be read, and when the last of them came; by our own count.
  places_unreadable    integer NOT NULL DEFAULT 0,
  places_unreadable_at timestamptz,
  CONSTRAINT sync_health_reported_whole CHECK (
    (reported_at IS NULL) = (entries IS NULL) AND (reported_at IS NULL) = (quarantined IS NULL)),
  CONSTRAINT sync_health_not_negative CHECK (
    least(entries, entry_bytes, pictures, picture_bytes, quarantined, storage_used, storage_quota) >= 0)
) WITH (fillfactor = 80);
CREATE INDEX sync_health_at_risk ON sync_health (device_id)
  WHERE oldest_at IS NOT NULL OR quarantined > 0;
