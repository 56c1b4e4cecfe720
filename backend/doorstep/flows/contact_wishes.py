"""By which ways an order's customer wants to be written to, as he says himself."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.rules import CHANNELS, Channel
from doorstep.modules.messages.service import preferences
from doorstep.modules.messages.service.writing import Recipient, possible

CONTACT = """
SELECT o.language, coalesce(c.phone, a.phone) AS phone, c.email
  FROM customer_order o JOIN customer c ON c.id = o.customer_id JOIN address a ON a.id = o.address_id
 WHERE o.id = $1
"""


class Wish(NamedTuple):
    """A way by which the customer can be written to, and whether he wants it."""

    channel: Channel
    address: str
    wanted: bool


async def read(order_id: UUID, *, actor: Actor) -> list[Wish]:
    """List the ways by which the order's customer can be written to here.

    Raises: NotFound.
    """
    await scope(actor).require_order(order_id)
    contact = await db.one(CONTACT, order_id)
    recipient = Recipient(**contact)
    ways = [(channel, recipient.address(channel)) for channel in possible(CHANNELS, recipient)]
    refused = await preferences.refused(ways)
    return [Wish(channel, address, channel not in refused) for channel, address in ways]


@db.transactional
async def keep(order_id: UUID, wanted: Collection[Channel], *, actor: Actor) -> None:
    """Write to the customer by these ways from now on, and by no other; what waits for those is skipped.

    A code that he asks for himself still comes.

    Raises: NotFound.
    """
    for wish in await read(order_id, actor=actor):
        await messages.set_preference(
            wish.channel, wish.address, wanted=wish.channel in wanted, why="page"
        )
