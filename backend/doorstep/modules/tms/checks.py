"""What must always be true on the road (reliability §2, IO6), as queries of (subject, detail)."""

QUERIES: dict[str, str] = {
    "IO6 stops": """
        SELECT s.fulfilment_id::text AS subject, count(*) || ' stops are open for it' AS detail
          FROM delivery_stop s WHERE s.state = 'open'
         GROUP BY s.fulfilment_id HAVING count(*) > 1""",
    "IO6 vehicles": """
        SELECT v.code AS subject,
               'is driven in ' || string_agg(s.number, ', ' ORDER BY s.number) || ' at once' AS detail
          FROM shift s JOIN vehicle v ON v.id = s.vehicle_id
         WHERE s.state IN ('open', 'closing')
         GROUP BY v.code HAVING count(*) > 1""",
    # One that no phone has handed in is the alarm's (flows/missing_pictures.py); of what the server
    # could not make a picture of a person was asked.
    "IC4": """
        SELECT d.id::text AS subject,
               p.slot || ' is here, and does not count since ' || d.recorded_at AS detail
          FROM pod d JOIN pod_photo p ON p.pod_id = d.id
         WHERE d.verdict = 'applied' AND p.required AND p.verified_at IS NULL
           AND d.recorded_at < now() - interval '6 hours'
           AND EXISTS (SELECT FROM blob b WHERE b.sha256 = p.sha256)
           AND NOT EXISTS (SELECT FROM picture_refusal r WHERE r.sha256 = p.sha256)""",
    # A verdict comes in the transaction that verifies the last picture, or with the proof itself.
    "A9": """
        SELECT d.id::text AS subject,
               'has all its pictures measured, and no verdict since ' || d.bytes_verified_at AS detail
          FROM pod d
         WHERE d.checked_at IS NULL AND d.bytes_verified_at < now() - interval '1 hour'
           AND d.hold_lifted_at IS NULL
           AND EXISTS (SELECT FROM pod_photo p WHERE p.pod_id = d.id)
           AND NOT EXISTS (SELECT FROM pod_photo p LEFT JOIN picture_measure m USING (sha256)
                            WHERE p.pod_id = d.id AND m.sha256 IS NULL)""",
}
