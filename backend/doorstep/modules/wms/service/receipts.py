"""Use-cases of receiving by scan: judge each beep, then book a finished round (SPEC C13, C17)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.modules.wms.rules.receiving import (
    DIFFERENCES,
    ENDED_WORDS,
    Left,
    OpenLine,
    Reading,
    ScannedCode,
    differences,
    read_receipt,
)
from doorstep.modules.wms.schemas import ReceiptScan
from doorstep.modules.wms.service import receiving
from doorstep.modules.wms.service.put_away import Booked, put_away
from doorstep.modules.wms.service.receiving import Arrival, ArrivalEnded, ArrivalMissing

# A scan counts when it was right and nobody has taken it back.
COUNTS = """s.verdict = 'right'
   AND NOT EXISTS (SELECT FROM receipt_scan back WHERE back.takes_back = s.id)"""

COUNTING = f"""
SELECT s.line_id, s.grade, s.serial, s.quantity FROM receipt_scan s
 WHERE s.arrival_id = $1 AND s.round = $2 AND {COUNTS}
"""  # noqa: S608 - a condition of ours

# Units that left with a parcel's line, or stand where a transfer comes from.
AWAITED_SERIALS = """
SELECT u.serial FROM unit u
              WHERE (u.fulfilment_line_id = l.fulfilment_line_id
                     AND u.state IN ('shipped', 'delivered'))
                 OR (u.location_id = a.from_location_id AND u.product_id = l.product_id
                     AND u.owner_id IS NOT DISTINCT FROM a.owner_id
                     AND u.state = 'in_stock' AND u.grade = 'sellable')"""

# `out`: how many pieces of a parcel's line are out, so that no more can come back.
OPEN_LINES = f"""
SELECT l.id AS line_id, l.product_id, p.sku, p.barcode, p.serialised, l.quantity, l.received,
       l.serials AS announced, coalesce(sum(s.quantity), 0)::int AS scanned,
       CASE WHEN l.fulfilment_line_id IS NULL THEN l.quantity - l.received ELSE
         (SELECT coalesce(sum(c.quantity), 0)::int FROM custody c
           WHERE c.fulfilment_line_id = l.fulfilment_line_id) END AS out,
       ARRAY({AWAITED_SERIALS}) AS awaited
  FROM expected_line l
  JOIN expected_arrival a ON a.id = l.arrival_id
  JOIN product p ON p.id = l.product_id
  LEFT JOIN ({COUNTING}) s ON s.line_id = l.id
 WHERE l.arrival_id = $1
 GROUP BY l.id, p.id, a.id ORDER BY l.position
