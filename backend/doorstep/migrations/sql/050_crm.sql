-- crm: who bought, where it goes, the link that shows it, what the customer said, the warranty.
-- Foreign keys to tables of later files stand in 170_care_links.sql.

CREATE TABLE customer (
  id uuid NOT NULL,
  channel_id uuid NOT NULL,
  name text NOT NULL,
  -- E.164. NULL when the shop sent a number that nobody can be reached under: such a customer
  -- matches no other, so two strangers without a number are never taken for one.
  phone text,
  -- Empty, never NULL, when there is none: then the phone alone recognises the customer.
  email text NOT NULL DEFAULT '',
  language text NOT NULL DEFAULT 'en',
  phone_verified_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT customer_pkey PRIMARY KEY (id),
  CONSTRAINT customer_contact_key UNIQUE (channel_id, phone, email),
  CONSTRAINT customer_phone_e164 CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
  CONSTRAINT customer_language_known CHECK (language IN ('en', 'hi', 'ar'))
);
CREATE INDEX customer_phone_idx ON customer (phone);
CREATE INDEX customer_email_idx ON customer (email) WHERE email <> '';

CREATE TABLE address (
  id uuid NOT NULL,
  customer_id uuid NOT NULL,
  name text NOT NULL,
  phone text,
  line1 text NOT NULL DEFAULT '',
  building text NOT NULL DEFAULT '',
  floor text NOT NULL DEFAULT '',
  flat text NOT NULL DEFAULT '',
  -- NULL: nobody has asked yet whether there is a lift.
  lift boolean,
  area text NOT NULL DEFAULT '',
  city text NOT NULL DEFAULT '',
  region text NOT NULL DEFAULT '',
  postcode text NOT NULL DEFAULT '',
  country text NOT NULL,
  lat double precision,
  lng double precision,
  pin_at timestamptz,
  instructions text NOT NULL DEFAULT '',
  -- What the crew would have to ask at the kerb; a task before dispatch, not a refusal (SPEC P2).
  missing text[] NOT NULL DEFAULT '{}',
  -- Who of ours has asked for it, if not the customer himself has told it; when that was.
  completed_by uuid,
  completed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT address_pkey PRIMARY KEY (id),
  CONSTRAINT address_completed_by_fk FOREIGN KEY (completed_by) REFERENCES person (id),
  CONSTRAINT address_customer_fk FOREIGN KEY (customer_id) REFERENCES customer (id),
  CONSTRAINT address_country_iso CHECK (country ~ '^[A-Z]{2}$'),
  CONSTRAINT address_pin_on_earth CHECK (
    (lat IS NULL) = (lng IS NULL) AND lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180)
);
CREATE INDEX address_customer_idx ON address (customer_id);

-- The customer's link: only the hash is kept, so a copy of the table opens nothing (reliability §5.4).
CREATE TABLE order_link (
  token_hash bytea NOT NULL,
  order_id uuid NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  -- Long enough for the slowest order; shortened to 30 days when the last parcel is done.
  expires_at timestamptz NOT NULL DEFAULT now() + interval '180 days',
  revoked_at timestamptz,
  -- Whose link it is: the customer's (0), to the whole order; or of the new owner of that
  -- warranty_transfer, to his warranty and nothing else.
  owner_n smallint NOT NULL DEFAULT 0,
  CONSTRAINT order_link_pkey PRIMARY KEY (token_hash),
  CONSTRAINT order_link_sha256 CHECK (octet_length(token_hash) = 32),
  CONSTRAINT order_link_owner_not_negative CHECK (owner_n >= 0)
);
CREATE INDEX order_link_order_idx ON order_link (order_id);

CREATE TABLE feedback (
  id uuid NOT NULL,
  order_id uuid NOT NULL,
  fulfilment_id uuid NOT NULL,
  event_id uuid NOT NULL,
  delivery_rating smallint NOT NULL,
  installation_rating smallint,
  words text NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT feedback_pkey PRIMARY KEY (id),
  -- A parcel is rated once; the same answer sent again finds this row.
  CONSTRAINT feedback_fulfilment_key UNIQUE (fulfilment_id),
  CONSTRAINT feedback_delivery_rating_range CHECK (delivery_rating BETWEEN 1 AND 5),
  CONSTRAINT feedback_installation_rating_range CHECK (installation_rating BETWEEN 1 AND 5),
  CONSTRAINT feedback_words_length CHECK (length(words) <= 2000)
);
CREATE INDEX feedback_order_idx ON feedback (order_id);

CREATE TABLE warranty (
  id uuid NOT NULL,
  -- Random, not counted: the public page must not let anybody walk from one to the next.
  number text NOT NULL,
  order_id uuid NOT NULL,
  fulfilment_id uuid NOT NULL,
  fulfilment_line_id uuid NOT NULL,
  product_id uuid NOT NULL,
  unit_id uuid,
  serial text,
  quantity integer NOT NULL,
  starts_on date NOT NULL,
  ends_on date NOT NULL,
  state text NOT NULL DEFAULT 'registered',
  certificate_sha256 text,
  certificate_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT warranty_pkey PRIMARY KEY (id),
  CONSTRAINT warranty_number_key UNIQUE (number),
  -- One per serial, or one per line for goods without serials, however often it is registered.
  CONSTRAINT warranty_unit_key UNIQUE NULLS NOT DISTINCT (fulfilment_line_id, unit_id),
  CONSTRAINT warranty_state_known CHECK (state IN ('registered', 'active', 'void')),
  CONSTRAINT warranty_unit_has_serial CHECK ((unit_id IS NULL) = (serial IS NULL)),
  CONSTRAINT warranty_one_per_serial CHECK (quantity > 0 AND (unit_id IS NULL OR quantity = 1)),
  CONSTRAINT warranty_dates_ordered CHECK (ends_on > starts_on),
  -- An active warranty can be shown: its certificate is stored.
  CONSTRAINT warranty_active_has_certificate CHECK (
    state <> 'active' OR (certificate_sha256 IS NOT NULL AND certificate_at IS NOT NULL))
);
CREATE INDEX warranty_fulfilment_idx ON warranty (fulfilment_id);
CREATE INDEX warranty_order_idx ON warranty (order_id);
CREATE INDEX warranty_serial_idx ON warranty (serial) WHERE serial IS NOT NULL;
