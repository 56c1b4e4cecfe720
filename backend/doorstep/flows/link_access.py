"""What a customer's link sends to the order's phone: the code to sign in with, the door's code again.

Nobody at the link learns whether there is a phone, or which.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import NotFound, Refusal
from doorstep.flows import deliver
from doorstep.modules.crm import sign_in
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.modules.tms import service as tms
from doorstep.settings import settings

OUT_FOR_DELIVERY, DELIVERED = 1012, 1013

CONTACT = """
SELECT o.number, o.language, coalesce(c.phone, a.phone) AS phone
  FROM customer_order o JOIN customer c ON c.id = o.customer_id JOIN address a ON a.id = o.address_id
 WHERE o.id = $1
"""

OWNER = """
SELECT t.phone, w.fulfilment_id, o.language, coalesce(p.names ->> o.language, p.name) AS goods
  FROM warranty_transfer t
  JOIN warranty w ON w.id = t.warranty_id AND w.owner_n = t.n AND w.state = 'active'
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = t.order_id
 WHERE t.order_id = $1 AND t.n = $2 AND t.phone <> ''
"""


class NoHandoverCodeNow(Refusal):
    """The goods are not on their way to the door, or the code was sent often enough."""

    title = "There is no code to send for this parcel now."


@db.transactional
async def send_sign_in_code(order_id: UUID, token_hash: bytes) -> None:
    """Send a new code to the order's phone; without a phone, or after too many, nothing is sent."""
    new = await sign_in.issue_code(order_id, token_hash)
    if new is not None:
        about = About(order_id=order_id, attempt=new.n)
        await _tell("sign_in_code", order_id, about, new.code)


@db.transactional
async def send_owners_code(order_id: UUID, owner_n: int, token_hash: bytes) -> None:
    """Send a new code to the phone of a warranty's new owner, who is told nothing of the order."""
    owner = await db.row(OWNER, order_id, owner_n)
    new = await sign_in.issue_code(order_id, token_hash) if owner is not None else None
    if owner is None or new is None:
        return
    about = About(order_id=order_id, fulfilment_id=owner["fulfilment_id"], attempt=new.n)
    facts = {
        "company": settings().company_name,
        "goods": owner["goods"],
        "code": message_rules.SECRET,
    }
    recipient = Recipient(language=owner["language"], phone=owner["phone"])
    await messages.write("owner_code", about, recipient, facts, secret=new.code)


@db.transactional
async def send_handover_code(fulfilment_id: UUID, *, actor: Actor) -> None:
    """Send the code of this attempt once more to the order's phone, for its customer.

    Raises: NotFound for a parcel of another order; NoHandoverCodeNow.
    """
    parcel = await journey.lock(fulfilment_id)
    if actor.role != "customer" or actor.order_id != parcel["order_id"]:
        raise NotFound
    await _code_again(parcel)


@db.transactional
async def send_code_from_door(stop_id: UUID, *, actor: Actor) -> None:
    """Send it for whoever stands at the door with the goods, who is not told it.

    Raises: StopMissing, NoHandoverCodeNow.
    """
    stop = await deliver.own_stop(stop_id, actor)
    await _code_again(await journey.lock(stop["fulfilment_id"]))


async def _code_again(parcel: Mapping[str, Any]) -> None:
    passed = parcel["passed"]
    at_the_door = OUT_FOR_DELIVERY in passed and DELIVERED not in passed
    if parcel["state"] != "open" or not at_the_door:
        raise NoHandoverCodeNow
    again = await tms.code_again(parcel["id"], parcel["attempt"])
    if again is None:
        raise NoHandoverCodeNow
    about = About(
        order_id=parcel["order_id"],
        fulfilment_id=parcel["id"],
        # Each time of each attempt is a message of its own.
        attempt=parcel["attempt"] * (tms.MOST_AGAIN + 1) + again.time,
    )
    await _tell("handover_code_again", parcel["order_id"], about, again.code)


async def _tell(event: str, order_id: UUID, about: About, code: str) -> None:
    contact = await db.one(CONTACT, order_id)
    facts = {
        "company": settings().company_name,
        "order_number": contact["number"],
        "code": message_rules.SECRET,
    }
    recipient = Recipient(language=contact["language"], phone=contact["phone"])
    await messages.write(event, about, recipient, facts, secret=code)
