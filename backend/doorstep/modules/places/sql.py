"""The statements of places."""

# The hour is one of the person's clock, $13 its zone. Only what is new is counted, so a repeat is not.
KEEP = """
WITH kept AS (
  INSERT INTO place_fix (person_id, device_id, received_at, id, at, lat, lng, accuracy_m, speed_mps,
      battery, duty, duty_id)
  SELECT $1::uuid, $2::uuid, $3::timestamptz, u.*
    FROM unnest($4::uuid[], $5::timestamptz[], $6::float8[], $7::float8[], $8::real[], $9::real[],
      $10::text[], $11::text[], $12::uuid[])
      AS u (id, at, lat, lng, accuracy_m, speed_mps, battery, duty, duty_id)
   ORDER BY u.id
  ON CONFLICT (person_id, id) DO NOTHING RETURNING at, lat, lng)
INSERT INTO place_hour AS h (person_id, hour, fixes, first_at, last_at, south, west, north, east)
SELECT $1, date_trunc('hour', k.at, $13::text) AS hour, count(*), min(k.at), max(k.at),
       min(k.lat), min(k.lng), max(k.lat), max(k.lng)
  FROM kept k GROUP BY 2 ORDER BY 2
ON CONFLICT (person_id, hour) DO UPDATE SET fixes = h.fixes + excluded.fixes,
  first_at = least(h.first_at, excluded.first_at), last_at = greatest(h.last_at, excluded.last_at),
  south = least(h.south, excluded.south), west = least(h.west, excluded.west),
  north = greatest(h.north, excluded.north), east = greatest(h.east, excluded.east)
"""

TRACK = """
SELECT at, lat, lng, accuracy_m, speed_mps, battery, duty, duty_id FROM place_fix
 WHERE person_id = $1 AND at BETWEEN $2 AND $3 AND at > $4 ORDER BY at DESC, id LIMIT $5
"""

LAST = """
SELECT at, lat, lng, accuracy_m, speed_mps, battery, duty, duty_id FROM place_fix
 WHERE person_id = $1 AND at > $2 ORDER BY at DESC, id LIMIT 1
"""

LOOKED = """
INSERT INTO place_look (id, person_id, looker_id, looker_role, from_at, until_at, reason, at, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

DAYS = """
SELECT (h.hour AT TIME ZONE $4::text)::date AS day, sum(h.fixes)::int AS count,
       min(h.first_at) AS first_at, max(h.last_at) AS last_at,
       min(h.south) AS south, min(h.west) AS west, max(h.north) AS north, max(h.east) AS east
  FROM place_hour h WHERE h.person_id = $1 AND h.hour > $2 AND h.hour < $3
 GROUP BY 1 ORDER BY 1 DESC
"""

# Somebody who watches a van looks every minute: that is one line an hour.
LOOKS = """
SELECT l.looker_role AS role, l.reason, min(l.at) AS at, count(*)::int AS times,
       min(l.from_at) AS from_at, max(l.until_at) AS until_at
  FROM place_look l WHERE l.person_id = $1 AND l.at > $2 AND l.at < $3
 GROUP BY l.looker_id, l.looker_role, l.reason, date_trunc('hour', l.at)
 ORDER BY 3 DESC, 1, 2 LIMIT 200
"""

FORGET = (
    "DELETE FROM place_fix WHERE (person_id, id) IN"
    " (SELECT person_id, id FROM place_fix WHERE at <= $1 ORDER BY at LIMIT $2)",
    "DELETE FROM place_hour WHERE (person_id, hour) IN"
    " (SELECT person_id, hour FROM place_hour WHERE hour <= $1 ORDER BY hour LIMIT $2)",
)
