"""What the fleet's flows read across modules: loads, hands, and what a shift still holds."""

from __future__ import annotations

PEOPLE_FOR_A_CREW = """
SELECT p.id, p.role FROM person p
 WHERE p.id = ANY ($1) AND p.active AND p.role IN ('courier', 'delivery', 'technician')
   AND (p.channel_ids = '{}' OR $2 = ANY (p.channel_ids))
"""

# What parcels ask for: people for the heaviest piece, weight and room of everything.
GOODS = """
SELECT l.fulfilment_id, o.number, max(p.crew_size)::int AS crew_size,
       sum(p.weight_g::bigint * l.quantity)::bigint AS weight_g,
       sum(p.length_mm::bigint * p.width_mm * p.height_mm / 1000 * l.quantity)::bigint AS volume_ml
  FROM fulfilment_line l
  JOIN fulfilment f ON f.id = l.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = ANY ($1) GROUP BY l.fulfilment_id, o.number
"""

# A shift ($1) carries, or is to carry, the goods of its open stops, and what is on its van without
# a stop of anybody's.
LOAD = """
SELECT coalesce(sum(p.weight_g::bigint * x.quantity), 0)::bigint AS weight_g,
       coalesce(sum(p.length_mm::bigint * p.width_mm * p.height_mm / 1000 * x.quantity), 0)::bigint
         AS volume_ml
  FROM (SELECT l.product_id, l.quantity
          FROM delivery_run r
          JOIN delivery_stop t ON t.run_id = r.id AND t.state = 'open'
          JOIN fulfilment_line l ON l.fulfilment_id = t.fulfilment_id
         WHERE r.shift_id = $1
        UNION ALL
        SELECT l.product_id, c.quantity
          FROM shift s
          JOIN vehicle v ON v.id = s.vehicle_id
          JOIN custody c ON c.location_id = v.location_id
          JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
         WHERE s.id = $1 AND s.state IN ('open', 'closing') AND NOT EXISTS (
           SELECT FROM delivery_stop t WHERE t.fulfilment_id = l.fulfilment_id AND t.state = 'open')
       ) x JOIN product p ON p.id = x.product_id
"""

# --- Hands --------------------------------------------------------------------------------------

# The boxes are those of the newest shipment: a new attempt at the door has no new boxes.
_SHIPMENT = """(SELECT z.id FROM shipment z WHERE z.fulfilment_id = f.id AND z.leg = 'outbound'
                 ORDER BY z.attempt DESC LIMIT 1)"""

# The last scan of a piece p.label_no that tells who has it: a crew while its shift was open, or
# the floor of the parcel's channel. What the floor saw is over once a crew has accepted a run with
# the parcel. The order is that of recording, never of a phone's clock.
_LAST_SCAN = """
  LEFT JOIN LATERAL (
    SELECT c.scan_uid, c.recorded_at,
           c.kind IN ('hub_in', 'custody') AND NOT EXISTS (
             SELECT FROM delivery_stop q JOIN delivery_run a ON a.id = q.run_id
              WHERE q.fulfilment_id = f.id AND a.shift_id IS NOT NULL
                AND a.accepted_at >= c.recorded_at
                AND (q.closed_at IS NULL OR q.closed_at > a.accepted_at)) AS on_the_floor,
           (SELECT h.id FROM shift_member m JOIN shift h ON h.id = m.shift_id
             WHERE m.person_id = c.person_id AND c.kind NOT IN ('hub_in', 'custody')
               AND h.channel_id = f.channel_id AND h.opened_at <= c.recorded_at
               AND (h.closed_at IS NULL OR c.recorded_at <= h.closed_at)
             ORDER BY h.opened_at DESC LIMIT 1) AS shift_id
      FROM scan c JOIN person w ON w.id = c.person_id
     WHERE c.label_no = p.label_no
       AND (c.kind IN ('pickup', 'load', 'transfer')
            OR c.kind IN ('hub_in', 'custody') AND c.role IN ('warehouse', 'store', 'vendor_store')
               AND EXISTS (SELECT FROM location y
                            WHERE y.id = w.location_id AND y.channel_id = f.channel_id))
     ORDER BY c.recorded_at DESC, c.scan_uid DESC LIMIT 1) seen ON true"""

