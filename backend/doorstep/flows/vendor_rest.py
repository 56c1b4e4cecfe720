"""After goods of a purchase order came back or never arrived: what becomes of the vendor's money.

Payouts cannot be clawed back yet, so nothing more is released by itself. Finance decides that the
rest goes on: by their conditions, and of each tranche only what is for goods that stayed. Nothing has
proven the delivery of the others (SPEC V), and what was paid once too much could only be asked back.
What was released for them before is claimed (`vendor_claims`). Once everything is released, what was
paid less what is claimed is to the minor unit what the goods that stayed cost.
"""

from __future__ import annotations

from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import EventIdReused, Refusal
from doorstep.core.money import Money
from doorstep.flows import settle
from doorstep.flows.settle_sql import COST_GONE, PIECES_GONE
from doorstep.modules.finance.service import tranches
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.scm.service import PurchaseOrderMissing

STANDING = f"""
SELECT p.id, p.number, p.currency, p.state, p.order_id, p.fulfilment_id, p.total_minor,
       t.released_minor, t.waits, x.living, x.gone, x.gone_minor
  FROM purchase_order p
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.amount_minor) FILTER (WHERE t.state = 'released'), 0)::bigint
             AS released_minor,
           coalesce(bool_or(t.state <> 'released'), false) AS waits
      FROM tranche t WHERE t.po_id = p.id) AS t
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE x.state = 'open') AS living,
           coalesce(sum({PIECES_GONE}), 0)::int AS gone,
           coalesce(sum({COST_GONE}), 0)::bigint AS gone_minor
      FROM fulfilment x WHERE x.po_id = p.id) AS x
 WHERE p.id = $1
"""  # noqa: S608 - a constant of this house


class NothingToDecide(Refusal):
    """No delivery of the purchase order has ended and nothing came back, or none is left."""

    title = "There is no rest of this purchase order to decide about."


async def ask_about_rest(fact: journey.Fact) -> None:
    """Ask finance about a purchase order of which a parcel has ended or pieces came back."""
    po_id = fact.fulfilment["po_id"]
    if po_id is None:
        return
    order = await db.one(STANDING, po_id)
    if not (order["gone"] and order["living"] and order["waits"] and order["state"] == "accepted"):
        return
    if await tranches.rest_is_decided(po_id, order["gone"]):
        return
    released, gone, total = (
        Money(order[column], order["currency"])
        for column in ("released_minor", "gone_minor", "total_minor")
    )
    await helpdesk.open_problem(
        "purchase_order_rest",
        f"{order['number']}: a part did not stay, the rest of its money waits",
        ref=str(po_id),
        detail=f"{released} is released. Goods for {gone} of {total} did not stay.",
        order_id=fact.order_id,
        fulfilment_id=fact.fulfilment_id,
    )


@db.transactional
async def release_rest(po_id: UUID, event_id: UUID, reason: str, *, actor: Actor) -> None:
    """Let a purchase order's other tranches go on by their conditions, on finance's word.

    Of each only the part of the goods that stayed is released. It is good for the pieces that are
    gone now; when more end or come back, finance is asked anew.
    The same `event_id` again changes nothing.

    Raises: PurchaseOrderMissing; NothingToDecide; EventIdReused.
    """
    order = await db.row(STANDING, po_id)
    if order is None:
        raise PurchaseOrderMissing
    await journey.lock(order["fulfilment_id"])
    known = await tranches.rest_of_event(event_id)
    if known is not None:
        if known != po_id:
            raise EventIdReused
        return
    order = await db.one(STANDING, po_id)
    if not (order["living"] and order["gone"]):
        raise NothingToDecide(order["number"])
    await tranches.decide_rest(po_id, order["gone"], event_id, actor.person_id, reason)
    await helpdesk.close_problems("purchase_order_rest", str(po_id), reason, actor)
    await settle.review_purchase_order(po_id)
