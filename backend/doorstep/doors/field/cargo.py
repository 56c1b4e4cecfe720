"""Couriers: the boxes in their hands between pickup and hub, each with the scan that comes next."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec
from litestar import get

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.clock import now
from doorstep.doors.field.runs import PieceOfParcel
from doorstep.modules.tms.rules import CARGO_NEXT
from doorstep.modules.tms.schemas import PieceReportKind

LOOKS_BACK = timedelta(days=14)
"""What was fetched longer ago is looked for by the desks, not by the courier's phone."""

# What a courier has fetched by a manifest is in his hands while the last scan that tells where a box
# is was his, and nobody has it out for delivery. His own scans stand in the order of his phone's
# clock, since jobs of one phone come in apart; a scan of somebody else counts from its recording.
# A pickup tells nothing of where a box is that was fetched: each is given away once, and one that was
# scanned again at the pickup of others is where it was.
CARGO = """
SELECT p.label_no, p.n, p."of", p.weight_g, o.number, a.city AS destination,
       box_goods(p.package_id) AS goods, coalesce(own.kind, 'pickup') AS last_kind,
       told.kind AS reported
  FROM manifest m
  JOIN manifest_piece x ON x.manifest_id = m.id
  JOIN piece p ON p.id = x.piece_id
  JOIN shipment s ON s.id = p.shipment_id
  JOIN fulfilment f ON f.id = s.fulfilment_id
  JOIN customer_order o ON o.id = f.order_id
  JOIN address a ON a.id = o.address_id
  LEFT JOIN LATERAL (
    SELECT c.kind, c.captured_at, c.recorded_at FROM scan c
     WHERE c.label_no = p.label_no AND c.person_id = $1 AND c.kind <> 'pickup'
     ORDER BY c.captured_at DESC, c.recorded_at DESC, c.scan_uid DESC LIMIT 1) own ON true
  LEFT JOIN LATERAL (
    SELECT r.kind FROM piece_report r
     WHERE r.person_id = $1 AND r.recorded_at > $2 AND p.label_no = ANY (r.labels)
       AND r.captured_at >= CASE r.kind WHEN 'damaged' THEN m.captured_at
                                 ELSE coalesce(own.captured_at, m.captured_at) END
     ORDER BY r.captured_at DESC, r.id DESC LIMIT 1) told ON true
 WHERE m.courier_id = $1 AND m.confirmed_at > $2
   AND f.state = 'open' AND NOT 1012 = ANY (f.passed)
   AND coalesce(own.kind, 'pickup') = ANY ($3)
   AND NOT EXISTS (
     SELECT FROM scan c JOIN person w ON w.id = c.person_id
      WHERE c.label_no = p.label_no AND c.person_id <> $1 AND c.kind <> 'pickup'
        AND c.recorded_at > greatest(own.recorded_at, m.confirmed_at)
        AND (w.channel_ids = '{}' OR f.channel_id = ANY (w.channel_ids)))
 ORDER BY o.number, p.n, p.label_no
"""


class CargoPiece(PieceOfParcel):
    """A box in the courier's hands; `next` is the scan that comes next, `reported` what he told of it."""

    next: Literal["departure", "hub_in", "hub_out"]
    reported: PieceReportKind | None


@get(
    "/field/cargo", operation_id="listCargo", opt=needs("tms:manifest:confirm"), tags=["transport"]
)
async def list_cargo(actor: Actor) -> list[CargoPiece]:
    """List the boxes that the person has fetched and not yet handed on."""
    rows = await db.rows(CARGO, actor.person_id, now() - LOOKS_BACK, [*CARGO_NEXT])
    return msgspec.convert(
        [row | {"next": CARGO_NEXT[row.pop("last_kind")]} for row in rows], list[CargoPiece]
    )


handlers = [list_cargo]
"""The routes of this door."""
