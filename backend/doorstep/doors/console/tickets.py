"""Support: tickets by hand, with messages, photos and an owner, until they are resolved (M8)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.core.ids import uuid7
from doorstep.core.previews import PictureOut
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.flows import repairs
from doorstep.flows import tickets as flow
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.refusals import (
    ChannelNeeded,
    OwnerNotAvailable,
    PhotoMissing,
    ProblemClosed,
    TicketClosed,
    TicketMissing,
)
from doorstep.modules.helpdesk.service import tickets
from doorstep.modules.helpdesk.service.tickets import TicketType

TAGS = ["helpdesk"]
WRITING = needs("helpdesk:ticket:write")

Title = Annotated[str, Meta(min_length=3, max_length=180, pattern=r"^[^\x00]*$")]
Words = Annotated[str, Meta(min_length=1, max_length=3000, pattern=r"^[^\x00]*$")]
Short = Annotated[str, Meta(min_length=3, max_length=1000, pattern=r"^[^\x00]*$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Photos = Annotated[list[Sha256], Meta(max_length=20)]
State = Literal["open", "waiting", "resolved", "closed"]

# {scope} is a condition of core.auth.scope.
TICKETS = """
SELECT t.id, t.number, t.type, t.title, t.words, t.state, t.channel_id, t.order_id,
       o.number AS order_number, t.fulfilment_id, t.opened_at, t.resolved_at, t.resolution,
       t.problem_id, p.owner_role, p.owner_id, who.name AS owner, p.due_at, p.level
  FROM ticket t
  JOIN problem p ON p.id = t.problem_id
  LEFT JOIN customer_order o ON o.id = t.order_id
  LEFT JOIN person who ON who.id = p.owner_id
"""
LIST = (
    TICKETS
    + """
 WHERE ($1::text IS NULL OR t.state = $1) AND ($2::text IS NULL OR t.type = $2)
   AND ($3::uuid IS NULL OR t.order_id = $3) AND ($4::uuid IS NULL OR p.owner_id = $4)
   AND ($5::text IS NULL OR t.number = $5) AND {scope}
 ORDER BY t.opened_at DESC, t.id LIMIT $6
"""
)
ONE = TICKETS + " WHERE t.id = $1 AND {scope}"


class TicketIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A new ticket; the same `event_id` again is the same ticket.

    About no order it needs a channel, unless the person works for one only. Without `due_at` the
    type's deadline counts, in business hours of the channel's country.
    """

    type: TicketType
    title: Title
    words: Annotated[str, Meta(max_length=3000, pattern=r"^[^\x00]*$")] = ""
    event_id: UUID | None = None
    order_id: UUID | None = None
    fulfilment_id: UUID | None = None
    channel_id: UUID | None = None
    owner_id: UUID | None = None
    due_at: Annotated[datetime, Meta(tz=True)] | None = None
    photos: Photos = []


class TicketOut(Struct, kw_only=True):
    """A ticket; owner, deadline and level are those of the problem it waits by."""

    id: UUID
    number: str
    type: str
    title: str
    words: str
    state: State
    channel_id: UUID
    order_id: UUID | None
    order_number: str | None
    fulfilment_id: UUID | None
    owner_role: str
    owner_id: UUID | None
    owner: str | None
    due_at: datetime
    level: int
    opened_at: datetime
    resolved_at: datetime | None
    resolution: str


class MessageOut(Struct, kw_only=True):
    """A word on a ticket; `internal` ones are for colleagues."""

    id: UUID
    author: str
    person: str | None
    words: str
    written_at: datetime


class TicketRead(TicketOut, kw_only=True):
    """A ticket with all that was said and shown."""

    messages: list[MessageOut]
    photos: list[PictureOut]


class MessageIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A word on a ticket: what the customer said, what he is told, or a note for colleagues.

    What staff say goes to the customer of the order by e-mail. `waits`: the ticket waits for the
    customer now, and is not escalated meanwhile.
    """

    author: Literal["customer", "staff", "internal"]
    words: Words
    event_id: UUID | None = None
    waits: bool = False


class PhotosIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Pictures that the person has uploaded."""

    photos: Annotated[list[Sha256], Meta(min_length=1, max_length=20)]


class OwnerIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who takes it; without a person, whoever asks. `release` gives it back to its queue."""

    person_id: UUID | None = None
    release: bool = False


class WordsIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What was done, or why it is opened again."""

    words: Short
    event_id: UUID | None = None


@post(
    "/tickets",
    operation_id="openTicket",
    opt=WRITING,
    responses=problems(
        NotFound, ChannelNeeded, PhotoMissing, OwnerNotAvailable, EventIdReused, *REFUSALS
    ),
    tags=TAGS,
)
async def open_ticket(
    request: Request[Any, Any, Any], data: TicketIn, actor: Actor, key: OptionalKey = None
) -> Response[TicketRead]:
    """Open a ticket; it stands among the problems until it is resolved."""

    async def create() -> TicketRead:
        ticket = await flow.open_ticket(
            data.type,
            data.title,
            data.words,
            actor=actor,
            event_id=data.event_id,
            order_id=data.order_id,
            fulfilment_id=data.fulfilment_id,
            channel_id=data.channel_id,
            photos=data.photos,
            owner_id=data.owner_id,
            due_at=data.due_at,
        )
        return await _read(ticket["id"], actor)

    return await once(request, actor, key, create)


