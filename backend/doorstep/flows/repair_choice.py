"""Whoever has claimed chooses when the technician comes: he moves the visit while it is not near yet, or
books it where he was to be called and nobody has been there.

The claim stays as it is: it asks for another time, not for another piece or another word.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
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
from doorstep.flows.repairs import LENGTH, book
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import SlotTaken, VisitNotMovable
from doorstep.modules.fsm.service.technicians import Technician
from doorstep.modules.messages.service import Recipient

# What was claimed of a piece by its customer ($3 is 0) or its new owner, with the visit to come: or with
# none, where nobody has been there yet and support was to agree on a time.
CLAIMED = """
SELECT q.id AS claim_id, v.id AS visit_id, v.state, v.technician_id, lower(v.during) AS starts_at,
       w.order_id, p.install_skill, o.channel_id, h.zone, o.language, t.phone AS owner_phone
  FROM warranty w
  JOIN warranty_claim q ON q.warranty_id = w.id AND q.owner_n = w.owner_n
  JOIN ticket k ON k.id = q.id
  LEFT JOIN visit v ON v.claim_id = q.id AND v.state IN ('booked', 'started')
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = w.order_id
  JOIN channel h ON h.id = o.channel_id
  LEFT JOIN warranty_transfer t ON t.order_id = w.order_id AND t.n = w.owner_n
 WHERE w.fulfilment_id = $1 AND w.number = $2 AND w.state = 'active' AND w.owner_n = $3
   AND (v.id IS NOT NULL OR (k.state IN ('open', 'waiting')
        AND NOT EXISTS (SELECT FROM visit x WHERE x.claim_id = q.id)))
 ORDER BY q.claimed_at DESC LIMIT 1
"""


class Offered(NamedTuple):
    """When the technician comes, None while nobody has agreed on it, and when else he may.

    `free` is empty when the visit is too near to be moved.
    """

    starts_at: datetime | None
    free: list[datetime]


def movable(state: str, starts_at: datetime) -> bool:
    """Tell whether a visit may still be moved: nobody has begun it, nor is on the way to it."""
    return state == "booked" and starts_at >= now() + LEAD


async def offered(fulfilment_id: UUID, number: str, *, actor: Actor, owner_n: int = 0) -> Offered:
    """Tell when the technician comes for what was claimed under a warranty, and when else he may.

    Raises: NotFound, also where nothing is claimed that a visit could still be chosen for.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    claimed = await _claimed(fulfilment_id, number, owner_n)
    if not _may_choose(claimed):
        return Offered(claimed["starts_at"], [])
    since = now() + LEAD
    zone = ZoneInfo(claimed["zone"])
    span = rules.Span(since, since + install.HORIZON)
    slots = await fsm.free_slots(await _technicians(claimed), zone, span, LENGTH, None)
    starts = {slot.start for slot in slots}
    whole = sorted(start for start in starts if start.astimezone(zone).minute == 0)
    return Offered(claimed["starts_at"], whole)


@db.transactional
async def choose(
    fulfilment_id: UUID, number: str, starts_at: datetime, *, actor: Actor, owner_n: int = 0
) -> None:
    """Book or move the visit, confirmed in writing; the same time again changes nothing.

    Whoever has it keeps it if he is free then.

    Raises: NotFound; VisitNotMovable; SlotTaken.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    claimed = await _claimed(fulfilment_id, number, owner_n)
    if claimed["starts_at"] == starts_at:
        return
    if not _may_choose(claimed):
        raise VisitNotMovable
    if not now() + LEAD <= starts_at <= now() + LEAD + install.HORIZON:
        raise SlotTaken
    span = rules.Span(starts_at, starts_at + LENGTH)
    technicians = await _technicians(claimed)
    for one in sorted(technicians, key=lambda one: one.person_id != claimed["technician_id"]):
        if not rules.within_hours(one.hours, ZoneInfo(claimed["zone"]), span):
            continue
        visit_id = await _take(claimed, fulfilment_id, one, span)
        if visit_id is not None:
            await notify.confirm_visit(visit_id, _owner(claimed))
            return
    raise SlotTaken


def _may_choose(claimed: dict[str, Any]) -> bool:
    return claimed["visit_id"] is None or movable(claimed["state"], claimed["starts_at"])


async def _take(
    claimed: dict[str, Any], fulfilment_id: UUID, technician: Technician, span: rules.Span
) -> UUID | None:
    """Give the visit to a technician, a new one where there is none; None if he is not free."""
    visit_id: UUID | None = claimed["visit_id"]
    if visit_id is None:
        return await book(
            claimed["claim_id"],
            claimed["order_id"],
            fulfilment_id,
            technician.person_id,
            span,
            claimed["install_skill"],
        )
    return visit_id if await fsm.move_visit(visit_id, technician.person_id, span) else None


def _owner(claimed: dict[str, Any]) -> Recipient | None:
    """Tell whom to write to, where that is not the order's customer."""
    if claimed["owner_phone"] is None:
        return None
    return Recipient(language=claimed["language"], phone=claimed["owner_phone"])


async def _claimed(fulfilment_id: UUID, number: str, owner_n: int) -> dict[str, Any]:
    claimed = await db.row(CLAIMED, fulfilment_id, number, owner_n)
    if claimed is None:
        raise NotFound
    return claimed


async def _technicians(claimed: dict[str, Any]) -> list[Technician]:
    skills = [claimed["install_skill"]] if claimed["install_skill"] else []
    return await fsm.technicians_for(claimed["channel_id"], skills)
