"""What the warehouse floor sends."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.core.captures import Captured, Moment
from doorstep.modules.wms.rules import Grade
from doorstep.modules.wms.rules.adjusting import AdjustmentReason, ShelfGrade

ScanCode = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]


class QcScan(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """One beep: `scan_uid` is made by the scanner, so a repeat is known."""

    scan_uid: UUID
    code: ScanCode
    captured_at: Moment


class PieceOfLine(Struct, kw_only=True, forbid_unknown_fields=True):
    """The n-th of the boxes that the goods of a line make, in the order of their units, from 1."""

    fulfilment_line_id: UUID
    n: Annotated[int, Meta(ge=1, le=10_000)]


class PackedPiece(Struct, kw_only=True, forbid_unknown_fields=True):
    """One box as it stands on the scale, in grams and millimetres, and the goods that are in it."""

    weight_g: Annotated[int, Meta(ge=1, le=2_000_000)]
    length_mm: Annotated[int, Meta(ge=1, le=20_000)]
    width_mm: Annotated[int, Meta(ge=1, le=20_000)]
    height_mm: Annotated[int, Meta(ge=1, le=20_000)]
    goods: Annotated[list[PieceOfLine], Meta(max_length=1000)] = []


Words = Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]+$")]
Serial = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]
PhotoHash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Pieces = Annotated[int, Meta(ge=1, le=10_000)]


class ReceiptScan(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """One beep at receiving: a barcode, a barcode with the serial beside it, or a serial alone.

    `takes_back` names an earlier scan of this round that was a mistake; the code is then not read.
    """

    scan_uid: UUID
    code: ScanCode
    serial: Serial | None = None
    quantity: Pieces = 1
    grade: Grade = "sellable"
    captured_at: Moment
    photo_sha256: PhotoHash | None = None
    takes_back: UUID | None = None


class AdjustmentIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """A shelf that holds more (+) or fewer (-) pieces than the books say; `event_id` becomes its id.

    With `to_grade` that many pieces change their grade instead. Goods with serials name them.
    """

    event_id: UUID
    sku: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    owner_id: UUID | None = None
    grade: ShelfGrade = "sellable"
    to_grade: ShelfGrade | None = None
    quantity: Annotated[int, Meta(ge=-10_000, le=10_000)]
    serials: Annotated[list[Serial], Meta(max_length=1000)] = []
    reason: AdjustmentReason
    words: Reason
    photo_sha256: PhotoHash | None = None
    captured_at: Moment


class CountEntry(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """What lies on one shelf, with what is packed and waits for its carrier; serials where they are.

    The counter's device makes `event_id`, so that a repeat is known.
    """

    event_id: UUID
    line_id: UUID
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)]
    serials: Annotated[list[Serial], Meta(max_length=5000)] = []
    captured_at: Moment
