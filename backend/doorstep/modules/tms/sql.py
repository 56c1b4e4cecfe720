"""The hand-written statements of transport."""

# The hottest insert of the system: one statement for one scan or two hundred, and one outbox row
# per scan kind that can complete a stage. A scan of an unknown label is kept and counts when a
# shipment with that label appears. What is not returned was there before.
KEEP_SCANS = """
WITH stored AS (
  INSERT INTO scan (scan_uid, label_no, kind, captured_at, lat, lng, accuracy_m, location_id,
                    person_id, role, device_id, recorded_at)
  SELECT given.*, $9, $10, $11, $12
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
)
SELECT scan_uid, known FROM matched
"""
