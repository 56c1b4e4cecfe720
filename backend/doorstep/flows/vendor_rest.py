"""After goods of a purchase order came back or never arrived: what becomes of the vendor's money.

Payouts cannot be clawed back yet, so nothing more is released by itself. Finance decides: the rest
goes on for what stayed with the customer, or what was paid is claimed from the vendor.
"""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import Refusal
from doorstep.core.money import Money
from doorstep.flows import settle
from doorstep.modules.finance.service import tranches
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.scm.service import PurchaseOrderMissing

STANDING = """
SELECT p.id, p.number, p.currency, p.state, p.order_id, p.fulfilment_id,
       (SELECT count(*) FROM fulfilment f WHERE f.po_id = p.id AND f.state = 'open') AS living,
       (SELECT count(*) FROM fulfilment f WHERE f.po_id = p.id AND f.state = 'ended') AS ended,
       coalesce((SELECT sum(t.amount_minor) FROM tranche t
                  WHERE t.po_id = p.id AND t.state = 'released'), 0)::bigint AS released_minor
  FROM purchase_order p WHERE p.id = $1
"""


class NothingToDecide(Refusal):
    """No delivery of the purchase order has ended, or none is left that money could be due for."""

    title = "There is no rest of this purchase order to decide about."


async def ask_about_rest(fact: journey.Fact) -> None:
    """Ask finance about the purchase order of a parcel that has ended."""
    if fact.fulfilment["state"] != "ended" or fact.fulfilment["po_id"] is None:
        return
    order = await db.one(STANDING, fact.fulfilment["po_id"])
    released = Money(order["released_minor"], order["currency"])
    if order["living"] and order["state"] == "accepted":
        await helpdesk.open_problem(
            "purchase_order_rest",
            f"{order['number']}: a part has ended, the rest of its money waits",
            ref=str(order["id"]),
            detail=f"{released} is released.",
            order_id=fact.order_id,
            fulfilment_id=fact.fulfilment_id,
        )
    elif order["released_minor"]:
        await helpdesk.open_problem(
            "vendor_claim_due",
            f"{order['number']}: {released} was released for goods that did not stay",
            ref=str(order["id"]),
            order_id=fact.order_id,
            fulfilment_id=fact.fulfilment_id,
        )


@db.transactional
async def release_rest(po_id: UUID, event_id: UUID, reason: str, *, actor: Actor) -> None:
    """Let a purchase order's other tranches go on by their conditions, on finance's word.

    The same `event_id`, or another after the first, changes nothing.

    Raises: PurchaseOrderMissing; NothingToDecide.
    """
    order = await db.row(STANDING, po_id)
    if order is None:
        raise PurchaseOrderMissing
    await journey.lock(order["fulfilment_id"])
    if not (order["living"] and order["ended"]):
        raise NothingToDecide(order["number"])
    await tranches.decide_rest(po_id, event_id, actor.person_id, reason)
    await helpdesk.close_problems("purchase_order_rest", str(po_id), reason, actor)
    await settle.review_purchase_order(po_id)
