"""Technicians: what the customer has photographed of a fault, so that it is known before the door opens.

Small pictures come in the answer itself, so that a phone can keep them for a cellar; large ones are
links for as long as there is a network. Only whoever has the visit, and while it is still to be done.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any
from uuid import UUID

from litestar import get
from msgspec import Struct

from doorstep.core import db, pictures
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.modules.fsm.refusals import VisitMissing

MOST = 12
"""A customer sends six at most; the rest is what support has added from mails."""

# $1 the visit, $2 its technician. A visit that claims nothing has no photos.
OWN = """
SELECT v.id, coalesce((SELECT array_agg(p.sha256 ORDER BY p.added_at, p.sha256) FROM ticket_photo p
                        WHERE p.ticket_id = v.claim_id), '{}') AS photos
  FROM visit v
 WHERE v.id = $1 AND v.technician_id = $2 AND v.state IN ('booked', 'started')
"""


class ClaimPhoto(Struct):
    """A photo of a fault: `small` is a JPEG in base64, `large_url` opens for five minutes."""

    sha256: str
    small: str
    large_url: str


@get(
    "/field/visits/{visit_id:uuid}/claim-photos",
    operation_id="readClaimPhotos",
    opt=needs("fsm:report:write"),
    responses=problems(VisitMissing),
    tags=["installation"],
)
async def read_claim_photos(visit_id: UUID, actor: Actor) -> list[ClaimPhoto]:
    """Show the photos of the claim that a visit of one's own answers, in the order they came."""
    visit: dict[str, Any] | None = await db.row(OWN, visit_id, actor.person_id)
    if visit is None:
        raise VisitMissing
    viewer, found = str(actor.person_id), []
    for sha256 in visit["photos"][:MOST]:
        small = await pictures.thumbnail(sha256, viewer=viewer)
        # What support has added may still be on its way here.
        if small is not None:
            link = pictures.url(sha256, "large", viewer=viewer)
            found.append(ClaimPhoto(sha256, b64encode(small).decode(), link))
    return found


handlers = [read_claim_photos]
"""The routes of this door."""
