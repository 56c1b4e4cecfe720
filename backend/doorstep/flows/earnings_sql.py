"""Which work is finished and counts, read from what was captured and what desks say of it."""

from __future__ import annotations

from doorstep.flows import appeals

# A person has closed the question about the proof and it still is in question: that is a no. An
# appeal asks again and changes nothing by itself; another question that came up since is no answer.
_REFUSED = f"""
({appeals.IN_QUESTION}) AND EXISTS (
  SELECT FROM problem q WHERE q.ref = d.id::text AND q.kind = ANY (ARRAY{list(appeals.QUESTIONS)})
     AND q.closed_by IS NOT NULL)
 AND NOT EXISTS (
  SELECT FROM problem q WHERE q.ref = d.id::text AND q.kind = ANY (ARRAY{list(appeals.QUESTIONS)})
     AND q.closed_at IS NULL
     AND NOT EXISTS (SELECT FROM field_word w WHERE w.pod_id = d.id AND w.problem_id = q.id))
"""  # noqa: S608 - constants of ours

_COUNTS = "verdict IN ('applied', 'duplicate', 'held')"

# The end of each door and visit as it was captured; `ref_id` is under whose lock it stands.
_ENDS = f"""
SELECT d.fulfilment_id AS ref_id, d.stop_id AS job_id, d.id AS event_id, 'delivery' AS kind,
       true AS finished, d.person_id, d.order_id, d.captured_at, d.recorded_at,
       d.{_COUNTS} AND NOT ({_REFUSED}) AS counts
  FROM pod d
UNION ALL
SELECT t.fulfilment_id, t.stop_id, t.id, 'failed_attempt', false, t.person_id, t.order_id,
       t.captured_at, t.recorded_at, t.{_COUNTS}
  FROM delivery_attempt t
UNION ALL
SELECT r.fulfilment_id, r.visit_id, r.id, 'installation', true, r.technician_id, r.order_id,
       r.captured_at, r.recorded_at, r.{_COUNTS}
  FROM visit_report r
UNION ALL
SELECT x.fulfilment_id, x.visit_id, x.id, 'failed_visit', false, x.technician_id, x.order_id,
       x.captured_at, x.recorded_at, x.{_COUNTS}
  FROM visit_failure x
"""  # noqa: S608 - constants of ours

# The newest word of a desk.
_DECIDED = """
LEFT JOIN LATERAL (
  SELECT e.earns, e.reason FROM earning_decision e WHERE e.event_id = k.event_id
   ORDER BY e.n DESC LIMIT 1) said ON true
"""

# When something was captured, as far as that is possible by what the server itself knows (IC6).
_TOLD = "greatest({c}.earliest_at, least({c}.captured_at, {c}.latest_at))"

# Of several captures of one door or visit one earns: what has finished it before what has not.
_PARCELS = f"""
SELECT x.ref_id, x.event_id, x.kind, x.person_id, o.channel_id, x.order_id, o.number,
       NULL::int AS minutes,
       coalesce({_TOLD.format(c="c")}, least(x.captured_at, x.recorded_at)) AS worked_at,
       x.eligible AND x.place = 1 AS earns, x.eligible, x.decided, x.words
  FROM (SELECT k.*, coalesce(said.earns, k.counts) AS eligible, said.earns IS NOT NULL AS decided,
               coalesce(said.reason, '') AS words,
               row_number() OVER (
                 PARTITION BY k.ref_id, k.job_id
                 ORDER BY coalesce(said.earns, k.counts) DESC, k.finished DESC, k.recorded_at,
                          k.event_id) AS place
          FROM ({_ENDS}) k {_DECIDED}) x
  JOIN customer_order o ON o.id = x.order_id
  LEFT JOIN capture c ON c.event_id = x.event_id
"""  # noqa: S608 - constants of ours

