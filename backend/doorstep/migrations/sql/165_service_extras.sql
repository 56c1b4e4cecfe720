-- What a technician sells beside the order (small parts, work), and the parts that he has on his van.

-- A price is never changed: a new one is a new version, so that what a customer was shown and has
-- signed stays what is charged. The newest version that has begun is the one that holds; where that
-- one has ended, the thing is not sold any more.
CREATE TABLE service_price (
  id                uuid        PRIMARY KEY,
  channel_id        uuid        NOT NULL CONSTRAINT service_price_channel_fk REFERENCES channel (id),
  code              text        NOT NULL CONSTRAINT service_price_code_formed CHECK (code ~ '^[A-Z0-9-]{2,32}$'),
  version           int         NOT NULL CONSTRAINT service_price_version_positive CHECK (version > 0),
  names             jsonb       NOT NULL,                -- by language
  unit              text        NOT NULL CONSTRAINT service_price_unit_known
                                CHECK (unit IN ('piece', 'metre', 'hour', 'service')),
  -- Of one unit, before tax, in the currency of the channel.
  price_minor       bigint      NOT NULL CONSTRAINT service_price_range CHECK (price_minor BETWEEN 1 AND 1000000000),
  tax_basis_points  int         NOT NULL CONSTRAINT service_price_tax_range CHECK (tax_basis_points BETWEEN 0 AND 10000),
  -- The part that is used up by it.
  product_id        uuid        CONSTRAINT service_price_product_fk REFERENCES product (id),
  valid_from        timestamptz NOT NULL,
  valid_until       timestamptz,
  set_by            uuid        CONSTRAINT service_price_set_by_fk REFERENCES person (id),
  set_at            timestamptz NOT NULL,
  CONSTRAINT service_price_version_unique UNIQUE (channel_id, code, version),
  CONSTRAINT service_price_ends_later CHECK (valid_until > valid_from)
);
SELECT make_append_only('service_price');

-- What a customer has agreed to beside the order. Its id is the event id of the device.
-- Not append-only: it holds a name and a signature that must be erasable.
CREATE TABLE visit_extra (
  id                uuid        PRIMARY KEY,
  order_id          uuid        NOT NULL CONSTRAINT visit_extra_order_fk REFERENCES customer_order (id),
  fulfilment_id     uuid        NOT NULL CONSTRAINT visit_extra_fulfilment_fk REFERENCES fulfilment (id),
  visit_id          uuid        NOT NULL CONSTRAINT visit_extra_visit_fk REFERENCES visit (id),
  technician_id     uuid        NOT NULL CONSTRAINT visit_extra_technician_fk REFERENCES person (id),
  device_id         uuid,
  currency          text        NOT NULL,
  -- The sum with tax by the versions that were shown, and the sum that stood on the screen.
  charged_minor     bigint      NOT NULL CONSTRAINT visit_extra_charged_not_negative CHECK (charged_minor >= 0),
  shown_minor       bigint      NOT NULL CONSTRAINT visit_extra_shown_not_negative CHECK (shown_minor >= 0),
  signer_name       text        NOT NULL,
  signature         jsonb,
  signature_sha256  text,
  -- What a person must look at before it is billed, in words.
  disagreements     text[]      NOT NULL,
  captured_at       timestamptz NOT NULL,
  recorded_at       timestamptz NOT NULL
);
CREATE INDEX visit_extra_visit ON visit_extra (visit_id);
CREATE INDEX visit_extra_order ON visit_extra (order_id);

CREATE TABLE visit_extra_line (
  extra_id      uuid     NOT NULL CONSTRAINT visit_extra_line_extra_fk REFERENCES visit_extra (id),
  n             smallint NOT NULL,
  -- As the phone named it; `price_id` is empty where that is no price of the channel.
  named_id      uuid     NOT NULL,
  price_id      uuid     CONSTRAINT visit_extra_line_price_fk REFERENCES service_price (id),
  quantity      int      NOT NULL CONSTRAINT visit_extra_line_quantity_range CHECK (quantity BETWEEN 1 AND 1000),
  net_minor     bigint   NOT NULL,
  tax_minor     bigint   NOT NULL,
  CONSTRAINT visit_extra_line_pk PRIMARY KEY (extra_id, n),
  CONSTRAINT visit_extra_line_unpriced_is_free CHECK (price_id IS NOT NULL OR (net_minor, tax_minor) = (0, 0))
);
SELECT make_append_only('visit_extra_line');

-- Parts that a technician has on his van: loaded, taken off, used up. What is there is the sum. It may
-- be less than nothing: what was used is kept whatever the books say, and a desk sees it.
CREATE TABLE part_movement (
  id             uuid        PRIMARY KEY,
  technician_id  uuid        NOT NULL CONSTRAINT part_movement_technician_fk REFERENCES technician (person_id),
  product_id     uuid        NOT NULL CONSTRAINT part_movement_product_fk REFERENCES product (id),
  quantity       int         NOT NULL CONSTRAINT part_movement_moves CHECK (quantity <> 0),
  kind           text        NOT NULL CONSTRAINT part_movement_kind_known CHECK (kind IN ('loaded', 'used')),
  extra_id       uuid        CONSTRAINT part_movement_extra_fk REFERENCES visit_extra (id),
  words          text        NOT NULL,
  made_by        uuid        CONSTRAINT part_movement_made_by_fk REFERENCES person (id),
  made_at        timestamptz NOT NULL,
  CONSTRAINT part_movement_used_by_extra CHECK ((kind = 'used') = (extra_id IS NOT NULL)),
  CONSTRAINT part_movement_used_goes CHECK (kind <> 'used' OR quantity < 0),
  -- The same extras use up a part once.
  CONSTRAINT part_movement_once UNIQUE (extra_id, product_id)
);
CREATE INDEX part_movement_technician ON part_movement (technician_id, product_id);
SELECT make_append_only('part_movement');
