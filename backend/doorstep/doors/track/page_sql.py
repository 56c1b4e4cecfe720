"""What the customer's page shows beyond the timeline, and by what it knows that there is news."""

from doorstep.doors.track.sql import facts_of

# What a page has seen: everything that is shown changes it. Read before the rest, so that a page is
# never older than the version it goes by.
_VERSION = """left(md5(concat_ws('.',
    (SELECT sum(f.head_seq) FROM fulfilment f WHERE f.order_id = link.order_id),
    (SELECT count(*) FROM carrier_event e WHERE e.order_id = link.order_id),
    (SELECT count(*) FROM delivery_window w WHERE w.order_id = link.order_id),
    (SELECT string_agg(v.id::text || v.state || v.during::text, ',' ORDER BY v.id)
       FROM visit v WHERE v.order_id = link.order_id),
    (SELECT count(*) FROM attempt_answer q WHERE q.order_id = link.order_id),
    (SELECT count(*) FROM order_document d WHERE d.order_id = link.order_id),
    (SELECT count(*) FROM warranty w
      WHERE w.order_id = link.order_id AND w.state = 'active' AND w.owner_n = 0),
    (SELECT string_agg(r.state || (SELECT count(*) FROM delivery_stop b
                                    WHERE b.run_id = s.run_id AND b.state = 'open'), ',' ORDER BY s.id)
       FROM delivery_stop s JOIN delivery_run r ON r.id = s.run_id
      WHERE s.order_id = link.order_id AND s.state = 'open'))), 16)"""

# $1 hash of the token, $2 now, $3 hash of the session's token or NULL.
LINK = f"""
SELECT link.order_id, o.number, o.language, h.zone, {_VERSION} AS version, EXISTS (
         SELECT FROM link_session s
          WHERE s.session_hash = $3 AND s.token_hash = link.token_hash AND s.ended_at IS NULL
            AND s.expires_at > $2) AS signed_in
  FROM order_link link
  JOIN customer_order o ON o.id = link.order_id
  JOIN channel h ON h.id = o.channel_id
 WHERE link.token_hash = $1 AND link.owner_n = 0 AND link.revoked_at IS NULL AND link.expires_at > $2
"""  # noqa: S608 - constants of this folder

# $1 the hashes of many links, $2 now: what those have seen that are looked at just now.
VERSIONS = f"""
SELECT link.token_hash, {_VERSION} AS version
  FROM order_link link
 WHERE link.token_hash = ANY ($1::bytea[]) AND link.owner_n = 0
   AND link.revoked_at IS NULL AND link.expires_at > $2
"""  # noqa: S608 - constants of this folder

# Counted over all stops of the run, whoever's they are: of other orders only numbers leave here, of
# our people the first name and the file of the portrait. Hence it is read outside of the customer's
# role.
ROAD = """
SELECT coalesce((
  SELECT json_agg(json_build_object(
      'parcel', f.parcel,
      'on_the_road', r.state = 'accepted',
      'planned_on', r.planned_on,
      'stops_before', (SELECT count(*) FROM delivery_stop b WHERE b.run_id = s.run_id
                          AND b.state = 'open' AND b.position < s.position),
      'accepted_at', r.accepted_at,
      'closed', coalesce((SELECT json_agg(b.closed_at ORDER BY b.closed_at) FROM delivery_stop b
                           WHERE b.run_id = s.run_id AND b.state IN ('done', 'failed')), '[]'),
      'first_name', split_part(p.name, ' ', 1),
      'portrait', coalesce(t.sha256, '')))
    FROM delivery_stop s
    JOIN delivery_run r ON r.id = s.run_id
    JOIN fulfilment f ON f.id = s.fulfilment_id
    JOIN person p ON p.id = r.person_id
    LEFT JOIN person_portrait t ON t.person_id = p.id
   WHERE s.order_id = $1 AND s.state = 'open'), '[]')::text AS stops,
  coalesce((
  SELECT json_agg(json_build_object('parcel', f.parcel, 'first_name', split_part(p.name, ' ', 1),
      'portrait', coalesce(t.sha256, '')))
    FROM visit v
    JOIN fulfilment f ON f.id = v.fulfilment_id
    JOIN person p ON p.id = v.technician_id
    LEFT JOIN person_portrait t ON t.person_id = p.id
   WHERE v.order_id = $1 AND v.purpose = 'installation'
     AND v.state IN ('booked', 'started')), '[]')::text AS technicians,
  coalesce((SELECT r.support_phone FROM customer_order o JOIN message_rule r USING (channel_id)
             WHERE o.id = $1), '') AS support_phone
"""

# $1 the order: the codes of the attempts that are out for delivery or were, by their parcels. Kept from
# the customer's role, which shows a code as little as its hash.
CODES = """
SELECT f.parcel, f.id, f.attempt, c.code_hash
  FROM fulfilment f
  JOIN handover_code c ON c.fulfilment_id = f.id AND c.attempt = f.attempt
 WHERE f.order_id = $1
"""

