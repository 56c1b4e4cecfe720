"""The visits that answer warranty claims: booked, and called off when the claim is settled."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.flows import phones
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.helpdesk.service import tickets

LENGTH = timedelta(minutes=rules.DEFAULT_MINUTES)
"""So long a technician has for a repair whose cause nobody knows yet."""


async def book(
    claim_id: UUID,
    order_id: UUID,
    fulfilment_id: UUID,
    technician_id: UUID,
    span: rules.Span,
    skill: str | None,
) -> UUID | None:
    """Book a visit that answers a claim and tell its technician; None if he is not free."""
    visit_id = await fsm.book(
        order_id=order_id,
        fulfilment_id=fulfilment_id,
        technician_id=technician_id,
        span=span,
        skills=[skill] if skill else [],
        booked_by=None,
        claim_id=claim_id,
    )
    if visit_id is not None:
        await phones.tell_visit("visit_booked", visit_id, technician_id)
    return visit_id


@db.transactional
async def resolve_ticket(ticket_id: UUID, event_id: UUID, words: str, *, actor: Actor) -> None:
    """Settle a ticket; the visit of a claim that is settled so, and has not begun, is off.

    Raises: TicketMissing, EventIdReused.
    """
    await tickets.resolve(ticket_id, event_id, words, actor=actor)
    await fsm.drop_visits_of_claims([ticket_id])