_PICKUPS = f"""
SELECT k.id, k.event_id, 'pickup', k.confirmed_by, l.channel_id, NULL::uuid, k.number, NULL::int,
       coalesce({_TOLD.format(c="c")}, least(k.captured_at, k.confirmed_at)),
       coalesce(said.earns, k.counted > 0), coalesce(said.earns, k.counted > 0),
       said.earns IS NOT NULL, coalesce(said.reason, '')
  FROM (SELECT m.*, m.confirm_event_id AS event_id FROM manifest m WHERE m.confirmed_at IS NOT NULL) k
  JOIN location l ON l.id = k.location_id
  LEFT JOIN capture c ON c.event_id = k.event_id {_DECIDED}
"""  # noqa: S608 - constants of ours

# Everybody who worked a shift, from its opening to its end. One that was left open for more than a
# day says nothing about hours: a desk does.
_SHIFTS = f"""
SELECT k.id, k.event_id, 'shift_hour', m.person_id, k.channel_id, NULL::uuid, k.number, k.minutes,
       k.begins, coalesce(said.earns, k.minutes <= 1440), coalesce(said.earns, k.minutes <= 1440),
       said.earns IS NOT NULL, coalesce(said.reason, '')
  FROM (SELECT s.id, s.close_event_id AS event_id, s.channel_id, s.number,
               least(s.opened_at, {_TOLD.format(c="b")}) AS begins,
               greatest(0, round(extract(epoch FROM least(s.closed_at, {_TOLD.format(c="e")})
                 - least(s.opened_at, {_TOLD.format(c="b")})) / 60))::int AS minutes
          FROM shift s
          LEFT JOIN capture b ON b.event_id = s.open_event_id
          LEFT JOIN capture e ON e.event_id = s.close_event_id
         WHERE s.state = 'closed') k
  JOIN shift_member m ON m.shift_id = k.id {_DECIDED}
"""  # noqa: S608 - constants of ours

# Every finished piece of work with the rate that held and its newest line; {which} limits `w`.
WORK = f"""
SELECT w.event_id, w.kind, w.person_id, w.channel_id, w.order_id, w.number, h.currency, w.minutes,
       w.worked_at, (w.worked_at AT TIME ZONE h.zone)::date AS worked_on, w.earns,
       CASE WHEN w.decided AND w.eligible = w.earns THEN 'decided' WHEN w.earns THEN 'done'
            WHEN w.eligible THEN 'replaced' ELSE 'not_accepted' END AS why,
       w.words, r.id AS rate_id, coalesce(r.amount_minor, 0) AS rate_minor,
       coalesce(l.n, 0)::int AS last_n, coalesce(l.amount_minor, 0) AS last_minor,
       l.rate_id AS last_rate_id
  FROM ({_PARCELS} UNION ALL {_PICKUPS} UNION ALL {_SHIFTS}) w
  JOIN channel h ON h.id = w.channel_id
  LEFT JOIN LATERAL (
    SELECT e.id, e.amount_minor, e.set_at FROM earning_rate e
     WHERE e.channel_id = w.channel_id AND e.kind = w.kind AND e.valid_from <= w.worked_at
     ORDER BY e.version DESC LIMIT 1) r ON true
  LEFT JOIN LATERAL (
    SELECT n.n, n.amount_minor, n.rate_id FROM earning_line n
     WHERE n.event_id = w.event_id AND n.kind = w.kind AND n.person_id = w.person_id
     ORDER BY n.n DESC LIMIT 1) l ON true
 WHERE {{which}}
"""  # noqa: S608 - constants of ours

OF_REF = WORK.format(which="w.ref_id = $1") + " ORDER BY w.event_id, w.kind, w.person_id"

