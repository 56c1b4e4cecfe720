"""Hand-written statements of the warehouse; each is one round trip."""

HOLDS_TO_ALLOCATIONS = """
WITH mine AS (
  SELECT r.id, r.stock_id, r.quantity
    FROM reservation r JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
   WHERE l.fulfilment_id = $1 AND r.state = 'held'
   ORDER BY r.stock_id FOR UPDATE OF r
), locked AS (
  -- Stock rows are locked in one order by everybody, so that no two writers wait in a circle.
  SELECT id FROM stock WHERE id IN (SELECT stock_id FROM mine) ORDER BY id FOR NO KEY UPDATE
), moved AS (
  UPDATE stock s SET held = s.held - m.quantity, allocated = s.allocated + m.quantity
    FROM locked,
         (SELECT stock_id, sum(quantity)::int AS quantity FROM mine GROUP BY stock_id) m
   WHERE s.id = m.stock_id AND locked.id = s.id
)
UPDATE reservation r SET state = 'allocated', expires_at = NULL
  FROM mine WHERE r.id = mine.id RETURNING r.id
"""

RELEASE_RESERVATIONS = """
WITH mine AS (
  SELECT r.id, r.stock_id, r.quantity, r.state
    FROM reservation r JOIN fulfilment_line l ON l.id = r.fulfilment_line_id
   WHERE l.fulfilment_id = $1 AND r.state IN ('held', 'allocated')
   ORDER BY r.stock_id FOR UPDATE OF r
), locked AS (
  SELECT id FROM stock WHERE id IN (SELECT stock_id FROM mine) ORDER BY id FOR NO KEY UPDATE
), freed AS (
  UPDATE stock s SET held = s.held - m.held, allocated = s.allocated - m.allocated
    FROM locked,
         (SELECT stock_id, coalesce(sum(quantity) FILTER (WHERE state = 'held'), 0)::int AS held,
                 coalesce(sum(quantity) FILTER (WHERE state = 'allocated'), 0)::int AS allocated
            FROM mine GROUP BY stock_id) m
   WHERE s.id = m.stock_id AND locked.id = s.id
)
UPDATE reservation r SET state = 'released', ended_at = $2
  FROM mine WHERE r.id = mine.id RETURNING r.id
"""

UNITS_TO_SHELF = """
UPDATE unit u SET state = 'in_stock', fulfilment_line_id = NULL
  FROM fulfilment_line l
 WHERE l.id = u.fulfilment_line_id AND l.fulfilment_id = $1 AND u.state = 'picked'
"""

LINES_WITHOUT_RESERVATION = """
SELECT l.id, p.sku, l.quantity
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1 AND NOT EXISTS (
   SELECT FROM reservation r WHERE r.fulfilment_line_id = l.id AND r.state IN ('held', 'allocated'))
"""

CONSUME_ALLOCATIONS = """
WITH mine AS (
  UPDATE reservation r SET state = 'consumed', ended_at = $2
    FROM fulfilment_line l
   WHERE l.id = r.fulfilment_line_id AND l.fulfilment_id = $1 AND r.state = 'allocated'
  RETURNING r.stock_id, r.quantity, r.fulfilment_line_id
), out AS (
  INSERT INTO custody (fulfilment_line_id, location_id, quantity)
  SELECT fulfilment_line_id, $3, quantity FROM mine
), locked AS (
  SELECT id FROM stock WHERE id IN (SELECT stock_id FROM mine) ORDER BY id FOR NO KEY UPDATE
)
UPDATE stock s SET on_hand = s.on_hand - m.quantity, allocated = s.allocated - m.quantity
  FROM locked, (SELECT stock_id, sum(quantity)::int AS quantity FROM mine GROUP BY stock_id) m
 WHERE s.id = m.stock_id AND locked.id = s.id
RETURNING s.id, s.product_id, s.owner_id, m.quantity
"""

