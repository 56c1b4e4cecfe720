"""What must always be true across modules, as queries of (subject, detail) for the doctor."""

from __future__ import annotations

from doorstep.flows import settle_sql

QUERIES: dict[str, str] = {
    # A van is in somebody's hands only while its shift is open: closing leaves nothing on it.
    "IS2 vans": """
        SELECT v.code AS subject,
               sum(c.quantity) || ' pieces on it, and no shift is open' AS detail
          FROM custody c JOIN vehicle v ON v.location_id = c.location_id
         WHERE NOT EXISTS (SELECT FROM shift s
                            WHERE s.vehicle_id = v.id AND s.state IN ('open', 'closing'))
         GROUP BY v.code""",
    "IO6 shifts": """
        SELECT s.number AS subject, 'closed, with ' || count(*) || ' deliveries to do' AS detail
          FROM shift s JOIN delivery_run r ON r.shift_id = s.id
          JOIN delivery_stop t ON t.run_id = r.id
         WHERE s.state = 'closed' AND t.state = 'open' GROUP BY s.number""",
    # What a phone handed in after the end is in no count yet; finance has been asked about it.
    "IM9 shifts": f"""
        SELECT h.number AS subject,
               'closed, with ' || sum(t.amount_minor) || ' ' || d.currency || ' not counted' AS detail
          FROM shift h
          JOIN delivery_run r ON r.shift_id = h.id
          JOIN delivery_stop s ON s.run_id = r.id
          JOIN pod d ON d.stop_id = s.id AND d.recorded_at <= h.closed_at
          JOIN pod_tender t ON t.pod_id = d.id AND t.method = 'cash'
         WHERE h.state = 'closed' AND {settle_sql.FIRST_MONEY}
           AND NOT EXISTS (SELECT FROM cash_count_line c
                            WHERE c.pod_id = t.pod_id AND c.tender_n = t.n)
         GROUP BY h.number, d.currency""",  # noqa: S608 - a constant of ours
}
