-- Orders: channels, the catalogue, orders with their lines and payment lines, their documents.

CREATE TABLE channel (
  id uuid PRIMARY KEY,
  code text NOT NULL CONSTRAINT channel_code_unique UNIQUE,
  name text NOT NULL,
  country text NOT NULL,
  currency text NOT NULL,
  zone text NOT NULL,
  languages text[] NOT NULL,
  working_week smallint[] NOT NULL,       -- ISO weekdays, 1 = Monday
  tax_basis_points int NOT NULL,
  cod_limit_minor bigint NOT NULL,
  hold_minutes_prepaid int NOT NULL DEFAULT 30,
  hold_minutes_transfer int NOT NULL DEFAULT 4320,
  -- How long after the hold has expired an order may still be paid; then it is cancelled.
  unpaid_grace_minutes int NOT NULL DEFAULT 1440,
  delivery_attempts smallint NOT NULL DEFAULT 3,
  active boolean NOT NULL DEFAULT true
);

CREATE TABLE product (
  id uuid PRIMARY KEY,
  sku text NOT NULL CONSTRAINT product_sku_unique UNIQUE,
  name text NOT NULL,
  names jsonb NOT NULL DEFAULT '{}',      -- by language
  barcode text NOT NULL,
  weight_g int NOT NULL,
  length_mm int NOT NULL,
  width_mm int NOT NULL,
  height_mm int NOT NULL,
  pieces smallint NOT NULL DEFAULT 1,
  crew_size smallint NOT NULL DEFAULT 1,
  fragile boolean NOT NULL DEFAULT false,
  serialised boolean NOT NULL DEFAULT false,
  needs_install boolean NOT NULL DEFAULT false,
  install_skill text,
  warranty_months smallint NOT NULL DEFAULT 0,
  packing_instruction text NOT NULL DEFAULT '',
  standing_hours smallint NOT NULL DEFAULT 0,
  return_days smallint NOT NULL DEFAULT 14,
  accessories jsonb NOT NULL DEFAULT '[]', -- [{code, name}] checked at QC, one of each per unit
  active boolean NOT NULL DEFAULT true,
  CONSTRAINT product_sizes_positive
    CHECK (weight_g > 0 AND length_mm > 0 AND width_mm > 0 AND height_mm > 0 AND pieces > 0),
  CONSTRAINT product_install_names_skill CHECK (NOT needs_install OR install_skill IS NOT NULL)
);
CREATE UNIQUE INDEX product_barcode_unique ON product (barcode);

CREATE SEQUENCE order_number;

CREATE TABLE customer_order (
  id uuid PRIMARY KEY,
  number text NOT NULL CONSTRAINT customer_order_number_unique UNIQUE,
  channel_id uuid NOT NULL REFERENCES channel (id),
  external_id text NOT NULL,
  external_entity_id text NOT NULL DEFAULT '',
  customer_id uuid NOT NULL REFERENCES customer (id),
  address_id uuid NOT NULL REFERENCES address (id),
  currency text NOT NULL,
  subtotal_minor bigint NOT NULL,
  tax_minor bigint NOT NULL,
  discount_minor bigint NOT NULL,
  shipping_minor bigint NOT NULL,
  total_minor bigint NOT NULL,
  delivery_service text NOT NULL,
  language text NOT NULL,
  state text NOT NULL DEFAULT 'open',
  placed_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  -- Set when nothing is open any more, or a person says so; a cancelled order stays cancelled.
  closed_at timestamptz,
  closed_by uuid,                         -- null: by itself
  closing_reason text NOT NULL DEFAULT '',
  CONSTRAINT customer_order_external_unique UNIQUE (channel_id, external_id),
  CONSTRAINT customer_order_state_known CHECK (state IN ('open', 'closed', 'cancelled')),
  CONSTRAINT customer_order_closed_since
    CHECK ((state = 'closed') <= (closed_at IS NOT NULL) AND (state = 'open') <= (closed_at IS NULL)),
  CONSTRAINT customer_order_closed_why CHECK (closed_at IS NULL OR closing_reason <> ''),
  CONSTRAINT customer_order_total_positive CHECK (total_minor >= 0)
);
CREATE INDEX customer_order_by_customer ON customer_order (customer_id, created_at);
CREATE INDEX customer_order_unclosed ON customer_order (id) WHERE closed_at IS NULL;
CREATE INDEX customer_order_by_channel ON customer_order (channel_id, created_at);

