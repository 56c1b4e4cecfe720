"""What must always be true across modules, as queries of (subject, detail) for the doctor."""

from __future__ import annotations

from doorstep.flows import address_tasks, earnings_sql, missing_pictures, settle_sql
from doorstep.journey.detours import DETOURS
from doorstep.modules.crm.rules import ASKED_BY_DESK

_DETOURS = ", ".join(f"'{detour.kind}'" for detour in DETOURS)
_ASKED_BY_DESK = ", ".join(f"'{part}'" for part in ASKED_BY_DESK)

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
         GROUP BY h.number, d.currency
        UNION ALL
        SELECT h.number, 'closed, with ' || sum(t.amount_minor) || ' ' || r.currency || ' for extras'
          FROM shift h
          JOIN extra_receipt r ON r.shift_id = h.id AND r.recorded_at <= h.closed_at
          JOIN extra_tender t ON t.receipt_id = r.id
         WHERE h.state = 'closed' AND {settle_sql.NOT_COUNTED}
         GROUP BY h.number, r.currency""",  # noqa: S608 - a constant of ours
    # What was agreed to beside an order is billed, and what was paid of it is off the bill: the ledger
    # has as open what rows make of it.
    "IM extras money": """
        SELECT coalesce(x.order_id, b.order_id)::text AS subject,
               coalesce(x.open, 0) || ' of its extras is open, the ledger says ' || coalesce(b.open, 0)
                 AS detail
          FROM (SELECT order_id, sum(minor) AS open FROM (
                  SELECT order_id, charged_minor AS minor FROM visit_extra
                  UNION ALL
                  SELECT r.order_id, -t.amount_minor
                    FROM extra_receipt r JOIN extra_tender t ON t.receipt_id = r.id) each
                 GROUP BY order_id) x
          FULL JOIN (SELECT e.order_id, sum(l.debit_minor - l.credit_minor) AS open
                       FROM journal_line l JOIN journal_entry e ON e.id = l.entry_id
                      WHERE l.account = 'customer_receivable' GROUP BY e.order_id) b
            ON b.order_id = x.order_id
         WHERE coalesce(x.open, 0) <> coalesce(b.open, 0)""",
    "IM earnings": earnings_sql.UNEARNED,
    "IM earned sums": earnings_sql.WRONG_SUMS,
    # The job that pays looks again at the latest a quarter of an hour after the key has expired.
    "IM6 silence": """
        SELECT p.number || ' V' || t.number AS subject,
               x.state || ' since ' || x.sent_at || ', and nobody is asked about it' AS detail
          FROM payout x
          JOIN tranche t ON t.id = x.tranche_id JOIN purchase_order p ON p.id = x.po_id
         WHERE x.state IN ('sending', 'unknown') AND x.sent_at < now() - interval '24 hours 30 minutes'
           AND NOT EXISTS (SELECT FROM problem b
                            WHERE b.ref = x.id::text AND b.kind LIKE 'payout\\_%'
                              AND b.closed_at IS NULL)""",
    # The alarm looks every ten minutes.
    "IC4 alarm": f"""
        SELECT DISTINCT n.what || ' ' || n.capture_id AS subject,
               'names a picture that is not here since ' || n.recorded_at || ', and nobody is asked'
                 AS detail
          FROM ({missing_pictures.NAMED}) n
         WHERE n.recorded_at BETWEEN now() - interval '6 days' AND now() - interval '7 hours'
           AND NOT EXISTS (SELECT FROM blob b WHERE b.sha256 = n.sha256)
           AND NOT EXISTS (SELECT FROM problem q
                            WHERE q.kind = 'picture_missing' AND q.ref = n.capture_id::text)""",  # noqa: S608 - a constant of ours
    # A desk is asked for an address only while it lacks something and goods have still to leave for it.
    "IO address tasks": f"""
        SELECT o.number AS subject, 'its address is asked for, and there is nothing to ask' AS detail
          FROM problem p
          JOIN customer_order o ON o.id = p.order_id
          JOIN address a ON a.id = o.address_id
         WHERE p.kind = 'address_incomplete' AND p.closed_at IS NULL
           AND NOT (a.missing && ARRAY[{_ASKED_BY_DESK}] AND {address_tasks.TRAVELS})""",  # noqa: S608 - constants of ours
    # Of what is released for goods that did not stay each minor unit is withheld or claimed, once.
    "IM5 gone": f"""
        SELECT p.number AS subject,
               t.withheld || ' is withheld and ' || c.claimed || ' claimed, for goods of ' || g.cost
                 || ' and ' || t.shares || ' of ' || p.total_minor || ' released' AS detail
          FROM purchase_order p
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(t.withheld_minor), 0)::bigint AS withheld,
                  coalesce(sum(t.amount_minor + t.withheld_minor), 0)::bigint AS shares
             FROM tranche t WHERE t.po_id = p.id AND t.state = 'released') t
         CROSS JOIN LATERAL (
           SELECT coalesce(sum(c.amount_minor), 0)::bigint AS claimed
             FROM vendor_claim c WHERE c.po_id = p.id) c
         CROSS JOIN LATERAL (
           SELECT coalesce(sum({settle_sql.COST_GONE}), 0)::bigint AS cost
             FROM fulfilment x WHERE x.po_id = p.id) g
         WHERE t.withheld + c.claimed > g.cost::numeric * t.shares / nullif(p.total_minor, 0)""",  # noqa: S608 - a constant of ours
    "IC1 applied": """
        SELECT c.subject || ' ' || c.id AS subject, 'was applied, and no event tells of it' AS detail
          FROM (SELECT 'POD' AS subject, id, fulfilment_id, verdict FROM pod
                UNION ALL SELECT 'report', r.id, r.fulfilment_id, r.verdict
                            FROM visit_report r
                            JOIN visit v ON v.id = r.visit_id AND v.purpose = 'installation'
                UNION ALL SELECT 'failed delivery', id, fulfilment_id, verdict FROM delivery_attempt
                UNION ALL SELECT 'piece report', event_id, fulfilment_id, verdict FROM piece_report_parcel
                UNION ALL SELECT 'failed visit', x.id, x.fulfilment_id, x.verdict
                            FROM visit_failure x
                            JOIN visit v ON v.id = x.visit_id AND v.purpose = 'installation') c
         WHERE c.verdict = 'applied'
           AND NOT EXISTS (SELECT FROM journey_event e
                            WHERE e.event_id = c.id AND e.fulfilment_id = c.fulfilment_id)
           AND NOT EXISTS (SELECT FROM held_step h
                            WHERE h.event_id = c.id AND h.fulfilment_id = c.fulfilment_id)""",
    # A message without a parcel is about the whole order: any of its parcels may be the cause.
    "IQ1": f"""
        SELECT m.id::text AS subject, m.event || ' was told and has not happened' AS detail
          FROM message m
         WHERE m.event ~ '^[0-9]+$' AND NOT EXISTS (
             SELECT FROM journey_event e
              WHERE e.order_id = m.order_id AND e.kind = 'stage' AND e.name = m.event
                AND (m.fulfilment_id IS NULL
                     OR (e.fulfilment_id = m.fulfilment_id AND e.attempt = m.attempt)))
            OR m.event IN ({_DETOURS}) AND NOT EXISTS (
             SELECT FROM journey_event e
              WHERE e.order_id = m.order_id AND e.kind = 'detour' AND e.name = m.event
                AND (m.fulfilment_id IS NULL OR e.fulfilment_id = m.fulfilment_id))""",  # noqa: S608 - our table
}