# Where a piece of work stands ($1), in sight of the actor.
REF_OF = """
SELECT k.ref_id, k.parcel, k.channel_id FROM (
  SELECT d.fulfilment_id AS ref_id, true AS parcel, o.channel_id
    FROM pod d JOIN customer_order o ON o.id = d.order_id WHERE d.id = $1
  UNION ALL
  SELECT t.fulfilment_id, true, o.channel_id
    FROM delivery_attempt t JOIN customer_order o ON o.id = t.order_id WHERE t.id = $1
  UNION ALL
  SELECT r.fulfilment_id, true, o.channel_id
    FROM visit_report r JOIN customer_order o ON o.id = r.order_id WHERE r.id = $1
  UNION ALL
  SELECT x.fulfilment_id, true, o.channel_id
    FROM visit_failure x JOIN customer_order o ON o.id = x.order_id WHERE x.id = $1
  UNION ALL
  SELECT m.id, false, l.channel_id
    FROM manifest m JOIN location l ON l.id = m.location_id WHERE m.confirm_event_id = $1
  UNION ALL
  SELECT s.id, false, s.channel_id FROM shift s WHERE s.close_event_id = $1 AND s.state = 'closed') k
 WHERE {scope}
"""

# Where work of a channel ($1) stands that was recorded since ($2), from one on ($3), some at a time.
REFS_SINCE = """
SELECT DISTINCT k.ref_id, k.parcel FROM (
  SELECT e.fulfilment_id AS ref_id, true AS parcel FROM (
    SELECT fulfilment_id FROM pod WHERE recorded_at >= $2
    UNION ALL SELECT fulfilment_id FROM delivery_attempt WHERE recorded_at >= $2
    UNION ALL SELECT fulfilment_id FROM visit_report WHERE recorded_at >= $2
    UNION ALL SELECT fulfilment_id FROM visit_failure WHERE recorded_at >= $2) e
    JOIN fulfilment f ON f.id = e.fulfilment_id WHERE f.channel_id = $1
  UNION ALL
  SELECT m.id, false FROM manifest m JOIN location l ON l.id = m.location_id
   WHERE l.channel_id = $1 AND m.confirmed_at >= $2
  UNION ALL
  SELECT s.id, false FROM shift s WHERE s.channel_id = $1 AND s.closed_at >= $2) k
 WHERE k.ref_id > $3 ORDER BY k.ref_id LIMIT $4
"""

# A rate that begins earlier has its lines written by a job.
_BY_JOB = "interval '1 hour'"

# Each finished piece of work has its one line, what does not count has none, and nothing else has.
UNEARNED = f"""
SELECT coalesce(w.event_id, l.event_id)::text || ' ' || coalesce(w.kind, l.kind) AS subject,
       CASE WHEN w.event_id IS NULL THEN 'has earned something, and is no finished work'
            WHEN w.earns THEN 'counts, and has earned nothing'
            ELSE 'does not count, and has earned something' END AS detail
  FROM ({WORK.format(which="true")}) w
  FULL JOIN (SELECT event_id, kind, person_id, count(*) % 2 = 1 AS stands FROM earning_line
              GROUP BY event_id, kind, person_id) l USING (event_id, kind, person_id)
 WHERE w.event_id IS NULL
    OR w.earns <> coalesce(l.stands, false)
   AND (l.stands IS NOT NULL
        OR CASE WHEN w.minutes IS NULL THEN w.rate_minor
                ELSE (w.rate_minor * w.minutes + 30) / 60 END > 0
           AND EXISTS (SELECT FROM earning_rate r
                        WHERE r.id = w.rate_id AND r.set_at < now() - {_BY_JOB}))
"""  # noqa: S608 - constants of ours

# Lines of one piece of work are its rate, taken away and given back in turns.
WRONG_SUMS = """
SELECT l.event_id || ' ' || l.kind AS subject,
       'line ' || l.n || ' is ' || l.amount_minor || ', its rate makes ' || x.earned AS detail
  FROM earning_line l JOIN earning_rate r ON r.id = l.rate_id
 CROSS JOIN LATERAL (
   SELECT CASE WHEN l.minutes IS NULL THEN r.amount_minor
               ELSE (r.amount_minor * l.minutes + 30) / 60 END AS earned) x
 WHERE abs(l.amount_minor) <> x.earned
    OR l.n > 1 AND NOT EXISTS (
      SELECT FROM earning_line b
       WHERE (b.event_id, b.kind, b.person_id) = (l.event_id, l.kind, l.person_id)
         AND b.n = l.n - 1 AND b.rate_id = l.rate_id)
"""