CREATE TABLE order_line (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES customer_order (id),
  position smallint NOT NULL,
  product_id uuid NOT NULL REFERENCES product (id),
  sku text NOT NULL,
  name text NOT NULL,
  quantity int NOT NULL,
  unit_price_minor bigint NOT NULL,
  tax_minor bigint NOT NULL,
  discount_minor bigint NOT NULL,
  total_minor bigint NOT NULL,
  external_item_id text NOT NULL DEFAULT '',
  CONSTRAINT order_line_position_unique UNIQUE (order_id, position),
  CONSTRAINT order_line_quantity_positive CHECK (quantity > 0)
);

CREATE TABLE payment_line (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES customer_order (id),
  method text NOT NULL,
  amount_minor bigint NOT NULL,
  due text NOT NULL,
  reference text NOT NULL DEFAULT '',
  state text NOT NULL,
  captured_minor bigint NOT NULL DEFAULT 0,
  provider_ref text NOT NULL DEFAULT '',
  CONSTRAINT payment_line_method_known CHECK (method IN (
    'upi', 'credit_card', 'debit_card', 'net_banking', 'paypal', 'bank_transfer', 'cod')),
  CONSTRAINT payment_line_due_known CHECK (due IN ('now', 'at_door')),
  CONSTRAINT payment_line_state_known CHECK (state IN ('pending', 'authorised', 'captured', 'failed')),
  CONSTRAINT payment_line_capture_within CHECK (captured_minor BETWEEN 0 AND amount_minor)
);
CREATE INDEX payment_line_by_order ON payment_line (order_id);

CREATE TABLE order_document (
  id uuid PRIMARY KEY,
  order_id uuid NOT NULL REFERENCES customer_order (id),
  fulfilment_id uuid REFERENCES fulfilment (id),
  kind text NOT NULL,
  language text NOT NULL DEFAULT 'en',
  sha256 text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT order_document_once UNIQUE NULLS NOT DISTINCT (order_id, fulfilment_id, kind, language)
);

-- What is kept of a closed order, under {channel}/{year}/{order}/{file} (P19).
CREATE TABLE archive_entry (
  order_id uuid NOT NULL REFERENCES customer_order (id),
  file text NOT NULL,
  channel text NOT NULL,
  year smallint NOT NULL,
  number text NOT NULL,
  kind text NOT NULL,
  sha256 text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT archive_entry_pkey PRIMARY KEY (order_id, file),
  CONSTRAINT archive_entry_path_unique UNIQUE (channel, year, number, file),
  CONSTRAINT archive_entry_file_plain CHECK (file ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,119}$'),
  CONSTRAINT archive_entry_sha256_hex CHECK (sha256 ~ '^[0-9a-f]{64}$')
);

ALTER TABLE fulfilment
  ADD CONSTRAINT fulfilment_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  ADD CONSTRAINT fulfilment_channel_fk FOREIGN KEY (channel_id) REFERENCES channel (id);
ALTER TABLE fulfilment_line
  ADD CONSTRAINT fulfilment_line_order_line_fk FOREIGN KEY (order_line_id) REFERENCES order_line (id),
  ADD CONSTRAINT fulfilment_line_product_fk FOREIGN KEY (product_id) REFERENCES product (id);

-- What an order costs less because goods were cancelled, lost for good or came back. Its id is the
-- event that says so. What was captured beyond the new price is owed back to the customer.
CREATE SEQUENCE credit_note_number;
CREATE TABLE credit_note (
  id uuid PRIMARY KEY,
  number text NOT NULL CONSTRAINT credit_note_number_unique UNIQUE
    DEFAULT 'CN-' || lpad(nextval('credit_note_number')::text, 6, '0'),
  order_id uuid NOT NULL REFERENCES customer_order (id),
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  reason text NOT NULL,
  amount_minor bigint NOT NULL,
  currency text NOT NULL,
  created_at timestamptz NOT NULL,
  CONSTRAINT credit_note_amount_positive CHECK (amount_minor >= 0)
);
CREATE INDEX credit_note_by_order ON credit_note (order_id);
SELECT make_append_only('credit_note');

CREATE TABLE credit_note_line (
  credit_note_id uuid NOT NULL REFERENCES credit_note (id),
  fulfilment_line_id uuid NOT NULL REFERENCES fulfilment_line (id),
  order_line_id uuid NOT NULL REFERENCES order_line (id),
  quantity int NOT NULL,
  amount_minor bigint NOT NULL,
  CONSTRAINT credit_note_line_pkey PRIMARY KEY (credit_note_id, fulfilment_line_id),
  CONSTRAINT credit_note_line_quantity_positive CHECK (quantity > 0)
);
CREATE INDEX credit_note_line_by_line ON credit_note_line (order_line_id);
SELECT make_append_only('credit_note_line');

-- How far a shop's orders have been fetched; the next poll overlaps it.
CREATE TABLE shop_watermark (
  shop text CONSTRAINT shop_watermark_pkey PRIMARY KEY,
  updated_at timestamptz NOT NULL
);
