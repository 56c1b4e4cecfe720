"""Floor people: what is expected here, scanning it in, booking it, and what nobody expected."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import receive
from doorstep.modules.wms.rules import Grade
from doorstep.modules.wms.schemas import PhotoHash, ReceiptScan, ScanCode, Words
from doorstep.modules.wms.service.custody import GoodsElsewhere
from doorstep.modules.wms.service.put_away import TransferShort
from doorstep.modules.wms.service.receipts import AWAITED_SERIALS, COUNTS
from doorstep.modules.wms.service.receiving import AT_LOCATION, ArrivalEnded, ArrivalMissing
from doorstep.modules.wms.service.stock import SerialKnown

TAGS = ["warehouse"]

# A code finds an arrival by whatever is on the goods: our number, its reference, the label or AWB of
# the parcel that comes back, a serial, or the barcode of a product.
EXPECTED_HERE = f"""
SELECT a.id, a.number, a.kind, a.ref, a.state, a.expected_on, o.number AS order_number,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'sku', p.sku, 'name', p.name, 'barcode', p.barcode, 'serialised', p.serialised,
      'quantity', l.quantity, 'received', l.received, 'bin', coalesce(b.code, ''), 'serials', CASE
        WHEN a.kind = 'purchase' THEN to_jsonb(l.serials[:200])
        ELSE to_jsonb(ARRAY(SELECT out.serial FROM ({AWAITED_SERIALS}) out
             WHERE l.serials = '{{}}' OR out.serial = ANY (l.serials)
             ORDER BY out.serial LIMIT 200)) END) ORDER BY l.position)
     FROM expected_line l JOIN product p ON p.id = l.product_id
     LEFT JOIN bin b ON b.location_id = $1 AND b.product_id = p.id
    WHERE l.arrival_id = a.id), '[]') AS lines,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'scan_uid', s.id, 'sku', p.sku, 'serial', s.serial, 'quantity', s.quantity, 'grade', s.grade)
      ORDER BY s.recorded_at, s.id)
     FROM receipt_scan s JOIN expected_line l ON l.id = s.line_id JOIN product p ON p.id = l.product_id
    WHERE s.arrival_id = a.id AND s.round = a.round AND {COUNTS}), '[]') AS scans,
  ARRAY(SELECT coalesce(s.serial, s.code) FROM receipt_scan s
    WHERE s.arrival_id = a.id AND s.round = a.round AND s.takes_back IS NULL
      AND s.verdict NOT IN ('right', 'serial_needed')
      AND NOT EXISTS (SELECT FROM receipt_scan t WHERE t.takes_back = s.id)
    ORDER BY s.recorded_at, s.id LIMIT 200) AS aside
  FROM expected_arrival a LEFT JOIN customer_order o ON o.id = a.order_id
 WHERE {AT_LOCATION} AND a.state IN ('expected', 'receiving') AND ($2::text IS NULL
   OR a.number = $2 OR a.ref = $2
   OR EXISTS (SELECT FROM expected_line l JOIN product p ON p.id = l.product_id
               WHERE l.arrival_id = a.id AND (p.barcode = $2 OR $2 = ANY (l.serials)))
   OR EXISTS (SELECT FROM expected_line l JOIN unit u ON u.fulfilment_line_id = l.fulfilment_line_id
               WHERE l.arrival_id = a.id AND u.serial = $2)
   OR EXISTS (SELECT FROM shipment s LEFT JOIN piece b ON b.shipment_id = s.id
               WHERE s.fulfilment_id = a.fulfilment_id AND (s.awb = $2 OR b.label_no = $2)))
 ORDER BY a.expected_on NULLS LAST, a.created_at, a.id LIMIT 200
"""  # noqa: S608 - a condition of ours

Code = Annotated[
    str | None,
    QueryParameter(
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00]+$",
        description="Whatever was scanned: number, reference, AWB, label, serial or barcode.",
    ),
]


class ExpectedLineOut(Struct, kw_only=True):
    """Pieces of a SKU that are to come in, and how many have.

    `serials` are those that may come, as far as they are known; 200 at most.
    """

    sku: str
    name: str
    barcode: str
    serialised: bool
    quantity: int
    received: int
    serials: list[str]
    bin: str


class ScannedIn(Struct, kw_only=True):
    """A beep of this round that was right and counts."""

    scan_uid: UUID
    sku: str
    serial: str | None
    quantity: int
    grade: str


class ExpectedArrivalOut(Struct, kw_only=True):
    """Goods that are to come in here; `scans` are in, and not booked yet.

    `aside` are the codes of this round that count nowhere: nobody expects them, or not so many.
    """

    id: UUID
    number: str
    kind: str
    ref: str
    state: str
    expected_on: date | None
    order_number: str | None
    lines: list[ExpectedLineOut]
    scans: list[ScannedIn]
    aside: list[str]


class ReceiptScansIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Beeps in their order; each has its own id, so a batch may be sent again."""

    scans: Annotated[list[ReceiptScan], Meta(min_length=1, max_length=50)]


