"""The proof of a delivery as a paper: read in one statement, drawn outside any transaction."""

from __future__ import annotations

import asyncio
from uuid import UUID

import msgspec

from doorstep.core import blobs, db
from doorstep.modules.tms import documents
from doorstep.modules.tms.documents import PodData
from doorstep.settings import settings

MOST_PHOTOS = 9
"""More would only be smaller on the paper; all of them stay with the proof."""

# Of a line that is partly kept back, only the serials of the pieces that were handed over.
FACTS = """
SELECT o.language, o.number || '-' || f.parcel AS number, o.number AS order_number, f.parcel,
       coalesce((SELECT s.awb FROM shipment s WHERE s.fulfilment_id = f.id AND s.leg = 'outbound'
                  ORDER BY s.attempt DESC LIMIT 1), '') AS awb,
       (p.captured_at AT TIME ZONE c.zone) AS delivered_at, p.receiver_name, p.receiver_relation,
       split_part(w.name, ' ', 1) AS brought_by, p.lat, p.lng, p.accuracy_m, p.code_ok,
       p.scanned_labels AS pieces, p.signature, p.signature_sha256,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
                   'name', coalesce(d.names ->> o.language, d.name),
                   'quantity', l.quantity - coalesce(k.quantity, 0),
                   'serials', coalesce((SELECT jsonb_agg(u.serial ORDER BY u.serial) FROM unit u
                                         WHERE u.fulfilment_line_id = l.id
                                           AND NOT coalesce(k.serials ? u.serial, false)), '[]'),
                   'kept_back', coalesce(k.quantity, 0)) ORDER BY ol.position)
                   FROM fulfilment_line l
                   JOIN order_line ol ON ol.id = l.order_line_id
                   JOIN product d ON d.id = l.product_id
                   LEFT JOIN LATERAL (
                     SELECT (x ->> 'quantity')::int AS quantity, coalesce(x -> 'serials', '[]') AS serials
                       FROM jsonb_array_elements(p.kept_back) x
                      WHERE (x ->> 'fulfilment_line_id')::uuid = l.id LIMIT 1) k ON true
                  WHERE l.fulfilment_id = f.id), '[]') AS lines
  FROM pod p
  JOIN fulfilment f ON f.id = p.fulfilment_id
  JOIN customer_order o ON o.id = p.order_id
  JOIN channel c ON c.id = o.channel_id
  JOIN person w ON w.id = p.person_id
 WHERE p.id = $1
"""

PHOTOS = """
SELECT ph.sha256, t.blob_sha256, t.width, t.height
  FROM pod_photo ph JOIN picture t ON t.sha256 = ph.sha256 AND t.derivative = 'thumbnail'
 WHERE ph.pod_id = $1 ORDER BY ph.slot, ph.sha256 LIMIT $2
"""


async def read(pod_id: UUID) -> PodData:
    """Read what stands on the paper of a proof that is there; its pictures are small ones."""
    facts = await db.one(FACTS, pod_id)
    photos = [
        {
            "sha256": row["sha256"],
            "thumbnail": await blobs.get(row["blob_sha256"]),
            "width": row["width"],
            "height": row["height"],
        }
        for row in await db.rows(PHOTOS, pod_id, MOST_PHOTOS)
    ]
    more = {"company": settings().company_name, "photos": photos}
    return msgspec.convert(facts | more, PodData)


async def draw(pod: PodData) -> bytes:
    """Print it; drawing is work for the processor, so a thread does it."""
    return await asyncio.to_thread(documents.render_pod, pod)
