"""What must always be true of stock (reliability §2, IS1 to IS3, IM7), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IS1": """
        SELECT s.id::text AS subject,
               'on hand ' || s.on_hand || ', held ' || s.held || ', allocated ' || s.allocated AS detail
          FROM stock s WHERE s.held < 0 OR s.allocated < 0 OR s.on_hand < s.held + s.allocated""",
    "IS1 reserved": """
        SELECT s.id::text AS subject, 'held or allocated differs from the reservations' AS detail
          FROM stock s
          LEFT JOIN LATERAL (
            SELECT coalesce(sum(r.quantity) FILTER (WHERE r.state = 'held'), 0) AS held,
                   coalesce(sum(r.quantity) FILTER (WHERE r.state = 'allocated'), 0) AS allocated
              FROM reservation r WHERE r.stock_id = s.id) r ON true
         WHERE s.held <> r.held OR s.allocated <> r.allocated""",
    "IS2": """
        SELECT s.id::text AS subject,
               'on hand ' || s.on_hand || ', movements ' || coalesce(m.total, 0) AS detail
          FROM stock s
          LEFT JOIN (SELECT stock_id, sum(quantity) AS total FROM stock_movement GROUP BY 1) m
            ON m.stock_id = s.id
         WHERE s.on_hand <> coalesce(m.total, 0)""",
    "IS2 units": """
        SELECT l.code || ' ' || p.sku AS subject,
               count(u.id) || ' units stand where ' || coalesce(max(s.on_hand), 0) || ' are on hand'
                 AS detail
          FROM unit u
          JOIN product p ON p.id = u.product_id JOIN location l ON l.id = u.location_id
          LEFT JOIN stock s ON s.product_id = u.product_id AND s.location_id = u.location_id
               AND s.owner_id IS NOT DISTINCT FROM u.owner_id AND s.grade = u.grade
         WHERE u.state <> 'scrapped'
         GROUP BY l.code, p.sku, u.owner_id, u.grade HAVING count(u.id) > coalesce(max(s.on_hand), 0)""",
    "IS2 custody": """
        SELECT l.code || ' ' || p.sku AS subject,
               coalesce(c.quantity, 0) || ' in custody where ' || coalesce(s.on_hand, 0)
                 || ' are on hand' AS detail
          FROM (SELECT x.location_id, x.product_id, x.owner_id, sum(x.on_hand) AS on_hand
                  FROM stock x JOIN location y ON y.id = x.location_id
                 WHERE y.kind IN ('van', 'carrier', 'customer') GROUP BY 1, 2, 3) s
          FULL JOIN (SELECT c.location_id, fl.product_id, f.owner_id, sum(c.quantity) AS quantity
                       FROM custody c
                       JOIN fulfilment_line fl ON fl.id = c.fulfilment_line_id
                       JOIN fulfilment f ON f.id = fl.fulfilment_id GROUP BY 1, 2, 3) c
            ON c.location_id = s.location_id AND c.product_id = s.product_id
           AND c.owner_id IS NOT DISTINCT FROM s.owner_id
          JOIN location l ON l.id = coalesce(s.location_id, c.location_id)
          JOIN product p ON p.id = coalesce(s.product_id, c.product_id)
         WHERE coalesce(s.on_hand, 0) <> coalesce(c.quantity, 0)""",
    "IS3": """
        SELECT r.fulfilment_line_id::text AS subject, 'reserved ' || count(*) || ' times' AS detail
          FROM reservation r WHERE r.state <> 'released' GROUP BY 1 HAVING count(*) > 1""",
    "IS2 receipts": """
        SELECT a.number || ' ' || p.sku AS subject,
               l.received || ' received where the receipts say ' || coalesce(r.quantity, 0) AS detail
          FROM expected_line l
          JOIN expected_arrival a ON a.id = l.arrival_id JOIN product p ON p.id = l.product_id
          LEFT JOIN (SELECT line_id, sum(quantity) AS quantity FROM receipt_line GROUP BY 1) r
            ON r.line_id = l.id
         WHERE l.received <> coalesce(r.quantity, 0)
        UNION ALL
        SELECT 'receipt ' || r.receipt_id, r.quantity || ' received, ' || coalesce(m.quantity, 0)
               || ' put on shelves'
          FROM (SELECT receipt_id, sum(quantity) FILTER (WHERE grade <> 'scrap') AS quantity
                  FROM receipt_line GROUP BY 1) r
          LEFT JOIN (SELECT split_part(ref, ':', 2) AS receipt, sum(quantity) AS quantity
                       FROM stock_movement WHERE ref LIKE 'receipt:%' AND quantity > 0 GROUP BY 1) m
            ON m.receipt = r.receipt_id::text
         WHERE coalesce(r.quantity, 0) <> coalesce(m.quantity, 0)""",
    "IS2 adjustments": """
        SELECT ref AS subject, 'approved ' || coalesce(a.net::text, 'by nobody') || ', booked '
               || coalesce(m.net::text, 'nowhere') AS detail
          FROM (SELECT 'adjust:' || id AS ref,
                       CASE WHEN to_grade IS NULL THEN quantity ELSE 0 END AS net
                  FROM stock_adjustment WHERE state = 'approved') a
          FULL JOIN (SELECT ref, sum(quantity) AS net FROM stock_movement WHERE reason = 'adjust'
                      GROUP BY ref) m USING (ref)
         WHERE a.net IS DISTINCT FROM m.net""",
    "IS2 counts": """
        SELECT c.number || ' ' || p.sku AS subject,
               'differs by ' || l.difference || ', adjustments make ' || coalesce(a.quantity, 0)
                 AS detail
          FROM cycle_count c
          JOIN cycle_count_line l ON l.count_id = c.id JOIN product p ON p.id = l.product_id
          LEFT JOIN (SELECT count_line_id, sum(quantity) AS quantity FROM stock_adjustment GROUP BY 1) a
            ON a.count_line_id = l.id
         WHERE c.state = 'finished' AND l.difference <> coalesce(a.quantity, 0)""",
    "IM7 adjustments": """
        SELECT a.id::text AS subject, a.state || ' by the person who proposed it' AS detail
          FROM stock_adjustment a WHERE a.decided_by = a.proposed_by""",
}
