-- Order intake in two round trips: read what routing decides by, then write everything at once.
-- Used only by flows/place_order.py.

CREATE FUNCTION intake_context(p_channel text, p_skus text[], p_scope text, p_key text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
  SELECT jsonb_build_object(
    'answered', EXISTS (SELECT FROM idempotency_key k WHERE k.scope = p_scope AND k.key = p_key),
    'channel', to_jsonb(c),
    'products', coalesce((
      SELECT jsonb_object_agg(p.sku, jsonb_build_object(
               'id', p.id, 'name', p.name, 'needs_install', p.needs_install,
               'has_warranty', p.warranty_months > 0))
        FROM product p WHERE p.sku = ANY (p_skus) AND p.active), '{}'),
    'offers', coalesce((
      SELECT jsonb_agg(jsonb_build_object(
               'stock_id', s.id, 'sku', p.sku, 'location_id', l.id, 'location_code', l.code,
               'kind', l.kind, 'owner_id', s.owner_id,
               'available', s.on_hand - s.held - s.allocated))
        FROM product p
        JOIN stock s ON s.product_id = p.id AND s.on_hand - s.held - s.allocated > 0
             AND s.grade = 'sellable'
        JOIN location l ON l.id = s.location_id AND l.channel_id = c.id AND l.active
             AND l.kind IN ('warehouse', 'store', 'vendor_store')
       WHERE p.sku = ANY (p_skus)), '[]'))
  FROM channel c WHERE c.code = p_channel AND c.active
$$;

-- Writes the order with its customer, address, lines, payment lines, parcels, holds, first journey
-- events, link and outbox rows; or nothing. An order that the channel already sent is answered as
-- known. A hold that finds too little stock raises DS001: the caller routes again.
-- With an idempotency key (scope, key, route, body_sha256 as hex) the answer is stored beside the
-- order and a repeat is answered with the very same bytes; `outcome` is new, known, replay, other
-- (same key, other body) or busy.
CREATE FUNCTION place_order(p jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  o jsonb := p->'order';
  parcel jsonb;
  hold record;
  n bigint;
  order_no text;
  known record;
  k jsonb := p->'idempotency';
  earlier record;
  who uuid;
  moment timestamptz := (o->>'created_at')::timestamptz;
BEGIN
  IF k <> 'null' THEN
    SELECT * INTO earlier FROM idempotency_begin(
      k->>'scope', k->>'key', k->>'route', decode(k->>'body_sha256', 'hex'));
    IF earlier.outcome <> 'new' THEN
      RETURN jsonb_build_object('outcome', earlier.outcome,
                                'answer', convert_from(earlier.answer, 'UTF8'));
    END IF;
  END IF;
  -- The lock makes two senders of one order take turns, so that the second finds the first's row.
  PERFORM pg_advisory_xact_lock(hashtextextended((o->>'channel_id') || ':' || (o->>'external_id'), 0));
  SELECT id, number INTO known FROM customer_order
   WHERE channel_id = (o->>'channel_id')::uuid AND external_id = o->>'external_id';
  IF FOUND THEN
    RETURN intake_answer(known.id, known.number, 'known', k);
  END IF;

  who := intake_customer(p->'customer', (o->>'channel_id')::uuid, moment);
  INSERT INTO address (id, customer_id, name, phone, line1, building, floor, flat, area, city, region,
                       postcode, country, lat, lng, pin_at, instructions, missing, created_at)
  SELECT a.id, who, a.name, a.phone, a.line1, a.building, a.floor, a.flat, a.area, a.city, a.region,
         a.postcode, a.country, a.lat, a.lng, CASE WHEN a.lat IS NOT NULL THEN moment END,
         a.instructions, a.missing, moment
    FROM jsonb_to_record(p->'address') AS a(
      id uuid, name text, phone text, line1 text, building text, floor text, flat text, area text,
      city text, region text, postcode text, country text, lat float8, lng float8,
      instructions text, missing text[]);

  n := nextval('order_number');
  order_no := 'DS-' || lpad(n::text, greatest(6, length(n::text)), '0');
  INSERT INTO customer_order (id, number, channel_id, external_id, external_entity_id, customer_id,
      address_id, currency, subtotal_minor, tax_minor, discount_minor, shipping_minor, total_minor,
      delivery_service, language, placed_at, created_at)
  SELECT r.id, order_no, r.channel_id, r.external_id, r.external_entity_id, who,
         (p#>>'{address,id}')::uuid, r.currency, r.subtotal_minor, r.tax_minor, r.discount_minor,
         r.shipping_minor, r.total_minor, r.delivery_service, r.language, r.placed_at, moment
    FROM jsonb_to_record(o) AS r(
      id uuid, channel_id uuid, external_id text, external_entity_id text, currency text,
      subtotal_minor bigint, tax_minor bigint, discount_minor bigint, shipping_minor bigint,
      total_minor bigint, delivery_service text, language text, placed_at timestamptz);

  INSERT INTO order_line (id, order_id, position, product_id, sku, name, quantity, unit_price_minor,
                          tax_minor, discount_minor, total_minor, external_item_id)
  SELECT l.id, (o->>'id')::uuid, l.position, l.product_id, l.sku, l.name, l.quantity,
         l.unit_price_minor, l.tax_minor, l.discount_minor, l.total_minor, l.external_item_id
    FROM jsonb_to_recordset(p->'lines') AS l(
      id uuid, position smallint, product_id uuid, sku text, name text, quantity int,
      unit_price_minor bigint, tax_minor bigint, discount_minor bigint, total_minor bigint,
      external_item_id text);

  INSERT INTO payment_line (id, order_id, method, amount_minor, due, reference, state, captured_minor,
                            provider_ref)
  SELECT l.id, (o->>'id')::uuid, l.method, l.amount_minor, l.due, l.reference, l.state,
         l.captured_minor, l.provider_ref
    FROM jsonb_to_recordset(p->'payments') AS l(
      id uuid, method text, amount_minor bigint, due text, reference text, state text,
      captured_minor bigint, provider_ref text);

  FOR parcel IN SELECT value FROM jsonb_array_elements(p->'parcels') LOOP
    PERFORM journey_begin(parcel, (o->>'id')::uuid, (o->>'channel_id')::uuid, moment);
  END LOOP;

  -- Holds come last and in one order for all, so that intakes never wait for each other in a circle.
  FOR hold IN
    SELECT h.* FROM jsonb_to_recordset(p->'holds') AS h(
      id uuid, stock_id uuid, fulfilment_line_id uuid, quantity int, expires_at timestamptz)
    ORDER BY h.stock_id
  LOOP
    UPDATE stock SET held = held + hold.quantity
     WHERE id = hold.stock_id AND on_hand - held - allocated >= hold.quantity;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'stock % has less than %', hold.stock_id, hold.quantity USING ERRCODE = 'DS001';
    END IF;
    INSERT INTO reservation (id, stock_id, order_id, fulfilment_line_id, quantity, state, expires_at,
                             created_at)
    VALUES (hold.id, hold.stock_id, (o->>'id')::uuid, hold.fulfilment_line_id, hold.quantity, 'held',
            hold.expires_at, moment);
  END LOOP;

  INSERT INTO order_link (token_hash, order_id, created_at, expires_at)
  VALUES (decode(p->>'link_hash', 'hex'), (o->>'id')::uuid, moment, moment + interval '180 days');
  PERFORM outbox_add(x.kind, x.payload, (o->>'id')::uuid, x.key)
     FROM jsonb_to_recordset(p->'outbox') AS x(kind text, payload jsonb, key text);
  PERFORM inbox_key_appeared(ARRAY(
    SELECT 'order:' || name
      FROM (VALUES (o->>'external_id'), (order_no)) AS own (name)
     UNION
    SELECT 'order:' || (payment->>'reference') FROM jsonb_array_elements(p->'payments') AS payment));
  RETURN intake_answer((o->>'id')::uuid, order_no, 'new', k);
END $$;

-- Says what the order became, and stores that under the idempotency key if there is one.
CREATE FUNCTION intake_answer(p_order uuid, p_number text, p_outcome text, k jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  answer text;
BEGIN
  SELECT jsonb_build_object(
           'order_id', p_order, 'number', p_number,
           'fulfilment_ids', jsonb_agg(f.id ORDER BY f.parcel))::text
    INTO answer FROM fulfilment f WHERE f.order_id = p_order;
  IF k <> 'null' THEN
    PERFORM idempotency_store(k->>'scope', k->>'key', k->>'route', decode(k->>'body_sha256', 'hex'),
                              201, '{}'::jsonb, convert_to(answer, 'UTF8'));
  END IF;
  RETURN jsonb_build_object('outcome', p_outcome, 'answer', answer);
END $$;

-- Finds the customer by channel, phone and e-mail, or writes a new one.
CREATE FUNCTION intake_customer(c jsonb, p_channel uuid, moment timestamptz) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
  found_id uuid;
BEGIN
  SELECT id INTO found_id FROM customer
   WHERE channel_id = p_channel AND phone = c->>'phone' AND email = c->>'email'
   -- Whoever is just being erased is waited for, and is then found no more (flows/erasure.py).
     FOR KEY SHARE;
  IF found_id IS NOT NULL THEN
    RETURN found_id;
  END IF;
  INSERT INTO customer (id, channel_id, name, phone, email, language, created_at)
  VALUES ((c->>'id')::uuid, p_channel, c->>'name', c->>'phone', c->>'email', c->>'language', moment)
  ON CONFLICT ON CONSTRAINT customer_contact_key DO UPDATE SET name = customer.name
  RETURNING id INTO found_id;
  RETURN found_id;
END $$;
