-- messages: what was told to whom, one row per message and channel (IQ3); by which words, whether they
-- arrived, and who does not want any.

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
  -- An answer to what somebody wrote to us (STOP, HELP).
  reply_to uuid,
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
  -- What the words are called at the provider who sends only words that he knows (WhatsApp, DLT), and
  -- what is filled into them, in order.
  provider_template text NOT NULL DEFAULT '',
  parameters text[] NOT NULL DEFAULT '{}',
  -- Kept only until it is sent: a copy of this table must not open orders or doors.
  secret text,
  -- Of one chain only the first possible one is sent; the next stands by in case it does not arrive.
  chain_id uuid,
  place smallint NOT NULL DEFAULT 0,
  -- Minutes that a receipt may take before the next of the chain is sent.
  receipt_minutes smallint NOT NULL DEFAULT 60,
  -- The reader has asked for exactly this: it goes out whatever he has opted out of.
  asked_for boolean NOT NULL DEFAULT false,
  -- It is sent again where nobody can say whether it was: twice is better than never.
  no_loss boolean NOT NULL DEFAULT false,
  -- Hours at which this reader is left in peace, by his own zone; NULL for what may come at any hour.
  quiet_zone text,
  quiet_from time,
  quiet_until time,
  -- Not before; and not after, for then it would be no news any more.
  send_at timestamptz NOT NULL DEFAULT now(),
  valid_until timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'queued',
  -- How often it was handed to a provider who may have taken it, and when last.
  sends smallint NOT NULL DEFAULT 0,
  sending_at timestamptz,
  provider text,
  provider_id text,
  -- Why it failed, or was not sent.
  failure text,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT message_pkey PRIMARY KEY (id),
  CONSTRAINT message_once_key UNIQUE NULLS NOT DISTINCT
    (order_id, fulfilment_id, po_id, problem_id, visit_id, reply_to, event, attempt, channel, recipient),
  CONSTRAINT message_place_once UNIQUE (chain_id, place),
  CONSTRAINT message_about_something
    CHECK (num_nonnulls(order_id, po_id, problem_id, reply_to) > 0),
  CONSTRAINT message_channel_known CHECK (channel IN ('sms', 'email', 'whatsapp', 'push')),
  CONSTRAINT message_language_known CHECK (language IN ('en', 'hi', 'ar')),
  CONSTRAINT message_state_known CHECK (state IN
    ('standby', 'queued', 'sending', 'sent_unknown', 'sent', 'delivered', 'read', 'failed', 'skipped')),
  CONSTRAINT message_standby_in_chain CHECK (state <> 'standby' OR chain_id IS NOT NULL),
  CONSTRAINT message_sent_has_proof CHECK (
    state NOT IN ('sent', 'delivered', 'read') OR (sent_at IS NOT NULL AND provider_id IS NOT NULL)),
  CONSTRAINT message_says_why CHECK (state NOT IN ('failed', 'skipped') OR failure IS NOT NULL),
  CONSTRAINT message_secret_forgotten CHECK (
    secret IS NULL OR state IN ('standby', 'queued', 'sending', 'sent_unknown')),
  CONSTRAINT message_quiet_whole CHECK (num_nonnulls(quiet_zone, quiet_from, quiet_until) IN (0, 3)),
  CONSTRAINT message_valid_forward CHECK (valid_until > created_at),
  CONSTRAINT message_body_length CHECK (length(body) BETWEEN 1 AND 4000)
);
CREATE INDEX message_queued_idx ON message (created_at) WHERE state = 'queued';
CREATE INDEX message_provider_idx ON message (provider_id) WHERE provider_id IS NOT NULL;

-- What providers say of messages, each word once. They come in any order, also before we know the
-- provider's number of the message: then `message_id` is found by it later.
CREATE TABLE message_report (
  id uuid CONSTRAINT message_report_pkey PRIMARY KEY,
  provider text NOT NULL,
  provider_id text NOT NULL,
  -- Our own number, where the report names it.
  message_id uuid,
  -- The provider's word, and what it means here.
  status text NOT NULL,
  means text NOT NULL CONSTRAINT message_report_means_known
    CHECK (means IN ('sent', 'delivered', 'read', 'failed', 'nothing')),
  reason text NOT NULL,
  at timestamptz NOT NULL,
  content jsonb NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT message_report_once UNIQUE (provider, provider_id, status)
);
CREATE INDEX message_report_message ON message_report (message_id) WHERE message_id IS NOT NULL;
SELECT make_append_only('message_report');

