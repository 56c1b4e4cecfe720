"""Magento orders beyond what the sandbox sells: parents and children, virtual goods."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from doorstep.sandbox.shop import build_order, encode

PLACED_AT = datetime(2026, 1, 10, 9, 30, tzinfo=UTC)

Json = dict[str, Any]


def order(channel: str = "AE", **arguments: Any) -> Json:
    """An order from the sandbox's builder, placed at `PLACED_AT`."""
    return build_order(channel, placed_at=PLACED_AT, **arguments)


def item(item_id: int, sku: str, **fields: Any) -> Json:
    """An order item that costs nothing unless told otherwise."""
    return {
        "item_id": item_id,
        "sku": sku,
        "name": sku.title(),
        "product_type": "simple",
        "qty_ordered": 1,
        "price": 0,
        "row_total": 0,
        "tax_amount": 0,
        "discount_amount": 0,
        "is_virtual": 0,
        **fields,
    }


def order_of(items: list[Json], grand_total: str, **fields: Any) -> bytes:
    """An AED order of these items without delivery costs, as bytes."""
    content = order()
    content.update(
        items=items,
        grand_total=Decimal(grand_total),
        shipping_amount=0,
        shipping_incl_tax=0,
        **fields,
    )
    content["payment"].update(amount_paid=Decimal(grand_total))
    return encode(content)


__all__ = ["PLACED_AT", "encode", "item", "order", "order_of"]
