"""The floor: what stands packed and waits for its carrier, with the labels of its boxes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.barcodes import code128_widths
from doorstep.doors.field.runs import PackedBox
from doorstep.modules.tms.schemas import PieceReportKind

# Packed and not picked up; before the AWB is there it has neither carrier nor labels. What the
# customer collects at the counter waits for no carrier.
WAITING = """
SELECT f.id, o.number, a.city AS destination, c.name AS carrier, s.service, s.pickup_from,
       s.pickup_until, given.number AS manifest_number, given.courier,
       coalesce((
         SELECT jsonb_agg(jsonb_build_object('label_no', p.label_no, 'n', p.n, 'of', p."of",
                  'weight_g', p.weight_g, 'goods', box_goods(p.package_id), 'fetched', EXISTS (
                    SELECT FROM scan x WHERE x.label_no = p.label_no AND x.kind = 'pickup'),
                  'reported', (
                    SELECT r.kind FROM piece_report_parcel t JOIN piece_report r ON r.id = t.report_id
                     WHERE t.fulfilment_id = f.id AND p.label_no = ANY (r.labels)
                     ORDER BY r.captured_at DESC, r.id DESC LIMIT 1))
                  ORDER BY p.n)
           FROM piece p WHERE p.shipment_id = s.id), '[]') AS pieces
  FROM fulfilment f
  JOIN customer_order o ON o.id = f.order_id
  JOIN address a ON a.id = o.address_id
  LEFT JOIN LATERAL (
    SELECT z.* FROM shipment z WHERE z.fulfilment_id = f.id AND z.leg = 'outbound'
     ORDER BY z.attempt DESC LIMIT 1) s ON true
  LEFT JOIN carrier c ON c.id = s.carrier_id
  LEFT JOIN LATERAL (
    SELECT m.number, w.name AS courier
      FROM piece p
      JOIN manifest_piece x ON x.piece_id = p.id
      JOIN manifest m ON m.id = x.manifest_id
      JOIN person w ON w.id = m.courier_id
     WHERE p.shipment_id = s.id ORDER BY m.created_at DESC, m.id LIMIT 1) given ON true
 WHERE f.location_id = $1 AND f.state = 'open' AND NOT f.collection
   AND 1007 = ANY (f.passed) AND NOT 1009 = ANY (f.passed)
 ORDER BY s.pickup_until NULLS LAST, o.number, f.id LIMIT 200
"""


class LabelledPiece(PackedBox):
    """A packed box; `bars` are the widths of the bars and gaps of its barcode (Code 128), in turn.

    `fetched`: somebody has scanned it at a pickup. `reported`: what was told of it last, by anybody.
    """

    bars: str
    fetched: bool
    reported: PieceReportKind | None


class WaitingParcel(Struct):
    """A packed parcel that no carrier has picked up; without its AWB it has no carrier and no labels.

    `pickup_until` is the cut-off; `courier` and `manifest_number` are there once it was given to one.
    """

    id: UUID
    number: str
    destination: str
    carrier: str | None
    service: str | None
    pickup_from: datetime | None
    pickup_until: datetime | None
    manifest_number: str | None
    courier: str | None
    pieces: list[LabelledPiece]


@get(
    "/field/waiting-parcels",
    operation_id="listWaitingParcels",
    opt=needs("wms:pick:read"),
    tags=["warehouse"],
)
async def list_waiting_parcels(actor: Actor) -> list[WaitingParcel]:
    """List what is packed at the person's location and waits for its pickup, by cut-off."""
    if actor.location_id is None:
        return []
    return [_parcel(row) for row in await db.rows(WAITING, actor.location_id)]


def _parcel(row: dict[str, Any]) -> WaitingParcel:
    pieces = [piece | {"bars": code128_widths(piece["label_no"])} for piece in row["pieces"]]
    return msgspec.convert(row | {"pieces": pieces}, WaitingParcel)


handlers = [list_waiting_parcels]
"""The routes of this door."""