-- What people write to our numbers, once each.
CREATE TABLE message_inbound (
  id uuid CONSTRAINT message_inbound_pkey PRIMARY KEY,
  provider text NOT NULL,
  provider_id text NOT NULL,
  channel text NOT NULL,
  sender text NOT NULL,
  body text NOT NULL,
  -- What it was taken for: stop, start, help, or words for a person.
  taken_as text NOT NULL CONSTRAINT message_inbound_taken_known
    CHECK (taken_as IN ('stop', 'start', 'help', 'words')),
  at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT message_inbound_once UNIQUE (provider, provider_id)
);
CREATE INDEX message_inbound_sender ON message_inbound (sender, received_at);
SELECT make_append_only('message_inbound');

-- Who wants to be written to, where. The newest of an address holds; who has none said nothing against it.
CREATE TABLE contact_preference (
  id uuid CONSTRAINT contact_preference_pkey PRIMARY KEY,
  channel text NOT NULL CONSTRAINT contact_preference_channel_known
    CHECK (channel IN ('sms', 'email', 'whatsapp')),
  -- +971501234567, or an e-mail address in small letters.
  address text NOT NULL CONSTRAINT contact_preference_address_length CHECK (length(address) BETWEEN 3 AND 255),
  -- The how many-th word about this address: the clocks of two servers do not decide which is the newest.
  n integer NOT NULL CONSTRAINT contact_preference_n_positive CHECK (n > 0),
  wanted boolean NOT NULL,
  why text NOT NULL CONSTRAINT contact_preference_why_known
    CHECK (why IN ('stop', 'start', 'page', 'desk', 'complaint', 'hard_bounce', 'provider')),
  detail text NOT NULL DEFAULT '',
  set_by uuid,
  set_at timestamptz NOT NULL,
  CONSTRAINT contact_preference_once UNIQUE (channel, address, n)
);
SELECT make_append_only('contact_preference');

-- The company's own words in place of those that are shipped. The newest of a template, channel and
-- language hold; switching back is saving the old ones again.
CREATE TABLE message_template (
  id uuid CONSTRAINT message_template_pkey PRIMARY KEY,
  -- One number for all languages that were saved together, in the order of saving.
  number integer NOT NULL CONSTRAINT message_template_number_positive CHECK (number > 0),
  template text NOT NULL,
  channel text NOT NULL CONSTRAINT message_template_channel_known
    CHECK (channel IN ('sms', 'email', 'whatsapp')),
  language text NOT NULL CONSTRAINT message_template_language_known CHECK (language IN ('en', 'hi', 'ar')),
  version smallint NOT NULL CONSTRAINT message_template_version_own CHECK (version > 1),
  subject text NOT NULL,
  body text NOT NULL CONSTRAINT message_template_body_length CHECK (length(body) BETWEEN 1 AND 3000),
  -- The name of these words at WhatsApp, or their DLT id at MSG91; empty where none is needed.
  provider_template text NOT NULL,
  written_by uuid,
  written_at timestamptz NOT NULL,
  CONSTRAINT message_template_version_once UNIQUE (template, channel, language, version),
  CONSTRAINT message_template_number_once UNIQUE (number, language)
);
SELECT make_append_only('message_template');

-- How a channel of the company writes to its customers; one without a row has the defaults of the columns.
CREATE TABLE message_rule (
  channel_id uuid CONSTRAINT message_rule_pkey PRIMARY KEY,
  quiet_from time NOT NULL DEFAULT '21:00',
  quiet_until time NOT NULL DEFAULT '08:00',
  -- What the confirmation of a delivery says beside its thanks (P17); empty words are not said.
  ask_feedback boolean NOT NULL DEFAULT true,
  coupon_code text NOT NULL DEFAULT '' CONSTRAINT message_rule_coupon_length CHECK (length(coupon_code) <= 40),
  review_url text NOT NULL DEFAULT ''
    CONSTRAINT message_rule_review_https CHECK (review_url = '' OR review_url ~ '^https://'),
  -- Whom a customer calls; the order's page offers it where it is known.
  support_phone text NOT NULL DEFAULT ''
    CONSTRAINT message_rule_phone_e164 CHECK (support_phone ~ '^(\+[1-9][0-9]{6,14})?$'),
  set_by uuid,
  set_at timestamptz NOT NULL DEFAULT now()
);
