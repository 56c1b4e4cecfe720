"""The customer chooses when the technician comes: after the delivery, once the goods have stood."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.flows import install, notify
from doorstep.flows.install import LEAD
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import SlotTaken, VisitNotMovable

ZONE = "SELECT c.zone FROM fulfilment f JOIN channel c ON c.id = f.channel_id WHERE f.id = $1"

BOOKED = """
SELECT v.id, v.state, lower(v.during) AS starts_at, upper(v.during) AS ends_at, v.technician_id
  FROM visit v
 WHERE v.fulfilment_id = $1 AND v.purpose = 'installation' AND v.state IN ('booked', 'started', 'completed')
 ORDER BY v.booked_at DESC LIMIT 1
"""

LIVING = "SELECT state = 'open' AND needs_install AND NOT 1015 = ANY (passed) FROM fulfilment WHERE id = $1"


async def free_starts(fulfilment_id: UUID, *, actor: Actor) -> list[datetime]:
    """List the hours at which a visit may begin, soonest first, however many technicians are free.

    Empty where nothing is to be installed any more, or the booked visit is too near to be moved.

    Raises: NotFound.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if not await _movable(fulfilment_id):
        return []
    zone = ZoneInfo(await db.value(ZONE, fulfilment_id))
    since = now() + LEAD
    # All of them: what is left out after the first two hundred would be the later days.
    slots = await install.free_slots(
        fulfilment_id, since=since, until=since + install.HORIZON, actor=actor, limit=None
    )
    starts = {slot.start for slot in slots}
    return sorted(start for start in starts if start.astimezone(zone).minute == 0)


@db.transactional
async def choose(fulfilment_id: UUID, starts_at: datetime, *, actor: Actor) -> install.Booked:
    """Book the visit for a free time, or move it there; the same time again changes nothing.

    Raises: NotFound; VisitNotMovable; SlotTaken; NothingToInstall, OutsideHours, GoodsMustStand,
    VisitTimeImpossible.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    fulfilment = await journey.lock(fulfilment_id)
    booked = await db.row(BOOKED, fulfilment_id)
    if booked is not None and booked["starts_at"] == starts_at:
        return install.Booked(
            booked["id"], booked["technician_id"], booked["starts_at"], booked["ends_at"]
        )
    if not await _movable(fulfilment_id):
        raise VisitNotMovable
    if starts_at < now() + LEAD:
        raise SlotTaken
    if booked is None:
        chosen = await install.book_visit(fulfilment_id, actor=actor, starts_at=starts_at)
        await notify.confirm_visit(chosen.visit_id)
        return chosen
    for slot in await install.slots_at(fulfilment_id, fulfilment["channel_id"], starts_at):
        span = rules.Span(slot.start, slot.end)
        if await fsm.move_visit(booked["id"], slot.technician_id, span):
            await notify.confirm_visit(booked["id"])
            return install.Booked(booked["id"], slot.technician_id, slot.start, slot.end)
    raise SlotTaken


async def _movable(fulfilment_id: UUID) -> bool:
    if not await db.value(LIVING, fulfilment_id):
        return False
    booked = await db.row(BOOKED, fulfilment_id)
    return booked is None or (booked["state"] == "booked" and booked["starts_at"] >= now() + LEAD)
