"""Warehouse, store and vendor-store staff: pick list, check by scan, pack."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.http.problems import problems
from doorstep.doors.verdicts import KEPT, VerdictOut, told, verdict
from doorstep.flows import warehouse
from doorstep.journey.refusals import (
    DetourKnown,
    DetourNotPossible,
    StageAlreadyDone,
    StageTooEarly,
)
from doorstep.modules.wms.schemas import PackedPiece, QcScan
from doorstep.modules.wms.service import floor


class PickLine(Struct):
    """One product of a pick list; `pieces` are the boxes it makes, weight and size those of one.

    `serials` are some that lie free on the shelf: any of them will do. `bin` is where it lies, as it stands
    on the shelf, and empty where nobody has said; lines come in the order of their bins.
    """

    fulfilment_line_id: UUID
    sku: str
    name: str
    quantity: int
    barcode: str
    serials: list[str]
    accessories: list[dict[str, str]]
    pieces: int
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    packing_instruction: str
    serialised: bool
    bin: str


class RightScan(Struct):
    """A code that the check has taken as right, and the product that it was for."""

    scan_uid: UUID
    kind: str
    code: str
    sku: str


class PickListOut(Struct):
    """The goods of one fulfilment, to be picked by one person.

    `scans` are the right ones since picking began, so that another phone goes on where one stopped.
    From `late_at` on it should have been packed.
    """

    id: UUID
    fulfilment_id: UUID
    picker_id: UUID | None
    state: str
    created_at: datetime
    late_at: datetime
    number: str
    lines: list[PickLine]
    scans: list[RightScan]


class StepIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """A step: the device makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment


class ChecksIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Scans in their order; the one that completes the parcel passes 1006 under `event_id`."""

    event_id: UUID
    scans: Annotated[list[QcScan], Meta(min_length=1, max_length=50)]


class CheckOut(Struct):
    """What one scanned code was, and why it is wrong where it is."""

    scan_uid: UUID
    kind: str
    ok: bool
    reason: str


class ChecksOut(Struct):
    """All answers, what the parcel still misses, and the verdict once it is complete."""

    scans: list[CheckOut]
    missing: list[str]
    step: VerdictOut | None


class RepickIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """What was wrong with the goods that were picked."""

    event_id: UUID
    captured_at: Moment
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class PackIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """The closed boxes in the order of their labels.

    What is in which box may be left out by whoever does not know it, for all of them; then it is kept
    where it can be no other way.
    """

    event_id: UUID
    captured_at: Moment
    pieces: Annotated[list[PackedPiece], Meta(min_length=1, max_length=100)]


@get(
    "/field/pick-lists",
    operation_id="listPickLists",
    opt=needs("wms:pick:read"),
    tags=["warehouse"],
)
async def list_pick_lists(actor: Actor) -> list[PickListOut]:
    """List the unfinished work at the person's location, oldest first."""
    if actor.location_id is None:
        return []
    rows: list[dict[str, Any]] = await floor.open_lists(actor.location_id)
    return msgspec.convert(rows, list[PickListOut])


@post(
    "/field/fulfilments/{fulfilment_id:uuid}/pick",
    operation_id="startPicking",
    opt=needs("wms:pick:write"),
    status_code=200,
    responses=KEPT | problems(StageTooEarly, floor.PickListMissing),
    tags=["warehouse"],
)
async def start_picking(fulfilment_id: UUID, data: StepIn, actor: Actor) -> Response[VerdictOut]:
    """Begin to pick the goods of a fulfilment (1005)."""
    return told(
        await warehouse.start_picking(
            data.event_id, fulfilment_id, actor=actor, captured_at=data.captured_at
        )
    )


@post(
    "/field/fulfilments/{fulfilment_id:uuid}/checks",
    operation_id="checkByScan",
    opt=needs("wms:qc:write"),
    status_code=200,
    responses=KEPT | problems(StageTooEarly, floor.PickListMissing, floor.SerialTaken),
    tags=["warehouse"],
)
async def check_by_scan(fulfilment_id: UUID, data: ChecksIn, actor: Actor) -> Response[ChecksOut]:
    """Scan barcodes, serials and accessories; one scan each, told apart by the server (1006)."""
    checked, answer = await warehouse.check_by_scan(
        data.event_id, fulfilment_id, data.scans, actor=actor
    )
    content = ChecksOut(
        scans=[
            CheckOut(one.scan_uid, one.reading.kind, one.reading.ok, one.reading.reason)
            for one in checked
        ],
        missing=checked[-1].missing,
        step=None if answer is None else verdict(answer),
    )
    return Response(content, status_code=200) if answer is None else told(answer, content)


@post(
    "/field/fulfilments/{fulfilment_id:uuid}/pack",
    operation_id="packParcel",
    opt=needs("wms:pack:write"),
    status_code=200,
    responses=KEPT
    | problems(StageTooEarly, StageAlreadyDone, floor.PickListMissing, floor.PiecesDiffer),
    tags=["warehouse"],
)
async def pack(fulfilment_id: UUID, data: PackIn, actor: Actor) -> Response[VerdictOut]:
    """Close the boxes: pieces n of m, with weight, size and what is in each (1007)."""
    return told(
        await warehouse.pack(
            data.event_id, fulfilment_id, data.pieces, actor=actor, captured_at=data.captured_at
        )
    )


@post(
    "/field/fulfilments/{fulfilment_id:uuid}/repick",
    operation_id="pickAgain",
    opt=needs("wms:qc:write"),
    status_code=200,
    responses=KEPT | problems(DetourNotPossible, DetourKnown, floor.PickListMissing),
    tags=["warehouse"],
)
async def pick_again(fulfilment_id: UUID, data: RepickIn, actor: Actor) -> Response[VerdictOut]:
    """Put what was picked back on the shelf and begin again (1005): it was the wrong thing."""
    return told(await warehouse.ask_repick(data.event_id, fulfilment_id, data.words, actor=actor))


handlers = [list_pick_lists, start_picking, check_by_scan, pack, pick_again]
