"""Use-cases of stock: receiving, allocation, and goods that change hands (SPEC J, stock arithmetic)."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.tables import Location


class HoldLost(Refusal):
    """The stock that intake held is no longer reserved for this fulfilment."""

    title = "The goods are no longer held for this order."


class StockMissing(Refusal):
    """A movement would take more from a place than lies free there."""

    title = "There is not that much free stock at this place."


class SerialKnown(Refusal):
    """A serial number was received before."""

    title = "A unit with this serial number is already known."


class Moved(NamedTuple):
    """A quantity of one owner's product that left a place."""

    product_id: UUID
    owner_id: UUID | None
    quantity: int


@db.transactional
async def receive(
    location_id: UUID,
    product_id: UUID,
    owner_id: UUID | None,
    quantity: int,
    *,
    ref: str,
    serials: list[str] | None = None,
) -> None:
    """Put goods on a shelf: more on hand, one movement, one unit per serial. Once per `ref`.

    Raises: SerialKnown.
    """
    await _put(location_id, Moved(product_id, owner_id, quantity), "receive", ref, None)
    if serials:
        added = await db.execute(sql.ADD_UNITS, product_id, owner_id, location_id, serials)
        if added != len(serials):
            raise SerialKnown(f"{len(serials) - added} of the serials are already known.")


async def allocate(fulfilment_id: UUID) -> list[UUID]:
    """Turn every hold of the fulfilment into an allocation; return the reservations.

    Raises: HoldLost when a line's hold has expired or was never there.
    """
    bare = await db.rows(sql.LINES_WITHOUT_RESERVATION, fulfilment_id)
    if bare:
        names = ", ".join(f"{line['quantity']} × {line['sku']}" for line in bare)
        raise HoldLost(f"No stock is held for {names}.", skus=[line["sku"] for line in bare])
    allocated = await db.rows(sql.HOLDS_TO_ALLOCATIONS, fulfilment_id)
    return [row["id"] for row in allocated]


async def ship(fulfilment_id: UUID, order_id: UUID, to_location_id: UUID) -> list[Moved]:
    """Consume the allocation and move the goods to a carrier or van; once, a repeat moves nothing."""
    ref = f"ship:{fulfilment_id}"
    shipped = await db.rows(sql.CONSUME_ALLOCATIONS, fulfilment_id, now())
    moved = []
    for row in sorted(shipped, key=lambda row: str(row["id"])):
        await _record(row["id"], -row["quantity"], "ship", ref, order_id)
        move = Moved(row["product_id"], row["owner_id"], row["quantity"])
        await _put(to_location_id, move, "ship", ref, order_id)
        moved.append(move)
    await _carry_units(fulfilment_id, to_location_id, "picked", "shipped")
    return moved


async def deliver(
    fulfilment_id: UUID, order_id: UUID, from_location_id: UUID, to_location_id: UUID
) -> list[Moved]:
    """Move the goods of a fulfilment from the carrier to the customer; once.

    Raises: StockMissing when the carrier does not hold them.
    """
    ref = f"deliver:{fulfilment_id}"
    moves = [
        Moved(row["product_id"], row["owner_id"], row["quantity"])
        for row in await db.rows(
            "SELECT l.product_id, f.owner_id, sum(l.quantity)::int AS quantity"
            " FROM fulfilment_line l JOIN fulfilment f ON f.id = l.fulfilment_id"
            " WHERE f.id = $1 AND NOT EXISTS (SELECT FROM stock_movement m"
            "   WHERE m.reason = 'deliver' AND m.ref = $2 AND m.order_id = $3)"
            " GROUP BY l.product_id, f.owner_id ORDER BY l.product_id",
            fulfilment_id,
            ref,
            order_id,
        )
    ]
    for move in moves:
        taken = await db.value(
            sql.TAKE_FROM, move.product_id, from_location_id, move.owner_id, move.quantity
        )
        if taken is None:
            raise StockMissing(f"{move.quantity} of {move.product_id}")
        await _record(taken, -move.quantity, "deliver", ref, order_id)
        await _put(to_location_id, move, "deliver", ref, order_id)
    await _carry_units(fulfilment_id, to_location_id, "shipped", "delivered")
    return moves


async def _put(
    location_id: UUID, move: Moved, reason: str, ref: str, order_id: UUID | None
) -> None:
    stock_id = await db.value(
        sql.PUT_INTO, uuid7(), move.product_id, location_id, move.owner_id, move.quantity
    )
    await _record(stock_id, move.quantity, reason, ref, order_id)


async def _record(
    stock_id: UUID, quantity: int, reason: str, ref: str, order_id: UUID | None
) -> None:
    await db.execute(sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, reason, ref, order_id, now())


async def _carry_units(fulfilment_id: UUID, to: UUID, before: str, after: str) -> None:
    await db.execute(
        "UPDATE unit SET location_id = $2, state = $4 WHERE state = $3 AND fulfilment_line_id IN"
        " (SELECT id FROM fulfilment_line WHERE fulfilment_id = $1)",
        fulfilment_id,
        to,
        before,
        after,
    )


async def place_of_kind(channel_id: UUID, kind: str) -> UUID:
    """Find the location that stands for the channel's carrier, or for its customers.

    Raises: RowMissing when the channel was set up without one.
    """
    place = (
        await Location.select(Location.id)
        .where(Location.channel_id == channel_id, Location.kind == kind)
        .order_by(Location.code)
        .first()
    )
    if place is None:
        raise db.RowMissing(f"channel {channel_id} has no location of the kind {kind}")
    found: UUID = place["id"]
    return found


async def save_location(values: dict[str, Any]) -> UUID:
    """Add a location, or change the one with this code; return its id."""
    saved: UUID = await db.value(
        "INSERT INTO location (id, code, name, kind, channel_id, vendor_id, erp_store_id, city)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (code) DO UPDATE SET"
        " name = EXCLUDED.name, erp_store_id = EXCLUDED.erp_store_id RETURNING id",
        uuid7(),
        values["code"],
        values["name"],
        values["kind"],
        values["channel_id"],
        values.get("vendor_id"),
        values.get("erp_store_id"),
        values.get("city", ""),
    )
    return saved
