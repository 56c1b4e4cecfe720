"""Desks: how products are installed, as technicians read it on their phones."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.modules.fsm.refusals import ManualNotInEnglish, PartUnknown
from doorstep.modules.fsm.schemas import ManualIn
from doorstep.modules.fsm.service import manuals

TAGS = ["installation"]


class ManualOut(Struct, kw_only=True):
    """The newest version of a product's manual; `id` is the product's."""

    id: UUID
    sku: str
    model: str
    version: int
    texts: dict[str, str]
    link: str
    written_at: datetime


class ManualKept(Struct):
    """The version that holds now."""

    version: int


@get("/console/manuals", operation_id="listManuals", opt=needs("fsm:manual:read"), tags=TAGS)
async def list_manuals() -> list[ManualOut]:
    """List the manuals; products are the same in every channel, and so are these."""
    return msgspec.convert(await manuals.current_manuals(), list[ManualOut])


@post(
    "/console/manuals",
    operation_id="saveManual",
    opt=needs("fsm:manual:write"),
    status_code=200,
    responses=problems(PartUnknown, ManualNotInEnglish),
    tags=TAGS,
)
async def save_manual(data: ManualIn, actor: Actor) -> ManualKept:
    """Write how a product is installed; phones have it with their next pull."""
    return ManualKept(await manuals.save_manual(data, actor.person_id))


handlers = [list_manuals, save_manual]
"""The routes of this door."""
