"""What must always be true of push (reliability §2, IA5), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IA5 push": """
        SELECT s.device_id::text AS subject,
               'is told of work although it is ' || CASE
                 WHEN d.state = 'revoked' THEN 'revoked' ELSE 'signed out' END AS detail
          FROM push_subscription s JOIN device d ON d.id = s.device_id
         WHERE d.state = 'revoked' OR NOT EXISTS (
           SELECT FROM session e WHERE e.device_id = d.id AND e.revoked_at IS NULL)""",
    "IQ2 push": """
        SELECT m.id::text AS subject, 'waits and is no news since ' || m.expires_at AS detail
          FROM push_message m
         WHERE m.state = 'waiting' AND m.expires_at < now() - interval '1 hour'""",
}
