"""Use-cases of helpdesk: open a problem once, close it with a word."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import sql


class ProblemMissing(NotFound):
    """No such problem, or not in this person's channels: both look the same."""

    title = "There is no such problem."


@db.transactional
async def open_problem(
    kind: str,
    title: str,
    *,
    ref: str,
    detail: str = "",
    order_id: UUID | None = None,
    fulfilment_id: UUID | None = None,
    owner_role: str = "support",
    due_at: datetime | None = None,
) -> UUID:
    """Ask a person to look at something; while (kind, ref) is open it stays the same problem.

    Returns the id of the problem that is now open. `owner_role` is whose queue it stands in.
    """
    opened: UUID = await db.value(
        sql.OPEN,
        uuid7(),
        kind,
        title[:200],
        detail[:4000],
        order_id,
        fulfilment_id,
        ref,
        owner_role,
        due_at,
        now(),
    )
    return opened


@db.transactional
async def close_problem(problem_id: UUID, *, actor: Actor, words: str = "") -> None:
    """Close a problem; closing a closed one changes nothing."""
    await db.execute(sql.CLOSE, problem_id, now(), actor.person_id, words)


@db.transactional
async def close_about(kind: str, ref: str, *, actor: Actor, words: str = "") -> None:
    """Close the problem of this kind about a thing, if one is open: what it waited for is done."""
    await db.execute(sql.CLOSE_ABOUT, kind, ref, now(), actor.person_id, words)
