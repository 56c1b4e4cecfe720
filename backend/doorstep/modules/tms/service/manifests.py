"""Manifests: which pieces a courier is to take, and his word for how many he took (SPEC P13)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.tms.refusals import (
    ManifestAlreadyConfirmed,
    ManifestMissing,
    NothingToCollect,
    PieceAlreadyGiven,
)


@db.transactional
async def create_manifest(
    actor: Actor,
    *,
    carrier_id: UUID,
    location_id: UUID,
    courier_id: UUID,
    piece_ids: Sequence[UUID],
) -> dict[str, Any]:
    """Give pieces to a courier for pickup; a piece stands on one manifest only.

    Returns (id, number, pieces). Raises: NothingToCollect, PieceAlreadyGiven.
    """
    if not piece_ids:
        raise NothingToCollect
    manifest = await db.one(
        "INSERT INTO manifest (id, carrier_id, location_id, courier_id, created_by, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, number",
        uuid7(),
        carrier_id,
        location_id,
        courier_id,
        actor.person_id,
        now(),
    )
    given = await db.execute(
        "INSERT INTO manifest_piece (manifest_id, piece_id) SELECT $1, unnest($2::uuid[])"
        " ON CONFLICT (piece_id) DO NOTHING",
        manifest["id"],
        list(piece_ids),
    )
    if given != len(piece_ids):
        raise PieceAlreadyGiven
    return manifest | {"pieces": given}


@db.transactional
async def confirm_pickup(
    actor: Actor, manifest_id: UUID, *, event_id: UUID, counted: int, captured_at: datetime
) -> dict[str, Any]:
    """Record that the courier took over the pieces of his manifest: who, when, how many.

    Returns (id, number, expected, counted, first); the same event again changes nothing.

    Raises: ManifestMissing, ManifestAlreadyConfirmed.
    """
    manifest = await db.row(
        "SELECT m.id, m.number, m.confirm_event_id, m.counted,"
        " (SELECT count(*) FROM manifest_piece p WHERE p.manifest_id = m.id) AS expected"
        " FROM manifest m WHERE m.id = $1 AND m.courier_id = $2 FOR UPDATE",
        manifest_id,
        actor.person_id,
    )
    if manifest is None:
        raise ManifestMissing
    before = manifest.pop("confirm_event_id")
    if before == event_id:
        return manifest | {"first": False}
    if before is not None:
        raise ManifestAlreadyConfirmed(number=manifest["number"])
    await db.execute(
        "UPDATE manifest SET confirm_event_id = $2, confirmed_by = $3, captured_at = $4,"
        " confirmed_at = $5, counted = $6 WHERE id = $1",
        manifest_id,
        event_id,
        actor.person_id,
        captured_at,
        now(),
        counted,
    )
    return manifest | {"counted": counted, "first": True}
