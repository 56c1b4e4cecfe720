-- The role under which a customer's page is read (core/tenant.py): PostgreSQL itself shows it no row of
-- another order, whatever the statement says (IA1). Roles belong to the whole cluster, so another
-- database may have made it, or be making it at this moment.
DO $$
BEGIN
  PERFORM pg_advisory_xact_lock(7205759404);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'doorstep_customer') THEN
    BEGIN
      CREATE ROLE doorstep_customer NOLOGIN NOBYPASSRLS;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      RAISE NOTICE 'another database has just made the role doorstep_customer';
    END;
  END IF;
  IF NOT pg_has_role(current_user, 'doorstep_customer', 'SET') THEN
    EXECUTE format('GRANT doorstep_customer TO %I WITH INHERIT FALSE, SET TRUE', current_user);
  END IF;
END $$;

-- Nothing without an order: an unset or emptied setting is NULL and equals no order_id.
CREATE FUNCTION current_link_order() RETURNS uuid LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('app.link_order', true), '')::uuid
$$;
-- Whether whoever holds the link has signed in with a code.
CREATE FUNCTION link_signed_in() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT coalesce(current_setting('app.link_signed_in', true), '') = 'yes'
$$;

-- What belongs to an order and names nobody.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['fulfilment', 'journey_event', 'detour_case', 'order_line', 'payment_line',
      'credit_note', 'warranty', 'warranty_claim', 'shipment', 'carrier_event', 'delivery_window', 'visit'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO doorstep_customer'
                   ' USING (order_id = (SELECT current_link_order()))', name || '_of_link', name);
  END LOOP;
  -- What names people, or is their paper: only after the code.
  FOREACH name IN ARRAY ARRAY['order_document', 'extra_receipt'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY %I ON %I FOR SELECT TO doorstep_customer USING ('
                   'order_id = (SELECT current_link_order()) AND (SELECT link_signed_in()))',
                   name || '_of_link', name);
  END LOOP;
END $$;

ALTER TABLE customer_order ENABLE ROW LEVEL SECURITY;
CREATE POLICY customer_order_of_link ON customer_order FOR SELECT TO doorstep_customer
  USING (id = (SELECT current_link_order()));
ALTER TABLE address ENABLE ROW LEVEL SECURITY;
CREATE POLICY address_of_link ON address FOR SELECT TO doorstep_customer
  USING ((SELECT link_signed_in()) AND id = (SELECT o.address_id FROM customer_order o));
ALTER TABLE fulfilment_line ENABLE ROW LEVEL SECURITY;
CREATE POLICY fulfilment_line_of_link ON fulfilment_line FOR SELECT TO doorstep_customer
  USING (fulfilment_id IN (SELECT f.id FROM fulfilment f));
ALTER TABLE piece ENABLE ROW LEVEL SECURITY;
CREATE POLICY piece_of_link ON piece FOR SELECT TO doorstep_customer
  USING (shipment_id IN (SELECT s.id FROM shipment s));
ALTER TABLE scan ENABLE ROW LEVEL SECURITY;
CREATE POLICY scan_of_link ON scan FOR SELECT TO doorstep_customer
  USING (label_no IN (SELECT p.label_no FROM piece p));

GRANT SELECT ON fulfilment, fulfilment_line, order_line, payment_line, credit_note, warranty, shipment
  TO doorstep_customer;
-- Of these only the columns that the page shows or joins by: words of people stand beside them.
GRANT SELECT (fulfilment_id, order_id, seq, kind, stage, how, recorded_at, captured_at)
  ON journey_event TO doorstep_customer;
GRANT SELECT (fulfilment_id, order_id, kind, progress, opened_at, closed_at, closed_as, expected_on,
              accepted_at) ON detour_case TO doorstep_customer;
GRANT SELECT (order_id, shipment_id, stage, place, happened_at) ON carrier_event TO doorstep_customer;
GRANT SELECT (order_id, fulfilment_id, n, from_at, until_at) ON delivery_window TO doorstep_customer;
GRANT SELECT (id, order_id, fulfilment_id, during, state, moves, purpose, claim_id)
  ON visit TO doorstep_customer;
GRANT SELECT (id, order_id, owner_n) ON warranty_claim TO doorstep_customer;
GRANT SELECT (id, shipment_id, label_no) ON piece TO doorstep_customer;
GRANT SELECT (label_no, kind, location_id, captured_at, recorded_at) ON scan TO doorstep_customer;
GRANT SELECT (id, number, channel_id, address_id, currency, language, placed_at)
  ON customer_order TO doorstep_customer;
GRANT SELECT (id, name, line1, building, floor, flat, area, city, region, postcode, instructions)
  ON address TO doorstep_customer;
GRANT SELECT (id, order_id, fulfilment_id, kind, language, sha256, created_at)
  ON order_document TO doorstep_customer;
GRANT SELECT (id, order_id, number) ON extra_receipt TO doorstep_customer;
-- The company's own lists, the same for everybody.
GRANT SELECT (id, zone) ON channel TO doorstep_customer;
GRANT SELECT (id, kind, city) ON location TO doorstep_customer;
GRANT SELECT (id, name, names, standing_hours) ON product TO doorstep_customer;
GRANT SELECT (id, name) ON carrier TO doorstep_customer;
