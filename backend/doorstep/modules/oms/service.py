"""Use-cases of oms: its catalogue, what an order's documents are, and what the shop tells later."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.oms.schemas import ChannelData, ProductData
from doorstep.modules.oms.tables import PaymentLine


async def save_channel(channel: ChannelData) -> UUID:
    """Add a sales channel, or change the one with this code; return its id."""
    values = msgspec.structs.asdict(channel)
    return await _save("channel", "code", values)


async def save_product(product: ProductData) -> UUID:
    """Add a product to the catalogue, or change the one with this SKU; return its id."""
    values = msgspec.structs.asdict(product)
    values["accessories"] = msgspec.to_builtins(product.accessories)
    return await _save("product", "sku", values)


async def _save(table: str, key: str, values: dict[str, Any]) -> UUID:
    columns = ["id", *values]
    marks = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in values if name != key)
    # Table and column names come from our own structs, never from a request.
    sql = (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608
        f" ON CONFLICT ({key}) DO UPDATE SET {changes} RETURNING id"
    )
    saved: UUID = await db.value(sql, uuid7(), *values.values())
    return saved


async def add_document(
    order_id: UUID, fulfilment_id: UUID | None, kind: str, sha256: str, language: str = "en"
) -> UUID:
    """Attach a rendered document (invoice, label, packing_slip, return_form) to an order, once.

    A document rendered again replaces the reference; its bytes stay in the blob store.
    """
    added: UUID = await db.value(
        "INSERT INTO order_document (id, order_id, fulfilment_id, kind, language, sha256, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)"
        " ON CONFLICT ON CONSTRAINT order_document_once DO UPDATE SET sha256 = EXCLUDED.sha256"
        " RETURNING id",
        uuid7(),
        order_id,
        fulfilment_id,
        kind,
        language,
        sha256,
        now(),
    )
    return added


async def take_shop_payments(order_id: UUID, captured_references: list[str]) -> int:
    """Mark payment lines as captured that the shop's newer record shows so; return how many.

    The gateway's webhook may have said it before: a line is captured once.
    """
    captured = (
        await PaymentLine.update(
            {PaymentLine.state: "captured", PaymentLine.captured_minor: PaymentLine.amount_minor}
        )
        .where(
            PaymentLine.order_id == order_id,
            PaymentLine.reference.is_in(captured_references),
            PaymentLine.state.is_in(["pending", "authorised"]),
        )
        .returning(PaymentLine.id)
    )
    return len(captured)


async def note_cancelled(order_id: UUID) -> None:
    """Mark an order as cancelled once every parcel of it has ended so."""
    await db.execute(
        "UPDATE customer_order SET state = 'cancelled' WHERE id = $1 AND state = 'open'"
        " AND NOT EXISTS (SELECT FROM fulfilment f WHERE f.order_id = $1"
        "   AND (f.state = 'open' OR f.ended_as = 'returned'))",
        order_id,
    )