PIECES_SEEN = f"""
SELECT p.label_no, seen.shift_id, coalesce(seen.on_the_floor, false) AS on_the_floor,
       seen.recorded_at AS at, seen.scan_uid
  FROM fulfilment f
  JOIN shipment s ON s.id = {_SHIPMENT}
  JOIN piece p ON p.shipment_id = s.id {_LAST_SCAN}
 WHERE f.id = $1 ORDER BY p.n
"""  # noqa: S608 - a constant of this file

PARCELS_OF_LABELS = """
SELECT DISTINCT s.order_id, s.fulfilment_id FROM piece p JOIN shipment s ON s.id = p.shipment_id
 WHERE p.label_no = ANY ($1) AND s.leg = 'outbound' ORDER BY s.order_id, s.fulfilment_id
"""

# Goods of a parcel ($1) that are on the road: on a van of ours, or with our fleet at large.
ON_THE_ROAD = """
SELECT c.fulfilment_line_id, c.location_id, y.kind, c.quantity
  FROM custody c
  JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
  JOIN location y ON y.id = c.location_id
 WHERE l.fulfilment_id = $1 AND y.kind IN ('van', 'carrier')
 ORDER BY c.fulfilment_line_id, c.location_id
"""

# Our own fleet took the parcel; an outside carrier's goods are on no van of ours.
BY_OWN_FLEET = """
SELECT c.kind = 'own' FROM shipment s JOIN carrier c ON c.id = s.carrier_id
 WHERE s.fulfilment_id = $1 AND s.leg = 'outbound' ORDER BY s.attempt DESC LIMIT 1
"""

# The open shift that a person works in a channel. Its lock keeps it from being closed meanwhile.
OWN_OPEN_SHIFT = """
SELECT v.location_id FROM shift s JOIN vehicle v ON v.id = s.vehicle_id
 WHERE s.state = 'open' AND s.channel_id = $2
   AND s.id IN (SELECT m.shift_id FROM shift_member m WHERE m.person_id = $1 AND m.on_duty)
   FOR SHARE OF s
"""

# Whose work a parcel is: the shift with its open stop, else the one it was last handed over to.
WORK_OF = """
SELECT coalesce(
  (SELECT coalesce(r.shift_id, '00000000-0000-0000-0000-000000000000') FROM delivery_stop t
     JOIN delivery_run r ON r.id = t.run_id WHERE t.fulfilment_id = $1 AND t.state = 'open'),
  (SELECT d.to_shift_id FROM van_down_parcel p JOIN van_down d ON d.id = p.van_down_id
    WHERE p.fulfilment_id = $1 AND p.state = 'moved' ORDER BY d.told_at DESC, d.id DESC LIMIT 1))
"""

# --- What a shift holds -------------------------------------------------------------------------

# Parcels on the van at a location ($1), each with its goods there and its pieces.
ON_THE_VAN = f"""
SELECT f.id AS fulfilment_id, f.order_id, o.number,
       jsonb_agg(jsonb_build_object('name', g.name, 'quantity', c.quantity) ORDER BY g.name, l.id) AS goods,
       coalesce((
         SELECT jsonb_agg(jsonb_build_array(p.label_no, seen.shift_id,
                  coalesce(seen.on_the_floor, false), seen.recorded_at, seen.scan_uid) ORDER BY p.n)
           FROM shipment s JOIN piece p ON p.shipment_id = s.id {_LAST_SCAN}
          WHERE s.id = {_SHIPMENT}), '[]')
         AS pieces
  FROM custody c
  JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
  JOIN product g ON g.id = l.product_id
  JOIN fulfilment f ON f.id = l.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
 WHERE c.location_id = $1 GROUP BY f.id, o.number ORDER BY o.number, f.id
"""  # noqa: S608 - a constant of this file

