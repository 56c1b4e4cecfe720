"""A desk promises when a delivery comes: the parcel keeps it; who drives it and the customer are told."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.flows import install, notify, phones
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import NoSuchWindow
from doorstep.modules.tms.schemas import Window

LONGEST = timedelta(hours=24)
FURTHEST = timedelta(days=366)

ORDER = "SELECT order_id FROM fulfilment WHERE id = $1"


@db.transactional
async def promise(
    fulfilment_id: UUID, event_id: UUID, window: Window | None, reason: str, *, actor: Actor
) -> None:
    """Promise a delivery for a window, or for none any more; the same event again changes nothing.

    Raises: NotFound; NoSuchWindow for one that is over, backwards or longer than a day; EventIdReused.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    if window is not None and not (
        window.from_at < window.until_at <= window.from_at + LONGEST
        and now() < window.until_at < now() + FURTHEST
    ):
        raise NoSuchWindow
    await journey.lock(fulfilment_id)
    if await keep(fulfilment_id, event_id, window, reason, actor=actor):
        # Who has chosen himself gets a confirmation instead (flows/delivery_slots.py).
        await notify.tell_window(fulfilment_id, window, reason)


async def keep(
    fulfilment_id: UUID, event_id: UUID, window: Window | None, reason: str, *, actor: Actor
) -> bool:
    """Keep a promise, tell the driver's phone, and let the installation come after it.

    False when this event has done so before. The caller holds the parcel's lock.

    Raises: EventIdReused.
    """
    order_id = await db.value(ORDER, fulfilment_id)
    kept = await tms.keep_window(event_id, order_id, fulfilment_id, window, reason, actor.person_id)
    if kept:
        await phones.tell_window(fulfilment_id, event_id)
        await install.follow_delivery(fulfilment_id, actor=actor)
    return kept
