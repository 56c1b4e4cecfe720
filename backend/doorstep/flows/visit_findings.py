"""What a technician finds at the customer's beside his own work: damage, a part that is missing."""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.modules.fsm.refusals import VisitMissing
from doorstep.modules.fsm.schemas import VisitFinding

OWN = "SELECT fulfilment_id FROM visit WHERE id = $1 AND technician_id = $2"


@db.transactional
async def record_finding(visit_id: UUID, told: VisitFinding, *, actor: Actor) -> journey.Answer:
    """Open the detour that the technician reports; the same event id gets its first answer.

    Raises: VisitMissing (also for another person's); EventIdReused; the engine's refusals for a
    person at a screen.
    """
    parcel = await _own(visit_id, actor)
    await previews.name(told.photos, actor=actor)
    return await journey.open_detour(
        told.event_id,
        parcel,
        told.kind,
        actor=actor,
        detail=told.words,
        evidence=[journey.Evidence("photo", p.slot, p.sha256) for p in told.photos],
        captured_at=told.captured_at,
    )


@db.transactional
async def fit_part(visit_id: UUID, event_id: UUID, *, actor: Actor) -> journey.Answer:
    """Say that the missing part is here and fitted: the installation can be finished.

    Raises: VisitMissing; DetourKnown when no part is missing; EventIdReused.
    """
    parcel = await _own(visit_id, actor)
    return await journey.settle_detour(event_id, parcel, "part_missing", actor=actor)


async def _own(visit_id: UUID, actor: Actor) -> UUID:
    found: UUID | None = await db.value(OWN, visit_id, actor.person_id)
    if found is None:
        raise VisitMissing
    return found
