"""Dead letters: what no attempt could carry out, listed and run again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import PathParameter, QueryParameter

from doorstep.core import outbox
from doorstep.core.auth.guard import CurrentActor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.core.outbox.letters import NoSuchDeadLetter

TAGS = ["operations"]


class DeadLetter(msgspec.Struct, kw_only=True):
    """An intent that was given up, and why; `payload` is what its job would have got."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    order_id: UUID | None
    attempts: int
    last_error: str | None
    created_at: datetime
    dead_at: datetime


class DeadLetters(msgspec.Struct, kw_only=True):
    """A page, newest first; `next` is the `before` of the page after it, null on the last one."""

    items: list[DeadLetter]
    next: UUID | None


@get(
    "/operations/dead-letters",
    operation_id="listDeadLetters",
    opt=needs("core:dead_letter:read"),
    tags=TAGS,
)
async def list_dead_letters(
    actor: CurrentActor,
    kind: Annotated[str | None, QueryParameter(max_length=100)] = None,
    before: Annotated[UUID | None, QueryParameter(description="The last id already seen.")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> DeadLetters:
    """Show what was given up."""
    found = await outbox.dead_letters(kind=kind, before=before, limit=limit)
    items = [msgspec.convert(letter, DeadLetter, from_attributes=True) for letter in found]
    return DeadLetters(items=items, next=items[-1].id if len(items) == limit else None)


@post(
    "/operations/dead-letters/{letter_id:uuid}/replay",
    operation_id="replayDeadLetter",
    status_code=204,
    opt=needs("core:dead_letter:replay"),
    responses=problems(NoSuchDeadLetter),
    tags=TAGS,
)
async def replay_dead_letter(
    letter_id: Annotated[UUID, PathParameter()], actor: CurrentActor
) -> None:
    """Give it all its attempts again, from now on.

    Raises: NoSuchDeadLetter.
    """
    await outbox.replay(letter_id, actor=actor)


ROUTES = [list_dead_letters, replay_dead_letter]
