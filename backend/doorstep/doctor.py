"""`doorstep doctor`: every invariant that can be read from rows, in one snapshot (reliability §2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from doorstep.core import db
from doorstep.core.auth import checks as auth
from doorstep.core.captures import checks as captures
from doorstep.flows import checks as flows
from doorstep.journey import chain
from doorstep.journey import checks as journey
from doorstep.modules.crm import checks as crm
from doorstep.modules.finance import checks as finance
from doorstep.modules.fsm import checks as fsm
from doorstep.modules.messages import checks as messages
from doorstep.modules.oms import checks as oms
from doorstep.modules.places import checks as places
from doorstep.modules.push import checks as push
from doorstep.modules.tms import checks as tms
from doorstep.modules.wms import checks as wms


class Violation(NamedTuple):
    """An invariant that does not hold: its id, and which row is wrong how, in words."""

    check: str
    words: str

    def __str__(self) -> str:
        return f"{self.check}: {self.words}"


QUERIES: dict[str, str] = {
    "IA8 events": chain.BROKEN_EVENTS,
    "IA8 heads": chain.BROKEN_HEADS,
    "IA8 fulfilments": chain.LOST_HEADS,
    "IO2": chain.WRONG_FOLDS,
    "IO2 detours": chain.WRONG_CASES,
    "IO2 lines": chain.UNCOVERED_LINES,
    "IO5": """
        SELECT e.fulfilment_id::text AS subject, e.stage || ' without evidence' AS detail
          FROM journey_event e
         WHERE e.kind = 'stage' AND e.how IN ('done', 'implied') AND e.evidence = '[]'""",
    "IC1 held": """
        SELECT h.event_id::text AS subject, 'held since ' || h.recorded_at || ': ' || h.waits_for AS detail
          FROM held_step h JOIN fulfilment f ON f.id = h.fulfilment_id
         WHERE h.released_at IS NULL AND (f.stage = 1018 OR f.state = 'ended')""",
    "IC1 held long": """
        SELECT h.event_id::text AS subject, 'held since ' || h.recorded_at || ', nobody asked' AS detail
          FROM held_step h
         WHERE h.released_at IS NULL AND h.recorded_at < now() - interval '5 hours'
           AND NOT EXISTS (SELECT FROM detour_case d
                            WHERE d.fulfilment_id = h.fulfilment_id AND d.closed_at IS NULL)
           AND NOT EXISTS (SELECT FROM problem q
                            WHERE q.kind = 'step_held' AND q.ref = h.fulfilment_id::text
                              AND q.opened_at >= h.recorded_at)""",
    "IQ2": """
        SELECT o.id::text AS subject, o.kind || ': ' || coalesce(o.last_error, 'never tried') AS detail
          FROM outbox o
         WHERE o.done_at IS NULL
           AND (o.dead_at IS NOT NULL OR o.next_at < now() - interval '15 minutes')""",
    "IQ2 inbox": """
        SELECT i.source || ' ' || i.source_id AS subject, coalesce(i.last_error, i.state) AS detail
          FROM inbox i WHERE i.state = 'problem'""",
    **auth.QUERIES,
    **captures.QUERIES,
    **journey.QUERIES,
    **crm.QUERIES,
    **oms.QUERIES,
    **wms.QUERIES,
    **tms.QUERIES,
    **fsm.QUERIES,
    **messages.QUERIES,
    **places.QUERIES,
    **push.QUERIES,
    **flows.QUERIES,
}
"""Check → a query of (subject, detail) that finds nothing when all is well."""

FUNCTIONS: dict[str, Callable[[], Awaitable[list[str]]]] = {
    "IA8 checkpoints": chain.broken_checkpoints,
    "IM1": finance.check_im1,
    "IM2": finance.check_im2,
    "IM3": finance.check_im3,
    "IM4": finance.check_im4,
    "IM5": finance.check_im5,
    "IM6": finance.check_im6,
    "IM7": finance.check_im7,
    "IM8": finance.check_im8,
    "IM9": finance.check_im9,
    "IQ1 payouts": finance.check_iq1,
}
"""Checks that say in words what they have found."""


def count() -> int:
    """Tell how many checks there are."""
    return len(QUERIES) + len(FUNCTIONS)


async def run() -> list[Violation]:
    """Run every check in one REPEATABLE READ snapshot; an empty list is health."""
    found: list[Violation] = []
    async with db.snapshot():
        for name, query in QUERIES.items():
            for row in await db.rows(query):
                found.append(Violation(name, f"{row['subject']}: {row['detail']}"))
        for name, check in FUNCTIONS.items():
            found += [Violation(name, words) for words in await check()]
    return found
