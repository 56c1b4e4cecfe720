"""What must always be true of messages (reliability §2, IQ3), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IQ3": """
        SELECT coalesce(m.order_id, m.po_id, m.problem_id)::text AS subject,
               m.event || ' was told ' || count(*) || ' times by ' || m.channel || ' in attempt '
                 || m.attempt AS detail
          FROM message m
         GROUP BY m.order_id, m.fulfilment_id, m.po_id, m.problem_id, m.visit_id, m.event, m.attempt,
                  m.channel, m.recipient
        HAVING count(*) > 1""",
}
