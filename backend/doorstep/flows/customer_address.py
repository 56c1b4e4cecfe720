"""The address is completed: what the crew would have to ask at the kerb (P2).

By the customer on his page, or by a desk that has called him. Street and city stay as the shop has
sold them, where it has sold any: another city is another route, and another order.
"""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Refusal
from doorstep.flows import address_tasks, phones
from doorstep.modules.crm import addresses

LOCK_ORDER = "SELECT id FROM customer_order WHERE id = $1 FOR UPDATE"

STILL_COMING = """
SELECT EXISTS (SELECT FROM fulfilment
                WHERE order_id = $1 AND state = 'open' AND NOT 1015 = ANY (passed))
"""


class NothingIsComing(Refusal):
    """Nobody drives there for this order any more."""

    title = "Everything of this order has been delivered or has ended."


@db.transactional
async def complete(
    order_id: UUID,
    told: addresses.AddressCompletion,
    *,
    actor: Actor,
    phone: str | None = None,
) -> list[str]:
    """Write what the customer says of the door, and tell whoever drives there; return what lacks.

    Its task is over when nothing lacks. `phone`: what a desk has found out where the order had none.

    Raises: NotFound; NothingIsComing; PinNotThere for a pin far from the one that the order had;
    PlaceIsAsSold; PhoneUnusable, PhoneIsAsSold.
    """
    await scope(actor).require_order(order_id)
    await db.execute(LOCK_ORDER, order_id)
    if not await db.value(STILL_COMING, order_id):
        raise NothingIsComing
    completed = await addresses.complete(order_id, told, actor.person_id, phone)
    if completed.changed:
        await address_tasks.review(order_id, actor=actor)
        await phones.tell_address(order_id, completed.version)
    return completed.missing
