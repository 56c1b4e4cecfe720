"""Tickets: what somebody wants of us, with its messages and photos, until it is resolved (M8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.modules.helpdesk import sql
from doorstep.modules.helpdesk.refusals import PhotoMissing, TicketClosed, TicketMissing
from doorstep.modules.helpdesk.rules import Author, state_after
from doorstep.modules.helpdesk.service import escalations
from doorstep.modules.helpdesk.service.problems import close_problems, open_problem

TicketType = Literal[
    "complaint", "return", "damage", "missing_part", "warranty", "question", "refund", "other"
]

RESOLVED_FOR = timedelta(days=7)
"""How long a resolved ticket may be opened again."""


class NewTicket(Struct, frozen=True, kw_only=True):
    """What a ticket is about; `due_at` only where the type's own deadline is not right."""

    id: UUID
    type: TicketType
    channel_id: UUID
    title: str
    words: str = ""
    order_id: UUID | None = None
    fulfilment_id: UUID | None = None
    due_at: datetime | None = None


@db.transactional
async def open_ticket(new: NewTicket, *, actor: Actor) -> dict[str, Any]:
    """Open a ticket, and the problem by which it waits for a person; the same id again is the same.

    Returns the ticket's row. Raises: EventIdReused for an id that is another ticket's.
    """
    known = await db.row(sql.READ_TICKET, new.id)
    if known is not None:
        return _same(known, new)
    number: str = await db.value(sql.TICKET_NUMBER)
    problem_id = await _ask(new, number, due_at=new.due_at)
    made = await db.row(
        sql.INSERT_TICKET,
        new.id,
        number,
        new.type,
        new.channel_id,
        new.order_id,
        new.fulfilment_id,
        new.title,
        new.words,
        problem_id,
        actor.person_id,
        actor.role,
        now(),
    )
    return made or _same(await db.one(sql.READ_TICKET, new.id), new)


def _same(known: dict[str, Any], new: NewTicket) -> dict[str, Any]:
    asked = (new.type, new.order_id, new.title, new.words)
    if asked != (known["type"], known["order_id"], known["title"], known["words"]):
        raise EventIdReused(str(new.id))
    return known


async def _ask(
    ticket: NewTicket, number: str, *, detail: str = "", due_at: datetime | None = None
) -> UUID:
    return await open_problem(
        f"ticket_{ticket.type}",
        f"{number}: {ticket.title}",
        ref=str(ticket.id),
        detail=detail or ticket.words,
        order_id=ticket.order_id,
        fulfilment_id=ticket.fulfilment_id,
        channel_id=ticket.channel_id,
        due_at=due_at,
    )


async def lock(ticket_id: UUID) -> dict[str, Any]:
    """Take a ticket for the rest of the transaction.

    Raises: TicketMissing.
    """
    found = await db.row(sql.LOCK_TICKET, ticket_id)
    if found is None:
        raise TicketMissing
    return found


@db.transactional
async def add_message(
    ticket_id: UUID,
    event_id: UUID,
    author: Author,
    words: str,
    *,
    actor: Actor,
    waits: bool = False,
) -> bool:
    """Write a word on a ticket; the same `event_id` again changes nothing.

    `waits`: we wait for the customer now, and nothing is escalated meanwhile. The customer's own
    word opens a ticket again that waits or is resolved. Returns whether the message is new.

    Raises: TicketMissing, TicketClosed, EventIdReused.
    """
    ticket = await lock(ticket_id)
    if await _written(event_id, ticket_id, author, words):
        return False
    if ticket["state"] == "closed":
        raise TicketClosed
    await _write(event_id, ticket_id, author, words, actor)
    state = state_after(ticket["state"], author, waits=waits)
    if state == ticket["state"]:
        return True
    if ticket["state"] == "resolved":
        await _open_again(ticket, words)
    else:
        await _move(ticket, state)
        await _let_wait(ticket["problem_id"], waiting=state == "waiting")
    return True


async def _written(event_id: UUID, ticket_id: UUID, author: str, words: str) -> bool:
    known = await db.row(sql.MESSAGE, event_id)
    if known is None:
        return False
    if (known["ticket_id"], known["author"], known["words"]) != (ticket_id, author, words):
        raise EventIdReused(str(event_id))
    return True


