"""The statements of crm."""

ADD_LINK = """
INSERT INTO order_link (token_hash, order_id, created_at, expires_at)
VALUES ($1, $2, $3, $3::timestamptz + interval '180 days')
"""

LIMIT_LINKS = """
UPDATE order_link SET expires_at = least(expires_at, $2) WHERE order_id = $1 AND owner_n = 0
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

KEEP_FEEDBACK_PHOTOS = """
INSERT INTO feedback_photo (feedback_id, n, sha256)
SELECT $1, x.n, x.sha256 FROM unnest($2::text[]) WITH ORDINALITY AS x (sha256, n)
ON CONFLICT DO NOTHING
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

# --- Links that are sent anew ---------------------------------------------------------------------

# $2 whose links count, $3 and $4 since when it is a moment and a day.
LINKS_OF = """
SELECT count(*)::int AS made,
       (count(*) FILTER (WHERE owner_n = $2))::int AS own,
       (count(*) FILTER (WHERE owner_n = $2 AND created_at > $3))::int AS just_now,
       (count(*) FILTER (WHERE owner_n = $2 AND created_at > $4))::int AS of_the_day
  FROM order_link WHERE order_id = $1
"""

KEEP_LINK = """
INSERT INTO order_link (token_hash, order_id, owner_n, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5)
"""

# --- Signing in by a link -------------------------------------------------------------------------

LOCK_LINKS = """
SELECT 1 FROM order_link WHERE order_id = $1 ORDER BY token_hash FOR UPDATE
"""

# $3 the link: those of one owner share the codes of a day, and nobody uses up another one's.
CODES_OF_ORDER = """
SELECT coalesce(max(c.n), 0)::int AS last,
       (count(*) FILTER (WHERE c.issued_at > $2 AND l.owner_n = own.owner_n))::int AS of_the_day
  FROM link_code c
  JOIN order_link l ON l.token_hash = c.token_hash
 CROSS JOIN (SELECT owner_n FROM order_link WHERE token_hash = $3) own
 WHERE c.order_id = $1
"""

KEEP_CODE = """
INSERT INTO link_code (order_id, n, token_hash, code_hash, issued_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""

# A newer code takes the place of an older one; the lock lets tries be counted one by one.
NEWEST_CODE = """
SELECT c.order_id, c.n, c.code_hash, c.failed_tries, c.used_at
  FROM link_code c JOIN order_link l ON l.token_hash = c.token_hash
 WHERE c.token_hash = $1 AND c.expires_at > $2 AND l.revoked_at IS NULL AND l.expires_at > $2
   AND c.n = (SELECT max(newest.n) FROM link_code newest WHERE newest.token_hash = $1)
   FOR UPDATE OF c
"""

COUNT_TRY = """
UPDATE link_code SET failed_tries = failed_tries + 1 WHERE order_id = $1 AND n = $2
"""

OPEN_SESSION = """
WITH used AS (
  UPDATE link_code SET used_at = $5 WHERE order_id = $3 AND n = $4 AND used_at IS NULL)
INSERT INTO link_session (session_hash, token_hash, order_id, n, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
"""

END_SESSION = """
UPDATE link_session SET ended_at = $3
 WHERE session_hash = $1 AND token_hash = $2 AND ended_at IS NULL
"""
