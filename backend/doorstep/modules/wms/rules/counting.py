"""Decisions of cycle counts: which shelves are counted next, and what a count says. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from doorstep.modules.wms.rules.adjusting import ShelfGrade

AbcClass = Literal["A", "B", "C"]

COUNT_EVERY_DAYS: Mapping[AbcClass, int] = {"A": 30, "B": 90, "C": 180}
"""What ships most is counted most often."""

SHARE_OF_A, SHARE_OF_B = 0.8, 0.95
"""A ships the first 80 % of all pieces, B up to 95 %, C the rest and what does not ship at all."""


class Shelf(NamedTuple):
    """One owner's pieces of a SKU under a grade: how many have shipped lately, when it was counted."""

    product_id: UUID
    owner_id: UUID | None
    grade: ShelfGrade
    sku: str
    shipped: int
    counted_at: datetime | None


class DueShelf(NamedTuple):
    """A shelf to be counted, and its class."""

    shelf: Shelf
    abc: AbcClass


def classes(shelves: Sequence[Shelf]) -> list[DueShelf]:
    """Sort the shelves of a location into A, B and C by the pieces that have shipped."""
    ranked = sorted(shelves, key=lambda one: (-one.shipped, one.sku, str(one.owner_id), one.grade))
    total = sum(one.shipped for one in ranked)
    sorted_in: list[DueShelf] = []
    before = 0
    for shelf in ranked:
        share = before / total if total and shelf.shipped else 1.0
        abc: AbcClass = "A" if share < SHARE_OF_A else "B" if share < SHARE_OF_B else "C"
        sorted_in.append(DueShelf(shelf, abc))
        before += shelf.shipped
    return sorted_in


def due_shelves(shelves: Sequence[Shelf], today: datetime, most: int) -> list[DueShelf]:
    """Choose at most `most` shelves that are due, the longest overdue first; never counted is most."""

    def overdue(one: DueShelf) -> float:
        if one.shelf.counted_at is None:
            return float("inf")
        return (today - one.shelf.counted_at).days / COUNT_EVERY_DAYS[one.abc]

    due = [one for one in classes(shelves) if overdue(one) >= 1]
    due.sort(key=lambda one: (-overdue(one), one.abc, one.shelf.sku))
    return due[:most]


class Judged(NamedTuple):
    """What a count says: kept with its difference, or to be counted again."""

    verdict: Literal["kept", "again"]
    difference: int = 0
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


def judge(counted: int, when_captured: int, when_recorded: int, *, moved: bool) -> Judged:
    """Compare a count with the books of the counted moment.

    A phone tells when it counted, but its clock decides nothing. So the books are read twice, as
    they stood then and as they stand when the count arrives; a count that agrees with either is
    right. Where goods moved in between and it agrees with neither, the shelf is counted again,
    so what moved never shows as a difference.
    """
    if counted in (when_captured, when_recorded):
        return Judged("kept")
    if moved:
        return Judged("again")
    return Judged("kept", counted - when_recorded)


def judge_serials(counted: Collection[str], standing: Collection[str], *, moved: bool) -> Judged:
    """Compare counted serials with the units that stand there: which are missing, which are extra."""
    missing = tuple(sorted(set(standing) - set(counted)))
    extra = tuple(sorted(set(counted) - set(standing)))
    if not missing and not extra:
        return Judged("kept")
    if moved:
        return Judged("again")
    return Judged("kept", len(extra) - len(missing), missing, extra)