# Boxes of parcels of a location ($1) that stand on vans, and that no floor has scanned back.
OUT_ON_VANS = f"""
SELECT x.id, x.number, v.code AS vehicle, k.name AS crew,
       jsonb_agg(jsonb_build_object('label_no', p.label_no, 'n', p.n, 'of', p."of", 'weight_g', p.weight_g,
                   'number', o.number, 'comes_back', back.comes)
                 ORDER BY back.comes DESC, o.number, p.n) AS pieces
  FROM shift x
  JOIN vehicle v ON v.id = x.vehicle_id
  JOIN crew k ON k.id = x.crew_id
 CROSS JOIN LATERAL (
   SELECT DISTINCT l.fulfilment_id FROM custody c JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
    WHERE c.location_id = v.location_id) t
  JOIN fulfilment f ON f.id = t.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN shipment s ON s.id = {_SHIPMENT}
  JOIN piece p ON p.shipment_id = s.id {_LAST_SCAN}
 CROSS JOIN LATERAL (
   SELECT NOT EXISTS (SELECT FROM delivery_stop d WHERE d.fulfilment_id = f.id AND d.state = 'open')
     AS comes) back
 WHERE x.state IN ('open', 'closing') AND f.location_id = $1 AND NOT coalesce(seen.on_the_floor, false)
 GROUP BY x.id, x.number, v.code, k.name ORDER BY bool_or(back.comes) DESC, x.number LIMIT 100
"""  # noqa: S608 - a constant of this file

# The pieces that a shift has to deliver; `loaded` once its crew has scanned them, or delivered.
PIECES_TO_LOAD = f"""
SELECT p.label_no, p.n, p."of", o.number, f.id AS fulfilment_id, box_goods(p.package_id) AS goods,
       t.state = 'done' OR seen.shift_id IS NOT DISTINCT FROM r.shift_id AS loaded,
       (SELECT min(y.code) FROM custody c JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
          JOIN location y ON y.id = c.location_id
         WHERE l.fulfilment_id = f.id AND y.kind IN ('van', 'carrier')) AS place
  FROM delivery_run r
  JOIN delivery_stop t ON t.run_id = r.id AND t.state <> 'removed'
  JOIN fulfilment f ON f.id = t.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN shipment s ON s.id = {_SHIPMENT}
  JOIN piece p ON p.shipment_id = s.id {_LAST_SCAN}
 WHERE r.shift_id = $1 ORDER BY r.number, t.position, p.n
"""  # noqa: S608 - a constant of this file

# What a shift has to do and to hand over when its van is down, in the order of driving; $3: only
# what that earlier call had moved, or NULL.
TO_HAND_OVER = """
SELECT f.order_id, f.id AS fulfilment_id, w.stop_id
  FROM (SELECT t.fulfilment_id, t.id AS stop_id, r.number, t.position
          FROM delivery_run r JOIN delivery_stop t ON t.run_id = r.id AND t.state = 'open'
         WHERE r.shift_id = $1
        UNION
        SELECT DISTINCT l.fulfilment_id, NULL::uuid, 'goods', 0::smallint
          FROM custody c JOIN fulfilment_line l ON l.id = c.fulfilment_line_id
         WHERE c.location_id = $2 AND NOT EXISTS (
           SELECT FROM delivery_stop t WHERE t.fulfilment_id = l.fulfilment_id AND t.state = 'open')
       ) w JOIN fulfilment f ON f.id = w.fulfilment_id
 WHERE $3::uuid IS NULL OR f.id IN (SELECT p.fulfilment_id FROM van_down_parcel p
                                     WHERE p.van_down_id = $3 AND p.state = 'moved')
 ORDER BY w.stop_id IS NULL, w.number, w.position, f.id
"""
