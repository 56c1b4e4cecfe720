"""What must always be true of links (reliability §2, IA1, IA5), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IA1 links": """
        SELECT c.order_id::text AS subject,
               'code ' || c.n || ' was sent for the link of another order' AS detail
          FROM link_code c JOIN order_link l ON l.token_hash = c.token_hash
         WHERE l.order_id <> c.order_id""",
    "IA1 owners": """
        SELECT l.order_id::text AS subject,
               'a link to the warranty of owner ' || l.owner_n || ', whom nobody has confirmed' AS detail
          FROM order_link l LEFT JOIN warranty_transfer t ON t.order_id = l.order_id AND t.n = l.owner_n
         WHERE l.owner_n > 0 AND t.confirmed_at IS NULL""",
    "IA5 links": """
        SELECT s.order_id::text AS subject,
               'the session of ' || s.created_at || ' is of no used code of its link, or too long' AS detail
          FROM link_session s JOIN link_code c ON c.order_id = s.order_id AND c.n = s.n
         WHERE c.used_at IS NULL OR c.token_hash <> s.token_hash
            OR s.expires_at > s.created_at + interval '24 hours'""",
}
