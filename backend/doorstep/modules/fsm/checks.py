"""What must always be true of field service (reliability §2, IO6, IC4), as queries for the doctor."""

QUERIES: dict[str, str] = {
    "IO6 visits": """
        SELECT a.technician_id::text AS subject,
               'is to be at two visits at once: ' || a.id || ' and ' || b.id AS detail
          FROM visit a
          JOIN visit b ON b.technician_id = a.technician_id AND b.id > a.id
               AND b.during && a.during AND b.state IN ('booked', 'started')
         WHERE a.state IN ('booked', 'started')""",
    # One that no phone has handed in is the alarm's (flows/missing_pictures.py); of what the server
    # could not make a picture of a person was asked.
    "IC4 reports": """
        SELECT r.id::text AS subject,
               p.slot || ' is here, and does not count since ' || r.recorded_at AS detail
          FROM visit_report r JOIN visit_report_photo p ON p.report_id = r.id
         WHERE r.verdict = 'applied' AND p.verified_at IS NULL
           AND r.recorded_at < now() - interval '6 hours'
           AND EXISTS (SELECT FROM blob b WHERE b.sha256 = p.sha256)
           AND NOT EXISTS (SELECT FROM picture_refusal x WHERE x.sha256 = p.sha256)""",
    # A price once shown is the price that is charged: each line by its own version.
    "IM extras": """
        SELECT x.id::text AS subject,
               'charges ' || x.charged_minor || ', its lines make ' || sum(l.net_minor + l.tax_minor)
               || ', or one is not what its price says' AS detail
          FROM visit_extra x
          JOIN visit_extra_line l ON l.extra_id = x.id
          LEFT JOIN service_price p ON p.id = l.price_id
         GROUP BY x.id
        HAVING x.charged_minor <> sum(l.net_minor + l.tax_minor)
            OR bool_or(l.net_minor <> coalesce(l.quantity * p.price_minor, 0))
            OR bool_or(l.tax_minor <> coalesce((l.net_minor * p.tax_basis_points + 5000) / 10000, 0))""",
    # A receipt says what its extras cost and what was paid, and no two are of the same number.
    "IM receipts": """
        SELECT r.number AS subject,
               'says ' || r.billed_minor || ' billed and ' || r.paid_minor || ' paid; its extras are '
                 || x.minor || ', its tenders ' || t.minor AS detail
          FROM extra_receipt r
          CROSS JOIN LATERAL (SELECT coalesce(sum(e.charged_minor), 0) AS minor FROM visit_extra e
                               WHERE e.visit_id = r.visit_id AND e.id = ANY (r.extra_ids)) x
          CROSS JOIN LATERAL (SELECT coalesce(sum(n.amount_minor), 0) AS minor FROM extra_tender n
                               WHERE n.receipt_id = r.id) t
         WHERE x.minor <> r.billed_minor OR t.minor <> r.paid_minor
        UNION ALL
        SELECT number, 'stands on ' || count(*) || ' receipts' FROM extra_receipt
         GROUP BY number HAVING count(*) > 1""",
    # What extras have used up has left the van, once, and nothing else has as used.
    "IS parts": """
        WITH used AS (
          SELECT l.extra_id, p.product_id, sum(l.quantity) AS pieces
            FROM visit_extra_line l JOIN service_price p ON p.id = l.price_id
           WHERE p.product_id IS NOT NULL GROUP BY l.extra_id, p.product_id)
        SELECT coalesce(u.extra_id, m.extra_id)::text AS subject,
               'used ' || coalesce(u.pieces, 0) || ', the van lost ' || coalesce(-m.quantity, 0) AS detail
          FROM used u
          FULL JOIN (SELECT * FROM part_movement WHERE kind = 'used') m
            ON m.extra_id = u.extra_id AND m.product_id = u.product_id
         WHERE u.pieces IS DISTINCT FROM -m.quantity""",
}
