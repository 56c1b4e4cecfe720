"""Hand-written statements of procurement."""

from __future__ import annotations

INSERT_PURCHASE_ORDER = """
INSERT INTO purchase_order (id, vendor_id, order_id, fulfilment_id, currency, total_minor, state,
                            sent_at, answer_due_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, 'sent', $7, $8, $7)
ON CONFLICT ON CONSTRAINT purchase_order_fulfilment_key DO NOTHING
RETURNING number
"""

INSERT_LINES = """
INSERT INTO po_line (id, po_id, vendor_id, position, fulfilment_line_id, product_id, sku, name,
                     quantity, unit_cost_minor, total_minor)
SELECT new_id(), $1, $2, l.position, l.fulfilment_line_id, l.product_id, l.sku, l.name, l.quantity,
       l.unit_cost_minor, l.quantity * l.unit_cost_minor
  FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::int[], $8::bigint[])
       WITH ORDINALITY
    AS l (fulfilment_line_id, product_id, sku, name, quantity, unit_cost_minor, position)
"""

LOCK = """
SELECT id, number, vendor_id, order_id, fulfilment_id, state, answer_event_id
  FROM purchase_order WHERE id = $1 FOR NO KEY UPDATE
"""

ANSWER = """
UPDATE purchase_order
   SET state = $2, answered_at = clock_timestamp() + $3::interval, answered_by = $4,
       answer_event_id = $5, answer_reason = $6,
       ready_on = $7
 WHERE id = $1
"""

MOVE_READY = "UPDATE purchase_order SET ready_on = $2 WHERE id = $1 AND state = 'accepted'"

CANCEL = """
UPDATE purchase_order SET state = 'cancelled', answer_reason = left($2, 500)
 WHERE id = $1 AND state IN ('draft', 'sent', 'accepted') RETURNING vendor_id, order_id
"""

REMIND = """
UPDATE purchase_order SET reminded_at = $2
 WHERE id = $1 AND state = 'sent' AND reminded_at IS NULL RETURNING vendor_id, order_id
"""

DROP_LINES = "DELETE FROM po_line WHERE po_id = $1 AND fulfilment_line_id <> ALL ($2::uuid[])"

LESSEN_LINES = """
WITH left_over AS (
  UPDATE po_line l SET quantity = n.quantity, total_minor = n.quantity * l.unit_cost_minor
    FROM unnest($2::uuid[], $3::int[]) AS n (fulfilment_line_id, quantity)
   WHERE l.po_id = $1 AND l.fulfilment_line_id = n.fulfilment_line_id
  RETURNING l.total_minor
)
UPDATE purchase_order SET total_minor = (SELECT coalesce(sum(total_minor), 0) FROM left_over)
 WHERE id = $1 RETURNING total_minor
"""

SAVE_VENDOR = """
INSERT INTO vendor (id, code, name, country, zone, email, phone, percentages, working_hours,
                    answer_hours, account_name, account_number, bank_code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, working_week()), $10, $11, $12, $13)
ON CONFLICT (code) DO UPDATE
   SET name = EXCLUDED.name, country = EXCLUDED.country, zone = EXCLUDED.zone,
       email = EXCLUDED.email, phone = EXCLUDED.phone, percentages = EXCLUDED.percentages,
       working_hours = EXCLUDED.working_hours, answer_hours = EXCLUDED.answer_hours,
       account_name = EXCLUDED.account_name, account_number = EXCLUDED.account_number,
       bank_code = EXCLUDED.bank_code
RETURNING id
"""

SAVE_COST = """
INSERT INTO vendor_product (vendor_id, product_id, currency, cost_minor) VALUES ($1, $2, $3, $4)
ON CONFLICT ON CONSTRAINT vendor_product_pkey DO UPDATE SET cost_minor = EXCLUDED.cost_minor
"""

# --- Read as the vendor (core/tenant.py): the WHERE is for speed, the policies are for safety ---

LIST_OWN = """
SELECT p.id, p.number, p.fulfilment_id, p.state, p.currency, p.total_minor, p.sent_at,
       p.answer_due_at, p.created_at,
       p.answered_at, p.answer_reason, p.ready_on
  FROM purchase_order p
 WHERE p.vendor_id = $1 AND ($2::text IS NULL OR p.state = $2)
   AND ($3::timestamptz IS NULL OR (p.created_at, p.id) < ($3, $4::uuid))
 ORDER BY p.created_at DESC, p.id DESC LIMIT $5
"""

READ_OWN = """
SELECT p.id, p.number, p.fulfilment_id, p.state, p.currency, p.total_minor, p.sent_at,
       p.answer_due_at, p.created_at,
       p.answered_at, p.answer_reason, p.ready_on,
       (SELECT jsonb_agg(jsonb_build_object(
          'fulfilment_line_id', l.fulfilment_line_id, 'sku', l.sku, 'name', l.name,
          'quantity', l.quantity, 'unit_cost_minor', l.unit_cost_minor,
          'total_minor', l.total_minor) ORDER BY l.position)
          FROM po_line l WHERE l.po_id = p.id) AS lines
  FROM purchase_order p WHERE p.id = $1 AND p.vendor_id = $2
"""
