"""Goods that were received go to their shelf: bought ones, returned ones, those of a transfer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.rules import Grade
from doorstep.modules.wms.service import custody, stock
from doorstep.modules.wms.service.receiving import Arrival, is_return


class TransferShort(Refusal):
    """The goods are not free any more where the transfer comes from."""

    title = "The place these goods come from has fewer of them."


class Booked(NamedTuple):
    """Pieces of a line that were booked under a grade."""

    line_id: UUID
    fulfilment_line_id: UUID | None
    product_id: UUID
    grade: Grade
    quantity: int
    serials: list[str]


CARRY_OVER = """
UPDATE unit SET location_id = $4, grade = $5
 WHERE product_id = $1 AND serial = ANY ($2) AND location_id = $3 AND state = 'in_stock'
"""


async def put_away(
    arrival: Arrival, receipt_id: UUID, booked: Sequence[Booked], location_id: UUID
) -> None:
    """Move what a receipt has booked to where it is received; the arrival's lock is held.

    Raises: GoodsElsewhere, SerialKnown, TransferShort.
    """
    if is_return(arrival):
        await _take_back(arrival, receipt_id, booked, location_id)
        return
    for one in booked:
        ref = f"receipt:{receipt_id}:{one.line_id}"
        if arrival.kind == "purchase":
            await stock.receive(
                location_id,
                one.product_id,
                arrival.owner_id,
                one.quantity,
                ref=ref,
                serials=one.serials or None,
                grade=one.grade,
            )
        else:
            await _carry_over(arrival, one, location_id, ref)


async def _take_back(
    arrival: Arrival, receipt_id: UUID, booked: Sequence[Booked], location_id: UUID
) -> None:
    if arrival.fulfilment_id is None or arrival.order_id is None:
        raise db.RowMissing(f"return {arrival.number} names no parcel")
    for grade in get_args(Grade):
        goods = [
            custody.Quantity(one.fulfilment_line_id, one.quantity, tuple(one.serials))
            for one in booked
            if one.grade == grade and one.fulfilment_line_id is not None
        ]
        if goods:
            await custody.take_back(
                arrival.fulfilment_id,
                arrival.order_id,
                location_id,
                ref=f"receipt:{receipt_id}:{grade}",
                grade=grade,
                goods=goods,
            )


async def _carry_over(arrival: Arrival, one: Booked, location_id: UUID, ref: str) -> None:
    """Take pieces from the shelf a transfer comes from; the sum of the stock stays what it is."""
    source = await db.value(
        sql.TAKE_FROM, one.product_id, arrival.from_location_id, arrival.owner_id, one.quantity
    )
    if source is None:
        raise TransferShort(arrival.number)
    target = await db.value(
        sql.PUT_INTO,
        uuid7(),
        one.product_id,
        location_id,
        arrival.owner_id,
        one.quantity,
        one.grade,
    )
    for stock_id, quantity in ((source, -one.quantity), (target, one.quantity)):
        await db.execute(
            sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, "hand_over", ref, None, now()
        )
    carried = await db.execute(
        CARRY_OVER, one.product_id, one.serials, arrival.from_location_id, location_id, one.grade
    )
    if carried != len(one.serials):
        raise TransferShort(arrival.number)