# $1 the order, $2 language or NULL. Run as `doorstep_customer`: what it must not show, is not there.
PAGE = f"""
SELECT json_build_object(
    'order', {facts_of("$2")},
    'zone', c.zone,
    'address', (SELECT json_build_object('name', a.name, 'line1', a.line1, 'building', a.building,
                  'floor', a.floor, 'flat', a.flat, 'area', a.area, 'city', a.city,
                  'region', a.region, 'postcode', a.postcode, 'instructions', a.instructions)
                  FROM address a WHERE a.id = o.address_id),
    'invoices', coalesce((SELECT json_agg(DISTINCT d.language) FROM order_document d
                           WHERE d.order_id = o.id AND d.kind = 'invoice'), '[]'),
    'proofs', (SELECT coalesce(json_agg(DISTINCT f.parcel), '[]') FROM pod p
                 JOIN fulfilment f ON f.id = p.fulfilment_id
                WHERE p.order_id = o.id AND p.verdict = 'applied'),
    'receipts', coalesce((SELECT json_agg(r.number ORDER BY r.number) FROM extra_receipt r
                           WHERE r.order_id = o.id), '[]'),
    'parcels', (
      SELECT json_agg(json_build_object(
          'parcel', f.parcel,
          'standing_hours', (SELECT coalesce(max(p.standing_hours), 0) FROM fulfilment_line l
                               JOIN product p ON p.id = l.product_id WHERE l.fulfilment_id = f.id),
          'carrier', (SELECT ca.name FROM shipment s JOIN carrier ca ON ca.id = s.carrier_id
                       WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
                       ORDER BY s.attempt DESC LIMIT 1),
          'window', (SELECT json_build_object('from_at', w.from_at, 'until_at', w.until_at)
                       FROM delivery_window w WHERE w.fulfilment_id = f.id
                      ORDER BY w.n DESC LIMIT 1),
          'visit', (SELECT json_build_object('from_at', lower(v.during), 'until_at', upper(v.during))
                      FROM visit v WHERE v.fulfilment_id = f.id AND v.purpose = 'installation'
                       AND v.state IN ('booked', 'started')),
          'attempt', (SELECT json_build_object('reason', d.reason, 'at', d.happened_at, 'said', q.said)
                        FROM detour_case d LEFT JOIN attempt_answer q ON q.case_id = d.id
                       WHERE d.fulfilment_id = f.id AND d.kind = 'delivery_failed'
                       ORDER BY d.opened_at DESC LIMIT 1),
          'papers', coalesce((
            SELECT json_agg(json_build_object('number', w.number,
                     'goods', coalesce(p.names ->> coalesce($2, o.language), p.name)) ORDER BY w.number)
              FROM warranty w JOIN product p ON p.id = w.product_id
             WHERE w.fulfilment_id = f.id AND w.state = 'active' AND w.owner_n = 0), '[]'),
          'repairs', coalesce((
            SELECT json_agg(json_build_object('from_at', lower(v.during), 'until_at', upper(v.during))
                            ORDER BY v.during)
              FROM visit v JOIN warranty_claim q ON q.id = v.claim_id AND q.owner_n = 0
             WHERE v.fulfilment_id = f.id AND v.state IN ('booked', 'started')), '[]'),
          'scans', coalesce((
            SELECT json_agg(x ORDER BY x.at DESC) FROM (
              SELECT e.happened_at AS at, e.place, coalesce(e.stage::text, '') AS what
                FROM carrier_event e JOIN shipment s ON s.id = e.shipment_id
               WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
              UNION
              SELECT n.captured_at, l.city, n.kind
                FROM scan n JOIN piece p ON p.label_no = n.label_no
                JOIN shipment s ON s.id = p.shipment_id LEFT JOIN location l ON l.id = n.location_id
               WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
                 AND n.kind IN ('pickup', 'departure', 'hub_in', 'hub_out', 'load')
              ORDER BY at DESC LIMIT 48) x), '[]')
        ) ORDER BY f.parcel)
        FROM fulfilment f WHERE f.order_id = o.id)
  )::text AS facts
  FROM customer_order o JOIN channel c ON c.id = o.channel_id
 WHERE o.id = $1
"""  # noqa: S608 - constants of this folder

# $1 the order, $2 the kind or number wanted. Run as `doorstep_customer` too.
INVOICE = """
SELECT d.sha256 FROM order_document d
 WHERE d.order_id = $1 AND d.kind = 'invoice' ORDER BY d.language = $2 DESC, d.created_at LIMIT 1
"""

RECEIPT = """
SELECT r.id FROM extra_receipt r WHERE r.order_id = $1 AND r.number = $2 LIMIT 1
"""

# $2 the parcel's number: the proof by which its goods were handed over last.
POD = """
SELECT p.id FROM pod p JOIN fulfilment f ON f.id = p.fulfilment_id
 WHERE p.order_id = $1 AND f.parcel = $2 AND p.verdict = 'applied' ORDER BY p.recorded_at DESC LIMIT 1
"""

# $2 the file: of whom it is, the policy of the table decides.
PORTRAIT = """
SELECT t.sha256 FROM person_portrait t WHERE t.sha256 = $2 AND $1 = current_link_order() LIMIT 1
"""

CERTIFICATE = """
SELECT w.certificate_sha256 FROM warranty w
 WHERE w.order_id = $1 AND w.number = $2 AND w.state = 'active' AND w.owner_n = 0
"""

PARCEL = """
SELECT f.id FROM fulfilment f WHERE f.order_id = $1 AND f.parcel = $2
"""
