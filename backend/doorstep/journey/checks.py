"""What must always be true of how a fulfilment moves (reliability §2, IO1 to IO4), for the doctor.

That the chain itself is whole, and that the state rows are its fold, stands in `chain.py`.
"""

from __future__ import annotations

from doorstep.journey.detours import DETOURS
from doorstep.journey.stages import STAGES

_PROGRESS = ", ".join(f"({stage.code}, {stage.progress})" for stage in STAGES)
_SETTLED_AT = ", ".join(
    f"('{detour.kind}', {code}, {detour.until or 0})"
    for detour in DETOURS
    for code in sorted(detour.settled_at)
)
_DATED = ", ".join(f"'{detour.kind}'" for detour in DETOURS if detour.dated_by)

QUERIES: dict[str, str] = {
    "IO1": """
        SELECT e.fulfilment_id || ' #' || e.seq AS subject,
               e.name || ' stands after ' || d.name || ', which ended it' AS detail
          FROM journey_event d
          JOIN journey_event e ON e.fulfilment_id = d.fulfilment_id AND e.seq > d.seq
         WHERE d.ends_as IS NOT NULL
           AND (e.kind = 'stage' OR (e.kind = 'detour' AND e.stage IS NOT NULL))""",
    # It may be above: a new attempt begins stages again and takes nothing from what is shown.
    "IO1 progress": f"""
        WITH known (code, progress) AS (VALUES {_PROGRESS})
        SELECT f.id::text AS subject,
               'shows ' || f.stage || ' and ' || f.progress || ' %, its stages are at '
                 || reached.code || ' and ' || reached.progress || ' %' AS detail
          FROM fulfilment f
         CROSS JOIN LATERAL (
           SELECT coalesce(max(k.code), 0) AS code, coalesce(max(k.progress), 0) AS progress
             FROM known k
            WHERE k.code < coalesce(
              (SELECT min(m.code) FROM known m WHERE m.code <> ALL (f.passed)), 10000)) AS reached
         WHERE f.stage < reached.code OR f.progress < reached.progress""",  # noqa: S608 - our table
    # Of two words of a carrier his own clock tells which came last, whatever we have heard first.
    "IO2 settled": f"""
        WITH settles (kind, stage, until) AS (VALUES {_SETTLED_AT})
        SELECT d.id::text AS subject, d.kind || ' is open although ' || min(e.stage)
               || ' was passed after it' AS detail
          FROM detour_case d
          JOIN journey_event opened ON opened.event_id = d.id
          JOIN settles s ON s.kind = d.kind
          JOIN journey_event e ON e.fulfilment_id = d.fulfilment_id AND e.kind = 'stage'
               AND e.stage = s.stage AND e.seq > opened.seq AND e.attempt >= d.attempt
         WHERE d.closed_at IS NULL
           AND NOT (s.stage <> s.until AND d.opened_source = 'carrier' AND e.source = 'carrier'
                    AND e.captured_at < opened.captured_at)
         GROUP BY d.id, d.kind""",  # noqa: S608 - our table
    # The last word about the date of a case: its opening, a new date, the yes to it, that it is over.
    "IO2 dates": f"""
        SELECT d.id::text AS subject,
               concat_ws(' ', d.kind, 'is expected', coalesce('on ' || d.expected_on, 'at no date'),
                 CASE WHEN d.accepted_at IS NOT NULL THEN 'as accepted' END) || '; the events say '
                 || concat_ws(' ', word.name, word.day) AS detail
          FROM detour_case d
          JOIN journey_event opened ON opened.event_id = d.id
         CROSS JOIN LATERAL (
           SELECT e.name, (SELECT p ->> 'ref' FROM jsonb_array_elements(e.evidence) p
                            WHERE p ->> 'kind' = 'expected_on') AS day
             FROM journey_event e
            WHERE e.fulfilment_id = d.fulfilment_id AND e.seq >= opened.seq
              AND (e.event_id = d.id OR e.kind = 'fact' AND e.name IN (
                     d.kind || '_dated', d.kind || '_accepted', d.kind || '_date_passed'))
              AND NOT EXISTS (
                SELECT FROM detour_case o JOIN journey_event n ON n.event_id = o.id
                 WHERE o.fulfilment_id = d.fulfilment_id AND o.kind = d.kind
                   AND n.seq > opened.seq AND n.seq <= e.seq)
            ORDER BY e.seq DESC LIMIT 1) word
         WHERE d.kind IN ({_DATED})
           AND (d.expected_on IS DISTINCT FROM
                  CASE WHEN word.name <> d.kind || '_date_passed' THEN word.day::date END
                OR (d.accepted_at IS NOT NULL) <> (word.name = d.kind || '_accepted'))""",  # noqa: S608 - our table
    "IO3": """
        SELECT e.fulfilment_id::text AS subject,
               e.stage || ' was passed ' || count(*) || ' times in attempt ' || e.attempt AS detail
          FROM journey_event e WHERE e.kind = 'stage'
         GROUP BY e.fulfilment_id, e.stage, e.attempt HAVING count(*) > 1""",
    # A job of ours is named by its device; it answers no request.
    "IO4": """
        SELECT e.fulfilment_id || ' #' || e.seq AS subject,
               'nobody knows ' || concat_ws(', ',
                 CASE WHEN e.actor_role = '' THEN 'who' END,
                 CASE WHEN e.source = '' OR e.device IN ('', 'system:') THEN 'from where' END,
                 CASE WHEN NOT isfinite(e.captured_at) OR NOT isfinite(e.recorded_at) THEN 'when' END,
                 CASE WHEN e.request_id = '' AND e.device NOT LIKE 'system:_%'
                      THEN 'by which request' END) AS detail
          FROM journey_event e
         WHERE e.actor_role = '' OR e.source = '' OR e.device IN ('', 'system:')
            OR NOT isfinite(e.captured_at) OR NOT isfinite(e.recorded_at)
            OR (e.request_id = '' AND e.device NOT LIKE 'system:_%')""",
}
