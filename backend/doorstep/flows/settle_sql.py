"""What flows/settle.py reads across modules: finance itself knows no other table."""

from __future__ import annotations

from doorstep.flows.came_back import PIECES_BACK

# --- Customers' money -------------------------------------------------------------------------

# The gateway names its reference, which the shop told us for the payment line; our own API may
# have told none, then the reference is the order's number here or there.
FIND_ORDER = """
WITH candidate AS (
  SELECT l.order_id FROM payment_line l WHERE l.reference = $1 AND $1 <> ''
  UNION
  SELECT l.order_id FROM payment_line l WHERE l.provider_ref = $2 AND $2 <> ''
  UNION
  SELECT k.order_id FROM door_link k WHERE k.reference = $1
  UNION
  SELECT o.id FROM customer_order o WHERE o.number = $1
  UNION
  SELECT o.id FROM channel c JOIN customer_order o ON o.channel_id = c.id AND o.external_id = $1
)
SELECT o.id FROM candidate JOIN customer_order o ON o.id = candidate.order_id
 ORDER BY (o.currency = $3) DESC, o.created_at DESC LIMIT 1
"""

# What a link of the door brings is due there. Else of several payment lines the one that this payment
# has been about before, then the one that the amount fits, then the first that is still open.
CHOOSE_LINE = """
SELECT l.id, l.order_id, l.amount_minor
  FROM payment_line l
 WHERE l.order_id = $1
 ORDER BY (l.due = 'at_door' AND EXISTS (SELECT FROM door_link k WHERE k.reference = $3)) DESC,
          (l.provider_ref = $2 AND $2 <> '') DESC,
          EXISTS (SELECT FROM payment_event e
                   WHERE e.payment_line_id = l.id AND e.payment_id = $2) DESC,
          (l.reference = $3 AND $3 <> '') DESC,
          (l.state <> 'captured') DESC, (l.amount_minor = $4) DESC,
          (l.due = 'now') DESC, l.id
 LIMIT 1
"""

CHOOSE_LINE_AT_DOOR = """
SELECT id, order_id, amount_minor FROM payment_line
 WHERE order_id = $1 AND due = 'at_door'
 ORDER BY (state <> 'captured') DESC, (method = 'cod') DESC, id LIMIT 1
"""

# An order with all that its payment is judged by; takes the order's lock.
PAYMENT = """
SELECT o.id, o.number, o.currency, o.total_minor, o.placed_at, c.cod_limit_minor,
       k.phone_verified_at IS NOT NULL AS phone_verified,
       coalesce((SELECT sum(n.amount_minor) FROM credit_note n WHERE n.order_id = o.id), 0)::bigint
         AS credited_minor,
       EXISTS (SELECT FROM approval a WHERE a.order_id = o.id AND a.kind = 'payment'
                 AND a.verdict = 'approved') AS approved,
       (SELECT count(*) FROM customer y
          JOIN customer_order x ON x.customer_id = y.id
          JOIN detour_case d ON d.order_id = x.id
         WHERE y.phone = k.phone AND d.kind = 'delivery_failed' AND d.reason = 'refused'
           AND d.opened_at > $2
           AND EXISTS (SELECT FROM payment_line l
                        WHERE l.order_id = x.id AND l.due = 'at_door')) AS refused_lately
  FROM customer_order o
  JOIN channel c ON c.id = o.channel_id
  JOIN customer k ON k.id = o.customer_id
 WHERE o.id = $1 FOR NO KEY UPDATE OF o
"""

PAYMENT_LINES = """
SELECT id, method, due, amount_minor, captured_minor, state, reference, provider_ref
  FROM payment_line WHERE order_id = $1 ORDER BY due DESC, id
"""

FULFILMENTS = """
SELECT id, attempt, created_at, 1002 = ANY (passed) AS paid FROM fulfilment
 WHERE order_id = $1 AND state = 'open' ORDER BY parcel
"""

# --- Vendors' money ---------------------------------------------------------------------------

PURCHASE_ORDERS = """
SELECT DISTINCT po_id FROM fulfilment
 WHERE po_id IS NOT NULL AND (id = $1 OR ($2 AND order_id = $3)) ORDER BY po_id
"""

# Of a fulfilment named x: all its pieces once it has ended, before that those that came back. It
# never falls, so a person's word about the rest is good for what he knew of, and no more.
PIECES_GONE = f"""(
  SELECT coalesce(sum(CASE WHEN x.state = 'open' THEN {PIECES_BACK} ELSE l.quantity END), 0)::int
    FROM fulfilment_line l WHERE l.fulfilment_id = x.id)"""  # noqa: S608 - as below