WHEREABOUTS = """
SELECT c.fulfilment_line_id, c.location_id, l.product_id, f.owner_id, c.quantity
  FROM custody c
  JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
 WHERE f.id = $1 ORDER BY c.fulfilment_line_id, c.location_id
"""

NAMED_UNITS = """
SELECT u.fulfilment_line_id, u.location_id, count(*)::int AS quantity
  FROM unit u
  JOIN unnest($1::uuid[], $2::text[]) AS n (line_id, serial)
    ON n.line_id = u.fulfilment_line_id AND n.serial = u.serial
 WHERE u.state IN ('shipped', 'delivered')
 GROUP BY u.fulfilment_line_id, u.location_id
"""

ADD_CUSTODY = """
INSERT INTO custody (fulfilment_line_id, location_id, quantity) VALUES ($1, $2, $3)
ON CONFLICT ON CONSTRAINT custody_pkey DO UPDATE
   SET quantity = custody.quantity + EXCLUDED.quantity
"""

# A row of none would say that somebody has nothing: it goes away with the last piece.
LESSEN_CUSTODY = """
WITH gone AS (
  DELETE FROM custody WHERE fulfilment_line_id = $1 AND location_id = $2 AND quantity = $3
)
UPDATE custody SET quantity = quantity - $3
 WHERE fulfilment_line_id = $1 AND location_id = $2 AND quantity > $3
"""

# $5: serials, or NULL for every unit of the parcel; $6: the places to take them from, or NULL.
CARRY_UNITS = """
UPDATE unit u SET location_id = $2, state = $4
  FROM fulfilment_line l
 WHERE l.id = u.fulfilment_line_id AND l.fulfilment_id = $1 AND u.state = ANY ($3)
   AND ($5::text[] IS NULL OR u.serial = ANY ($5))
   AND ($6::uuid[] IS NULL OR u.location_id = ANY ($6))
"""

SPLIT_UNITS = """
UPDATE unit SET fulfilment_line_id = $2
 WHERE id IN (SELECT id FROM unit WHERE fulfilment_line_id = $1
               ORDER BY serial = ANY ($3::text[]) DESC, serial LIMIT $4)
"""

# Without a grade they are scrap, and stay with their line, whose history they are.
UNITS_BACK = """
UPDATE unit u
   SET location_id = CASE WHEN $3::text IS NULL THEN u.location_id ELSE $2 END,
       state = CASE WHEN $3::text IS NULL THEN 'scrapped' ELSE 'in_stock' END,
       grade = coalesce($3, u.grade),
       fulfilment_line_id = CASE WHEN $3::text IS NULL THEN u.fulfilment_line_id END
  FROM fulfilment_line l
 WHERE l.id = u.fulfilment_line_id AND l.fulfilment_id = $1 AND u.state IN ('shipped', 'delivered')
   AND ($4::text[] IS NULL OR u.serial = ANY ($4)) AND l.id = ANY ($5)
"""

TAKE_FROM = """
UPDATE stock SET on_hand = on_hand - $4
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3
   AND grade = 'sellable' AND on_hand - held - allocated >= $4
RETURNING id
"""

PUT_INTO = """
INSERT INTO stock (id, product_id, location_id, owner_id, on_hand, grade)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT ON CONSTRAINT stock_place_unique DO UPDATE SET on_hand = stock.on_hand + EXCLUDED.on_hand
RETURNING id
"""

# What is free of these products in a channel, locked in everybody's order: whoever routes by it
# may hold it in the same transaction.
FREE_STOCK = """
SELECT s.id AS stock_id, p.sku, l.id AS location_id, l.code AS location_code, l.kind, s.owner_id,
       s.on_hand - s.held - s.allocated AS available
  FROM stock s
  JOIN product p ON p.id = s.product_id
  JOIN location l ON l.id = s.location_id
 WHERE s.product_id = ANY ($2) AND l.channel_id = $1 AND l.active AND s.grade = 'sellable'
   AND l.kind IN ('warehouse', 'store', 'vendor_store')
   AND (s.owner_id IS NULL OR s.owner_id <> ALL ($3::uuid[]))
   AND s.on_hand - s.held - s.allocated > 0
 ORDER BY s.id FOR NO KEY UPDATE OF s
"""

