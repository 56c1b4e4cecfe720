"""Dead letters: rows that were given up, for people to look at and to run again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from doorstep.core import clock, db
from doorstep.core.actor import Actor
from doorstep.core.errors import NotFound
from doorstep.core.outbox import sql
from doorstep.core.outbox.bell import wake

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An intent that no attempt could carry out, with the reason of the last one."""

    id: UUID
    kind: str
    payload: dict[str, Any]
    order_id: UUID | None
    attempts: int
    last_error: str | None
    created_at: datetime
    dead_at: datetime


class NoSuchDeadLetter(NotFound):
    """The row is not dead (any more), or was never there."""

    title = "There is no such dead letter; it may have been replayed already."


async def dead_letters(
    *, kind: str | None = None, before: UUID | None = None, limit: int = 50
) -> list[DeadLetter]:
    """Read dead letters, newest first; `before` is the last id of the page before."""
    return [DeadLetter(**row) for row in await db.rows(sql.DEAD_LETTERS, kind, before, limit)]


@db.transactional
async def replay(row_id: UUID, *, actor: Actor) -> None:
    """Give a dead letter all its attempts again, from now on.

    Raises: NoSuchDeadLetter.
    """
    kind = await db.value(sql.REPLAY, row_id, clock.offset(), actor.person_id)
    if kind is None:
        raise NoSuchDeadLetter(id=row_id)
    db.after_commit(wake)
    log.info("outbox.replayed", id=row_id, job=kind, by=actor.person_id or actor.device)
