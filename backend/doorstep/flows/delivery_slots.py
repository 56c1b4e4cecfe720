"""The customer chooses when the delivery comes: from windows that have room, before it is planned.

What is chosen is a promise of the parcel (`flows/windows.py`); the installation follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.flows import notify, windows
from doorstep.modules.tms.refusals import DeliveryNotChoosable, DeliverySlotTaken
from doorstep.modules.tms.rules import slots as rules
from doorstep.modules.tms.schemas import Window
from doorstep.modules.tms.service import slots

DAYS = 14
RESERVED, OUT, DELIVERED = 1003, 1012, 1013

CHOSEN = "Chosen by the customer."

# `dated` is by when the last of what holds the goods up is expected to be over.
STANDING = """
SELECT f.channel_id, f.state, f.collection, f.passed, c.zone,
       coalesce((SELECT r.kind <> 'own' FROM shipment s JOIN carrier r ON r.id = s.carrier_id
                  WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
                  ORDER BY s.attempt DESC LIMIT 1), false) AS by_carrier,
       array(SELECT d.kind FROM detour_case d
              WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL) AS detours,
       (SELECT max(d.expected_on) FROM detour_case d
         WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL) AS dated
  FROM fulfilment f JOIN channel c ON c.id = f.channel_id
 WHERE f.id = $1
"""

STOPPED = frozenset(
    {"approval_waiting", "carrier_damaged", "carrier_lost", "return_to_origin", "short_stock"}
)
"""Detours under which nobody knows whether the goods come at all."""


@db.transactional
async def save(channel_id: UUID, wanted: Sequence[rules.Slot], *, actor: Actor) -> None:
    """Offer exactly these windows from now on.

    Raises: NotFound for a channel out of sight; SlotsNotUsable.
    """
    await scope(actor).require_channel(channel_id)
    await slots.save_slots(channel_id, wanted)


async def offered(channel_id: UUID, *, actor: Actor) -> list[rules.Slot]:
    """List the windows that a channel offers.

    Raises: NotFound for a channel out of sight.
    """
    await scope(actor).require_channel(channel_id)
    return await slots.slots_of(channel_id)


def why_not(parcel: dict[str, Any]) -> str | None:
    """Tell why the time of a delivery cannot be chosen now; None when it can."""
    reasons = {
        "ended": parcel["state"] != "open",
        "collected": parcel["collection"],
        "delivered": DELIVERED in parcel["passed"],
        "on_its_way": OUT in parcel["passed"],
        "too_early": RESERVED not in parcel["passed"],
        "carrier_decides": parcel["by_carrier"],
        "stopped": not STOPPED.isdisjoint(parcel["detours"]),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


async def free_slots(fulfilment_id: UUID, *, actor: Actor) -> list[rules.Free]:
    """List when the delivery may come, soonest first; empty where its time cannot be chosen.

    Raises: NotFound.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    parcel = await db.one(STANDING, fulfilment_id)
    return [] if why_not(parcel) else await _free(fulfilment_id, parcel)


@db.transactional
async def choose(fulfilment_id: UUID, event_id: UUID, start: datetime, *, actor: Actor) -> Window:
    """Promise the delivery for the free window that begins at a moment; again is once.

    Raises: NotFound; DeliveryNotChoosable, with `why`; DeliverySlotTaken; EventIdReused.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    parcel = await db.one(STANDING, fulfilment_id)
    before = await slots.promised(fulfilment_id)
    if before is not None and before.start == start:
        return Window(from_at=before.start, until_at=before.end)
    if why := why_not(parcel):
        raise DeliveryNotChoosable(why=why)
    wished = await _at(start, fulfilment_id, parcel)
    await slots.lock_slot(wished.slot_id)
    # Whoever held the lock may have taken the last room.
    wished = await _at(start, fulfilment_id, parcel)
    window = Window(from_at=wished.start, until_at=wished.end)
    if await windows.keep(fulfilment_id, event_id, window, CHOSEN, actor=actor):
        await notify.confirm_window(fulfilment_id, window)
    return window


async def _at(start: datetime, fulfilment_id: UUID, parcel: dict[str, Any]) -> rules.Free:
    for one in await _free(fulfilment_id, parcel):
        if one.start == start:
            return one
    raise DeliverySlotTaken


async def _free(fulfilment_id: UUID, parcel: dict[str, Any]) -> list[rules.Free]:
    offered = await slots.slots_of(parcel["channel_id"])
    if not offered:
        return []
    zone, present = ZoneInfo(parcel["zone"]), now()
    earliest = present
    if parcel["dated"] is not None:
        # They are here by the end of that day.
        day = parcel["dated"] + timedelta(days=1)
        earliest = max(present, datetime.combine(day, time(), zone).astimezone(UTC))
    until = earliest + timedelta(days=DAYS + 1)
    taken = await slots.taken(parcel["channel_id"], fulfilment_id, present, until)
    days = rules.days(zone, earliest, DAYS)
    return rules.free(offered, zone, days, taken, earliest=earliest, present=present)
