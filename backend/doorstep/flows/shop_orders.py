"""Orders of the shop come in by polling, and the shop is told when goods have left (O1, C12)."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from doorstep import journey, ports
from doorstep.core import db, inbox, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import job, recurring
from doorstep.flows.place_order import place_order
from doorstep.modules.oms import service as oms
from doorstep.settings import settings

LOOK_BACK = timedelta(days=7)
"""How far the very first poll reaches into the past."""


@recurring("flows.poll_shop", every=settings().shop_poll_seconds, queue="shop")
async def poll_shop(_payload: dict[str, Any]) -> None:
    """Fetch changed orders and store them raw; each version once. The mark moves when all are in."""
    if not settings().shop_url:
        return
    name = settings().shop_channel
    mark = await db.value("SELECT updated_at FROM shop_watermark WHERE shop = $1", name)
    failpoint("shop.before_fetch")
    fetched = await ports.shop().orders_since(mark or now() - LOOK_BACK)
    failpoint("shop.after_fetch")
    for order in fetched:
        await inbox.receive("shop", order.source_id, order.body, {})
    if fetched:
        newest = max(order.updated_at for order in fetched)
        await db.execute(
            "INSERT INTO shop_watermark (shop, updated_at) VALUES ($1, $2)"
            " ON CONFLICT (shop) DO UPDATE SET updated_at = greatest(shop_watermark.updated_at, $2)",
            name,
            newest.replace(tzinfo=UTC) if newest.tzinfo is None else newest,
        )


@inbox.handler("shop")
async def take_shop_order(message: inbox.Message) -> None:
    """Place the order; a newer version of a known one may bring the shop's word that it is paid."""
    order = ports.shop().read(message.body)
    placed = await place_order(
        order, actor=Actor.system("shop", source="webhook"), may_be_short=True
    )
    paid = [payment.reference for payment in order.payments if payment.state == "captured"]
    if placed.outcome == "known" and paid:
        await _take_payments(placed.order_id, paid, message)


@db.transactional
async def _take_payments(order_id: UUID, references: list[str], message: inbox.Message) -> None:
    if await oms.take_shop_payments(order_id, references):
        await outbox.add(
            "flows.verify_payment",
            {"order_id": order_id},
            order_id=order_id,
            key=f"verify:{order_id}:{message.id}",
        )


async def tell_shop_shipped(fact: journey.Fact) -> None:
    """Have the shop told the AWB and what left under it (1009)."""
    await outbox.add(
        "flows.tell_shop_shipped",
        {"fulfilment_id": fact.fulfilment_id},
        order_id=fact.order_id,
        key=f"shop_shipped:{fact.fulfilment_id}:{fact.attempt}",
    )


_SHIPPED = """
SELECT o.external_entity_id, s.awb, c.name AS carrier, l.shop_source_code,
       (SELECT jsonb_agg(jsonb_build_object('id', ol.external_item_id, 'quantity', fl.quantity))
          FROM fulfilment_line fl JOIN order_line ol ON ol.id = fl.order_line_id
         WHERE fl.fulfilment_id = f.id) AS items
  FROM fulfilment f JOIN customer_order o ON o.id = f.order_id
  JOIN shipment s ON s.fulfilment_id = f.id JOIN carrier c ON c.id = s.carrier_id
  JOIN location l ON l.id = f.location_id
 WHERE f.id = $1 AND o.external_entity_id <> '' ORDER BY s.created_at DESC LIMIT 1
"""


@job("flows.tell_shop_shipped", queue="shop")
async def report_shipment(payload: dict[str, Any]) -> None:
    """Report the shipment to the shop; an order of our own API has no shop to tell."""
    shipped = await db.row(_SHIPPED, UUID(payload["fulfilment_id"]))
    if shipped is None or not settings().shop_url:
        return
    failpoint("shop.before_ship")
    await ports.shop().ship(
        shipped["external_entity_id"],
        [
            ports.ShippedItem(external_item_id=item["id"], quantity=item["quantity"])
            for item in shipped["items"]
        ],
        ports.Track(
            number=shipped["awb"],
            title=shipped["carrier"],
            source_code=shipped["shop_source_code"] or "",
        ),
    )
    failpoint("shop.after_ship")
