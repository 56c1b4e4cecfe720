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
}
