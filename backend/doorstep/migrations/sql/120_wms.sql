-- Stock and the warehouse floor. Stock stands per (location, SKU, owner); only statements with a
-- condition change it, and the CHECK below says "no oversell" whatever the code does (IS1).

CREATE TABLE location (
  id uuid PRIMARY KEY,
  code text NOT NULL CONSTRAINT location_code_unique UNIQUE,
  name text NOT NULL,
  kind text NOT NULL,
  channel_id uuid NOT NULL REFERENCES channel (id),
  vendor_id uuid,                         -- whose people work a vendor_store
  erp_store_id text,                      -- the ERP's store id (C2); null: postings are refused
  shop_source_code text,
  pickup_code text,
  city text NOT NULL DEFAULT '',
  lat double precision,
  lng double precision,
  active boolean NOT NULL DEFAULT true,
  CONSTRAINT location_kind_known CHECK (kind IN (
    'warehouse', 'store', 'vendor_store', 'hub', 'van', 'carrier', 'customer')),
  CONSTRAINT location_vendor_store_has_vendor CHECK ((kind = 'vendor_store') = (vendor_id IS NOT NULL))
);
CREATE UNIQUE INDEX location_erp_store_unique ON location (erp_store_id) WHERE erp_store_id IS NOT NULL;

CREATE TABLE stock (
  id uuid PRIMARY KEY,
  location_id uuid NOT NULL REFERENCES location (id),
  product_id uuid NOT NULL REFERENCES product (id),
  owner_id uuid,                          -- vendor; null: our own goods
  -- Only sellable goods are routed to orders; the others came back and wait for a decision.
  grade text NOT NULL DEFAULT 'sellable',
  on_hand int NOT NULL DEFAULT 0,
  held int NOT NULL DEFAULT 0,
  allocated int NOT NULL DEFAULT 0,
  CONSTRAINT stock_place_unique UNIQUE NULLS NOT DISTINCT (product_id, location_id, owner_id, grade),
  CONSTRAINT stock_grade_known CHECK (grade IN ('sellable', 'open_box', 'vendor_return')),
  CONSTRAINT stock_reserved_is_sellable CHECK (grade = 'sellable' OR held + allocated = 0),
  CONSTRAINT stock_never_oversold CHECK (
    held >= 0 AND allocated >= 0 AND on_hand >= held + allocated)
) WITH (fillfactor = 70);

CREATE TABLE stock_movement (
  id uuid PRIMARY KEY,
  stock_id uuid NOT NULL REFERENCES stock (id),
  quantity int NOT NULL,
  reason text NOT NULL,
  ref text NOT NULL,                      -- what moved it; the same movement is written once
  order_id uuid,
  moved_at timestamptz NOT NULL,
  CONSTRAINT stock_movement_not_empty CHECK (quantity <> 0),
  CONSTRAINT stock_movement_reason_known CHECK (reason IN (
    'receive', 'adjust', 'ship', 'hand_over', 'deliver', 'return', 'scrap')),
  CONSTRAINT stock_movement_once UNIQUE (stock_id, reason, ref, quantity)
);
SELECT make_append_only('stock_movement');

CREATE TABLE reservation (
  id uuid PRIMARY KEY,
  stock_id uuid NOT NULL REFERENCES stock (id),
  order_id uuid NOT NULL,
  fulfilment_line_id uuid NOT NULL REFERENCES fulfilment_line (id),
  quantity int NOT NULL,
  state text NOT NULL,
  expires_at timestamptz,
  created_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT reservation_quantity_positive CHECK (quantity > 0),
  CONSTRAINT reservation_state_known CHECK (state IN ('held', 'allocated', 'consumed', 'released'))
);
-- One living reservation per line: a reservation is released or consumed exactly once (IS3).
CREATE UNIQUE INDEX reservation_line_once ON reservation (fulfilment_line_id)
  WHERE state IN ('held', 'allocated', 'consumed');
CREATE INDEX reservation_expiring ON reservation (expires_at) WHERE state = 'held';
CREATE INDEX reservation_living ON reservation (stock_id) WHERE state IN ('held', 'allocated');

