-- scm: vendors, what their goods cost us, the purchase orders they answer. No tranche, no payout.

CREATE FUNCTION working_week() RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_object_agg(day, '[["09:00", "18:00"]]'::jsonb) FROM generate_series(1, 5) AS day
$$;

CREATE TABLE vendor (
  id uuid NOT NULL,
  code text NOT NULL,
  name text NOT NULL,
  country text NOT NULL,
  -- IANA name; the working hours below are told on this clock.
  zone text NOT NULL,
  email text NOT NULL DEFAULT '',
  phone text,
  -- V1 to V6 of SPEC V, as shares of a hundred.
  percentages smallint[] NOT NULL DEFAULT '{20,20,20,20,10,10}',
  -- {"1": [["09:00", "18:00"]], …}: ISO weekday, Monday is 1, to the open spans of that day.
  working_hours jsonb NOT NULL DEFAULT working_week(),
  answer_hours smallint NOT NULL DEFAULT 8,
  -- The account that payouts go to; it is copied into each payout (IM8).
  account_name text NOT NULL,
  account_number text NOT NULL,
  bank_code text NOT NULL DEFAULT '',
  -- NULL: the account is the one the vendor was taken on with.
  account_changed_at timestamptz,
  active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT vendor_pkey PRIMARY KEY (id),
  CONSTRAINT vendor_code_key UNIQUE (code),
  CONSTRAINT vendor_country_iso CHECK (country ~ '^[A-Z]{2}$'),
  CONSTRAINT vendor_phone_e164 CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
  CONSTRAINT vendor_percentages_whole CHECK (
    cardinality(percentages) = 6 AND 0 <= ALL (percentages)
    AND percentages[1] + percentages[2] + percentages[3]
      + percentages[4] + percentages[5] + percentages[6] = 100),
  CONSTRAINT vendor_answer_hours_positive CHECK (answer_hours BETWEEN 1 AND 200),
  CONSTRAINT vendor_account_length CHECK (
    length(account_name) BETWEEN 1 AND 120 AND length(account_number) BETWEEN 5 AND 35
    AND length(bank_code) <= 11)
);

-- Whoever changes the account starts the cooling time, also with psql (IM8).
CREATE FUNCTION vendor_note_account_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.account_changed_at := clock_timestamp();
  RETURN NEW;
END $$;
CREATE TRIGGER vendor_account_change BEFORE UPDATE ON vendor FOR EACH ROW
  WHEN ((OLD.account_name, OLD.account_number, OLD.bank_code)
        IS DISTINCT FROM (NEW.account_name, NEW.account_number, NEW.bank_code))
  EXECUTE FUNCTION vendor_note_account_change();

CREATE TABLE vendor_product (
  vendor_id uuid NOT NULL,
  product_id uuid NOT NULL,
  currency text NOT NULL,
  -- What one piece costs us; the sales price stands nowhere in this file.
  cost_minor bigint NOT NULL,
  CONSTRAINT vendor_product_pkey PRIMARY KEY (vendor_id, product_id, currency),
  CONSTRAINT vendor_product_vendor_fk FOREIGN KEY (vendor_id) REFERENCES vendor (id),
  CONSTRAINT vendor_product_product_fk FOREIGN KEY (product_id) REFERENCES product (id),
  CONSTRAINT vendor_product_currency_iso CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT vendor_product_cost_range CHECK (cost_minor BETWEEN 0 AND 100000000000000)
);
CREATE INDEX vendor_product_product_idx ON vendor_product (product_id);

CREATE SEQUENCE purchase_order_number;
-- lpad would cut the seventh digit off.
CREATE FUNCTION next_purchase_order_number() RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT 'PO-' || lpad(n::text, greatest(6, length(n::text)), '0')
    FROM (SELECT nextval('purchase_order_number') AS n) AS drawn
$$;

CREATE TABLE purchase_order (
  id uuid NOT NULL,
  number text NOT NULL DEFAULT next_purchase_order_number(),
  vendor_id uuid NOT NULL,
  order_id uuid NOT NULL,
  -- The fulfilment it was made for. Goods still owed after a part delivery travel in further
  -- fulfilments that name this PO in fulfilment.po_id.
  fulfilment_id uuid NOT NULL,
  currency text NOT NULL,
  total_minor bigint NOT NULL,
  state text NOT NULL,
  sent_at timestamptz,
  answer_due_at timestamptz,
  answered_at timestamptz,
  answered_by uuid,
  answer_event_id uuid,
  answer_reason text NOT NULL DEFAULT '',
  -- When the vendor has the goods ready, where he accepted them for later.
  ready_on date,
  reminded_at timestamptz,
  created_at timestamptz NOT NULL,
  CONSTRAINT purchase_order_pkey PRIMARY KEY (id),
  CONSTRAINT purchase_order_number_key UNIQUE (number),
  -- The job that makes it may run twice.
  CONSTRAINT purchase_order_fulfilment_key UNIQUE (fulfilment_id),
  -- What po_line and tranche point at, so that their vendor_id is always the PO's.
  CONSTRAINT purchase_order_vendor_key UNIQUE (id, vendor_id),
  CONSTRAINT purchase_order_vendor_fk FOREIGN KEY (vendor_id) REFERENCES vendor (id),
  CONSTRAINT purchase_order_order_fk FOREIGN KEY (order_id) REFERENCES customer_order (id),
  CONSTRAINT purchase_order_fulfilment_fk FOREIGN KEY (fulfilment_id) REFERENCES fulfilment (id),
  CONSTRAINT purchase_order_state_known
    CHECK (state IN ('draft', 'sent', 'accepted', 'declined', 'cancelled')),
  CONSTRAINT purchase_order_total_range CHECK (total_minor BETWEEN 0 AND 100000000000000),
  CONSTRAINT purchase_order_sent_has_deadline
    CHECK (state = 'draft' OR (sent_at IS NOT NULL AND answer_due_at IS NOT NULL)),
  CONSTRAINT purchase_order_answer_whole CHECK (
    (state IN ('accepted', 'declined')) <= (answered_at IS NOT NULL AND answer_event_id IS NOT NULL))
);
CREATE INDEX purchase_order_vendor_idx ON purchase_order (vendor_id, created_at DESC);
CREATE INDEX purchase_order_order_idx ON purchase_order (order_id);
CREATE INDEX purchase_order_unanswered_idx ON purchase_order (answer_due_at) WHERE state = 'sent';

