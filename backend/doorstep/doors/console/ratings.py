"""Desks: how a customer has rated the parcels of an order, in words and photos (1016)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.core.previews import PictureOut

RATINGS = """
SELECT b.id, b.fulfilment_id, b.delivery_rating, b.installation_rating, b.words, b.created_at,
       ARRAY(SELECT x.sha256 FROM feedback_photo x WHERE x.feedback_id = b.id ORDER BY x.n) AS photos
  FROM feedback b WHERE b.order_id = $1 ORDER BY b.created_at, b.id
"""


class RatingOut(Struct, kw_only=True):
    """A parcel's rating, each from 1 (poor) to 5; nobody rates an installation where there is none."""

    id: UUID
    fulfilment_id: UUID
    delivery_rating: int
    installation_rating: int | None
    words: str
    photos: list[PictureOut]
    created_at: datetime


@get(
    "/console/orders/{order_id:uuid}/ratings",
    operation_id="readRatings",
    opt=needs("oms:picture:read"),
    responses=problems(NotFound),
    tags=["orders"],
)
async def read_ratings(order_id: UUID, actor: Actor) -> list[RatingOut]:
    """List how the parcels of an order were rated, oldest first."""
    await scope(actor).require_order(order_id)
    rated = await db.rows(RATINGS, order_id)
    shown = await previews.with_links(rated, viewer=str(actor.person_id))
    return msgspec.convert(shown, list[RatingOut])


handlers = [read_ratings]
"""The routes of this door."""
