"""Use-cases of the warehouse floor: pick lists, quality check by scan, packing (SPEC J 1005–1007)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import asyncpg

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, Invalid, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.modules.wms import sql, tables
from doorstep.modules.wms.rules import Expected, Reading, read_code, still_missing
from doorstep.modules.wms.rules.packing import GoodsDiffer, placed
from doorstep.modules.wms.rules.picking import late_at
from doorstep.modules.wms.schemas import PackedPiece, QcScan

Step = Literal["picking", "checked", "packed"]


class PickListMissing(NotFound):
    title = "There is no such pick list at your location."


class PiecesDiffer(Invalid):
    """What is packed is not what the goods make."""

    title = "These are not the pieces that the goods make."


class SerialTaken(Refusal):
    """Another parcel took this serial between the look and the scan."""

    title = "This serial was just put into another parcel."


class PickList(NamedTuple):
    """Work for one picker: the goods of one fulfilment at one location."""

    id: UUID
    fulfilment_id: UUID
    location_id: UUID
    picker_id: UUID | None
    state: str


class Checked(NamedTuple):
    """What a scan was, and what the parcel still misses, in words."""

    scan_uid: UUID
    reading: Reading
    missing: list[str]


async def make_pick_list(fulfilment_id: UUID, location_id: UUID) -> PickList:
    """Put the fulfilment on the list of the least busy picker of its location; once."""
    picker = await db.value(sql.NEXT_PICKER, location_id)
    await db.execute(
        "INSERT INTO pick_list (id, fulfilment_id, location_id, picker_id, created_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT ON CONSTRAINT pick_list_fulfilment_unique DO NOTHING",
        uuid7(),
        fulfilment_id,
        location_id,
        picker,
        now(),
    )
    return await pick_list_of(fulfilment_id)


async def pick_list_of(fulfilment_id: UUID) -> PickList:
    """Find the pick list of a fulfilment.

    Raises: PickListMissing.
    """
    found = (
        await tables.PickList.select(
            tables.PickList.id,
            tables.PickList.fulfilment_id,
            tables.PickList.location_id,
            tables.PickList.picker_id,
            tables.PickList.state,
        )
        .where(tables.PickList.fulfilment_id == fulfilment_id)
        .first()
    )
    if found is None:
        raise PickListMissing(str(fulfilment_id))
    return PickList(**found)


async def open_lists(location_id: UUID) -> list[dict[str, Any]]:
    """List the unfinished work of a location, oldest first: lines, right scans, when it is late."""
    return [
        row | {"late_at": late_at(row["created_at"], row["zone"], row["working_week"])}
        for row in await db.rows(sql.OPEN_LISTS, location_id)
    ]


async def note_step(fulfilment_id: UUID, step: Step, person_id: UUID | None) -> None:
    """Move the pick list on; one that nobody was given belongs to the person who begins it."""
    await db.execute(sql.NOTE_STEP, fulfilment_id, step, person_id, now())


async def drop_pick_list(fulfilment_id: UUID) -> None:
    """Take a parcel off the floor's work: it has ended."""
    await db.execute(
        "UPDATE pick_list SET state = 'dropped' WHERE fulfilment_id = $1 AND state <> 'packed'",
        fulfilment_id,
    )


async def pick_again(fulfilment_id: UUID) -> None:
    """Put the picked units of a parcel back on the shelf and begin its pick list anew."""
    await db.execute(sql.UNITS_TO_SHELF, fulfilment_id)
    await db.execute(
        "UPDATE pick_list SET state = 'open', started_at = NULL, checked_at = NULL, repicked_at = $2"
        " WHERE fulfilment_id = $1 AND state <> 'packed'",
        fulfilment_id,
        now(),
    )


async def expected_at_qc(fulfilment_id: UUID) -> list[Expected]:
    """Tell what QC must see of the parcel, line by line, and what it has seen so far."""
    return [
        Expected(
            row["fulfilment_line_id"],
            row["product_id"],
            row["sku"],
            row["name"],
            row["quantity"],
            row["barcode"],
            row["serialised"],
            tuple(row["accessories"]),
            row["seen_barcodes"],
            frozenset(row["seen_serials"]),
            row["seen_accessories"],
        )
        for row in await db.rows(sql.EXPECTED_AT_QC, fulfilment_id)
    ]


