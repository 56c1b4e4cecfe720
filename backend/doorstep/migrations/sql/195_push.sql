-- push: how a field worker's phone is told to look, and what became of each time it was told.

-- One per phone. It ends with the phone's last session, whichever way that ends.
CREATE TABLE push_subscription (
  device_id     uuid CONSTRAINT push_subscription_pkey PRIMARY KEY
    CONSTRAINT push_subscription_of_device REFERENCES device (id),
  -- Two people who share a browser share the endpoint: the last one to sign in has it.
  endpoint      text NOT NULL CONSTRAINT push_subscription_endpoint_once UNIQUE
    CONSTRAINT push_subscription_endpoint_length CHECK (length(endpoint) BETWEEN 1 AND 1000),
  p256dh        bytea NOT NULL CONSTRAINT push_subscription_p256dh_is_a_point CHECK (octet_length(p256dh) = 65),
  auth          bytea NOT NULL CONSTRAINT push_subscription_auth_length CHECK (octet_length(auth) = 16),
  expires_at    timestamptz,
  renewed_at    timestamptz NOT NULL
);

CREATE FUNCTION push_subscription_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ended uuid;
BEGIN
  IF TG_TABLE_NAME = 'device' THEN ended := NEW.id; ELSE ended := OLD.device_id; END IF;
  DELETE FROM push_subscription s WHERE s.device_id = ended AND NOT EXISTS (
    SELECT FROM device d JOIN session e ON e.device_id = d.id
     WHERE d.id = ended AND d.state <> 'revoked' AND e.revoked_at IS NULL);
  RETURN NULL;
END $$;
-- At the end of the transaction: who signs in anew ends the older session before the new one begins.
CREATE CONSTRAINT TRIGGER push_subscription_ends_with_device
  AFTER UPDATE OF state ON device DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state = 'revoked') EXECUTE FUNCTION push_subscription_ends();
CREATE CONSTRAINT TRIGGER push_subscription_ends_with_session
  AFTER UPDATE OF revoked_at ON session DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.device_id IS NOT NULL) EXECUTE FUNCTION push_subscription_ends();
CREATE CONSTRAINT TRIGGER push_subscription_ends_with_forgotten_session
  AFTER DELETE ON session DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.device_id IS NOT NULL) EXECUTE FUNCTION push_subscription_ends();

-- One word to one phone. It says where to look (`lane`) and of what kind the news is, never what it
-- says: a lock screen is read by everybody. `key` names the fact, so that it is told once.
CREATE TABLE push_message (
  id         uuid CONSTRAINT push_message_pkey PRIMARY KEY,
  device_id  uuid NOT NULL CONSTRAINT push_message_of_device REFERENCES device (id),
  kind       text NOT NULL,
  lane       text NOT NULL CONSTRAINT push_message_lane_length CHECK (length(lane) BETWEEN 1 AND 100),
  key        text NOT NULL,
  state      text NOT NULL DEFAULT 'waiting' CONSTRAINT push_message_state_known
    CHECK (state IN ('waiting', 'sent', 'overtaken', 'expired', 'gone', 'refused')),
  reason     text,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  sent_at    timestamptz,
  -- By the phone's own clock; `acked_at` is ours.
  shown_at   timestamptz,
  tapped_at  timestamptz,
  acked_at   timestamptz,
  CONSTRAINT push_message_told_once UNIQUE (device_id, key),
  CONSTRAINT push_message_sent_at_known CHECK ((state = 'sent') = (sent_at IS NOT NULL)),
  CONSTRAINT push_message_not_sent_why CHECK ((reason IS NOT NULL) = (state IN ('gone', 'refused'))),
  CONSTRAINT push_message_ack_whole
    CHECK ((acked_at IS NOT NULL) = (num_nonnulls(shown_at, tapped_at) > 0)),
  CONSTRAINT push_message_expires_later CHECK (expires_at > created_at)
) WITH (fillfactor = 80);
CREATE INDEX push_message_by_lane ON push_message (device_id, lane, id);
CREATE INDEX push_message_acked ON push_message (device_id, acked_at) WHERE acked_at IS NOT NULL;
CREATE INDEX push_message_unacked ON push_message (device_id, sent_at)
  WHERE state = 'sent' AND acked_at IS NULL;
CREATE INDEX push_message_created ON push_message (created_at);

-- Does a phone hear us? What it was told since it last said so, and since when.
CREATE VIEW device_push AS
SELECT d.id AS device_id, d.person_id, s.device_id IS NOT NULL AS subscribed,
       heard.last_push_acked_at, silent.unacked, silent.unacked_since
  FROM device d
  LEFT JOIN push_subscription s ON s.device_id = d.id
 CROSS JOIN LATERAL (
   SELECT max(m.acked_at) AS last_push_acked_at FROM push_message m
    WHERE m.device_id = d.id AND m.acked_at IS NOT NULL) heard
 CROSS JOIN LATERAL (
   SELECT count(*)::int AS unacked, min(m.sent_at) AS unacked_since FROM push_message m
    WHERE m.device_id = d.id AND m.state = 'sent' AND m.acked_at IS NULL
      AND m.sent_at > coalesce(heard.last_push_acked_at, '-infinity')) silent
 WHERE d.state <> 'revoked';
