"""Words of field workers: kept as they came, never changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.modules.helpdesk import sql
from doorstep.modules.helpdesk.schemas import Said


class Place(Struct, frozen=True, kw_only=True):
    """Where a word belongs: the job it was said on, and the order and parcel of that."""

    job_kind: str | None = None
    job_id: UUID | None = None
    order_id: UUID | None = None
    fulfilment_id: UUID | None = None
    amends: UUID | None = None
    pod_id: UUID | None = None


async def is_kept(kind: str, said: Said, place: Place, about: str, *, actor: Actor) -> bool:
    """Tell whether this word is kept already.

    Raises: EventIdReused where its id stands for something else.
    """
    known = await db.row(sql.WORD, said.event_id)
    if known is None:
        return False
    same = (kind, actor.person_id, said.words, about, place.amends, place.pod_id)
    if same != tuple(known.values()):
        raise EventIdReused(str(said.event_id))
    return True


async def keep_word(
    kind: str,
    said: Said,
    place: Place,
    *,
    actor: Actor,
    about: str = "",
    problem_id: UUID | None = None,
) -> None:
    """Keep a word that is new; the caller has looked (`is_kept`).

    Raises: EventIdReused when another one took its id meanwhile.
    """
    kept = await db.value(
        sql.KEEP_WORD,
        said.event_id,
        kind,
        actor.person_id,
        actor.device_id,
        place.job_kind,
        place.job_id,
        place.order_id,
        place.fulfilment_id,
        about,
        place.amends,
        place.pod_id,
        said.words,
        list(dict.fromkeys(photo.sha256 for photo in said.photos)),
        problem_id,
        said.captured_at,
        now(),
    )
    if kept is None:
        raise EventIdReused(str(said.event_id))


async def add_to_problem(problem_id: UUID, words: str) -> None:
    """Add a line to what an open problem says; its deadline and its owner stay."""
    await db.execute(sql.ADD_TO_PROBLEM, problem_id, words)


async def words_of(
    *, order_id: UUID | None = None, problem_id: UUID | None = None, amends: UUID | None = None
) -> list[dict[str, Any]]:
    """Read what was said about an order, a problem or a capture, oldest first."""
    return await db.rows(sql.WORDS_OF, order_id, problem_id, amends)
