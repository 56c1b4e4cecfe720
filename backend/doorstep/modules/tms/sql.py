"""The hand-written statements of transport."""

# The hottest insert of the system: one statement for one scan or two hundred, and one outbox row
# per scan kind that can complete a stage. A scan of an unknown label is kept and counts when a
# shipment with that label appears. What is not returned was there before.
KEEP_SCANS = """
WITH stored AS (
  INSERT INTO scan (scan_uid, label_no, kind, captured_at, lat, lng, accuracy_m, location_id,
                    person_id, role, device_id, recorded_at, request_id)
  SELECT given.*, $9, $10, $11, $12, $13
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::float8[], $6::float8[],
                $7::real[], $8::uuid[]) AS given
  ON CONFLICT (scan_uid) DO NOTHING
  RETURNING scan_uid, label_no, kind
), matched AS (
  SELECT stored.*, piece.id IS NOT NULL AS known
    FROM stored LEFT JOIN piece ON piece.label_no = stored.label_no
), evaluation AS (
  INSERT INTO outbox (kind, payload)
  SELECT 'flows.evaluate_scans', jsonb_build_object('kind', kind, 'labels', jsonb_agg(label_no))
    FROM matched WHERE known AND kind IN ('pickup', 'departure', 'hub_in')
   GROUP BY kind
), custody AS (
  -- Whose the goods are follows from these scans (flows/hands.py).
  INSERT INTO outbox (kind, payload)
  SELECT 'flows.follow_scans', jsonb_build_object('labels', jsonb_agg(DISTINCT label_no))
    FROM matched WHERE known AND (kind IN ('load', 'transfer') OR
         kind IN ('hub_in', 'custody') AND $10 IN ('warehouse', 'store', 'vendor_store'))
  HAVING count(*) > 0
)
SELECT scan_uid, known FROM matched
"""

# A shift with its vehicle and crew; $2: somebody who must be working it, or NULL.
SHIFT = """
SELECT s.id, s.number, s.state, s.channel_id, s.crew_id, s.lead_id, s.planned_on, s.opened_at,
       s.open_event_id, s.close_event_id, v.id AS vehicle_id, v.code AS vehicle, v.plate,
       v.location_id, v.capacity_kg, v.capacity_l, c.name AS crew,
       (SELECT count(*)::int FROM shift_member m WHERE m.shift_id = s.id) AS people
  FROM shift s JOIN vehicle v ON v.id = s.vehicle_id JOIN crew c ON c.id = s.crew_id
 WHERE s.id = $1 AND ($2::uuid IS NULL OR EXISTS (
   SELECT FROM shift_member m WHERE m.shift_id = s.id AND m.person_id = $2))
"""

CANCEL_SHIFT = """
UPDATE shift SET state = 'cancelled', cancelled_by = $2, cancelled_at = $3, cancel_reason = $4
 WHERE id = $1
"""

OPEN_STOPS_OF_SHIFT = """
SELECT count(*) FROM delivery_stop s JOIN delivery_run r ON r.id = s.run_id
 WHERE r.shift_id = $1 AND s.state = 'open'
"""

END_RUNS_OF_SHIFT = """
UPDATE delivery_run r SET finished_at = $2, state = CASE WHEN EXISTS
  (SELECT FROM delivery_stop s WHERE s.run_id = r.id AND s.state IN ('done', 'failed'))
  THEN 'finished' ELSE 'cancelled' END
 WHERE r.shift_id = $1 AND r.state IN ('planned', 'accepted')
"""

# What the people of a shift were given for its day by themselves; its van drives it from now on.
RUNS_FOR_SHIFT = """
UPDATE delivery_run r SET shift_id = s.id, vehicle = v.code
  FROM shift s JOIN vehicle v ON v.id = s.vehicle_id
 WHERE s.id = $1 AND s.state = 'open' AND r.shift_id IS NULL
   AND r.state IN ('planned', 'accepted', 'finished')
   AND r.channel_id = s.channel_id AND r.planned_on = s.planned_on
   AND r.person_id IN (SELECT m.person_id FROM shift_member m WHERE m.shift_id = s.id)
RETURNING r.id
"""

# The shifts of a day that a person ($1) works, or is about to, in a channel.
SHIFTS_OF_PERSON = """
SELECT s.id FROM shift s JOIN shift_member m ON m.shift_id = s.id
 WHERE m.person_id = $1 AND s.channel_id = $2 AND s.planned_on = $3 AND s.state IN ('planned', 'open')
 ORDER BY s.id
"""

# Behind an accepted run the crew sees the new stops at once.
OPEN_RUN_OF_SHIFT = """
SELECT id FROM delivery_run WHERE shift_id = $1 AND state IN ('planned', 'accepted')
 ORDER BY state, number LIMIT 1 FOR UPDATE
"""

RUN_FOR_SHIFT = """
INSERT INTO delivery_run (id, channel_id, person_id, vehicle, planned_on, planned_at, shift_id)
SELECT $1, s.channel_id, s.lead_id, v.code, s.planned_on, $3, s.id
  FROM shift s JOIN vehicle v ON v.id = s.vehicle_id WHERE s.id = $2
RETURNING id
"""

VAN_DOWN_PARCELS = """
SELECT p.van_down_id, p.n, p.order_id, p.fulfilment_id, p.stop_id, p.state, p.new_stop_id, p.words,
       o.number, d.from_shift_id, d.to_shift_id, d.reason, t.position
  FROM van_down_parcel p
  JOIN van_down d ON d.id = p.van_down_id
  JOIN customer_order o ON o.id = p.order_id
  LEFT JOIN delivery_stop t ON t.id = p.new_stop_id
 WHERE p.van_down_id = $1 ORDER BY p.n
"""
