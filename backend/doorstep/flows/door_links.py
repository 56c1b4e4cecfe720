"""Payment links at the door: the courier asks, the gateway makes one, the customer pays on his own phone.

The gateway's word is the money: it counts towards what is due at the door like any capture, and the
courier's phone is told. What the courier says of a link is never money by itself.
"""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from doorstep import journey, ports
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.errors import EventIdReused
from doorstep.core.jobs import job
from doorstep.flows import deliver, door_money
from doorstep.modules.finance.service import door_links
from doorstep.modules.finance.service.door_links import Link

LIVES_SECONDS = 3600
"""Nobody waits longer at a door; another link can be asked for."""

Outcome = Literal["asked", "nothing_due"]

WANTED = """
SELECT l.*, o.number, c.country FROM door_link l
  JOIN customer_order o ON o.id = l.order_id JOIN channel c ON c.id = o.channel_id WHERE l.id = $1
"""


@db.transactional
async def ask(stop_id: UUID, event_id: UUID, *, actor: Actor) -> Outcome:
    """Want a link for what is due at a stop; one that can still be paid is not made again.

    Raises: StopMissing (also for another person's), EventIdReused.
    """
    stop = await deliver.own_stop(stop_id, actor)
    await journey.lock(stop["fulfilment_id"])
    known = await door_links.find(event_id)
    if known is not None:
        if known["stop_id"] != stop_id:
            raise EventIdReused(str(event_id))
        return "asked"
    due = await door_money.due_of(stop["order_id"], stop["fulfilment_id"])
    if due.minor <= 0 or actor.person_id is None:
        return "nothing_due"
    if await door_links.living(stop_id, due.minor) is not None:
        return "asked"
    number = await db.value("SELECT number FROM customer_order WHERE id = $1", stop["order_id"])
    link = Link(
        id=event_id,
        order_id=stop["order_id"],
        fulfilment_id=stop["fulfilment_id"],
        stop_id=stop_id,
        person_id=actor.person_id,
        reference=f"{number}-L{event_id.hex[-8:].upper()}",
        amount_minor=due.minor,
        currency=due.currency,
    )
    await door_links.keep(link)
    await outbox.add("flows.make_door_link", {"link_id": event_id}, order_id=stop["order_id"])
    return "asked"


@job("flows.make_door_link", queue="default", timeout=30)
async def make_door_link(payload: dict[str, Any]) -> None:
    """Have the gateway make the link {link_id}, once.

    Raises: OutsideUnavailable, and is then tried again with the same key.
    """
    link_id = UUID(payload["link_id"])
    wanted = await db.one(WANTED, link_id)
    if wanted["url"] or wanted["refused"]:
        return
    try:
        made = await ports.payment_links().make(
            str(link_id),
            wanted["reference"],
            wanted["amount_minor"],
            wanted["currency"],
            wanted["country"],
            LIVES_SECONDS,
        )
    except ports.OutsideRefused as refused:
        await door_links.refused(link_id, refused.title)
        return
    await door_links.made(link_id, made.url, made.expires_at)
