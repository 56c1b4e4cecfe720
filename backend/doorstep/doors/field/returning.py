"""The floor: what stands on the vans of our fleet and was sent from here, to scan back when it returns."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import get
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.doors.field.runs import Piece
from doorstep.flows import fleet_sql


class PieceOnVan(Piece):
    """A box on a van; `comes_back`: nobody is to deliver it any more with this run."""

    number: str
    comes_back: bool


class VanOut(Struct):
    """A shift that is under way, and the boxes on its van that no floor has scanned back."""

    id: UUID
    number: str
    vehicle: str
    crew: str
    pieces: list[PieceOnVan]


@get(
    "/field/returning",
    operation_id="listVansOut",
    opt=needs("wms:pick:read"),
    tags=["warehouse"],
)
async def list_vans_out(actor: Actor) -> list[VanOut]:
    """List the vans with boxes of the person's location, those that come back first.

    A custody scan of every box of a parcel takes it off its van.
    """
    if actor.location_id is None:
        return []
    return msgspec.convert(await db.rows(fleet_sql.OUT_ON_VANS, actor.location_id), list[VanOut])


handlers = [list_vans_out]
"""The routes of this door."""
