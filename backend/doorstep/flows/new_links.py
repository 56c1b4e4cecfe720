"""Who holds a paper has a new link sent: by a certificate to whoever has its warranty, by the form in
the box to the customer whose goods can still be given back.

Nobody who asks learns whether it was sent, or to whom.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.flows import returns
from doorstep.flows.care import LINK_LIFE
from doorstep.flows.notify import tracking_link
from doorstep.flows.warranty_transfers import owners_link
from doorstep.modules.crm import order_links
from doorstep.modules.messages import rules as message_rules
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.service import About, Recipient
from doorstep.settings import settings

# Whose a warranty is, and by which phone he is reached: as the order says, or the transfer.
HELD = """
SELECT w.order_id, w.fulfilment_id, w.owner_n, w.ends_on, o.number AS order_number, o.language, h.zone,
       coalesce(p.names ->> o.language, p.name) AS goods,
       CASE WHEN w.owner_n = 0 THEN coalesce(c.phone, a.phone) ELSE nullif(t.phone, '') END AS phone
  FROM warranty w
  JOIN product p ON p.id = w.product_id
  JOIN customer_order o ON o.id = w.order_id
  JOIN customer c ON c.id = o.customer_id
  JOIN address a ON a.id = o.address_id
  JOIN channel h ON h.id = o.channel_id
  LEFT JOIN warranty_transfer t ON t.order_id = w.order_id AND t.n = w.owner_n
 WHERE w.number = $1 AND w.state = 'active'
"""


@db.transactional
async def send_new_link(certificate: str) -> None:
    """Send whoever has a warranty a fresh link, unless one was sent a moment ago or enough today.

    For an unknown certificate, a warranty that is over or a reader without a phone nothing happens.
    """
    found = await db.row(HELD, certificate)
    if found is None:
        return
    # Two who ask at once wait for one another, and for a transfer that is just being confirmed.
    await journey.lock(found["fulfilment_id"])
    held = await db.row(HELD, certificate)
    if held is None or held["phone"] is None or held["ends_on"] < _today(held):
        return
    owner_n = held["owner_n"]
    until = order_links.end_of_owners_link(held["ends_on"]) if owner_n else now() + LINK_LIFE
    new = await order_links.renew(held["order_id"], owner_n, until)
    if new is not None:
        await _tell(held, new)


# The parcels of an order, by the number on the form that lies in each box.
IN_THE_BOX = """
SELECT o.id AS order_id, f.id AS fulfilment_id, 0 AS owner_n, o.number AS order_number, o.language,
       '' AS goods, coalesce(c.phone, a.phone) AS phone
  FROM customer_order o
  JOIN fulfilment f ON f.order_id = o.id
  JOIN customer c ON c.id = o.customer_id
  JOIN address a ON a.id = o.address_id
 WHERE o.number = $1 ORDER BY f.parcel
"""


@db.transactional
async def send_link_for_return(number: str, *, actor: Actor) -> None:
    """Send the customer of an order a fresh link while any of its goods can be given back.

    For any other order, or one without a phone, nothing happens; `renew` limits how often.
    """
    for found in await db.rows(IN_THE_BOX, number):
        if found["phone"] is None:
            return
        parcel = found["fulfilment_id"]
        if not await returns.returnable(parcel, found["language"], actor=actor):
            continue
        # One parcel of the order and no other: two who ask at once wait for one another.
        await journey.lock(parcel)
        new = await order_links.renew(found["order_id"], 0, now() + LINK_LIFE)
        if new is not None:
            await _tell(found, new)
        return


async def _tell(held: dict[str, Any], new: order_links.NewLink) -> None:
    of_owner = bool(held["owner_n"])
    about = About(
        order_id=held["order_id"],
        fulfilment_id=held["fulfilment_id"],
        # Each link is told in a message of its own.
        attempt=new.n,
    )
    facts = {
        "company": settings().company_name,
        "order_number": held["order_number"],
        "goods": held["goods"],
        "link": message_rules.SECRET,
    }
    await messages.write(
        "new_owner_link" if of_owner else "new_link",
        about,
        Recipient(language=held["language"], phone=held["phone"]),
        facts,
        secret=owners_link(new.token) if of_owner else tracking_link(new.token),
    )


def _today(held: dict[str, Any]) -> date:
    return now().astimezone(ZoneInfo(held["zone"])).date()