@get("/tickets", operation_id="listTickets", opt=needs("helpdesk:ticket:read"), tags=TAGS)
async def list_tickets(
    actor: Actor,
    ticket_state: Annotated[State | None, QueryParameter(name="state")] = None,
    ticket_type: Annotated[TicketType | None, QueryParameter(name="type")] = None,
    order_id: UUID | None = None,
    owner_id: UUID | None = None,
    number: Annotated[str | None, QueryParameter(max_length=20)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[TicketOut]:
    """List tickets of the person's channels, the newest first."""
    condition, arguments = scope(actor).channels("t.channel_id", first=7)
    found = await db.rows(
        LIST.format(scope=condition),
        ticket_state,
        ticket_type,
        order_id,
        owner_id,
        number,
        limit,
        *arguments,
    )
    return msgspec.convert(found, list[TicketOut])


@get(
    "/tickets/{ticket_id:uuid}",
    operation_id="readTicket",
    opt=needs("helpdesk:ticket:read"),
    responses=problems(TicketMissing),
    tags=TAGS,
)
async def read_ticket(ticket_id: UUID, actor: Actor) -> TicketRead:
    """Show a ticket with its messages and photos."""
    return await _read(ticket_id, actor)


@post(
    "/tickets/{ticket_id:uuid}/messages",
    operation_id="addTicketMessage",
    opt=WRITING,
    responses=problems(TicketMissing, TicketClosed, EventIdReused),
    status_code=200,
    tags=TAGS,
)
async def add_message(ticket_id: UUID, data: MessageIn, actor: Actor) -> TicketRead:
    """Write a word on a ticket; the same `event_id` again changes nothing."""
    await _seen(ticket_id, actor)
    await flow.add_message(
        ticket_id,
        data.event_id or uuid7(),
        data.author,
        data.words,
        actor=actor,
        waits=data.waits,
    )
    return await _read(ticket_id, actor)


@post(
    "/tickets/{ticket_id:uuid}/photos",
    operation_id="addTicketPhotos",
    opt=WRITING,
    responses=problems(TicketMissing, TicketClosed, PhotoMissing),
    status_code=200,
    tags=TAGS,
)
async def add_photos(ticket_id: UUID, data: PhotosIn, actor: Actor) -> TicketRead:
    """Put uploaded pictures to a ticket."""
    await _seen(ticket_id, actor)
    await tickets.add_photos(ticket_id, data.photos, actor=actor)
    return await _read(ticket_id, actor)


@post(
    "/tickets/{ticket_id:uuid}/assign",
    operation_id="assignTicket",
    opt=WRITING,
    responses=problems(TicketMissing, ProblemClosed, OwnerNotAvailable),
    status_code=200,
    tags=TAGS,
)
async def assign_ticket(ticket_id: UUID, data: OwnerIn, actor: Actor) -> TicketRead:
    """Claim a ticket, give it to somebody of a desk, or give it back to its queue."""
    ticket = await _seen(ticket_id, actor)
    owner_id = None if data.release else data.person_id or actor.person_id
    await helpdesk.assign_problem(ticket["problem_id"], owner_id)
    return await _read(ticket_id, actor)


@post(
    "/tickets/{ticket_id:uuid}/resolve",
    operation_id="resolveTicket",
    opt=WRITING,
    responses=problems(TicketMissing, EventIdReused),
    status_code=200,
    tags=TAGS,
)
async def resolve_ticket(ticket_id: UUID, data: WordsIn, actor: Actor) -> TicketRead:
    """Settle a ticket with a word about what was done; its problem is closed with it."""
    await _seen(ticket_id, actor)
    await repairs.resolve_ticket(ticket_id, data.event_id or uuid7(), data.words, actor=actor)
    return await _read(ticket_id, actor)


@post(
    "/tickets/{ticket_id:uuid}/reopen",
    operation_id="reopenTicket",
    opt=WRITING,
    responses=problems(TicketMissing, TicketClosed, EventIdReused),
    status_code=200,
    tags=TAGS,
)
async def reopen_ticket(ticket_id: UUID, data: WordsIn, actor: Actor) -> TicketRead:
    """Open a resolved ticket again, within a week, with a new deadline."""
    await _seen(ticket_id, actor)
    await tickets.reopen(ticket_id, data.event_id or uuid7(), data.words, actor=actor)
    return await _read(ticket_id, actor)


async def _seen(ticket_id: UUID, actor: Actor) -> dict[str, Any]:
    condition, arguments = scope(actor).channels("t.channel_id", first=2)
    found = await db.row(ONE.format(scope=condition), ticket_id, *arguments)
    if found is None:
        raise TicketMissing
    return found


async def _read(ticket_id: UUID, actor: Actor) -> TicketRead:
    ticket = await _seen(ticket_id, actor)
    messages, photos = await tickets.history(ticket_id)
    links = await previews.links(photos, viewer=str(actor.person_id))
    return msgspec.convert(ticket | {"messages": messages, "photos": links}, TicketRead)


handlers = [
    open_ticket,
    list_tickets,
    read_ticket,
    add_message,
    add_photos,
    assign_ticket,
    resolve_ticket,
    reopen_ticket,
]
"""The routes of this door."""
