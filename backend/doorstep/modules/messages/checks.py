"""What must always be true of messages (reliability §2, IQ3), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IQ3": """
        SELECT coalesce(m.order_id, m.po_id, m.problem_id, m.reply_to)::text AS subject,
               m.event || ' was told ' || count(*) || ' times by ' || m.channel || ' in attempt '
                 || m.attempt AS detail
          FROM message m
         GROUP BY m.order_id, m.fulfilment_id, m.po_id, m.problem_id, m.visit_id, m.reply_to, m.event,
                  m.attempt, m.channel, m.recipient
        HAVING count(*) > 1""",
    # A minute is granted where two servers' words meet.
    "IQ3 chain": """
        SELECT b.id::text AS subject,
               b.event || ' was sent by ' || b.channel || ' although ' || a.channel
                 || CASE WHEN a.delivered_at IS NULL THEN ' still had time' ELSE ' had arrived' END AS detail
          FROM message b JOIN message a ON a.chain_id = b.chain_id AND a.place < b.place
         WHERE b.sends > 0 AND (
               a.delivered_at < b.sending_at - interval '1 minute'
               OR a.state = 'sent' AND b.sending_at
                    < a.sent_at + a.receipt_minutes * interval '1 minute' - interval '1 minute')""",
    "IQ3 opted out": """
        SELECT m.id::text AS subject, m.event || ' was sent by ' || m.channel || ' after an opt-out' AS detail
          FROM message m
         CROSS JOIN LATERAL (
           SELECT p.wanted, p.set_at FROM contact_preference p
            WHERE p.channel = m.channel
              AND p.address = CASE WHEN m.channel = 'email' THEN lower(m.recipient) ELSE m.recipient END
              AND p.set_at < m.sending_at - interval '1 minute'
            ORDER BY p.n DESC LIMIT 1) newest
         WHERE m.sends > 0 AND NOT m.asked_for AND NOT newest.wanted""",
    "IQ3 validity": """
        SELECT m.id::text AS subject, m.event || ' by ' || m.channel || ' is '
               || CASE WHEN m.sends > 0 AND m.sending_at > m.valid_until THEN 'sent'
                      ELSE 'still to be sent' END || ' after its time' AS detail
          FROM message m
         WHERE m.sends > 0 AND m.sending_at > m.valid_until
            OR m.state = 'queued' AND m.valid_until < now() - interval '1 hour'""",
}
