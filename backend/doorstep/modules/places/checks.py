"""What must always be true of places (reliability §2, IA7), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    # The job that deletes runs every hour.
    "IA7 places": """
        SELECT f.person_id::text AS subject,
               count(*) || ' places are older than 60 days, the oldest of ' || min(f.at) AS detail
          FROM place_fix f WHERE f.at < now() - interval '60 days 6 hours' GROUP BY f.person_id""",
}
