"""What closing and the archive read: the return window, what is still open, what is kept."""

from __future__ import annotations

from doorstep.flows.missing_pictures import NAMED

# The return window of an order `o` ends so many days after the delivery of its last living parcel;
# NULL while one of them is on its way, or when none is left. The longest of its goods counts.
_WINDOW = """
CROSS JOIN LATERAL (
  SELECT CASE WHEN bool_and(1013 = ANY (f.passed))
              THEN max(d.delivered_at) + make_interval(days => max(d.return_days)) END AS ends_at,
         count(*) AS living
    FROM fulfilment f
   CROSS JOIN LATERAL (
     SELECT (SELECT max(e.recorded_at) FROM journey_event e
              WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = 1013) AS delivered_at,
            (SELECT max(p.return_days)::int FROM fulfilment_line l
               JOIN product p ON p.id = l.product_id WHERE l.fulfilment_id = f.id) AS return_days) d
   WHERE f.order_id = o.id AND f.state = 'open') w
"""

CANDIDATES = f"""
SELECT o.id FROM customer_order o {_WINDOW}
 WHERE o.closed_at IS NULL AND o.id > $1 AND (w.living = 0 OR w.ends_at <= $2)
 ORDER BY o.id LIMIT 100
"""  # noqa: S608 - a constant of this file

ORDER = f"""
SELECT o.id, o.number, o.state, o.closed_at, o.closing_reason, p.name AS closed_by, w.ends_at,
       (SELECT jsonb_agg(jsonb_build_object(
          'parcel', f.parcel, 'ended', f.state = 'ended', 'passed', f.passed,
          'needs_vendor', f.needs_vendor, 'needs_install', f.needs_install,
          'has_warranty', f.has_warranty, 'collection', f.collection) ORDER BY f.parcel)
          FROM fulfilment f WHERE f.order_id = o.id) AS parcels
  FROM customer_order o {_WINDOW}
  LEFT JOIN person p ON p.id = o.closed_by
 WHERE o.id = $1
"""  # noqa: S608 - as above

LOCK = "SELECT closed_at FROM customer_order WHERE id = $1 FOR NO KEY UPDATE"

# A parcel under a blocking detour would only hold the step; it is asked again when that is over.
WITHOUT_FEEDBACK = """
SELECT f.id, f.attempt FROM fulfilment f
 WHERE f.order_id = $1 AND f.state = 'open' AND 1015 = ANY (f.passed) AND NOT 1016 = ANY (f.passed)
   AND NOT EXISTS (SELECT FROM detour_case d
                    WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL AND d.blocks_from <= 1016)
 ORDER BY f.parcel
"""

OPEN_THINGS: dict[str, str] = {
    "problems and tickets": """
        SELECT p.title || ' (' || p.owner_role || ')' AS words FROM problem p
         WHERE p.order_id = $1 AND p.closed_at IS NULL ORDER BY p.opened_at""",
    "detours": """
        SELECT 'Parcel ' || f.parcel || ': ' || replace(d.kind, '_', ' ') || ' is not settled.' AS words
          FROM detour_case d JOIN fulfilment f ON f.id = d.fulfilment_id
         WHERE d.order_id = $1 AND d.closed_at IS NULL AND f.state = 'open' ORDER BY d.opened_at""",
    "payments": """
        SELECT 'A payment by ' || replace(l.method, '_', ' ') || ' is not in yet.' AS words
          FROM payment_line l
         WHERE l.order_id = $1 AND l.captured_minor < l.amount_minor
           -- What was credited is not asked for any more, or has been given back.
           AND (SELECT sum(x.amount_minor - x.captured_minor) FROM payment_line x
                 WHERE x.order_id = l.order_id)
             > (SELECT coalesce(sum(n.amount_minor), 0) FROM credit_note n
                 WHERE n.order_id = l.order_id)
           AND EXISTS (SELECT FROM fulfilment f WHERE f.order_id = l.order_id AND f.state = 'open')""",
    "tranches": """
        SELECT p.number || ' V' || t.number || ': '
               || CASE t.state WHEN 'released' THEN 'the bank has not paid it yet.'
                               ELSE t.reason END AS words
          FROM tranche t JOIN purchase_order p ON p.id = t.po_id
         WHERE p.order_id = $1
           AND EXISTS (SELECT FROM fulfilment f WHERE f.po_id = p.id AND f.state = 'open')
           AND NOT (t.state = 'released'
                    AND (t.amount_minor = 0
                         OR EXISTS (SELECT FROM payout x
                                     WHERE x.tranche_id = t.id AND x.state = 'paid')))
         ORDER BY p.number, t.number""",
}
"""What keeps an order open, by name: each query tells in words what it finds for an order ($1)."""

# --- The archive ----------------------------------------------------------------------------------

KEPT = """
SELECT o.number, o.external_id, o.state, o.currency, o.total_minor, o.placed_at, o.closed_at,
       c.code AS channel, c.zone,
       extract(year FROM o.placed_at AT TIME ZONE c.zone)::int AS year,
       (SELECT jsonb_agg(jsonb_build_object('sku', l.sku, 'name', l.name, 'quantity', l.quantity,
                                            'total_minor', l.total_minor) ORDER BY l.position)
          FROM order_line l WHERE l.order_id = o.id) AS lines,
       (SELECT jsonb_agg(jsonb_build_object(
          'parcel', f.parcel, 'state', f.state, 'ended_as', f.ended_as,
          'head', jsonb_build_object('seq', f.head_seq, 'hash', encode(f.head_hash, 'hex')),
          'awbs', (SELECT coalesce(jsonb_agg(s.awb ORDER BY s.created_at), '[]') FROM shipment s
                    WHERE s.fulfilment_id = f.id),
          'serials', (SELECT coalesce(jsonb_agg(u.serial ORDER BY u.serial), '[]')
                        FROM unit u JOIN fulfilment_line l ON l.id = u.fulfilment_line_id
                       WHERE l.fulfilment_id = f.id),
          'stages', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'stage', e.stage, 'how', e.how, 'recorded_at', e.recorded_at) ORDER BY e.seq), '[]')
                       FROM journey_event e WHERE e.fulfilment_id = f.id AND e.kind = 'stage'))
          ORDER BY f.parcel)
          FROM fulfilment f WHERE f.order_id = o.id) AS parcels
  FROM customer_order o JOIN channel c ON c.id = o.channel_id
 WHERE o.id = $1 AND o.closed_at IS NOT NULL
"""

# Only bytes that are in the store are kept: a photo that never arrived has no row in blob.
FILES = f"""
SELECT concat_ws('-', d.kind, f.parcel, d.language) || '.pdf' AS file, d.kind, d.sha256
  FROM order_document d LEFT JOIN fulfilment f ON f.id = d.fulfilment_id WHERE d.order_id = $1
UNION ALL
SELECT 'warranty-' || w.number || '.pdf', 'warranty', w.certificate_sha256
  FROM warranty w WHERE w.order_id = $1 AND w.certificate_sha256 IS NOT NULL
UNION
SELECT replace(n.what, ' ', '-') || '-' || left(n.sha256, 16) || '.jpg', 'photo', n.sha256
  FROM ({NAMED}) n JOIN blob b ON b.sha256 = n.sha256 WHERE n.order_id = $1
ORDER BY file
"""  # noqa: S608 - a constant of ours
