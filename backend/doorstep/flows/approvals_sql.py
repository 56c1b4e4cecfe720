"""What flows/approvals.py reads across modules: finance itself knows no other table."""

from __future__ import annotations

# An order with all that its reservation and payment are judged by; takes the order's lock. The
# customer is recognised by the phone number, in whatever channel; the latest fifty orders under
# each of his records say enough. $2 is where "lately" begins.
SUBJECT = """
SELECT o.id, o.number, o.channel_id, o.currency, o.total_minor,
       c.cod_limit_minor, k.phone_verified_at IS NOT NULL AS phone_verified,
       a.missing AS address_missing, h.*,
       (SELECT coalesce(sum(l.amount_minor - l.captured_minor), 0)::bigint FROM payment_line l
         WHERE l.order_id = o.id AND l.due = 'at_door') AS at_door_minor,
       (SELECT jsonb_agg(jsonb_build_object(
                 'sku', l.sku, 'quantity', l.quantity,
                 'taken', (SELECT coalesce(sum(r.quantity), 0)
                             FROM fulfilment f
                             JOIN fulfilment_line x ON x.fulfilment_id = f.id
                             JOIN reservation r ON r.fulfilment_line_id = x.id
                            WHERE f.order_id = o.id AND x.product_id = l.product_id
                              AND r.state IN ('held', 'allocated')),
                 'free_left', (SELECT coalesce(sum(s.on_hand - s.held - s.allocated), 0)
                                 FROM stock s JOIN location w ON w.id = s.location_id
                                WHERE s.product_id = l.product_id AND s.grade = 'sellable'
                                  AND w.channel_id = o.channel_id AND w.active
                                  AND w.kind IN ('warehouse', 'store', 'vendor_store')))
                 ORDER BY l.position)
          FROM (SELECT sku, product_id, sum(quantity) AS quantity, min(position) AS position
                  FROM order_line WHERE order_id = o.id GROUP BY sku, product_id) AS l) AS lines
  FROM customer_order o
  JOIN channel c ON c.id = o.channel_id
  JOIN customer k ON k.id = o.customer_id
  JOIN address a ON a.id = o.address_id
  CROSS JOIN LATERAL (
    SELECT (count(*) FILTER (WHERE other))::int AS orders_before,
           (count(*) FILTER (WHERE other AND delivered))::int AS orders_completed,
           (count(*) FILTER (WHERE other AND cancelled))::int AS cancelled_lately,
           coalesce(sum(refused), 0)::int AS refused_lately,
           coalesce(sum(refused) FILTER (WHERE at_door), 0)::int AS refused_at_door_lately
      FROM customer y
      CROSS JOIN LATERAL (
        SELECT x.id, x.id <> o.id AS other,
               EXISTS (SELECT FROM fulfilment f
                        WHERE f.order_id = x.id AND 1013 = ANY (f.passed)
                          AND f.ended_as IS DISTINCT FROM 'returned') AS delivered,
               EXISTS (SELECT FROM detour_case d
                        WHERE d.order_id = x.id AND d.opened_at > $2
                          AND d.kind IN ('cancelled', 'cancelled_after_dispatch')
                          AND d.reason IN ('customer', 'fraud')) AS cancelled,
               (SELECT count(*) FROM detour_case d
                 WHERE d.order_id = x.id AND d.opened_at > $2
                   AND d.kind = 'delivery_failed' AND d.reason = 'refused') AS refused,
               EXISTS (SELECT FROM payment_line l
                        WHERE l.order_id = x.id AND l.due = 'at_door') AS at_door
          FROM customer_order x WHERE x.customer_id = y.id
         ORDER BY x.created_at DESC LIMIT 50) AS each
     WHERE y.id = k.id OR y.phone = k.phone) AS h
 WHERE o.id = $1 FOR NO KEY UPDATE OF o
"""

# The fulfilments that a missing approval holds back, each with what it is seen to wait for.
HELD_BACK = """
SELECT f.id, 1002 = ANY (f.passed) AS paid,
       (SELECT d.reason FROM detour_case d
         WHERE d.fulfilment_id = f.id AND d.kind = 'approval_waiting' AND d.closed_at IS NULL)
         AS waits_for
  FROM fulfilment f
 WHERE f.order_id = $1 AND f.state = 'open' AND 1003 <> ALL (f.passed)
 ORDER BY f.parcel
"""

LIVING = "SELECT true FROM fulfilment WHERE order_id = $1 AND state = 'open' LIMIT 1"

# Whoever typed the order in: the actor of its first event.
PLACED_BY = """
SELECT e.actor_id FROM journey_event e JOIN fulfilment f ON f.id = e.fulfilment_id
 WHERE f.order_id = $1 AND e.kind = 'stage' AND e.stage = 1001 ORDER BY f.parcel LIMIT 1
"""