class ReceiptScanOut(Struct):
    """What one beep was: `right`, or what is wrong about it, in words."""

    scan_uid: UUID
    verdict: str
    words: str


class ReceiptProgress(Struct):
    """How much of a line was booked before, is scanned now, and was expected at all."""

    sku: str
    quantity: int
    received: int
    scanned: int


class ReceiptScansOut(Struct):
    """One answer per beep, in the order of the request, and how far each line is."""

    scans: list[ReceiptScanOut]
    lines: list[ReceiptProgress]


class FinishIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """The end of a piece of work: the device makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment


class BookedLine(Struct):
    """Pieces that were booked under a grade."""

    product_id: UUID
    grade: Grade
    quantity: int
    serials: list[str]


class ReceiptOut(Struct):
    """What was booked; `complete` when nothing more is awaited, else what is different, in words."""

    event_id: UUID
    complete: bool
    differences: list[str]
    booked: list[BookedLine]


class UnannouncedIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Goods that nobody expected: the code on them, what they are, a picture."""

    event_id: UUID
    code: ScanCode
    words: Words = ""
    photo_sha256: PhotoHash | None = None
    captured_at: Moment


class UnannouncedOut(Struct):
    """What is kept; a person looks at it."""

    event_id: UUID
    state: str


@get(
    "/field/arrivals",
    operation_id="listArrivals",
    opt=needs("wms:arrival:read"),
    tags=TAGS,
)
async def list_arrivals(actor: Actor, code: Code = None) -> list[ExpectedArrivalOut]:
    """List what is expected at the person's location, or what a scanned code belongs to."""
    if actor.location_id is None:
        return []
    rows: list[dict[str, Any]] = await db.rows(EXPECTED_HERE, actor.location_id, code)
    return msgspec.convert(rows, list[ExpectedArrivalOut])


@post(
    "/field/arrivals/{arrival_id:uuid}/scans",
    operation_id="addReceiptScans",
    opt=needs("wms:receipt:write"),
    status_code=200,
    responses=problems(ArrivalMissing, EventIdReused),
    tags=TAGS,
)
async def add_receipt_scans(
    arrival_id: UUID, data: ReceiptScansIn, actor: Actor
) -> ReceiptScansOut:
    """Scan goods in; each beep is answered at once, and nothing is booked before the finish."""
    answers, lines = await receive.check_scans(arrival_id, data.scans, actor=actor)
    return ReceiptScansOut(
        [ReceiptScanOut(*answer) for answer in answers], [ReceiptProgress(*line) for line in lines]
    )


@post(
    "/field/arrivals/{arrival_id:uuid}/finish",
    operation_id="finishReceipt",
    opt=needs("wms:receipt:write"),
    status_code=200,
    responses=problems(
        ArrivalMissing, ArrivalEnded, GoodsElsewhere, SerialKnown, TransferShort, EventIdReused
    ),
    tags=TAGS,
)
async def finish_receipt(arrival_id: UUID, data: FinishIn, actor: Actor) -> ReceiptOut:
    """Book what was scanned; what is missing stays expected, differences go to a desk."""
    receipt = await receive.finish(
        data.event_id, arrival_id, actor=actor, captured_at=data.captured_at
    )
    booked = [
        BookedLine(one.product_id, one.grade, one.quantity, one.serials) for one in receipt.booked
    ]
    return ReceiptOut(receipt.id, receipt.complete, receipt.differences, booked)


@post(
    "/field/arrivals/unannounced",
    operation_id="reportUnannouncedGoods",
    opt=needs("wms:receipt:write"),
    status_code=200,
    responses=problems(ArrivalMissing, EventIdReused),
    tags=TAGS,
)
async def report_unannounced(data: UnannouncedIn, actor: Actor) -> UnannouncedOut:
    """Keep what came in without being expected; nothing is booked, a desk looks at it."""
    await receive.keep_unannounced(
        data.event_id,
        data.code,
        data.words,
        photo_sha256=data.photo_sha256,
        actor=actor,
        captured_at=data.captured_at,
    )
    return UnannouncedOut(data.event_id, "kept")


handlers = [list_arrivals, add_receipt_scans, finish_receipt, report_unannounced]
"""The routes of this door."""
