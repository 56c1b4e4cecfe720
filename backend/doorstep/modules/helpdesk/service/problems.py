"""Open a problem once, give it to somebody, close it with a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import DESKS
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import kinds, sql
from doorstep.modules.helpdesk.refusals import (
    OwnerNotAvailable,
    ProblemClosed,
    ProblemMissing,
    TicketStillOpen,
)
from doorstep.modules.helpdesk.rules import Waiting, deadline, next_step
from doorstep.modules.helpdesk.service.calendars import calendar_of
from doorstep.modules.helpdesk.service.escalations import plan, rules_for


@db.transactional
async def open_problem(
    kind: str,
    title: str,
    *,
    ref: str,
    detail: str = "",
    order_id: UUID | None = None,
    fulfilment_id: UUID | None = None,
    owner_role: str | None = None,
    due_at: datetime | None = None,
    channel_id: UUID | None = None,
) -> UUID:
    """Ask a person to look at something; while (kind, ref) is open it stays the same problem.

    Returns the id of the problem that is now open. Whose queue it stands in and by when it is due,
    in business hours of its country, say the table of kinds unless the caller knows better.

    Raises: UnknownKind for a kind without a row in kinds.py.
    """
    row = kinds.kind(kind)
    moment = now()
    place = await db.row(sql.PLACE, channel_id, order_id, fulfilment_id) or {}
    country = place.get("country")
    calendar = await calendar_of(country)
    due = due_at or deadline(calendar, moment, timedelta(hours=row.hours))
    waiting = Waiting(kind, country, 0, moment, due)
    step = next_step(waiting, await rules_for(kind, country), calendar)
    opened: UUID = await db.value(
        sql.OPEN,
        uuid7(),
        kind,
        title[:200],
        detail[:4000],
        order_id,
        fulfilment_id,
        place.get("channel_id"),
        country,
        ref,
        owner_role or row.owner_role,
        due,
        step and step.at,
        moment,
    )
    return opened


async def restate_problem(kind: str, ref: str, title: str, detail: str) -> None:
    """Say anew what an open problem is about, because that has changed since it was opened."""
    await db.execute(sql.RESTATE, kind, ref, title[:200], detail[:4000])


@db.transactional
async def put_off_problem(
    kind: str, ref: str, title: str, detail: str, *, until: datetime, hours: int | None = None
) -> None:
    """Say anew what an open problem is about and let it wait `until` then, its escalations with it.

    With `hours` it is due after so many business hours, if those are over sooner.
    """
    problem = await db.row(sql.LOCK_OPEN, kind, ref)
    if problem is None:
        return
    due = until
    if hours is not None:
        calendar = await calendar_of(problem["country"])
        due = min(until, deadline(calendar, now(), timedelta(hours=hours)))
    await db.execute(sql.PUT_OFF, problem["id"], title[:200], detail[:4000], due)
    await plan(problem | {"due_at": due})


@db.transactional
async def close_problem(problem_id: UUID, *, actor: Actor, words: str = "") -> None:
    """Close a problem; closing a closed one changes nothing.

    Raises: TicketStillOpen for the problem of a ticket, which is closed by resolving that.
    """
    if await db.value(sql.LIVING_TICKET, problem_id):
        raise TicketStillOpen
    await db.execute(sql.CLOSE, problem_id, now(), actor.person_id, words)


async def close_problems(kind: str, ref: str, words: str, actor: Actor) -> int:
    """Close what has resolved itself: the open problem of this kind and ref, if there is one.

    Returns how many were closed. Raises: UnknownKind.
    """
    kinds.kind(kind)
    return await db.execute(sql.CLOSE_BY_REF, kind, ref, now(), actor.person_id, words)


async def close_problems_of(
    fulfilment_id: UUID, closed_kinds: Sequence[str], words: str, actor: Actor
) -> int:
    """Close the open problems of these kinds that are about one fulfilment.

    Returns how many were closed. Raises: UnknownKind.
    """
    for kind in closed_kinds:
        kinds.kind(kind)
    return await db.execute(
        sql.CLOSE_OF_FULFILMENT, fulfilment_id, list(closed_kinds), now(), actor.person_id, words
    )


@db.transactional
async def assign_problem(problem_id: UUID, person_id: UUID | None) -> None:
    """Give a problem to a person of a desk, or back to the queue of its role (None).

    Raises: ProblemMissing, ProblemClosed, OwnerNotAvailable.
    """
    problem = await db.row(sql.LOCK_PROBLEM, problem_id)
    if problem is None:
        raise ProblemMissing
    if problem["closed_at"] is not None:
        raise ProblemClosed
    if person_id is not None and not await db.value(
        sql.CAN_OWN, person_id, sorted(DESKS), problem["channel_id"]
    ):
        raise OwnerNotAvailable
    await db.execute(sql.ASSIGN, problem_id, person_id)
