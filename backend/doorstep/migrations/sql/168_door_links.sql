-- Links by which a customer pays at the door with his own phone. The id is the event id of the device
-- that asked. Only the gateway's word makes money of it (payment_event); this row says which link it was.
CREATE TABLE door_link (
  id             uuid        PRIMARY KEY,
  order_id       uuid        NOT NULL CONSTRAINT door_link_order_fk REFERENCES customer_order (id),
  fulfilment_id  uuid        NOT NULL CONSTRAINT door_link_fulfilment_fk REFERENCES fulfilment (id),
  stop_id        uuid        NOT NULL CONSTRAINT door_link_stop_fk REFERENCES delivery_stop (id),
  person_id      uuid        NOT NULL CONSTRAINT door_link_person_fk REFERENCES person (id),
  -- What the gateway calls the payment, in its webhooks too.
  reference      text        NOT NULL CONSTRAINT door_link_reference_unique UNIQUE,
  amount_minor   bigint      NOT NULL CONSTRAINT door_link_amount_positive CHECK (amount_minor > 0),
  currency       text        NOT NULL,
  asked_at       timestamptz NOT NULL,
  -- Empty until the gateway has made it; `refused` says why it never will.
  url            text        NOT NULL DEFAULT '' CONSTRAINT door_link_url_http CHECK (url = '' OR url ~ '^https?://'),
  expires_at     timestamptz,
  refused        text        NOT NULL DEFAULT '',
  -- What the gateway has captured by it.
  paid_minor     bigint      NOT NULL DEFAULT 0 CONSTRAINT door_link_paid_not_negative CHECK (paid_minor >= 0),
  CONSTRAINT door_link_made_whole CHECK ((url = '') = (expires_at IS NULL)),
  CONSTRAINT door_link_made_or_refused CHECK (url = '' OR refused = '')
);
CREATE INDEX door_link_stop ON door_link (stop_id, asked_at);
CREATE INDEX door_link_order ON door_link (order_id);
