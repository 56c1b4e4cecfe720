"""What must always be true of captures (reliability §2, IC1, IC5), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    # Within these minutes every event has its receipt; one that cannot be carried out is then with
    # a person, and its receipt says so.
    "IC1 receipts": """
        SELECT c.event_id::text AS subject,
               coalesce(c.type, 'unreadable') || ' since ' || c.received_at || ' without a receipt, '
                 || c.attempts || ' attempts: ' || coalesce(c.failure, 'never tried') AS detail
          FROM capture c
         WHERE c.verdict IS NULL AND c.received_at < now() - interval '15 minutes'""",
    # What comes in after its device was shut out is for a person. A minute is for the request that
    # was under way then.
    "IC5": """
        SELECT c.event_id::text AS subject,
               'received ' || c.received_at || ', its device was revoked ' || d.state_at AS detail
          FROM capture c JOIN device d ON d.id = c.device_id
         WHERE d.state = 'revoked' AND c.received_at > d.state_at + interval '1 minute'
           AND coalesce(c.verdict, 'open') NOT IN ('review', 'rejected')""",
    "IC1 reasons": """
        SELECT c.event_id::text AS subject, c.verdict || ' without a reason' AS detail
          FROM capture c WHERE c.verdict IN ('review', 'rejected') AND c.reason = ''""",
}