HOLD = """
WITH taken AS (
  UPDATE stock SET held = held + $4 WHERE id = $2 AND on_hand - held - allocated >= $4 RETURNING id
)
INSERT INTO reservation (id, stock_id, order_id, fulfilment_line_id, quantity, state, expires_at,
                         created_at)
SELECT new_id(), id, $1, $3, $4, 'held', $5, $6 FROM taken
"""

# Fewer pieces of a line are wanted: its reservation shrinks, or goes when none are left.
LESSEN_RESERVATION = """
WITH mine AS (
  SELECT r.id, r.stock_id, r.state, least($2, r.quantity) AS quantity, r.quantity - $2 AS left
    FROM reservation r
   WHERE r.fulfilment_line_id = $1 AND r.state IN ('held', 'allocated') FOR UPDATE
), freed AS (
  UPDATE stock s
     SET held = s.held - CASE WHEN mine.state = 'held' THEN mine.quantity ELSE 0 END,
         allocated = s.allocated - CASE WHEN mine.state = 'allocated' THEN mine.quantity ELSE 0 END
    FROM mine WHERE s.id = mine.stock_id
)
UPDATE reservation r
   SET quantity = CASE WHEN mine.left > 0 THEN mine.left ELSE r.quantity END,
       state = CASE WHEN mine.left > 0 THEN r.state ELSE 'released' END,
       ended_at = CASE WHEN mine.left > 0 THEN r.ended_at ELSE $3 END
  FROM mine WHERE r.id = mine.id
"""

RECORD_MOVEMENT = """
INSERT INTO stock_movement (id, stock_id, quantity, reason, ref, order_id, moved_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""

# A unit that was written off, on a shelf or on the road, may be here again, for whom it belongs to.
# It leaves the parcel it was lost with, as one that is returned does; whose it was, qc_scan keeps.
ADD_UNITS = """
INSERT INTO unit (id, product_id, serial, owner_id, location_id, grade)
SELECT new_id(), $1, serial, $2, $3, $5 FROM unnest($4::text[]) AS serial
ON CONFLICT ON CONSTRAINT unit_serial_unique DO UPDATE
   SET state = 'in_stock', location_id = EXCLUDED.location_id, grade = EXCLUDED.grade,
       fulfilment_line_id = NULL
 WHERE unit.state = 'scrapped' AND unit.owner_id IS NOT DISTINCT FROM EXCLUDED.owner_id
"""

# The picker with the fewest unfinished lists, among those who work this location.
NEXT_PICKER = """
SELECT p.id FROM person p
  LEFT JOIN pick_list k ON k.picker_id = p.id AND k.state NOT IN ('packed', 'dropped')
 WHERE p.active AND p.location_id = $1 AND p.role IN ('warehouse', 'store', 'vendor_store')
 GROUP BY p.id ORDER BY count(k.id), p.id LIMIT 1
"""

# Each state once and never back, whatever comes in whichever order.
NOTE_STEP = """
UPDATE pick_list
   SET state = $2,
       started_at = CASE WHEN $2 = 'picking' THEN $4 ELSE started_at END,
       checked_at = CASE WHEN $2 = 'checked' THEN $4 ELSE checked_at END,
       packed_at = CASE WHEN $2 = 'packed' THEN $4 ELSE packed_at END,
       picker_id = coalesce(picker_id, $3)
 WHERE fulfilment_id = $1
   AND array_position(ARRAY['open', 'picking', 'checked', 'packed'], state)
     < array_position(ARRAY['open', 'picking', 'checked', 'packed'], $2::text)
