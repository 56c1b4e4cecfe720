"""Dispatchers: say when deliveries may be chosen, and how many parcels fit."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, put
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.core.ids import uuid7
from doorstep.flows import delivery_slots
from doorstep.modules.tms.refusals import SlotsNotUsable
from doorstep.modules.tms.rules.slots import Slot

TAGS = ["transport"]
PLAN = needs("tms:run:plan")


class SlotIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A window of a weekday (ISO, 1 = Monday) on the channel's clock, with room for so many parcels.

    It can be chosen until `lead_minutes` before it begins.
    """

    weekday: Annotated[int, Meta(ge=1, le=7)]
    from_time: time
    until_time: time
    capacity: Annotated[int, Meta(ge=1, le=10_000)]
    lead_minutes: Annotated[int, Meta(ge=0, le=10_080)]


class SlotsIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """All windows that are offered from now on; none takes the choice away."""

    slots: Annotated[list[SlotIn], Meta(max_length=168)]


class SlotSeen(Struct, kw_only=True):
    """A window that is offered."""

    id: UUID
    weekday: int
    from_time: time
    until_time: time
    capacity: int
    lead_minutes: int


@put(
    "/console/channels/{channel_id:uuid}/delivery-slots",
    operation_id="saveDeliverySlots",
    opt=PLAN,
    responses=problems(NotFound, SlotsNotUsable),
    tags=TAGS,
)
async def save_slots(channel_id: UUID, data: SlotsIn, actor: Actor) -> list[SlotSeen]:
    """Offer exactly these windows; what customers have chosen before stands."""
    wanted = [Slot(id=uuid7(), **msgspec.structs.asdict(slot)) for slot in data.slots]
    await delivery_slots.save(channel_id, wanted, actor=actor)
    return await _seen(channel_id, actor)


@get(
    "/console/channels/{channel_id:uuid}/delivery-slots",
    operation_id="listDeliverySlots",
    opt=PLAN,
    responses=problems(NotFound),
    tags=TAGS,
)
async def list_slots(channel_id: UUID, actor: Actor) -> list[SlotSeen]:
    """List the windows that customers may choose, by weekday and hour."""
    return await _seen(channel_id, actor)


async def _seen(channel_id: UUID, actor: Actor) -> list[SlotSeen]:
    return [
        SlotSeen(**one._asdict()) for one in await delivery_slots.offered(channel_id, actor=actor)
    ]


handlers = [save_slots, list_slots]
"""The routes of this door."""
