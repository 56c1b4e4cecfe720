"""What is kept of a customer, one query per part of the answer, in keys that a person can read.

$1 the orders that are told, $2 the customer's own contacts (empty where only one order may be told).
"""

from __future__ import annotations

ORDERS = """
SELECT o.id, o.customer_id, c.phone IS NOT NULL AS own_phone, c.phone, lower(c.email) AS email
  FROM customer_order o JOIN customer c ON c.id = o.customer_id WHERE o.id = $1
"""

ALL_ORDERS = "SELECT id FROM customer_order WHERE customer_id = $1 ORDER BY created_at, id"

PERSON = """
SELECT name, phone, email, language, phone_verified_at, created_at AS known_since
  FROM customer WHERE id = $1
"""

PARTS: dict[str, str] = {
    "orders": """
        SELECT o.number, o.external_id AS number_at_the_shop, h.name AS shop, o.placed_at, o.state,
               o.closed_at, o.currency, o.subtotal_minor, o.tax_minor, o.discount_minor, o.shipping_minor,
               o.total_minor, o.delivery_service, o.language
          FROM customer_order o JOIN channel h ON h.id = o.channel_id
         WHERE o.id = ANY ($1) ORDER BY o.placed_at, o.number""",
    "addresses": """
        SELECT DISTINCT a.name, a.phone, a.line1, a.building, a.floor, a.flat, a.lift, a.area, a.city,
               a.region, a.postcode, a.country, a.lat, a.lng, a.instructions, a.created_at AS known_since
          FROM address a JOIN customer_order o ON o.address_id = a.id
         WHERE o.id = ANY ($1) ORDER BY known_since""",
    "goods": """
        SELECT o.number AS order, l.sku, l.name, l.quantity, l.unit_price_minor, l.tax_minor,
               l.discount_minor, l.total_minor
          FROM order_line l JOIN customer_order o ON o.id = l.order_id
         WHERE o.id = ANY ($1) ORDER BY o.number, l.position""",
    "payments": """
        SELECT o.number AS order, l.method, l.due, l.state, l.amount_minor, l.captured_minor, o.currency,
               l.reference
          FROM payment_line l JOIN customer_order o ON o.id = l.order_id
         WHERE o.id = ANY ($1) ORDER BY o.number, l.id""",
    "payment_news": """
        SELECT o.number AS order, e.type, e.amount_minor, e.currency, e.happened_at
          FROM payment_event e JOIN customer_order o ON o.id = e.order_id
         WHERE o.id = ANY ($1) ORDER BY e.happened_at, e.id""",
    "credit_notes": """
        SELECT o.number AS order, n.number, n.reason, n.amount_minor, n.currency, n.created_at
          FROM credit_note n JOIN customer_order o ON o.id = n.order_id
         WHERE o.id = ANY ($1) ORDER BY n.number""",
    "money_given_back": """
        SELECT o.number AS order, d.method, d.amount_minor, d.currency, d.reference, d.recorded_at
          FROM desk_refund d JOIN customer_order o ON o.id = d.order_id
         WHERE o.id = ANY ($1) ORDER BY d.recorded_at""",
    "parcels": """
        SELECT o.number AS order, f.parcel, f.state, f.ended_as, f.progress,
               (SELECT jsonb_agg(jsonb_build_object('stage', e.stage, 'how', e.how, 'at', e.recorded_at)
                         ORDER BY e.seq)
                  FROM journey_event e WHERE e.fulfilment_id = f.id AND e.kind = 'stage') AS steps,
               (SELECT jsonb_agg(jsonb_build_object('carrier', c.name, 'tracking_number', s.awb)
                         ORDER BY s.created_at)
                  FROM shipment s JOIN carrier c ON c.id = s.carrier_id
                 WHERE s.fulfilment_id = f.id) AS shipments,
               (SELECT jsonb_agg(jsonb_build_object('from', w.from_at, 'until', w.until_at, 'why', w.reason,
                         'set_at', w.set_at) ORDER BY w.n)
                  FROM delivery_window w WHERE w.fulfilment_id = f.id) AS promised_times
          FROM fulfilment f JOIN customer_order o ON o.id = f.order_id
         WHERE o.id = ANY ($1) ORDER BY o.number, f.parcel""",
    "trouble": """
        SELECT o.number AS order, f.parcel, d.kind, d.reason, d.detail, d.opened_at, d.closed_at,
               d.closed_as, d.expected_on, d.accepted_at
          FROM detour_case d JOIN fulfilment f ON f.id = d.fulfilment_id
          JOIN customer_order o ON o.id = d.order_id
         WHERE o.id = ANY ($1) ORDER BY d.opened_at""",
    "carrier_news": """
        SELECT o.number AS order, e.awb AS tracking_number, e.status, e.place, e.remark, e.happened_at
          FROM carrier_event e JOIN customer_order o ON o.id = e.order_id
         WHERE o.id = ANY ($1) ORDER BY e.happened_at""",
    "deliveries": """
        SELECT o.number AS order, p.captured_at AS delivered_at, p.receiver_name, p.receiver_relation, p.lat,
               p.lng, p.accuracy_m, p.signature, p.due_minor, p.tendered_minor, p.currency, p.serials,
               (SELECT count(*) FROM pod_photo x WHERE x.pod_id = p.id) AS photos
          FROM pod p JOIN customer_order o ON o.id = p.order_id
         WHERE o.id = ANY ($1) ORDER BY p.captured_at""",
    "failed_deliveries": """
        SELECT o.number AS order, a.kind, a.reason, a.words, a.called, a.wished_on, a.lat, a.lng,
               a.captured_at, cardinality(a.photos) AS photos
          FROM delivery_attempt a JOIN customer_order o ON o.id = a.order_id
         WHERE o.id = ANY ($1) ORDER BY a.captured_at""",
    "answers_to_failed_deliveries": """
        SELECT o.number AS order, a.said, a.words, a.said_at
          FROM attempt_answer a JOIN customer_order o ON o.id = a.order_id
         WHERE o.id = ANY ($1) ORDER BY a.said_at""",
    "visits": """
        SELECT o.number AS order, lower(v.during) AS planned_from, upper(v.during) AS planned_until, v.state,
               v.booked_at, v.started_at, v.completed_at
          FROM visit v JOIN customer_order o ON o.id = v.order_id
         WHERE o.id = ANY ($1)
           AND NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = v.claim_id AND q.owner_n > 0)
         ORDER BY planned_from""",
    "installation_reports": """
        SELECT o.number AS order, r.captured_at, r.signer_name, r.signature, r.lat, r.lng, r.demo_topics,
               (SELECT jsonb_agg(jsonb_build_object('serial', u.serial, 'answers', u.answers) ORDER BY u.n)
                  FROM visit_report_unit u WHERE u.report_id = r.id) AS units,
               (SELECT count(*) FROM visit_report_photo x WHERE x.report_id = r.id) AS photos
          FROM visit_report r JOIN customer_order o ON o.id = r.order_id JOIN visit v ON v.id = r.visit_id
         WHERE o.id = ANY ($1)
           AND NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = v.claim_id AND q.owner_n > 0)
         ORDER BY r.captured_at""",
    "failed_visits": """
        SELECT o.number AS order, f.reason, f.words, f.captured_at, cardinality(f.photos) AS photos
          FROM visit_failure f JOIN customer_order o ON o.id = f.order_id JOIN visit v ON v.id = f.visit_id
         WHERE o.id = ANY ($1)
           AND NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = v.claim_id AND q.owner_n > 0)
         ORDER BY f.captured_at""",
    "extras": """
        SELECT o.number AS order, x.charged_minor, x.currency, x.signer_name, x.signature, x.captured_at
          FROM visit_extra x JOIN customer_order o ON o.id = x.order_id
         WHERE o.id = ANY ($1) ORDER BY x.captured_at""",
    "receipts": """
        SELECT o.number AS order, r.number, r.billed_minor, r.paid_minor, r.currency, r.captured_at
          FROM extra_receipt r JOIN customer_order o ON o.id = r.order_id
         WHERE o.id = ANY ($1) ORDER BY r.captured_at""",
    "messages": """
        SELECT o.number AS order, m.channel, m.recipient, m.language, m.subject, m.body, m.state,
               m.created_at AS written_at, m.sent_at, m.delivered_at, m.read_at
          FROM message m JOIN customer_order o ON o.id = m.order_id
         WHERE o.id = ANY ($1) AND m.problem_id IS NULL AND m.po_id IS NULL
           AND (m.visit_id IS NULL OR m.recipient = ANY ($2))
           -- What goes to the new owner of a warranty is his.
           AND (m.recipient = ANY ($2) OR NOT EXISTS (
             SELECT FROM warranty_transfer x WHERE x.order_id = m.order_id AND x.phone = m.recipient))
         ORDER BY m.created_at, m.id""",
    "messages_to_us": """
        SELECT i.channel, i.sender, i.body, i.taken_as, i.at
          FROM message_inbound i WHERE i.sender = ANY ($2)
            OR i.id IN (SELECT t.id FROM ticket t WHERE t.order_id = ANY ($1)) ORDER BY i.at""",
    "ways_to_write": """
        SELECT p.channel, p.address, p.wanted, p.why, p.set_at
          FROM contact_preference p WHERE p.address = ANY ($2) AND cardinality($1::uuid[]) > 0
         ORDER BY p.set_at, p.n""",
    "ratings": """
        SELECT o.number AS order, b.delivery_rating, b.installation_rating, b.words, b.created_at
          FROM feedback b JOIN customer_order o ON o.id = b.order_id
         WHERE o.id = ANY ($1) ORDER BY b.created_at""",
    # What colleagues write to one another is about the work; the customer's words and ours to him are told.
    "tickets": """
        SELECT o.number AS order, t.number, t.type, t.title, t.words, t.state, t.opened_at, t.resolved_at,
               t.resolution,
               (SELECT jsonb_agg(jsonb_build_object('author', m.author, 'words', m.words, 'at', m.written_at)
                         ORDER BY m.written_at)
                  FROM ticket_message m WHERE m.ticket_id = t.id AND m.author <> 'internal') AS messages
          FROM ticket t JOIN customer_order o ON o.id = t.order_id
         WHERE o.id = ANY ($1)
           AND NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = t.id AND q.owner_n > 0)
         ORDER BY t.opened_at""",
    "warranties": """
        SELECT o.number AS order, w.number, p.name AS product, w.serial, w.quantity, w.starts_on, w.ends_on,
               w.state
          FROM warranty w JOIN product p ON p.id = w.product_id JOIN customer_order o ON o.id = w.order_id
         WHERE o.id = ANY ($1) ORDER BY w.number""",
    "papers": """
        SELECT o.number AS order, d.kind, d.language, d.created_at
          FROM order_document d JOIN customer_order o ON o.id = d.order_id
         WHERE o.id = ANY ($1) ORDER BY d.created_at, d.kind""",
    "sign_ins": """
        SELECT o.number AS order, c.issued_at AS code_sent_at, c.used_at
          FROM link_code c JOIN customer_order o ON o.id = c.order_id
          JOIN order_link l ON l.token_hash = c.token_hash AND l.owner_n = 0
         WHERE o.id = ANY ($1) ORDER BY c.issued_at""",
    "wishes_to_be_erased": """
        SELECT e.way, e.asked_at, e.state, e.waits_for, e.gives_up_warranty
          FROM erasure_request e WHERE e.order_id = ANY ($1) ORDER BY e.asked_at""",
}
"""What is told, by name: each query lists it for the orders."""