CREATE TABLE po_line (
  id uuid NOT NULL,
  po_id uuid NOT NULL,
  vendor_id uuid NOT NULL,
  position smallint NOT NULL,
  fulfilment_line_id uuid NOT NULL,
  product_id uuid NOT NULL,
  sku text NOT NULL,
  name text NOT NULL,
  quantity int NOT NULL,
  unit_cost_minor bigint NOT NULL,
  total_minor bigint NOT NULL,
  CONSTRAINT po_line_pkey PRIMARY KEY (id),
  CONSTRAINT po_line_position_key UNIQUE (po_id, position),
  CONSTRAINT po_line_po_fk FOREIGN KEY (po_id, vendor_id) REFERENCES purchase_order (id, vendor_id),
  CONSTRAINT po_line_fulfilment_line_fk
    FOREIGN KEY (fulfilment_line_id) REFERENCES fulfilment_line (id),
  CONSTRAINT po_line_product_fk FOREIGN KEY (product_id) REFERENCES product (id),
  CONSTRAINT po_line_quantity_positive CHECK (quantity > 0),
  CONSTRAINT po_line_total_right CHECK (total_minor = unit_cost_minor * quantity)
);

-- A purchase order is worth exactly its lines, at every commit.
CREATE FUNCTION purchase_order_check_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  -- A purchase order has no column po_id: NEW.po_id would not compile for its rows.
  checked uuid := coalesce((to_jsonb(NEW) ->> 'po_id')::uuid, NEW.id);
  wrong text;
BEGIN
  SELECT format('%s is %s, its lines are %s', p.number, p.total_minor, coalesce(sum(l.total_minor), 0))
    INTO wrong
    FROM purchase_order p LEFT JOIN po_line l ON l.po_id = p.id
   WHERE p.id = checked AND p.state <> 'draft'
   GROUP BY p.id HAVING coalesce(sum(l.total_minor), 0) <> p.total_minor;
  IF wrong IS NOT NULL THEN
    RAISE EXCEPTION 'purchase order %', wrong USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER purchase_order_lines_add_up AFTER INSERT OR UPDATE ON purchase_order
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION purchase_order_check_lines('id');
CREATE CONSTRAINT TRIGGER po_line_add_up AFTER INSERT OR UPDATE ON po_line
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION purchase_order_check_lines('po_id');

ALTER TABLE fulfilment
  ADD CONSTRAINT fulfilment_owner_fk FOREIGN KEY (owner_id) REFERENCES vendor (id),
  ADD CONSTRAINT fulfilment_po_fk FOREIGN KEY (po_id) REFERENCES purchase_order (id);

-- The role a vendor's request reads under (core/tenant.py). Roles belong to the whole cluster, so
-- another database may have made it, or be making it at this moment.
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(7205759404);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'doorstep_vendor') THEN
    BEGIN
      CREATE ROLE doorstep_vendor NOLOGIN NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      RAISE NOTICE 'another database has just made the role doorstep_vendor';
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'doorstep_vendor', 'SET') THEN
    EXECUTE format('GRANT doorstep_vendor TO %I WITH INHERIT FALSE, SET TRUE', current_user);
  END IF;
END $$;

-- Nothing without a vendor: an unset or emptied setting is NULL and equals no vendor_id.
CREATE FUNCTION current_vendor_id() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('app.vendor_id', true), '')::uuid
$$;

-- The owner of the tables (api, worker, migrations) is not bound by these; doorstep_vendor is, and
-- has no right to any table that is not named here.
ALTER TABLE vendor ENABLE ROW LEVEL SECURITY;
ALTER TABLE purchase_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE po_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY vendor_own ON vendor FOR SELECT TO doorstep_vendor
  USING (id = (SELECT current_vendor_id()));
CREATE POLICY purchase_order_own ON purchase_order FOR SELECT TO doorstep_vendor
  USING (vendor_id = (SELECT current_vendor_id()));
CREATE POLICY po_line_own ON po_line FOR SELECT TO doorstep_vendor
  USING (vendor_id = (SELECT current_vendor_id()));
GRANT SELECT ON vendor, purchase_order, po_line TO doorstep_vendor;
