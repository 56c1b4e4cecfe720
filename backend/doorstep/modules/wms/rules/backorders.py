"""Which short goods an announced arrival will cover, and when: pure, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID


class ShortParcel(NamedTuple):
    """Goods that wait for stock: pieces by product; a vendor who has said no does not count."""

    id: UUID
    pieces: Mapping[UUID, int]
    refused: frozenset[UUID] = frozenset()


class Coming(NamedTuple):
    """Pieces of a product that are announced; `owner_id` None means our own."""

    product_id: UUID
    pieces: int
    expected_on: date
    owner_id: UUID | None = None


def expected_dates(waiting: Sequence[ShortParcel], coming: Sequence[Coming]) -> dict[UUID, date]:
    """Tell by when each parcel is covered wholly, the first of `waiting` served first.

    Each takes the earliest pieces. One that is not covered wholly takes none and gets no date.
    """
    arrivals = sorted(coming, key=lambda one: one.expected_on)
    left = [arrival.pieces for arrival in arrivals]
    dates = {}
    for parcel in waiting:
        taken = _take(parcel, arrivals, left)
        if taken:
            dates[parcel.id] = max(arrivals[n].expected_on for n in taken)
            for n, pieces in taken.items():
                left[n] -= pieces
    return dates


def _take(parcel: ShortParcel, arrivals: Sequence[Coming], left: Sequence[int]) -> dict[int, int]:
    """Choose pieces of the arrivals for a parcel (index → pieces); none if they are too few."""
    taken: dict[int, int] = {}
    for product_id, wanted in parcel.pieces.items():
        lacking = wanted
        for n, arrival in enumerate(arrivals):
            if arrival.product_id == product_id and arrival.owner_id not in parcel.refused:
                share = min(lacking, left[n])
                lacking -= share
                if share:
                    taken[n] = share
        if lacking:
            return {}
    return taken