# What those pieces cost, by what the purchase order says of their products.
COST_GONE = f"""(
  SELECT coalesce(sum(
           CASE WHEN x.state = 'open' THEN {PIECES_BACK} ELSE l.quantity END
           * (SELECT max(n.unit_cost_minor) FROM po_line n
               WHERE n.po_id = x.po_id AND n.product_id = l.product_id)), 0)::bigint
    FROM fulfilment_line l WHERE l.fulfilment_id = x.id)"""  # noqa: S608 - as below

# Everything the six tranches are judged by, in one statement; takes the purchase order's lock.
# The price counts as captured when it is so now, or was so at any moment since the vendor accepted,
# by the providers' clocks: a refund holds nothing back that fell due before it, in whatever order
# the two are heard of.
# Whoever collects at the counter has no courier: the handover stands for the pickup, and for the
# proof of delivery where none was made.
FACTS = f"""
SELECT p.id, p.order_id, p.currency, p.state AS po_state, p.number, p.total_minor,
       o.total_minor - coalesce((SELECT sum(n.amount_minor) FROM credit_note n
                                  WHERE n.order_id = o.id), 0)::bigint AS price_minor,
       v.account_name, v.account_number, v.bank_code, v.account_changed_at,
       greatest(
         (SELECT coalesce(sum(l.captured_minor), 0)::bigint FROM payment_line l
           WHERE l.order_id = o.id AND l.state = 'captured'),
         (SELECT max(m.kept)::bigint FROM (
            SELECT sum(greatest(0, least(l.amount_minor,
                     coalesce(greatest(s.shop, s.gateway), 0) - coalesce(s.refunded, 0)))) AS kept
              FROM (SELECT p.answered_at AS at UNION
                    SELECT e.happened_at FROM payment_event e
                     WHERE e.order_id = o.id AND e.happened_at > p.answered_at) t
             CROSS JOIN payment_line l
             CROSS JOIN LATERAL (
               SELECT sum(e.amount_minor) FILTER (WHERE e.type = 'captured' AND e.provider = 'shop')
                        AS shop,
                      sum(e.amount_minor) FILTER (WHERE e.type = 'captured' AND e.provider <> 'shop')
                        AS gateway,
                      sum(e.amount_minor) FILTER (WHERE e.type = 'refunded') AS refunded
                 FROM payment_event e
                WHERE e.payment_line_id = l.id AND e.happened_at <= t.at) s
             WHERE l.order_id = o.id GROUP BY t.at) m)) AS captured_minor,
       (SELECT coalesce(jsonb_object_agg(d.kind, d.holds_from), '{{}}') FROM (
          SELECT d.kind, min(d.holds_from) AS holds_from
            FROM detour_case d JOIN fulfilment x ON x.id = d.fulfilment_id
           WHERE x.po_id = p.id AND d.holds_from IS NOT NULL AND d.closed_at IS NULL
           GROUP BY d.kind) d)
         AS holding,
       EXISTS (SELECT FROM purchase_order_rest r WHERE r.po_id = p.id AND r.pieces_gone >= f.gone)
         AS rest_decided,
       (SELECT coalesce(array_agg(DISTINCT h.why), '{{}}') FROM pod d
          JOIN fulfilment x ON x.id = d.fulfilment_id
          CROSS JOIN LATERAL (VALUES (d.hold_reason), (d.check_hold)) h (why)
         WHERE x.po_id = p.id AND x.state = 'open' AND h.why IS NOT NULL
           AND d.hold_lifted_at IS NULL AND d.verdict NOT IN ('rejected', 'review')) AS pod_holds,
       f.*
  FROM purchase_order p
  JOIN customer_order o ON o.id = p.order_id
  JOIN vendor v ON v.id = p.vendor_id
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE living) AS living,
           count(*) FILTER (WHERE living AND handed_over) AS dispatched,
           count(*) FILTER (WHERE living AND delivered) AS delivered,
           count(*) FILTER (WHERE living AND delivered AND verified) AS verified,
           count(*) FILTER (WHERE living AND needs_install) AS installable,
           count(*) FILTER (WHERE living AND needs_install AND 1015 = ANY (passed)) AS installed,
           count(*) FILTER (WHERE living AND needs_install AND approved) AS approved,
           count(*) FILTER (WHERE living AND has_warranty) AS warranted,
           count(*) FILTER (WHERE living AND has_warranty AND 1018 = ANY (passed)) AS registered,
           coalesce(array_agg(DISTINCT ended_as) FILTER (WHERE NOT living), '{{}}') AS ended_as,
           coalesce(bool_or(living AND gone > 0), false) AS came_back,
           coalesce(sum(gone), 0)::int AS gone,
           coalesce(sum(cost_gone), 0)::bigint AS gone_minor,
           coalesce(jsonb_object_agg(id, head_seq), '{{}}') AS heads,
           coalesce(jsonb_agg(jsonb_build_object('id', id, 'attempt', attempt))
             FILTER (WHERE living AND 1015 = ANY (passed) AND 1017 <> ALL (passed)), '[]')
             AS unsettled
      FROM (
        SELECT x.*, x.state = 'open' AS living, 1013 = ANY (x.passed) AS delivered,
               CASE WHEN x.collection THEN 1013 ELSE 1009 END = ANY (x.passed) AS handed_over,
               coalesce((SELECT bool_or(d.bytes_verified_at IS NOT NULL) FROM pod d
                          WHERE d.fulfilment_id = x.id
                            AND d.verdict NOT IN ('rejected', 'review')), x.collection) AS verified,
               EXISTS (SELECT FROM visit_report r
                        WHERE r.fulfilment_id = x.id AND r.approved_at IS NOT NULL) AS approved,
               {PIECES_GONE} AS gone, {COST_GONE} AS cost_gone
          FROM fulfilment x WHERE x.po_id = p.id) AS each
  ) AS f
 WHERE p.id = $1 FOR NO KEY UPDATE OF p
"""  # noqa: S608 - constants of ours