"""  # noqa: S608 - built of statements of ours

KEEP_SCAN = """
INSERT INTO receipt_scan (id, arrival_id, round, location_id, code, serial, quantity, grade, verdict,
                          words, line_id, takes_back, photo_sha256, actor_id, captured_at, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""

TO_TAKE_BACK = """
SELECT true FROM receipt_scan s
 WHERE s.id = $1 AND s.arrival_id = $2 AND s.round = $3 AND s.verdict <> 'taken_back'
   AND NOT EXISTS (SELECT FROM receipt_scan back WHERE back.takes_back = s.id)
"""

WRONG = """
SELECT s.code, s.words FROM receipt_scan s
 WHERE s.arrival_id = $1 AND s.round = $2 AND s.verdict = ANY ($3)
   AND NOT EXISTS (SELECT FROM receipt_scan back WHERE back.takes_back = s.id)
 ORDER BY s.recorded_at, s.id
"""

COUNTED = f"""
SELECT c.line_id, l.fulfilment_line_id, l.product_id, c.grade, sum(c.quantity)::int AS quantity,
       coalesce(array_agg(c.serial ORDER BY c.serial) FILTER (WHERE c.serial IS NOT NULL), '{{}}')
         AS serials
  FROM ({COUNTING}) c JOIN expected_line l ON l.id = c.line_id
 GROUP BY c.line_id, l.id, c.grade ORDER BY l.product_id, c.line_id, c.grade
"""  # noqa: S608 - built of statements of ours


class ScanAnswer(NamedTuple):
    """What one beep was; the same uid gets it again."""

    scan_uid: UUID
    verdict: str
    words: str


class Progress(NamedTuple):
    """How much of a line has come in, is scanned now, and is still awaited."""

    sku: str
    quantity: int
    received: int
    scanned: int


class Receipt(NamedTuple):
    """A finished round; the same event id gets it again."""

    id: UUID
    complete: bool
    differences: list[str]
    booked: list[Booked]


async def progress(arrival: Arrival) -> list[Progress]:
    """Tell line by line how far receiving is."""
    found = await db.rows(OPEN_LINES, arrival.id, arrival.round)
    return [Progress(row["sku"], row["quantity"], row["received"], row["scanned"]) for row in found]


async def check_scans(
    arrival: Arrival, location_id: UUID, scans: Sequence[ReceiptScan], actor: Actor
) -> list[ScanAnswer]:
    """Judge and keep scans in order; a scan with a known uid gets its first answer.

    The caller holds the arrival's lock. The first scan of a round ties it to the location. A phone
    that was offline may come after the end; its scans are kept, and count for nothing.

    Raises: EventIdReused for a uid that stands for a scan of another arrival.
    """
    known = await _answered(arrival.id, scans)
    answers = []
    for scan in scans:
        answer = known.get(scan.scan_uid)
        if answer is None:
            reading = await _read(arrival, scan)
            await _keep(arrival, location_id, scan, reading, actor)
            answer = ScanAnswer(scan.scan_uid, reading.verdict, reading.words)
            known[scan.scan_uid] = answer
        answers.append(answer)
    if arrival.state == "expected":
        await db.execute(
            "UPDATE expected_arrival SET state = 'receiving', receiving_at = $2 WHERE id = $1",
            arrival.id,
            location_id,
        )
    return answers


async def _answered(arrival_id: UUID, scans: Sequence[ReceiptScan]) -> dict[UUID, ScanAnswer]:
    rows = await db.rows(
        "SELECT id, arrival_id, verdict, words FROM receipt_scan WHERE id = ANY ($1)",
        [scan.scan_uid for scan in scans],
    )
    if any(row["arrival_id"] != arrival_id for row in rows):
        raise EventIdReused
    return {row["id"]: ScanAnswer(row["id"], row["verdict"], row["words"]) for row in rows}


async def _read(arrival: Arrival, scan: ReceiptScan) -> Reading:
    if arrival.ended:
        return Reading("ended", ENDED_WORDS)
    if scan.takes_back is not None:
        if await db.value(TO_TAKE_BACK, scan.takes_back, arrival.id, arrival.round):
            return Reading("taken_back", "That scan does not count any more.")
        return Reading("nothing_to_take_back", "There is no such scan to take back.")
    found = await db.rows(OPEN_LINES, arrival.id, arrival.round)
    lines = [_open_line(row, any_serial=arrival.kind == "purchase") for row in found]
    scanned = await db.rows(COUNTING, arrival.id, arrival.round)
    return read_receipt(
        ScannedCode(scan.code, scan.serial, scan.quantity, scan.grade),
        arrival.kind,
        lines,
        await _products_of(arrival, scan.code, scan.serial),
        {row["serial"] for row in scanned if row["serial"] is not None},
    )


def _open_line(row: dict[str, Any], *, any_serial: bool) -> OpenLine:
    expected = min(row["quantity"] - row["received"], row["out"]) - row["scanned"]
    announced, awaited = frozenset(row["announced"]), frozenset(row["awaited"])
    coming = announced & awaited if announced else awaited
    return OpenLine(
        row["line_id"],
        row["product_id"],
        row["sku"],
        row["barcode"],
        row["serialised"],
        max(0, expected),
        (announced or None) if any_serial else coming,
    )


# What a vendor delivers may be a unit of his that was lost and written off.
KNOWN_UNITS = """
SELECT serial, product_id FROM unit WHERE serial = ANY ($1)
   AND NOT ($2 = 'purchase' AND state = 'scrapped' AND owner_id IS NOT DISTINCT FROM $3)
"""


async def _products_of(arrival: Arrival, *serials: str | None) -> dict[str, set[UUID]]:
    """Tell of which products we know units under these serials that cannot come in anew."""
    found: dict[str, set[UUID]] = defaultdict(set)
    known = [serial for serial in serials if serial is not None]
    for row in await db.rows(KNOWN_UNITS, known, arrival.kind, arrival.owner_id):
        found[row["serial"]].add(row["product_id"])
    return found


async def _keep(
    arrival: Arrival, location_id: UUID, scan: ReceiptScan, reading: Reading, actor: Actor
) -> None:
    await db.execute(
        KEEP_SCAN,
        scan.scan_uid,
        arrival.id,
        arrival.round,
        location_id,
        scan.code,
        reading.serial or scan.serial,
        scan.quantity,
        scan.grade,
        reading.verdict,
        reading.words,
        reading.line_id,
        scan.takes_back if reading.verdict == "taken_back" else None,
        scan.photo_sha256,
        actor.person_id,
        scan.captured_at,
        now(),
    )


async def receipt_of(arrival: Arrival, event_id: UUID, location_id: UUID) -> Receipt | None:
    """Find what a finish event has booked before.

    Raises: EventIdReused for an id that finished another arrival; ArrivalMissing elsewhere.
    """
    row = await db.row(
        "SELECT id, arrival_id, location_id, complete, differences FROM receipt WHERE id = $1",
        event_id,
    )
    if row is None:
        return None
    if row["arrival_id"] != arrival.id:
        raise EventIdReused
    if row["location_id"] != location_id:
        raise ArrivalMissing
    booked = await db.rows(
        "SELECT r.line_id, l.fulfilment_line_id, l.product_id, r.grade, r.quantity, r.serials"
        " FROM receipt_line r JOIN expected_line l ON l.id = r.line_id WHERE r.receipt_id = $1"
        " ORDER BY l.product_id, r.line_id, r.grade",
        event_id,
    )
    return Receipt(
        row["id"], row["complete"], row["differences"], [Booked(**one) for one in booked]
    )


async def book(
    arrival: Arrival, event_id: UUID, location_id: UUID, *, actor: Actor, captured_at: datetime
) -> Receipt:
    """Book what this round has scanned, and let the missing pieces stay expected.

    The caller holds the locks of arrival and, for a return, of order and fulfilment.

    Raises: ArrivalEnded, GoodsElsewhere, SerialKnown, TransferShort.
    """
    if arrival.ended:
        raise ArrivalEnded(arrival.number)
    counted = [Booked(**row) for row in await db.rows(COUNTED, arrival.id, arrival.round)]
    wrong = await db.rows(WRONG, arrival.id, arrival.round, sorted(DIFFERENCES))
    for one in counted:
        await db.execute(
            "UPDATE expected_line SET received = received + $2 WHERE id = $1",
            one.line_id,
            one.quantity,
        )
    left = await receiving.missing(arrival.id)
    found = differences(
        [Left(line.sku, line.quantity) for line in left],
        [(row["code"], row["words"]) for row in wrong],
    )
    receipt = Receipt(event_id, not left, found, counted)
    await _write(arrival, receipt, location_id, actor, captured_at)
    await put_away(arrival, event_id, counted, location_id)
    return receipt


async def _write(
    arrival: Arrival, receipt: Receipt, location_id: UUID, actor: Actor, captured_at: datetime
) -> None:
    await db.execute(
        "INSERT INTO receipt (id, arrival_id, round, location_id, complete, differences, actor_id,"
        " captured_at, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        receipt.id,
        arrival.id,
        arrival.round,
        location_id,
        receipt.complete,
        receipt.differences,
        actor.person_id,
        captured_at,
        now(),
    )
    await db.execute_many(
        "INSERT INTO receipt_line (receipt_id, line_id, grade, quantity, serials)"
        " VALUES ($1, $2, $3, $4, $5)",
        [(receipt.id, one.line_id, one.grade, one.quantity, one.serials) for one in receipt.booked],
    )
    await db.execute(
        "UPDATE expected_arrival SET round = round + 1, receiving_at = NULL, state = $2,"
        " ended_at = $3, ended_by = $4 WHERE id = $1",
        arrival.id,
        "received" if receipt.complete else "expected",
        now() if receipt.complete else None,
        actor.person_id if receipt.complete else None,
    )
