"""Use-cases of stock: receiving, allocating, giving back (SPEC J, stock arithmetic)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.rules import Grade, Offer
from doorstep.modules.wms.tables import Location


class HoldLost(Refusal):
    """The stock that intake held is no longer reserved for this fulfilment."""

    title = "The goods are no longer held for this order."


class SerialKnown(Refusal):
    """A serial number was received before."""

    title = "A unit with this serial number is already known."


@db.transactional
async def receive(
    location_id: UUID,
    product_id: UUID,
    owner_id: UUID | None,
    quantity: int,
    *,
    ref: str,
    serials: list[str] | None = None,
    grade: Grade = "sellable",
) -> None:
    """Put goods on a shelf: more on hand, one movement, one unit per serial. Once per `ref`.

    Raises: SerialKnown.
    """
    stock_id = await db.value(
        sql.PUT_INTO, uuid7(), product_id, location_id, owner_id, quantity, grade
    )
    await db.execute(sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, "receive", ref, None, now())
    if serials:
        added = await db.execute(sql.ADD_UNITS, product_id, owner_id, location_id, serials, grade)
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


async def release(fulfilment_id: UUID) -> int:
    """Give back what is held or allocated for a parcel, and its picked units; once.

    Returns how many reservations were given back.
    """
    released = await db.rows(sql.RELEASE_RESERVATIONS, fulfilment_id, now())
    await db.execute(sql.UNITS_TO_SHELF, fulfilment_id)
    return len(released)


async def lessen(fulfilment_line_id: UUID, by: int) -> None:
    """Give back a part of what is reserved for a line; all of it where no more is reserved."""
    await db.execute(sql.LESSEN_RESERVATION, fulfilment_line_id, by, now())


async def forget_lines(fulfilment_line_ids: Sequence[UUID]) -> None:
    """Forget the given-back reservations of lines that go to another fulfilment."""
    await db.execute(
        "DELETE FROM reservation WHERE fulfilment_line_id = ANY ($1) AND state = 'released'",
        fulfilment_line_ids,
    )


async def free_stock(
    channel_id: UUID, product_ids: Sequence[UUID], *, without_owners: Sequence[UUID] = ()
) -> list[Offer]:
    """List what is free of these products and lock it, so that the caller can hold of it."""
    found = await db.rows(sql.FREE_STOCK, channel_id, product_ids, list(without_owners))
    return [Offer(**row) for row in found]


async def hold(
    order_id: UUID, fulfilment_line_id: UUID, stock_id: UUID, quantity: int, until: datetime | None
) -> None:
    """Hold pieces for a line; the caller has locked the stock by `free_stock`.

    Raises: HoldLost when there is less than that.
    """
    if not await db.execute(
        sql.HOLD, order_id, stock_id, fulfilment_line_id, quantity, until, now()
    ):
        raise HoldLost(f"Less than {quantity} are free.")


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