"""

OPEN_LISTS = """
SELECT k.id, k.fulfilment_id, k.picker_id, k.state, k.created_at, o.number, c.zone, c.working_week,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'fulfilment_line_id', l.id, 'sku', p.sku, 'name', p.name, 'quantity', l.quantity,
      'barcode', p.barcode, 'serials', CASE WHEN p.serialised THEN to_jsonb(ARRAY(
         SELECT u.serial FROM unit u
          WHERE u.location_id = k.location_id AND u.product_id = p.id AND u.state = 'in_stock'
            AND u.grade = 'sellable'
            AND u.owner_id IS NOT DISTINCT FROM f.owner_id
          ORDER BY u.id LIMIT 50)) ELSE '[]' END,
      'accessories', p.accessories, 'pieces', p.pieces * l.quantity, 'weight_g', p.weight_g,
      'length_mm', p.length_mm, 'width_mm', p.width_mm, 'height_mm', p.height_mm,
      'packing_instruction', p.packing_instruction, 'serialised', p.serialised,
      'bin', coalesce(b.code, '')) ORDER BY bin_order(b.code) NULLS LAST, l.id)
   FROM fulfilment_line l JOIN product p ON p.id = l.product_id
   LEFT JOIN bin b ON b.location_id = k.location_id AND b.product_id = p.id
  WHERE l.fulfilment_id = k.fulfilment_id), '[]') AS lines,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'scan_uid', q.id, 'kind', q.kind, 'code', q.code, 'sku', p.sku) ORDER BY q.recorded_at, q.id)
   FROM qc_scan q JOIN fulfilment_line l ON l.id = q.fulfilment_line_id
   JOIN product p ON p.id = l.product_id
  WHERE q.fulfilment_id = k.fulfilment_id AND q.ok
    AND q.recorded_at > coalesce(k.repicked_at, '-infinity')), '[]') AS scans
FROM pick_list k
JOIN fulfilment f ON f.id = k.fulfilment_id
JOIN customer_order o ON o.id = f.order_id
JOIN channel c ON c.id = o.channel_id
WHERE k.location_id = $1 AND k.state NOT IN ('packed', 'dropped')
ORDER BY k.created_at, k.id LIMIT 200
"""

# How many boxes the goods of each line make.
PIECES_MADE = """
SELECT l.id, l.quantity * p.pieces AS pieces FROM fulfilment_line l
  JOIN product p ON p.id = l.product_id WHERE l.fulfilment_id = $1 ORDER BY l.id
"""

EXPECTED_AT_QC = """
SELECT l.id AS fulfilment_line_id, l.product_id, p.sku, p.name, l.quantity, p.barcode, p.serialised,
       ARRAY(SELECT a->>'code' FROM jsonb_array_elements(p.accessories) a) AS accessories,
       (SELECT count(*)::int FROM qc_scan q
         WHERE q.fulfilment_line_id = l.id AND q.ok AND q.kind = 'barcode'
           AND q.recorded_at > since.moment) AS seen_barcodes,
       ARRAY(SELECT q.code FROM qc_scan q
         WHERE q.fulfilment_line_id = l.id AND q.ok AND q.kind = 'serial'
           AND q.recorded_at > since.moment) AS seen_serials,
       (SELECT coalesce(jsonb_object_agg(t.code, t.n), '{}') FROM (
         SELECT q.code, count(*) AS n FROM qc_scan q
          WHERE q.fulfilment_line_id = l.id AND q.ok AND q.kind = 'accessory'
            AND q.recorded_at > since.moment GROUP BY q.code) t
       ) AS seen_accessories
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 CROSS JOIN LATERAL (SELECT coalesce(max(k.repicked_at), '-infinity') AS moment
                       FROM pick_list k WHERE k.fulfilment_id = l.fulfilment_id) since
 WHERE l.fulfilment_id = $1 ORDER BY l.id
"""

UNITS_BY_SERIAL = """
SELECT u.serial, u.id, u.product_id,
       (u.state = 'in_stock' AND u.grade = 'sellable' AND u.location_id = $2
         AND u.owner_id IS NOT DISTINCT FROM $3) AS free
  FROM unit u WHERE u.serial = ANY ($1)
"""