PAYEE_OF_TRANCHE = """
SELECT v.account_name AS name, v.account_number, v.bank_code, v.account_changed_at,
       p.fulfilment_id
  FROM tranche t
  JOIN purchase_order p ON p.id = t.po_id
  JOIN vendor v ON v.id = t.vendor_id
 WHERE t.id = $1 AND p.state = 'accepted'
"""

# Cash counts whatever became of the step that brought it: the courier has it in his bag. Of several
# proofs of one stop the first that names money counts; one that is captured again names it again.
FIRST_MONEY = """d.verdict <> 'rejected' AND NOT EXISTS (
     SELECT FROM pod e JOIN pod_tender x ON x.pod_id = e.id
      WHERE e.stop_id = d.stop_id AND e.verdict <> 'rejected'
        AND (e.recorded_at, e.id) < (d.recorded_at, d.id))"""

FAILED_PAYOUTS = """
SELECT id, state FROM payout WHERE tranche_id = $1 AND state IN ('failed', 'reversed')
"""

CASH_OF_FULFILMENT = f"""
SELECT 'door' AS at, t.pod_id AS taken_id, t.n, d.order_id, t.amount_minor, d.currency
  FROM pod d JOIN pod_tender t ON t.pod_id = d.id
 WHERE d.fulfilment_id = $1 AND t.method = 'cash' AND {FIRST_MONEY}
"""  # noqa: S608 - a constant of this file

# Cash of a visit's extras, of a receipt named r and its tender t, that no count has yet.
NOT_COUNTED = """t.method = 'cash' AND NOT EXISTS (
     SELECT FROM cash_count_extra c WHERE c.receipt_id = t.receipt_id AND c.tender_n = t.n)"""

# Cash of a run, of named orders, or of a shift, that no count has yet.
CASH_TO_COUNT = f"""
SELECT 'door' AS at, t.pod_id AS taken_id, t.n, d.order_id, t.amount_minor, d.currency
  FROM pod d
  JOIN delivery_stop s ON s.id = d.stop_id
  JOIN delivery_run r ON r.id = s.run_id
  JOIN pod_tender t ON t.pod_id = d.id
 WHERE t.method = 'cash' AND {FIRST_MONEY}
   AND (s.run_id = $1 OR d.order_id = ANY ($2) OR r.shift_id = $3)
   AND NOT EXISTS (SELECT FROM cash_count_line c WHERE c.pod_id = t.pod_id AND c.tender_n = t.n)
UNION ALL
SELECT 'visit', t.receipt_id, t.n, r.order_id, t.amount_minor, r.currency
  FROM extra_receipt r JOIN extra_tender t ON t.receipt_id = r.id
 WHERE (r.order_id = ANY ($2) OR r.shift_id = $3) AND {NOT_COUNTED}
 ORDER BY order_id, taken_id, n
"""  # noqa: S608 - as above

# Cash that a person took since a day and that no count has yet.
CASH_IN_HAND = f"""
SELECT currency, sum(amount_minor)::bigint AS amount_minor FROM (
  SELECT d.currency, t.amount_minor
    FROM pod d JOIN pod_tender t ON t.pod_id = d.id
   WHERE d.person_id = $1 AND d.recorded_at > $2 AND t.method = 'cash' AND {FIRST_MONEY}
     AND NOT EXISTS (SELECT FROM cash_count_line c WHERE c.pod_id = t.pod_id AND c.tender_n = t.n)
  UNION ALL
  SELECT r.currency, t.amount_minor
    FROM extra_receipt r JOIN extra_tender t ON t.receipt_id = r.id
   WHERE r.person_id = $1 AND r.recorded_at > $2 AND {NOT_COUNTED}) taken
 GROUP BY currency ORDER BY currency
"""  # noqa: S608 - as above

LOCK_ORDERS = "SELECT 1 FROM customer_order WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE"
