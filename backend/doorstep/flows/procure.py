"""From allocated goods to the vendor's answer: the purchase order (1003) and 1004."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.jobs import job
from doorstep.flows import settle
from doorstep.modules.finance.service import tranches
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.scm import service as scm
from doorstep.modules.scm.schemas import Goods, Purchase

_WHAT_TO_BUY = """
SELECT f.order_id, f.owner_id, f.po_id, o.currency, v.zone, v.working_hours, v.answer_hours,
       v.percentages,
       (SELECT jsonb_agg(jsonb_build_object(
          'fulfilment_line_id', l.id, 'product_id', l.product_id, 'sku', p.sku, 'name', p.name,
          'quantity', l.quantity, 'unit_cost_minor', c.cost_minor) ORDER BY ol.position, l.id)
          FROM fulfilment_line l
          JOIN order_line ol ON ol.id = l.order_line_id
          JOIN product p ON p.id = l.product_id
          LEFT JOIN vendor_product c ON c.vendor_id = f.owner_id AND c.product_id = l.product_id
                                    AND c.currency = o.currency
         WHERE l.fulfilment_id = f.id) AS goods
  FROM fulfilment f
  JOIN customer_order o ON o.id = f.order_id
  JOIN vendor v ON v.id = f.owner_id
 WHERE f.id = $1 AND f.state = 'open'
"""

_OWN = "SELECT fulfilment_id FROM purchase_order WHERE id = $1 AND vendor_id = $2"


async def make_purchase_order(fact: journey.Fact) -> None:
    """Order a vendor's allocated goods from him, with its tranches; nothing for our own goods."""
    if fact.fulfilment["needs_vendor"]:
        await order_from_vendor(fact.fulfilment_id)


@db.transactional
async def order_from_vendor(fulfilment_id: UUID) -> UUID | None:
    """Make the purchase order of a fulfilment with its schedule of tranches, once.

    A product whose cost nobody has entered asks a person, and is tried again every hour: a
    purchase order never carries a guessed price.

    Returns the purchase order's id, or None when none can be made.
    """
    wanted = await db.row(_WHAT_TO_BUY, fulfilment_id)
    if wanted is None or wanted["po_id"] is not None:
        return None if wanted is None else wanted["po_id"]
    uncosted = [line["sku"] for line in wanted["goods"] if line["unit_cost_minor"] is None]
    if uncosted:
        await _ask_for_costs(fulfilment_id, wanted, uncosted)
        return None
    purchase = _purchase(fulfilment_id, wanted)
    if await scm.send_purchase_order(purchase) is None:
        return None
    await tranches.open_schedule(
        purchase.id,
        purchase.vendor_id,
        purchase.currency,
        purchase.total_minor,
        wanted["percentages"],
    )
    await journey.set_po(fulfilment_id, purchase.id)
    await settle.review_purchase_order(purchase.id)
    return purchase.id


def _purchase(fulfilment_id: UUID, wanted: dict[str, Any]) -> Purchase:
    return Purchase(
        id=uuid7(),
        vendor_id=wanted["owner_id"],
        order_id=wanted["order_id"],
        fulfilment_id=fulfilment_id,
        currency=wanted["currency"],
        goods=tuple(_goods(line) for line in wanted["goods"]),
        sent_at=now(),
        answer_within=timedelta(hours=wanted["answer_hours"]),
        zone=wanted["zone"],
        working_hours=wanted["working_hours"],
    )


def _goods(line: dict[str, Any]) -> Goods:
    return Goods(
        fulfilment_line_id=UUID(line["fulfilment_line_id"]),
        product_id=UUID(line["product_id"]),
        sku=line["sku"],
        name=line["name"],
        quantity=line["quantity"],
        unit_cost_minor=line["unit_cost_minor"],
    )


async def _ask_for_costs(fulfilment_id: UUID, wanted: dict[str, Any], skus: list[str]) -> None:
    await outbox.add(
        "helpdesk.open_problem",
        {
            "kind": "cost_missing",
            "title": f"No purchase price in {wanted['currency']}: {', '.join(skus)}",
            "ref": str(fulfilment_id),
            "order_id": str(wanted["order_id"]),
            "fulfilment_id": str(fulfilment_id),
            "owner_role": "admin",
        },
        order_id=wanted["order_id"],
    )
    await outbox.add(
        "flows.order_from_vendor",
        {"fulfilment_id": str(fulfilment_id)},
        order_id=wanted["order_id"],
        run_at=now() + timedelta(hours=1),
    )


@job("flows.order_from_vendor", timeout=15)
@db.transactional
async def order_from_vendor_later(payload: dict[str, Any]) -> None:
    """Try a purchase order again that lacked a price: {fulfilment_id}."""
    fulfilment_id = UUID(payload["fulfilment_id"])
    await journey.lock(fulfilment_id)
    if await order_from_vendor(fulfilment_id) is not None:
        system = Actor.system("flows.order_from_vendor")
        await helpdesk.close_problems("cost_missing", str(fulfilment_id), "Ordered.", system)
    await outbox.done()


async def lock_fulfilment_of(po_id: UUID, actor: Actor) -> UUID:
    """Take the locks in everybody's order: order and fulfilment before the purchase order."""
    fulfilment_id: UUID | None = await db.value(_OWN, po_id, actor.vendor_id)
    if fulfilment_id is None:
        raise scm.PurchaseOrderMissing
    await journey.lock(fulfilment_id)
    return fulfilment_id
