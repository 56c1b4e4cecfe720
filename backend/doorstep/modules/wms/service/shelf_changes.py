"""Changes of a shelf that no order asked for: why one cannot be booked, and booking it (C3).

Stock never falls below what is promised to orders. A unit that is gone becomes scrapped, one that
is found comes into being or comes back.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql
from doorstep.modules.wms.rules.adjusting import ShelfGrade


class StockPromised(Refusal):
    """Fewer pieces are free than would be taken away."""

    title = "So many pieces are not free here: the others are promised to orders."


class SerialsNotHere(Refusal):
    """A named unit is not free on this shelf, or stands somewhere already."""

    title = "One of the serials is not where it would have to be."


class Change(NamedTuple):
    """What is to be adjusted: a shelf, and pieces more (+), fewer (-) or of another grade."""

    location_id: UUID
    product_id: UUID
    owner_id: UUID | None
    grade: ShelfGrade
    quantity: int
    serials: tuple[str, ...]
    to_grade: ShelfGrade | None = None

    @property
    def taken(self) -> int:
        """How many pieces leave the shelf of `grade`."""
        return self.quantity if self.to_grade else max(0, -self.quantity)


LOCK_SHELF = """
SELECT on_hand - held - allocated AS free FROM stock
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   FOR NO KEY UPDATE
"""

TAKE = """
UPDATE stock SET on_hand = on_hand - $5
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND on_hand - held - allocated >= $5
RETURNING id
"""

# Units on this very shelf that nobody has picked.
STANDING = """
SELECT count(*)::int FROM unit
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND serial = ANY ($5) AND state = 'in_stock'
"""

CHANGE_UNITS = """
UPDATE unit SET state = $6, grade = $7
 WHERE product_id = $1 AND location_id = $2 AND owner_id IS NOT DISTINCT FROM $3 AND grade = $4
   AND serial = ANY ($5) AND state = 'in_stock'
"""

# A unit that was written off, here or on the road, may be found again, to its owner's account.
ELSEWHERE = """
SELECT serial, state <> 'scrapped' AS stands FROM unit
 WHERE product_id = $1 AND serial = ANY ($2)
   AND NOT (state = 'scrapped' AND owner_id IS NOT DISTINCT FROM $3) ORDER BY serial
"""


async def obstacle(change: Change) -> Refusal | None:
    """Lock the shelf and tell why the change cannot be booked on it; None when it can."""
    shelf = await db.row(LOCK_SHELF, *_place(change))
    free = shelf["free"] if shelf else 0
    if change.taken > free:
        return StockPromised(f"{free} pieces are free here.", free=free)
    serials = list(change.serials)
    if not serials:
        return None
    if change.taken:
        if await db.value(STANDING, *_place(change), serials) != len(serials):
            return SerialsNotHere("Not every serial stands free on this shelf.")
        return None
    elsewhere = await db.rows(ELSEWHERE, change.product_id, serials, change.owner_id)
    if stand := [row["serial"] for row in elsewhere if row["stands"]]:
        return SerialsNotHere(f"Known elsewhere, or here already: {', '.join(stand)}.")
    if elsewhere:
        names = ", ".join(row["serial"] for row in elsewhere)
        return SerialsNotHere(f"They belong to another owner: {names}.")
    return None


def _place(change: Change) -> tuple[Any, ...]:
    return (change.product_id, change.location_id, change.owner_id, change.grade)


async def book(change: Change, ref: str) -> None:
    """Move the pieces of a change, with a movement under `ref`; the caller has found no obstacle.

    Raises: StockPromised, SerialsNotHere.
    """
    if change.taken:
        taken = await db.value(TAKE, *_place(change), change.taken)
        if taken is None:
            raise StockPromised
        await _record(taken, -change.taken, ref)
    if change.to_grade is not None:
        await _put(change, change.to_grade, change.quantity, ref)
    elif change.quantity > 0:
        await _put(change, change.grade, change.quantity, ref)
    if change.serials and await _change_units(change) != len(change.serials):
        raise SerialsNotHere


async def _put(change: Change, grade: ShelfGrade, quantity: int, ref: str) -> None:
    stock_id = await db.value(
        sql.PUT_INTO,
        uuid7(),
        change.product_id,
        change.location_id,
        change.owner_id,
        quantity,
        grade,
    )
    await _record(stock_id, quantity, ref)


async def _record(stock_id: UUID, quantity: int, ref: str) -> None:
    await db.execute(sql.RECORD_MOVEMENT, uuid7(), stock_id, quantity, "adjust", ref, None, now())


async def _change_units(change: Change) -> int:
    serials = list(change.serials)
    if change.taken:
        state = "in_stock" if change.to_grade else "scrapped"
        return await db.execute(
            CHANGE_UNITS, *_place(change), serials, state, change.to_grade or change.grade
        )
    return await db.execute(
        sql.ADD_UNITS,
        change.product_id,
        change.owner_id,
        change.location_id,
        serials,
        change.grade,
    )
