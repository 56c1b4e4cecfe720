"""The technician cannot finish: the visit ends, the next one is booked, a faulty unit is a case."""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.errors import EventIdReused
from doorstep.flows import earnings, install, warranty_visits
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import NoFreeSlot, VisitMissing
from doorstep.modules.fsm.schemas import VisitFailed
from doorstep.modules.helpdesk import service as helpdesk

NEEDS_VISIT = """
SELECT (SELECT needs_install FROM fulfilment WHERE id = $1)
   AND EXISTS (SELECT FROM detour_case WHERE fulfilment_id = $1 AND kind = 'installation_failed'
                AND closed_at IS NULL)
   AND NOT EXISTS (SELECT FROM visit WHERE fulfilment_id = $1 AND purpose = 'installation'
                     AND state IN ('booked', 'started'))
"""

OWN_VISIT = """
SELECT id, order_id, fulfilment_id, claim_id FROM visit WHERE id = $1 AND technician_id = $2
"""


@db.transactional
async def record_failed_visit(visit_id: UUID, told: VisitFailed, *, actor: Actor) -> journey.Answer:
    """Keep why an installation could not be finished, and book the next visit (SPEC J detours).

    The capture is kept whatever the journey says to it. The same event id gets its first answer.

    Raises: VisitMissing (also for another person's); EventIdReused; the engine's refusals for a
    person at a screen.
    """
    visit = await db.row(OWN_VISIT, visit_id, actor.person_id)
    if visit is None:
        raise VisitMissing
    if visit["claim_id"] is not None:
        return await warranty_visits.fail(visit, told, actor=actor)
    known = await fsm.known_failure(told.event_id)
    if known is not None and (known["visit_id"], known["reason"]) != (visit_id, told.reason):
        raise EventIdReused(str(told.event_id))
    answer = await journey.open_detour(
        told.event_id,
        visit["fulfilment_id"],
        "installation_failed",
        actor=actor,
        reason=told.reason,
        detail=told.words,
        evidence=[journey.Evidence("photo", p.slot, p.sha256) for p in told.photos],
        captured_at=told.captured_at,
    )
    if known is None:
        await previews.name(told.photos, actor=actor)
        await fsm.keep_failure(actor, visit, told, answer.verdict.value)
        await earnings.settle(visit["fulfilment_id"])
    return answer


async def book_next_visit(fact: journey.Fact) -> None:
    """End the visit that failed and book the next free one; without any a person must look.

    A unit that does not work is a case of its own: no visit before somebody has decided.
    """
    await fsm.drop_visit(fact.fulfilment_id, "failed")
    kind = _CASES.get(fact.data["reason"])
    if kind is not None:
        await journey.open_detour(
            journey.derived_id(fact.fulfilment_id, kind, fact.attempt),
            fact.fulfilment_id,
            kind,
            actor=fact.actor,
            detail=fact.data["detail"],
        )
    if kind != "dead_on_arrival":
        await book_visit_again(fact)


_CASES = {"unit_faulty": "dead_on_arrival", "part_needed": "part_missing"}
"""Reasons of a failed visit that are a case of their own."""


async def book_visit_again(fact: journey.Fact) -> None:
    """Book the next free visit of an installation that has failed and waits for none yet.

    Without a free time a person must look.
    """
    if not await db.value(NEEDS_VISIT, fact.fulfilment_id):
        return
    try:
        await install.book_next(fact.fulfilment_id, actor=fact.actor)
    except NoFreeSlot:
        await helpdesk.open_problem(
            "visit_needed",
            "An installation failed and no time is free for the next visit",
            ref=str(fact.fulfilment_id),
            order_id=fact.order_id,
            fulfilment_id=fact.fulfilment_id,
        )
