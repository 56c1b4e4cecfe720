"""What the warehouse floor sends."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Moment = Annotated[datetime, Meta(tz=True)]
"""A device's own time: shown and kept, never trusted for order or money."""

ScanCode = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]


class QcScan(Struct, kw_only=True, forbid_unknown_fields=True):
    """One beep: `scan_uid` is made by the scanner, so a repeat is known."""

    scan_uid: UUID
    code: ScanCode
    captured_at: Moment


class PackedPiece(Struct, kw_only=True, forbid_unknown_fields=True):
    """One box as it stands on the scale: grams and millimetres."""

    weight_g: Annotated[int, Meta(ge=1, le=2_000_000)]
    length_mm: Annotated[int, Meta(ge=1, le=20_000)]
    width_mm: Annotated[int, Meta(ge=1, le=20_000)]
    height_mm: Annotated[int, Meta(ge=1, le=20_000)]
