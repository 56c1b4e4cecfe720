"""What must always be true of people and sessions (reliability §2), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IA5": """
        SELECT s.id::text AS subject, 'open, although its device or person is shut out' AS detail
          FROM session s JOIN person p ON p.id = s.person_id
          LEFT JOIN device d ON d.id = s.device_id
         WHERE s.revoked_at IS NULL
           AND (NOT p.active OR d.state IN ('revoked', 'signed_out') OR d.person_id <> p.id)""",
    "IA1 portraits": """
        SELECT p.id::text AS subject, 'has left, and the portrait is still there' AS detail
          FROM person_portrait t JOIN person p ON p.id = t.person_id WHERE NOT p.active""",
}
