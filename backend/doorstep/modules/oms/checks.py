"""What must always be true of what an order costs, as queries of (subject, detail) for the doctor."""

QUERIES: dict[str, str] = {
    "IM5 credited pieces": """
        SELECT o.number AS subject,
               'line ' || l.position || ': ' || sum(c.quantity) || ' credited of ' || l.quantity
                 AS detail
          FROM order_line l
          JOIN customer_order o ON o.id = l.order_id
          JOIN credit_note_line c ON c.order_line_id = l.id
         GROUP BY o.number, l.id HAVING sum(c.quantity) > l.quantity""",
    "IM5 credited money": """
        SELECT o.number AS subject,
               sum(n.amount_minor) || ' credited of ' || o.total_minor || ' ' || o.currency AS detail
          FROM customer_order o JOIN credit_note n ON n.order_id = o.id
         GROUP BY o.id HAVING sum(n.amount_minor) > o.total_minor
        UNION ALL
        SELECT n.number, 'is ' || n.amount_minor || ', its lines are ' || sum(l.amount_minor)
          FROM credit_note n JOIN credit_note_line l ON l.credit_note_id = n.id
         GROUP BY n.id HAVING sum(l.amount_minor) <> n.amount_minor""",
}
