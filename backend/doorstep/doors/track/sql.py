"""What a link shows, each in one statement."""

# An order `o` as `Facts` reads it; {language} is the placeholder of a language or NULL.
_FACTS = """json_build_object(
      'order_number', o.number,
      'placed_at', o.placed_at,
      'language', coalesce({language}, o.language),
      'currency', o.currency,
      'at_door_minor', (
        SELECT greatest(0, coalesce(sum(amount_minor - captured_minor), 0) - coalesce((
                 SELECT sum(n.amount_minor) FROM credit_note n WHERE n.order_id = o.id), 0))::bigint
          FROM payment_line WHERE order_id = o.id AND due = 'at_door'),
      'paid_minor', (
        SELECT coalesce(sum(captured_minor), 0)::bigint FROM payment_line WHERE order_id = o.id),
      'parcels', (
        SELECT json_agg(json_build_object(
            'parcel', f.parcel,
            'progress', f.progress,
            'ended_as', f.ended_as,
            'needs_vendor', f.needs_vendor,
            'needs_install', f.needs_install,
            'has_warranty', f.has_warranty,
            'collection', f.collection,
            'ship_from', coalesce(l.kind, 'warehouse'),
            'awb', (SELECT s.awb FROM shipment s
                     WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
                     ORDER BY s.attempt DESC LIMIT 1),
            'reached', (
              SELECT json_agg(json_build_object('stage', e.stage, 'how', e.how,
                       'recorded_at', e.recorded_at, 'captured_at', e.captured_at) ORDER BY e.seq)
                FROM journey_event e
               WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = ANY (f.passed)
                 AND NOT EXISTS (SELECT FROM journey_event later
                                  WHERE later.fulfilment_id = f.id AND later.kind = 'stage'
                                    AND later.stage = e.stage AND later.seq > e.seq)),
            'detours', coalesce((
              SELECT json_agg(json_build_object('kind', d.kind, 'progress', d.progress,
                       'at', d.opened_at, 'expected_on', d.expected_on,
                       'accepted', d.accepted_at IS NOT NULL) ORDER BY d.opened_at DESC)
                FROM detour_case d
               WHERE d.fulfilment_id = f.id
                 AND (d.closed_at IS NULL OR (d.closed_as = 'ended' AND d.opened_at = d.closed_at))),
              '[]'),
            'lines', (
              SELECT json_agg(json_build_object('quantity', fl.quantity,
                       'name', coalesce(p.names ->> coalesce({language}, o.language), ol.name))
                       ORDER BY ol.position)
                FROM fulfilment_line fl
                JOIN order_line ol ON ol.id = fl.order_line_id
                JOIN product p ON p.id = fl.product_id
               WHERE fl.fulfilment_id = f.id),
            'certificates', coalesce((
              SELECT json_agg(w.number ORDER BY w.number)
                FROM warranty w
               WHERE w.fulfilment_id = f.id AND w.state = 'active' AND w.owner_n = 0), '[]')
          ) ORDER BY f.parcel)
          FROM fulfilment f LEFT JOIN location l ON l.id = f.location_id
         WHERE f.order_id = o.id
           AND NOT EXISTS (SELECT FROM fulfilment r WHERE r.replaces_id = f.id AND f.state = 'ended')
        ))"""


def facts_of(language: str) -> str:
    """Write the expression that reads an order `o`; `language` is a placeholder, of NULL too."""
    return _FACTS.format(language=f"{language}::text")


# $1 the hashes of tokens, $2 now: the versions of those that open an order.
# Every event raises its parcel's head_seq, so their sum changes with everything shown here.
NEWEST = """
SELECT link.token_hash,
       (SELECT sum(head_seq)::bigint FROM fulfilment WHERE order_id = link.order_id) AS version
  FROM order_link link
 WHERE link.token_hash = ANY ($1::bytea[]) AND link.owner_n = 0
   AND link.revoked_at IS NULL AND link.expires_at > $2
"""

# $1 hash of the token, $2 now, $3 language or NULL.
READ = f"""
SELECT (SELECT sum(head_seq)::bigint FROM fulfilment WHERE order_id = link.order_id) AS version,
       (SELECT {facts_of("$3")}::text FROM customer_order o WHERE o.id = link.order_id) AS facts
  FROM order_link link
 WHERE link.token_hash = $1 AND link.owner_n = 0 AND link.revoked_at IS NULL AND link.expires_at > $2
"""  # noqa: S608 - constants of this folder

PARCEL = """
SELECT link.order_id, f.id AS fulfilment_id
  FROM order_link link LEFT JOIN fulfilment f ON f.order_id = link.order_id AND f.parcel = $3
 WHERE link.token_hash = $1 AND link.owner_n = 0 AND link.revoked_at IS NULL AND link.expires_at > $2
"""

CERTIFICATE = """
SELECT w.certificate_sha256
  FROM order_link link LEFT JOIN warranty w
       ON w.order_id = link.order_id AND w.number = $3 AND w.state = 'active' AND w.owner_n = 0
 WHERE link.token_hash = $1 AND link.owner_n = 0 AND link.revoked_at IS NULL AND link.expires_at > $2
"""
