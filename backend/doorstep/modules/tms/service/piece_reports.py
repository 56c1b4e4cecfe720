"""Reports of damaged and missing boxes, kept whole whatever the journey says to them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotAllowed
from doorstep.modules.tms.schemas import PieceReport

KEEP = """
INSERT INTO piece_report (id, kind, labels, photos, words, person_id, role, source, device_id,
                          captured_at, recorded_at, request_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (id) DO NOTHING
"""

NOTE = """
INSERT INTO piece_report_parcel (report_id, order_id, fulfilment_id, event_id, verdict, recorded_at)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (report_id, fulfilment_id) DO NOTHING
"""


@db.transactional
async def keep_piece_report(actor: Actor, told: PieceReport) -> bool:
    """Keep a report with its pictures, once; tell whether it is new.

    Raises: NotAllowed for somebody who is no person; EventIdReused.
    """
    if actor.person_id is None:
        raise NotAllowed("Pieces are reported by a person.")
    labels = list(dict.fromkeys(told.labels))
    new = await db.execute(
        KEEP,
        told.event_id,
        told.kind,
        labels,
        list(dict.fromkeys(photo.sha256 for photo in told.photos)),
        told.words,
        actor.person_id,
        actor.role,
        actor.source,
        actor.device_id,
        told.captured_at,
        now(),
        actor.request_id,
    )
    if not new:
        known = await read_piece_report(told.event_id)
        said = (known["kind"], known["labels"], known["person_id"])
        if said != (told.kind, labels, actor.person_id):
            raise EventIdReused(str(told.event_id))
    return bool(new)


async def read_piece_report(report_id: UUID) -> dict[str, Any]:
    """Read a report as it was kept."""
    return await db.one("SELECT * FROM piece_report WHERE id = $1", report_id)


@db.transactional
async def note_reported_parcel(
    report_id: UUID, parcel: dict[str, Any], *, event_id: UUID, verdict: str
) -> None:
    """Note what a report meant for a parcel, once."""
    await db.execute(
        NOTE, report_id, parcel["order_id"], parcel["fulfilment_id"], event_id, verdict, now()
    )