# Photos that the customer has handed in himself and those that our people took at his door, as they are
# shown: smaller than they came.
PHOTOS = """
SELECT o.number AS order, x.of, x.at, p.blob_sha256 AS sha256
  FROM (
    SELECT t.order_id, 'ticket ' || t.number AS of, y.added_at AS at, y.sha256
      FROM ticket_photo y JOIN ticket t ON t.id = y.ticket_id
     WHERE y.added_by IS NULL
       AND NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = t.id AND q.owner_n > 0)
    UNION ALL
    SELECT b.order_id, 'rating', b.created_at, y.sha256
      FROM feedback_photo y JOIN feedback b ON b.id = y.feedback_id
    UNION ALL
    SELECT d.order_id, 'delivery', d.captured_at, y.sha256
      FROM pod_photo y JOIN pod d ON d.id = y.pod_id
    UNION ALL
    SELECT a.order_id, 'failed delivery', a.captured_at, unnest(a.photos)
      FROM delivery_attempt a
    UNION ALL
    SELECT r.order_id, 'installation report', r.captured_at, y.sha256
      FROM visit_report_photo y JOIN visit_report r ON r.id = y.report_id JOIN visit v ON v.id = r.visit_id
     WHERE NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = v.claim_id AND q.owner_n > 0)
    UNION ALL
    SELECT f.order_id, 'failed visit', f.captured_at, unnest(f.photos)
      FROM visit_failure f JOIN visit v ON v.id = f.visit_id
     WHERE NOT EXISTS (SELECT FROM warranty_claim q WHERE q.id = v.claim_id AND q.owner_n > 0)
  ) x
  JOIN customer_order o ON o.id = x.order_id
  JOIN picture p ON p.sha256 = x.sha256 AND p.derivative = 'large'
 WHERE o.id = ANY ($1)
 ORDER BY x.at, x.sha256 LIMIT 100
"""
