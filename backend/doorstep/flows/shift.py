"""The end of a shift: what is missing for the next one becomes a problem of the desk (SPEC P20)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.channel import CHANNEL
from doorstep.core.errors import Invalid
from doorstep.flows.announce import shelf_location
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.wms.rules.shifts import Answer, Item
from doorstep.modules.wms.service import shifts


class ItemsRepeat(Invalid):
    title = "A checklist asks each thing once."


# Where somebody works: his location, or his only channel where he has none.
PLACE = f"""
SELECT l.code, {CHANNEL} AS channel_id
  FROM person p LEFT JOIN location l ON l.id = p.location_id WHERE p.id = $1
"""  # noqa: S608 - a constant


@db.transactional
async def answer(
    event_id: UUID, answers: Sequence[Answer], *, actor: Actor, captured_at: datetime
) -> list[str]:
    """Keep a person's answers; each thing that is missing becomes a problem, once while it is open.

    Returns the codes of what is missing. The same event id again changes nothing.

    Raises: ChecklistIncomplete, EventIdReused.
    """
    lacking = await shifts.answer(event_id, answers, actor=actor, captured_at=captured_at)
    # What a location shares is missing once; what somebody carries is missing for each of them.
    place = actor.location_id or actor.person_id
    where = await db.one(PLACE, actor.person_id)
    for item, given in lacking:
        await helpdesk.open_problem(
            "supplies_needed",
            f"{item.words}: not so at {where['code'] or actor.name}",
            detail=given.words,
            ref=f"{place}:{item.code}",
            owner_role="dispatcher",
            channel_id=where["channel_id"],
        )
    return [one.code for one in answers if not one.ok]


@db.transactional
async def save_items(
    location_id: UUID, role: str, items: Sequence[Item], *, actor: Actor
) -> list[Item]:
    """Give a location its own list for a role; return what that role is asked there now.

    Raises: LocationMissing, ItemsRepeat.
    """
    if len({item.code for item in items}) != len(items):
        raise ItemsRepeat
    await shelf_location(location_id, actor)
    await shifts.save_items(location_id, role, items)
    return await shifts.items_for(role, location_id)
