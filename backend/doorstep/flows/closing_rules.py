"""Pure decisions about closing: what of an order's parcels is not finished, in words (P18)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from doorstep.journey.rules import label
from doorstep.journey.stages import STAGES, Flags

FEEDBACK, SETTLEMENT = 1016, 1017

TOLD_ELSEWHERE = frozenset({FEEDBACK, SETTLEMENT})
"""Feedback may be missing for good; what is open of the money is told tranche by tranche."""


class ParcelState(Struct, frozen=True, kw_only=True):
    """A fulfilment, as far as closing cares; one that has ended is finished."""

    parcel: int
    ended: bool
    passed: list[int]
    needs_vendor: bool
    needs_install: bool
    has_warranty: bool
    collection: bool


def unfinished(parcels: Sequence[ParcelState]) -> list[str]:
    """Name the first stage that each living parcel still waits for."""
    words = []
    for parcel in parcels:
        missing = None if parcel.ended else _first_missing(parcel)
        if missing is not None:
            words.append(f"Parcel {parcel.parcel} waits for {label(missing)}.")
    return words


def _first_missing(parcel: ParcelState) -> int | None:
    flags = Flags(
        needs_vendor=parcel.needs_vendor,
        needs_install=parcel.needs_install,
        has_warranty=parcel.has_warranty,
        collection=parcel.collection,
    )
    for stage in STAGES:
        if stage.code in parcel.passed or stage.code in TOLD_ELSEWHERE:
            continue
        if stage.applies_if(flags) and stage.optional not in parcel.passed:
            return stage.code
    return None


def window_words(ends_at: datetime | None, at: datetime) -> list[str]:
    """Say until when the customer may return what he has; nothing once that is over.

    `ends_at` is None while a parcel is on its way, and when none is left.
    """
    if ends_at is None or ends_at <= at:
        return []
    return [f"Goods may be returned until {ends_at:%Y-%m-%d %H:%M} UTC."]


def window_over(parcels: Sequence[ParcelState], ends_at: datetime | None, at: datetime) -> bool:
    """Tell whether nothing can come back in time any more; at once when no parcel is left."""
    if all(parcel.ended for parcel in parcels):
        return True
    return ends_at is not None and ends_at <= at
