"""Desks: the pictures that were captured for a parcel, each as far as it is here."""

from __future__ import annotations

from uuid import UUID

from litestar import get
from msgspec import Struct

from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.core.previews import PictureOut
from doorstep.flows.missing_pictures import NAMED

OF_PARCEL = f"""
SELECT n.what, n.capture_id, n.sha256, min(n.recorded_at) AS recorded_at FROM ({NAMED}) n
 WHERE n.fulfilment_id = $1 GROUP BY n.what, n.capture_id, n.sha256
 ORDER BY min(n.recorded_at), n.capture_id, n.sha256 LIMIT 500
"""  # noqa: S608 - a constant


class CapturedPicture(Struct):
    """A picture, and what it was captured for (`proof of delivery`, `installation report`)."""

    what: str
    capture_id: UUID
    picture: PictureOut


@get(
    "/console/fulfilments/{fulfilment_id:uuid}/pictures",
    operation_id="listPictures",
    opt=needs("oms:picture:read"),
    responses=problems(NotFound),
    tags=["orders"],
)
async def list_pictures(fulfilment_id: UUID, actor: Actor) -> list[CapturedPicture]:
    """List what was photographed for a parcel; a preview stands for a photo that is not here yet."""
    await scope(actor).require_fulfilment(fulfilment_id)
    rows = await db.rows(OF_PARCEL, fulfilment_id)
    links = await previews.links([row["sha256"] for row in rows], viewer=str(actor.person_id))
    return [
        CapturedPicture(row["what"], row["capture_id"], link)
        for row, link in zip(rows, links, strict=True)
    ]


handlers = [list_pictures]
"""The routes of this door."""
