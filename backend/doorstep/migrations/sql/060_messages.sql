-- messages: what was told to whom, one row per message and channel (IQ3).

CREATE TABLE message (
  id uuid NOT NULL,
  -- NULL for a message to a vendor that is about a purchase order.
  order_id uuid,
  -- Only for events of one parcel; an event of the whole order leaves it NULL and is told once.
  fulfilment_id uuid,
  po_id uuid,
  -- A message to our own people about something that waits for them.
  problem_id uuid,
  -- A message to a technician about a visit of his.
  visit_id uuid,
  event text NOT NULL,
  -- A new attempt has its own message: the second handover code is not the first.
  attempt smallint NOT NULL DEFAULT 1,
  channel text NOT NULL,
  recipient text NOT NULL,
  language text NOT NULL,
  template_version smallint NOT NULL,
  subject text NOT NULL DEFAULT '',
  -- The text as sent, with {secret} where the tracking link or the handover code stood.
  body text NOT NULL,
  -- Kept only until it is sent: a copy of this table must not open orders or doors.
  secret text,
  state text NOT NULL DEFAULT 'queued',
  provider_id text,
  failure text,
  sent_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT message_pkey PRIMARY KEY (id),
  CONSTRAINT message_once_key UNIQUE NULLS NOT DISTINCT
    (order_id, fulfilment_id, po_id, problem_id, visit_id, event, attempt, channel, recipient),
  CONSTRAINT message_about_something
    CHECK (num_nonnulls(order_id, po_id, problem_id) > 0),
  CONSTRAINT message_channel_known CHECK (channel IN ('sms', 'email', 'whatsapp', 'push')),
  CONSTRAINT message_language_known CHECK (language IN ('en', 'hi', 'ar')),
  CONSTRAINT message_state_known CHECK (state IN ('queued', 'sent', 'failed')),
  CONSTRAINT message_sent_has_proof CHECK (
    state <> 'sent' OR (sent_at IS NOT NULL AND provider_id IS NOT NULL)),
  CONSTRAINT message_secret_forgotten CHECK (secret IS NULL OR state = 'queued'),
  CONSTRAINT message_body_length CHECK (length(body) BETWEEN 1 AND 4000)
);
CREATE INDEX message_queued_idx ON message (created_at) WHERE state = 'queued';
CREATE INDEX message_provider_idx ON message (provider_id) WHERE provider_id IS NOT NULL;
