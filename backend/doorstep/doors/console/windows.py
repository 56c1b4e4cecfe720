"""Dispatchers: promise when a delivery comes, and see what was promised before and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import windows
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import NoSuchWindow
from doorstep.modules.tms.schemas import Window

TAGS = ["transport"]
PLAN = needs("tms:run:plan")


class WindowIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """When the delivery comes, and why it changes; no window takes the promise back."""

    event_id: UUID
    window: Window | None
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class Promised(Struct):
    """The promise is kept."""

    event_id: UUID


class WindowSeen(Struct, kw_only=True):
    """What was promised, or that nothing is any more; `set_by` is empty where nobody did."""

    id: UUID
    from_at: datetime | None
    until_at: datetime | None
    reason: str
    set_by: str | None
    set_at: datetime


@post(
    "/console/parcels/{fulfilment_id:uuid}/window",
    operation_id="promiseWindow",
    opt=PLAN,
    status_code=200,
    responses=problems(NotFound, NoSuchWindow, EventIdReused),
    tags=TAGS,
)
async def promise_window(fulfilment_id: UUID, data: WindowIn, actor: Actor) -> Promised:
    """Promise a delivery for a window; the driver's phone is told. The newest promise holds."""
    await windows.promise(fulfilment_id, data.event_id, data.window, data.reason, actor=actor)
    return Promised(data.event_id)


@get(
    "/console/parcels/{fulfilment_id:uuid}/windows",
    operation_id="listWindows",
    opt=PLAN,
    responses=problems(NotFound),
    tags=TAGS,
)
async def list_windows(fulfilment_id: UUID, actor: Actor) -> list[WindowSeen]:
    """List what was promised of a delivery, newest first."""
    await scope(actor).require_fulfilment(fulfilment_id)
    return msgspec.convert(await tms.windows_of(fulfilment_id), list[WindowSeen])


handlers = [promise_window, list_windows]
"""The routes of this door."""