async def _write(event_id: UUID, ticket_id: UUID, author: str, words: str, actor: Actor) -> None:
    written = await db.value(
        sql.INSERT_MESSAGE, event_id, ticket_id, author, actor.person_id, words, now()
    )
    if written is None:
        # Another ticket took the id between our look and our insert.
        raise EventIdReused(str(event_id))


async def _let_wait(problem_id: UUID, *, waiting: bool) -> None:
    if waiting:
        await escalations.pause(problem_id)
    else:
        await escalations.plan(await db.one(sql.LOCK_PROBLEM, problem_id))


async def _move(ticket: dict[str, Any], state: str) -> None:
    await db.execute(
        sql.MOVE_TICKET,
        ticket["id"],
        state,
        ticket["problem_id"],
        ticket["resolved_at"],
        ticket["resolution"],
    )


@db.transactional
async def resolve(ticket_id: UUID, event_id: UUID, words: str, *, actor: Actor) -> None:
    """Settle a ticket with a word, and close its problem; a resolved one stays as it is.

    Raises: TicketMissing, EventIdReused.
    """
    ticket = await lock(ticket_id)
    if await _written(event_id, ticket_id, "internal", words):
        return
    if ticket["state"] in ("resolved", "closed"):
        return
    await _write(event_id, ticket_id, "internal", words, actor)
    await db.execute(
        sql.MOVE_TICKET, ticket_id, "resolved", ticket["problem_id"], now(), words[:1000]
    )
    await close_problems(f"ticket_{ticket['type']}", str(ticket_id), words[:1000], actor)


@db.transactional
async def reopen(ticket_id: UUID, event_id: UUID, words: str, *, actor: Actor) -> None:
    """Open a resolved ticket again, with a new problem and deadline; an open one stays as it is.

    Raises: TicketMissing, TicketClosed, EventIdReused.
    """
    ticket = await lock(ticket_id)
    if await _written(event_id, ticket_id, "internal", words):
        return
    if ticket["state"] == "closed":
        raise TicketClosed
    await _write(event_id, ticket_id, "internal", words, actor)
    if ticket["state"] == "resolved":
        await _open_again(ticket, words)
    elif ticket["state"] == "waiting":
        await _move(ticket, "open")
        await _let_wait(ticket["problem_id"], waiting=False)


async def _open_again(ticket: dict[str, Any], words: str) -> None:
    about = NewTicket(
        **{
            name: ticket[name]
            for name in ("id", "type", "channel_id", "title", "words", "order_id", "fulfilment_id")
        }
    )
    problem_id = await _ask(about, ticket["number"], detail=words)
    await db.execute(sql.MOVE_TICKET, ticket["id"], "open", problem_id, None, "")


@db.transactional
async def add_photos(
    ticket_id: UUID, pictures: Sequence[str], *, actor: Actor, trusted: bool = False
) -> None:
    """Put uploaded pictures to a ticket; one that is there stays there once.

    A person may only add what he has uploaded himself; `trusted` pictures come from a proof or a
    return whose own module has checked them.

    Raises: TicketMissing, TicketClosed, PhotoMissing.
    """
    ticket = await lock(ticket_id)
    if ticket["state"] == "closed":
        raise TicketClosed
    wanted = set(pictures)
    if not trusted:
        own = await db.rows(sql.OWN_PICTURES, actor.person_id, sorted(wanted))
        if missing := wanted - {row["sha256"] for row in own}:
            raise PhotoMissing(sha256=sorted(missing))
    await db.execute(sql.ADD_PHOTOS, ticket_id, sorted(wanted), actor.person_id, now())


async def history(ticket_id: UUID) -> tuple[list[dict[str, Any]], list[str]]:
    """Read a ticket's messages in the order of writing, and the hashes of its pictures."""
    photos = await db.rows(sql.PHOTOS, ticket_id)
    return await db.rows(sql.MESSAGES, ticket_id), [row["sha256"] for row in photos]


async def close_resolved() -> int:
    """Close what was resolved a week ago; returns how many tickets that were."""
    return await db.execute(sql.CLOSE_RESOLVED, now() - RESOLVED_FOR)