async def check_scans(
    fulfilment_id: UUID,
    location_id: UUID,
    owner_id: UUID | None,
    scans: Sequence[QcScan],
    actor: Actor,
) -> list[Checked]:
    """Judge and keep scans in order; a scan with a known uid is judged as it was the first time.

    The caller holds the fulfilment's lock. A wrong code is kept with its reason: it blocks the
    parcel until the right one is scanned.

    Raises: SerialTaken; EventIdReused for a uid that stands for a scan of another parcel.
    """
    known = await _read_before(fulfilment_id, scans)
    answers = []
    for scan in scans:
        expected = await expected_at_qc(fulfilment_id)
        reading = known.get(scan.scan_uid)
        if reading is None:
            units = await _units(scan.code, location_id, owner_id)
            reading = read_code(scan.code, expected, units)
            await _keep_scan(fulfilment_id, scan, reading, actor)
            known[scan.scan_uid] = reading
            expected = await expected_at_qc(fulfilment_id)
        answers.append(Checked(scan.scan_uid, reading, still_missing(expected)))
    return answers


async def _read_before(fulfilment_id: UUID, scans: Sequence[QcScan]) -> dict[UUID, Reading]:
    rows = await db.rows(
        "SELECT * FROM qc_scan WHERE id = ANY ($1)", [scan.scan_uid for scan in scans]
    )
    if any(row["fulfilment_id"] != fulfilment_id for row in rows):
        raise EventIdReused
    return {
        row["id"]: Reading(
            row["kind"], row["ok"], row["fulfilment_line_id"], row["unit_id"], row["reason"]
        )
        for row in rows
    }


async def _units(code: str, location_id: UUID, owner_id: UUID | None) -> dict[str, dict[str, Any]]:
    found = await db.rows(sql.UNITS_BY_SERIAL, [code], location_id, owner_id)
    return {row["serial"]: row for row in found}


async def _keep_scan(fulfilment_id: UUID, scan: QcScan, reading: Reading, actor: Actor) -> None:
    await db.execute(
        "INSERT INTO qc_scan (id, fulfilment_id, code, kind, fulfilment_line_id, unit_id, ok, reason,"
        " actor_id, captured_at, recorded_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)",
        scan.scan_uid,
        fulfilment_id,
        scan.code,
        reading.kind,
        reading.fulfilment_line_id,
        reading.unit_id,
        reading.ok,
        reading.reason,
        actor.person_id,
        scan.captured_at,
        now(),
    )
    if reading.ok and reading.unit_id is not None:
        taken = await db.execute(
            "UPDATE unit SET state = 'picked', fulfilment_line_id = $2"
            " WHERE id = $1 AND state = 'in_stock'",
            reading.unit_id,
            reading.fulfilment_line_id,
        )
        if not taken:
            raise SerialTaken(f"Serial {scan.code}", serial=scan.code)


async def pack(
    fulfilment_id: UUID, pieces: Sequence[PackedPiece], actor: Actor, packed_at: datetime
) -> list[UUID]:
    """Write the pieces n of m with weights, sizes and what is in each; return their ids in order. Once.

    Raises: PiecesDiffer when more pieces are packed than the goods make, or other goods.
    """
    made = {row["id"]: row["pieces"] for row in await db.rows(sql.PIECES_MADE, fulfilment_id)}
    wanted = sum(made.values())
    if len(pieces) > wanted:
        raise PiecesDiffer(f"The goods make {wanted} pieces at most.", most=wanted)
    known = await db.rows(
        "SELECT id FROM package WHERE fulfilment_id = $1 ORDER BY n", fulfilment_id
    )
    if known:
        return [row["id"] for row in known]
    said = [[(one.fulfilment_line_id, one.n) for one in piece.goods] for piece in pieces]
    try:
        goods = placed(made, said)
    except GoodsDiffer as raised:
        raise PiecesDiffer(str(raised)) from raised
    ids = [uuid7() for _ in pieces]
    try:
        await db.execute_many(
            'INSERT INTO package (id, fulfilment_id, n, "of", weight_g, length_mm, width_mm,'
            " height_mm, packed_by, packed_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)",
            [
                (ids[n], fulfilment_id, n + 1, len(pieces), piece.weight_g, piece.length_mm,
                 piece.width_mm, piece.height_mm, actor.person_id, packed_at)
                for n, piece in enumerate(pieces)
            ],
        )  # fmt: skip
    except asyncpg.UniqueViolationError as raised:
        raise PiecesDiffer("These pieces were packed by somebody else just now.") from raised
    await db.execute_many(
        "INSERT INTO package_goods (fulfilment_line_id, n, package_id) VALUES ($1, $2, $3)",
        [(one.fulfilment_line_id, one.n, ids[one.box]) for one in goods],
    )
    return ids
