"""Use-cases of the end of a shift: what a role looks at, and what it answered (SPEC P20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid
from doorstep.modules.wms.rules.shifts import (
    USUAL_ITEMS,
    Answer,
    Item,
    not_answered,
    not_asked,
)


class ChecklistIncomplete(Invalid):
    """An item has no answer, or an answer no item."""

    title = "The checklist is not answered item by item."


async def items_for(role: str, location_id: UUID | None) -> list[Item]:
    """List what a role looks at there: the location's own list, else the usual one."""
    own = await db.rows(
        "SELECT code, words FROM shift_item WHERE location_id = $1 AND role = $2 ORDER BY position",
        location_id,
        role,
    )
    return [Item(**row) for row in own] or list(USUAL_ITEMS.get(role, ()))


@db.transactional
async def save_items(location_id: UUID, role: str, items: Sequence[Item]) -> None:
    """Give a location its own list for a role; an empty one means the usual list again."""
    await db.execute(
        "DELETE FROM shift_item WHERE location_id = $1 AND role = $2", location_id, role
    )
    await db.execute_many(
        "INSERT INTO shift_item (location_id, role, code, words, position)"
        " VALUES ($1, $2, $3, $4, $5)",
        [(location_id, role, item.code, item.words, n) for n, item in enumerate(items, start=1)],
    )


async def last_answered_at(person_id: UUID) -> datetime | None:
    """Tell when a person has answered the checklist last."""
    found: datetime | None = await db.value(
        "SELECT max(recorded_at) FROM shift_answer WHERE person_id = $1", person_id
    )
    return found


@db.transactional
async def answer(
    event_id: UUID, answers: Sequence[Answer], *, actor: Actor, captured_at: datetime
) -> list[tuple[Item, Answer]]:
    """Keep the answers of a shift; return the items that are not as they should be, when new.

    Raises: ChecklistIncomplete, EventIdReused.
    """
    known = await db.row("SELECT person_id FROM shift_answer WHERE id = $1", event_id)
    if known is not None:
        if known["person_id"] != actor.person_id:
            raise EventIdReused
        return []
    items = await items_for(actor.role, actor.location_id)
    open_items, strange = not_answered(items, answers), not_asked(items, answers)
    if open_items or strange:
        raise ChecklistIncomplete(not_answered=open_items, not_asked=strange)
    added = await db.execute(
        "INSERT INTO shift_answer (id, person_id, role, location_id, answers, captured_at,"
        " recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        event_id,
        actor.person_id,
        actor.role,
        actor.location_id,
        [one._asdict() for one in answers],
        captured_at,
        now(),
    )
    by_code = {item.code: item for item in items}
    return [(by_code[one.code], one) for one in answers if added and not one.ok]
