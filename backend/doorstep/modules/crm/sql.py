"""The statements of crm."""

LIMIT_LINKS = """
UPDATE order_link SET expires_at = least(expires_at, $2) WHERE order_id = $1
"""

REVOKE_LINKS = """
UPDATE order_link SET revoked_at = $2 WHERE order_id = $1 AND revoked_at IS NULL
"""

# The update of nothing makes RETURNING answer the row that is there already.
KEEP_FEEDBACK = """
INSERT INTO feedback (id, order_id, fulfilment_id, event_id, delivery_rating,
                      installation_rating, words, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (fulfilment_id) DO UPDATE SET event_id = feedback.event_id
RETURNING id, event_id
"""

REGISTER_WARRANTIES = """
INSERT INTO warranty (order_id, fulfilment_id, starts_on, created_at, id, number,
                      fulfilment_line_id, product_id, unit_id, serial, quantity, ends_on)
SELECT $1, $2, $3, $4, w.*
  FROM unnest($5::uuid[], $6::text[], $7::uuid[], $8::uuid[], $9::uuid[], $10::text[],
              $11::int[], $12::date[]) AS w
ON CONFLICT (fulfilment_line_id, unit_id) DO NOTHING
"""

ACTIVATE_WARRANTIES = """
UPDATE warranty w SET state = 'active', certificate_sha256 = c.sha256, certificate_at = $3
  FROM unnest($1::uuid[], $2::text[]) AS c (id, sha256)
 WHERE w.id = c.id AND w.state = 'registered'
"""

VERIFY = """
SELECT w.number, p.name AS product, w.quantity, w.starts_on, w.ends_on,
       w.ends_on >= ($2::timestamptz)::date AS valid
  FROM warranty w JOIN product p ON p.id = w.product_id
 WHERE w.number = $1 AND w.state = 'active'
"""