CREATE TABLE unit (
  id uuid PRIMARY KEY,
  product_id uuid NOT NULL REFERENCES product (id),
  serial text NOT NULL,
  owner_id uuid,
  location_id uuid NOT NULL REFERENCES location (id),
  fulfilment_line_id uuid REFERENCES fulfilment_line (id),
  state text NOT NULL DEFAULT 'in_stock',
  grade text NOT NULL DEFAULT 'sellable',
  CONSTRAINT unit_grade_known CHECK (grade IN ('sellable', 'open_box', 'vendor_return')),
  CONSTRAINT unit_serial_unique UNIQUE (product_id, serial),
  CONSTRAINT unit_state_known CHECK (state IN ('in_stock', 'picked', 'shipped', 'delivered', 'scrapped'))
);
CREATE INDEX unit_by_line ON unit (fulfilment_line_id) WHERE fulfilment_line_id IS NOT NULL;
CREATE INDEX unit_by_serial ON unit (serial);
CREATE INDEX unit_free ON unit (location_id, product_id) WHERE state = 'in_stock' AND grade = 'sellable';

-- Who has the goods of a line since they left the shelf: a van, a carrier, the customer (SPEC J,
-- "Custody = last scan"). What is taken back to a shelf belongs to no line any more.
CREATE TABLE custody (
  fulfilment_line_id uuid NOT NULL REFERENCES fulfilment_line (id),
  location_id uuid NOT NULL REFERENCES location (id),
  quantity int NOT NULL,
  CONSTRAINT custody_pkey PRIMARY KEY (fulfilment_line_id, location_id),
  CONSTRAINT custody_quantity_positive CHECK (quantity > 0)
);
CREATE INDEX custody_by_location ON custody (location_id);

CREATE TABLE pick_list (
  id uuid PRIMARY KEY,
  fulfilment_id uuid NOT NULL CONSTRAINT pick_list_fulfilment_unique UNIQUE REFERENCES fulfilment (id),
  location_id uuid NOT NULL REFERENCES location (id),
  picker_id uuid,                         -- null: whoever of the location starts it
  state text NOT NULL DEFAULT 'open',
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  checked_at timestamptz,
  packed_at timestamptz,
  -- Scans before this moment do not count: the goods went back to the shelf.
  repicked_at timestamptz,
  CONSTRAINT pick_list_state_known CHECK (state IN ('open', 'picking', 'checked', 'packed', 'dropped'))
);
CREATE INDEX pick_list_open ON pick_list (location_id, created_at) WHERE state NOT IN ('packed', 'dropped');

CREATE TABLE qc_scan (
  id uuid PRIMARY KEY,                    -- made by the scanner: a repeat is the same row
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  code text NOT NULL,
  kind text NOT NULL,
  fulfilment_line_id uuid REFERENCES fulfilment_line (id),
  unit_id uuid REFERENCES unit (id),
  ok boolean NOT NULL,
  reason text NOT NULL DEFAULT '',
  actor_id uuid,
  captured_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT qc_scan_kind_known CHECK (kind IN ('barcode', 'serial', 'accessory', 'unknown'))
);
CREATE INDEX qc_scan_by_fulfilment ON qc_scan (fulfilment_id);
SELECT make_append_only('qc_scan');

CREATE TABLE package (
  id uuid PRIMARY KEY,
  fulfilment_id uuid NOT NULL REFERENCES fulfilment (id),
  n smallint NOT NULL,
  "of" smallint NOT NULL,
  weight_g int NOT NULL,
  length_mm int NOT NULL,
  width_mm int NOT NULL,
  height_mm int NOT NULL,
  packed_by uuid,
  packed_at timestamptz NOT NULL,
  CONSTRAINT package_piece_unique UNIQUE (fulfilment_id, n),
  CONSTRAINT package_n_of_m CHECK (n BETWEEN 1 AND "of"),
  CONSTRAINT package_sizes_positive CHECK (weight_g > 0 AND length_mm > 0 AND width_mm > 0 AND height_mm > 0)
);

ALTER TABLE fulfilment
  ADD CONSTRAINT fulfilment_location_fk FOREIGN KEY (location_id) REFERENCES location (id);
