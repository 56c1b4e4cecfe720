"""Tickets of customers and orders: where they belong, and what the customer is told of them (M8).

A return, a complaint or an e-mail opens one by calling `open_ticket`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk.refusals import ChannelNeeded
from doorstep.modules.helpdesk.rules import Author
from doorstep.modules.helpdesk.service import assign_problem, tickets
from doorstep.modules.helpdesk.service.tickets import NewTicket, TicketType
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

IN_AN_SMS = 500
"""Letters of an answer that goes by SMS; more is cut off by those who carry it."""

CHANNEL_OF_ORDER = "SELECT channel_id FROM customer_order WHERE id = $1"

ORDER_OF_PARCEL = "SELECT order_id FROM fulfilment WHERE id = $1"

# What a customer is written to about a ticket; `told` numbers our answers.
READER = """
SELECT t.number, t.title, t.order_id, t.problem_id, o.language, c.email, q.owner_n > 0 AS of_owner, x.phone,
       (SELECT count(*) FROM ticket_message m WHERE m.ticket_id = t.id AND m.author = 'staff')::int
         AS told
  FROM ticket t JOIN customer_order o ON o.id = t.order_id JOIN customer c ON c.id = o.customer_id
  LEFT JOIN warranty_claim q ON q.id = t.id
  LEFT JOIN warranty_transfer x ON x.order_id = q.order_id AND x.n = q.owner_n
 WHERE t.id = $1
"""


@db.transactional
async def open_ticket(
    ticket_type: TicketType,
    title: str,
    words: str = "",
    *,
    actor: Actor,
    event_id: UUID | None = None,
    order_id: UUID | None = None,
    fulfilment_id: UUID | None = None,
    channel_id: UUID | None = None,
    photos: Sequence[str] = (),
    owner_id: UUID | None = None,
    due_at: datetime | None = None,
) -> dict[str, Any]:
    """Open a ticket about an order, a parcel of it, or (with a channel) nothing we know yet.

    A ticket about a parcel is about its order too, whether that is named or not. The same `event_id`
    again is the same ticket. Photos of a person at a screen must be his own uploads; those of a flow
    come from a proof or a return whose module has checked them. Returns the ticket's row (id,
    number, state, problem_id, …).

    Raises: NotFound for an order, parcel or channel out of sight; ChannelNeeded; PhotoMissing;
    OwnerNotAvailable; EventIdReused.
    """
    order_id = await _order(order_id, fulfilment_id)
    new = NewTicket(
        id=event_id or uuid7(),
        type=ticket_type,
        channel_id=await _channel(actor, order_id, channel_id),
        title=title,
        words=words,
        order_id=order_id,
        fulfilment_id=fulfilment_id,
        due_at=due_at,
    )
    ticket = await tickets.open_ticket(new, actor=actor)
    if photos:
        await tickets.add_photos(
            ticket["id"], photos, actor=actor, trusted=actor.source != "person"
        )
    if owner_id is not None:
        await assign_problem(ticket["problem_id"], owner_id)
    return ticket


async def _order(order_id: UUID | None, fulfilment_id: UUID | None) -> UUID | None:
    if fulfilment_id is None:
        return order_id
    found: UUID | None = await db.value(ORDER_OF_PARCEL, fulfilment_id)
    if found is None or order_id not in (None, found):
        raise NotFound("There is no such parcel, or it is not one of this order.")
    return found


async def _channel(actor: Actor, order_id: UUID | None, channel_id: UUID | None) -> UUID:
    if order_id is not None:
        await scope(actor).require_order(order_id)
        found: UUID = await db.value(CHANNEL_OF_ORDER, order_id)
        return found
    if channel_id is None:
        # Somebody of one channel means his own.
        if len(actor.channel_ids) != 1:
            raise ChannelNeeded
        return actor.channel_ids[0]
    await scope(actor).require_channel(channel_id)
    return channel_id


@db.transactional
async def add_message(
    ticket_id: UUID,
    event_id: UUID,
    author: Author,
    words: str,
    *,
    actor: Actor,
    waits: bool = False,
) -> None:
    """Write a word on a ticket; what staff write goes to the customer of its order by e-mail, or to the
    new owner who has claimed by SMS.

    Raises: TicketMissing, TicketClosed, EventIdReused.
    """
    new = await tickets.add_message(ticket_id, event_id, author, words, actor=actor, waits=waits)
    reader = await db.row(READER, ticket_id) if new and author == "staff" else None
    if reader is None:
        return
    about = About(
        order_id=reader["order_id"], problem_id=reader["problem_id"], attempt=reader["told"]
    )
    facts = {
        "company": settings().company_name,
        "number": reader["number"],
        "title": reader["title"],
        "words": words,
    }
    if reader["of_owner"]:
        # Of a new owner only the phone is known.
        owner = Recipient(language=reader["language"], phone=reader["phone"])
        await messages.write("owner_reply", about, owner, facts | {"words": words[:IN_AN_SMS]})
        return
    recipient = Recipient(language=reader["language"], email=reader["email"])
    await messages.write("ticket_reply", about, recipient, facts)
