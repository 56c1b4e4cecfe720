"""The customer moves the visit that answers his warranty claim, while it is planned and not near yet.

The claim stays as it is: it asks for another time, not for another piece or another word.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.flows import install, notify
from doorstep.flows.install import LEAD
from doorstep.flows.repairs import LENGTH
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import SlotTaken, VisitNotMovable
from doorstep.modules.fsm.service.technicians import Technician

# The visit to come for what was claimed of a piece; a new owner's claim is not behind this link.
PLANNED = """
SELECT v.id, v.state, v.technician_id, lower(v.during) AS starts_at, p.install_skill, o.channel_id, h.zone
  FROM warranty w
  JOIN warranty_claim q ON q.warranty_id = w.id
  JOIN visit v ON v.claim_id = q.id AND v.state IN ('booked', 'started')
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = w.order_id
  JOIN channel h ON h.id = o.channel_id
 WHERE w.fulfilment_id = $1 AND w.number = $2 AND w.state = 'active' AND w.owner_n = 0
"""


def movable(state: str, starts_at: datetime) -> bool:
    """Tell whether a visit may still be moved: nobody has begun it, nor is on the way to it."""
    return state == "booked" and starts_at >= now() + LEAD


async def chosen_start(fulfilment_id: UUID, number: str, *, actor: Actor) -> datetime:
    """Tell when the technician comes for what was claimed under a warranty.

    Raises: NotFound, also where no visit is planned for it.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    starts_at: datetime = (await _planned(fulfilment_id, number))["starts_at"]
    return starts_at


async def free_starts(fulfilment_id: UUID, number: str, *, actor: Actor) -> list[datetime]:
    """List the hours to which the visit may be moved, soonest first; none when it is too near.

    Raises: NotFound.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    visit = await _planned(fulfilment_id, number)
    if not movable(visit["state"], visit["starts_at"]):
        return []
    since = now() + LEAD
    zone = ZoneInfo(visit["zone"])
    slots = await fsm.free_slots(
        await _technicians(visit), zone, rules.Span(since, since + install.HORIZON), LENGTH, None
    )
    starts = {slot.start for slot in slots}
    return sorted(start for start in starts if start.astimezone(zone).minute == 0)


@db.transactional
async def choose(fulfilment_id: UUID, number: str, starts_at: datetime, *, actor: Actor) -> None:
    """Move the visit to a free time, confirmed in writing; the same time again changes nothing.

    Whoever has it keeps it if he is free then.

    Raises: NotFound; VisitNotMovable; SlotTaken.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    visit = await _planned(fulfilment_id, number)
    if visit["starts_at"] == starts_at:
        return
    if not movable(visit["state"], visit["starts_at"]):
        raise VisitNotMovable
    if not now() + LEAD <= starts_at <= now() + LEAD + install.HORIZON:
        raise SlotTaken
    span = rules.Span(starts_at, starts_at + LENGTH)
    technicians = await _technicians(visit)
    for one in sorted(technicians, key=lambda one: one.person_id != visit["technician_id"]):
        if not rules.within_hours(one.hours, ZoneInfo(visit["zone"]), span):
            continue
        if await fsm.move_visit(visit["id"], one.person_id, span):
            await notify.confirm_visit(visit["id"])
            return
    raise SlotTaken


async def _planned(fulfilment_id: UUID, number: str) -> dict[str, Any]:
    visit = await db.row(PLANNED, fulfilment_id, number)
    if visit is None:
        raise NotFound
    return visit


async def _technicians(visit: dict[str, Any]) -> list[Technician]:
    skills = [visit["install_skill"]] if visit["install_skill"] else []
    return await fsm.technicians_for(visit["channel_id"], skills)
