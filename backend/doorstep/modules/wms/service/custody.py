"""Use-cases of custody: who has the goods of a parcel since they left the shelf (SPEC J readings).

Custody follows the last scan: a van, a carrier, the customer, or back to a shelf. The caller holds
the fulfilment's lock, so that the goods of a parcel are in one hand at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.rules import Grade, Lot, Portion, portions

Reason = Literal["ship", "hand_over", "deliver"]

UNIT_STATES: Mapping[Reason, str] = {
    "ship": "shipped",
    "hand_over": "shipped",
    "deliver": "delivered",
}


class GoodsElsewhere(Refusal):
    """Fewer pieces of the parcel are out than would be moved."""

    title = "That many pieces of this parcel are not out."


class Quantity(NamedTuple):
    """Pieces of a line; `serials` name them where it matters which ones."""

    fulfilment_line_id: UUID
    quantity: int
    serials: tuple[str, ...] = ()


async def whereabouts(fulfilment_id: UUID) -> list[Lot]:
    """Tell where the pieces of a parcel are that have left the shelf, line by line."""
    return [Lot(**row) for row in await db.rows(sql.WHEREABOUTS, fulfilment_id)]


async def ship(fulfilment_id: UUID, order_id: UUID, to_location_id: UUID) -> None:
    """Consume the allocation and give the goods to a van or carrier; a repeat moves nothing."""
    ref = f"ship:{fulfilment_id}"
    shipped = await db.rows(sql.CONSUME_ALLOCATIONS, fulfilment_id, now(), to_location_id)
    for row in sorted(shipped, key=lambda row: str(row["id"])):
        await _record(row["id"], -row["quantity"], "ship", ref, order_id)
        await _put(
            to_location_id,
            row["product_id"],
            row["owner_id"],
            row["quantity"],
            "ship",
            ref,
            order_id,
        )
    await db.execute(
        sql.CARRY_UNITS, fulfilment_id, to_location_id, ["picked"], "shipped", None, None
    )


async def pass_on(
    fulfilment_id: UUID,
    order_id: UUID,
    to_location_id: UUID,
    *,
    reason: Reason,
    ref: str,
    goods: Sequence[Quantity] | None = None,
    out_of: Collection[UUID] | None = None,
) -> list[Portion]:
    """Move pieces that are out to another hand: van to van, or to the customer (1013).

    `goods` None means everything that is not there yet; `out_of` limits it to what stands at these
    places. Returns what was moved.

    Raises: GoodsElsewhere.
    """
    moved = await _take(fulfilment_id, order_id, goods, to_location_id, reason, ref, out_of)
    for portion in moved:
        await db.execute(
            sql.ADD_CUSTODY, portion.fulfilment_line_id, to_location_id, portion.quantity
        )
    for (product_id, owner_id), quantity in _sums(moved).items():
        await _put(to_location_id, product_id, owner_id, quantity, reason, ref, order_id)
    await db.execute(
        sql.CARRY_UNITS,
        fulfilment_id,
        to_location_id,
        ["shipped", "delivered"],
        UNIT_STATES[reason],
        _serials(goods),
        None if out_of is None else list(out_of),
    )
    return moved


async def split(
    from_line_id: UUID, to_line_id: UUID, quantity: int, serials: Sequence[str]
) -> None:
    """Let pieces that are out, and their units, belong to another line of the same goods.

    The goods do not move. Units are those named, then any others.

    Raises: GoodsElsewhere.
    """
    left = quantity
    rows = await db.rows(
        "SELECT location_id, quantity FROM custody WHERE fulfilment_line_id = $1"
        " ORDER BY location_id",
        from_line_id,
    )
    for row in rows:
        taken = min(left, row["quantity"])
        if taken:
            await db.execute(sql.LESSEN_CUSTODY, from_line_id, row["location_id"], taken)
            await db.execute(sql.ADD_CUSTODY, to_line_id, row["location_id"], taken)
            left -= taken
    if left:
        raise GoodsElsewhere(str(from_line_id))
    await db.execute(sql.SPLIT_UNITS, from_line_id, to_line_id, list(serials), quantity)


async def take_back(
    fulfilment_id: UUID,
    order_id: UUID,
    to_location_id: UUID,
    *,
    ref: str,
    grade: Grade,
    goods: Sequence[Quantity] | None = None,
) -> list[Portion]:
    """Put pieces that were out on a shelf again, to their owner's account, under a grade.

    `scrap` goes to no shelf: it leaves the stock. Units are free for other orders afterwards if
    they are sellable. `goods` None means everything that is out. Returns what came back.

    Raises: GoodsElsewhere.
    """
    scrapped = grade == "scrap"
    reason = "scrap" if scrapped else "return"
    back = await _take(fulfilment_id, order_id, goods, None, reason, ref)
    if not scrapped:
        for (product_id, owner_id), quantity in _sums(back).items():
            await _put(to_location_id, product_id, owner_id, quantity, reason, ref, order_id, grade)
    await db.execute(
        sql.UNITS_BACK,
        fulfilment_id,
        to_location_id,
        None if scrapped else grade,
        _serials(goods),
        [portion.fulfilment_line_id for portion in back],
    )
    return back


async def write_off(fulfilment_id: UUID, order_id: UUID, *, ref: str) -> list[Portion]:
    """Take pieces that nobody can find any more out of the stock (lost by the carrier)."""
    lost = await _take(fulfilment_id, order_id, None, None, "scrap", ref)
    await db.execute(
        sql.UNITS_BACK, fulfilment_id, None, None, None, [one.fulfilment_line_id for one in lost]
    )
    return lost


async def _take(
    fulfilment_id: UUID,
    order_id: UUID,
    goods: Sequence[Quantity] | None,
    towards: UUID | None,
    reason: str,
    ref: str,
    out_of: Collection[UUID] | None = None,
) -> list[Portion]:
    """Take pieces out of the hands they are in; nothing is put anywhere yet."""
    out = [
        lot
        for lot in await whereabouts(fulfilment_id)
        if lot.location_id != towards and (out_of is None or lot.location_id in out_of)
    ]
    wanted: dict[UUID, int] | None = None
    if goods is not None:
        wanted = defaultdict(int)
        for one in goods:
            wanted[one.fulfilment_line_id] += one.quantity
    taken = portions(out, wanted, await _where_named(goods or ()))
    if taken is None:
        raise GoodsElsewhere(str(fulfilment_id))
    by_place: dict[tuple[UUID, UUID, UUID | None], int] = defaultdict(int)
    for portion in taken:
        by_place[portion.location_id, portion.product_id, portion.owner_id] += portion.quantity
        await db.execute(
            sql.LESSEN_CUSTODY, portion.fulfilment_line_id, portion.location_id, portion.quantity
        )
    for (location_id, product_id, owner_id), quantity in sorted(by_place.items(), key=str):
        stock_id = await db.value(sql.TAKE_FROM, product_id, location_id, owner_id, quantity)
        if stock_id is None:
            raise GoodsElsewhere(str(fulfilment_id))
        await _record(stock_id, -quantity, reason, ref, order_id)
    return taken


async def _where_named(goods: Sequence[Quantity]) -> dict[tuple[UUID, UUID], int]:
    """Count the units that are named by serial, by line and place."""
    named = [(one.fulfilment_line_id, serial) for one in goods for serial in one.serials]
    if not named:
        return {}
    rows = await db.rows(
        sql.NAMED_UNITS, [line_id for line_id, _ in named], [serial for _, serial in named]
    )
    return {(row["fulfilment_line_id"], row["location_id"]): row["quantity"] for row in rows}


def _sums(moved: Sequence[Portion]) -> dict[tuple[UUID, UUID | None], int]:
    sums: dict[tuple[UUID, UUID | None], int] = defaultdict(int)
    for portion in sorted(moved, key=lambda one: str(one.product_id)):
        sums[portion.product_id, portion.owner_id] += portion.quantity
    return sums


def _serials(goods: Sequence[Quantity] | None) -> list[str] | None:
    """Name the units that move; None means all units of the parcel."""
    return None if goods is None else [serial for one in goods for serial in one.serials]


async def _put(
    location_id: UUID,
    product_id: UUID,
    owner_id: UUID | None,
    quantity: int,
    reason: str,
    ref: str,
    order_id: UUID | None,
    grade: Grade = "sellable",
) -> None:
    stock_id = await db.value(
        sql.PUT_INTO, uuid7(), product_id, location_id, owner_id, quantity, grade
    )
    await _record(stock_id, quantity, reason, ref, order_id)


async def _record(
    stock_id: UUID, quantity: int, reason: str, ref: str, order_id: UUID | None
) -> None:
    await db.execute(sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, reason, ref, order_id, now())
