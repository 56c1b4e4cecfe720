"""What the desk of approvals reads across modules. {scope} is a condition of core.auth.scope."""

from __future__ import annotations

WAITING = """
SELECT a.id, a.kind, a.order_id, o.number AS order_number, c.code AS channel, k.name AS customer,
       o.currency, o.total_minor, a.reasons, a.decided_at AS waits_since, p.due_at,
       (SELECT min(r.expires_at)
          FROM fulfilment f
          JOIN fulfilment_line x ON x.fulfilment_id = f.id
          JOIN reservation r ON r.fulfilment_line_id = x.id AND r.state = 'held'
         WHERE f.order_id = o.id) AS held_until
  FROM approval a
  JOIN customer_order o ON o.id = a.order_id
  JOIN channel c ON c.id = o.channel_id
  JOIN customer k ON k.id = o.customer_id
  LEFT JOIN problem p ON p.closed_at IS NULL
       AND p.kind = CASE a.kind WHEN 'payment' THEN 'payment_approval_waiting'
                                ELSE 'reservation_approval' END
       AND p.ref = CASE a.kind WHEN 'payment' THEN o.id::text ELSE a.id::text END
 WHERE a.verdict = 'waiting' AND ($1::text IS NULL OR a.kind = $1)
   AND NOT EXISTS (SELECT FROM approval d WHERE d.order_id = a.order_id AND d.kind = a.kind
                      AND d.verdict <> 'waiting')
   AND EXISTS (SELECT FROM fulfilment f WHERE f.order_id = a.order_id AND f.state = 'open')
   AND {scope}
 ORDER BY a.decided_at, a.id LIMIT $2
"""

# One approval with the policy that judged it, and both submitted forms as they are now.
FORMS = """
SELECT a.id, a.kind, a.verdict, a.decided, a.reasons, a.decided_at, a.decided_by, a.decided_role,
       a.policy_version, y.rules AS policy, a.facts,
       (SELECT jsonb_build_object(
                 'id', d.id, 'verdict', d.verdict, 'decided', d.decided, 'reasons', d.reasons,
                 'decided_by', d.decided_by, 'decided_role', d.decided_role,
                 'decided_at', d.decided_at)
          FROM approval d
         WHERE d.order_id = a.order_id AND d.kind = a.kind AND d.verdict <> 'waiting') AS decision,
       jsonb_build_object(
         'order_id', o.id, 'number', o.number, 'external_id', o.external_id, 'channel', c.code,
         'placed_at', o.placed_at, 'delivery_service', o.delivery_service,
         'currency', o.currency, 'total_minor', o.total_minor,
         'placed_by_role', (
           SELECT e.actor_role FROM journey_event e JOIN fulfilment f ON f.id = e.fulfilment_id
            WHERE f.order_id = o.id AND e.kind = 'stage' AND e.stage = 1001
            ORDER BY f.parcel LIMIT 1),
         'customer', jsonb_build_object(
           'name', k.name, 'phone', k.phone, 'email', k.email, 'language', k.language,
           'phone_verified', k.phone_verified_at IS NOT NULL),
         'address', jsonb_build_object(
           'name', h.name, 'phone', h.phone, 'line1', h.line1, 'building', h.building,
           'floor', h.floor, 'flat', h.flat, 'city', h.city, 'region', h.region,
           'postcode', h.postcode, 'country', h.country, 'missing', h.missing),
         'lines', (
           SELECT jsonb_agg(jsonb_build_object(
                    'sku', l.sku, 'name', l.name, 'quantity', l.quantity,
                    'unit_price_minor', l.unit_price_minor, 'total_minor', l.total_minor,
                    'held', coalesce((
                      SELECT jsonb_agg(jsonb_build_object(
                               'location', w.code, 'quantity', r.quantity, 'state', r.state,
                               'expires_at', r.expires_at, 'free_left',
                               s.on_hand - s.held - s.allocated) ORDER BY w.code, r.id)
                        FROM fulfilment f
                        JOIN fulfilment_line x ON x.fulfilment_id = f.id
                        JOIN reservation r ON r.fulfilment_line_id = x.id
                             AND r.state IN ('held', 'allocated')
                        JOIN stock s ON s.id = r.stock_id
                        JOIN location w ON w.id = s.location_id
                       WHERE f.order_id = o.id AND x.order_line_id = l.id), '[]'))
                    ORDER BY l.position)
             FROM order_line l WHERE l.order_id = o.id)) AS reservation_form,
       jsonb_build_object(
         'currency', o.currency, 'total_minor', o.total_minor,
         'cod_limit_minor', c.cod_limit_minor,
         'phone_verified', k.phone_verified_at IS NOT NULL,
         'lines', coalesce((
           SELECT jsonb_agg(jsonb_build_object(
                    'method', l.method, 'due', l.due, 'amount_minor', l.amount_minor,
                    'captured_minor', l.captured_minor, 'state', l.state,
                    'reference', l.reference, 'words', coalesce((
                      SELECT jsonb_agg(jsonb_build_object(
                               'provider', e.provider, 'type', e.type,
                               'payment_id', e.payment_id, 'amount_minor', e.amount_minor,
                               'happened_at', e.happened_at) ORDER BY e.happened_at, e.id)
                        FROM payment_event e WHERE e.payment_line_id = l.id), '[]'))
                    ORDER BY l.due DESC, l.id)
             FROM payment_line l WHERE l.order_id = o.id), '[]')) AS payment_form
  FROM approval a
  JOIN approval_policy y ON y.channel_id = a.channel_id AND y.version = a.policy_version
  JOIN customer_order o ON o.id = a.order_id
  JOIN channel c ON c.id = o.channel_id
  JOIN customer k ON k.id = o.customer_id
  JOIN address h ON h.id = o.address_id
 WHERE a.id = $1 AND {scope}
"""

KIND = "SELECT a.kind FROM approval a WHERE a.id = $1 AND {scope}"

POLICIES = """
SELECT c.id AS channel_id, c.code AS channel, c.currency, p.version, p.rules, p.reason, p.set_by,
       p.set_at
  FROM channel c JOIN approval_policy p ON p.channel_id = c.id
 WHERE {scope}
 ORDER BY c.code, p.version DESC LIMIT $1
"""

CHANNEL = "SELECT c.currency FROM channel c WHERE c.id = $1 AND {scope}"

# Channels whose policy is still the default of the program.
WITHOUT_POLICY = """
SELECT c.id AS channel_id, c.code AS channel, c.currency FROM channel c
 WHERE NOT EXISTS (SELECT FROM approval_policy p WHERE p.channel_id = c.id) AND {scope}
 ORDER BY c.code
"""
