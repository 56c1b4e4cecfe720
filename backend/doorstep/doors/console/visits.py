"""Dispatchers and support: free time of technicians, booking, approval."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Moment
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.flows import install, install_reports
from doorstep.modules.fsm.refusals import (
    GoodsMustStand,
    NoFreeSlot,
    NothingToInstall,
    OutsideHours,
    ReportMissing,
    SkillLacking,
    SlotTaken,
    VisitAlreadyBooked,
    VisitMissing,
    VisitOver,
    VisitTimeImpossible,
)

TAGS = ["installation"]
Since = Annotated[datetime, QueryParameter(name="from", description="With its offset to UTC.")]
Until = Annotated[datetime, QueryParameter(name="to", description="At most 31 days later.")]


class SlotOut(Struct):
    """A time at which a technician with the skills is free."""

    technician_id: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


class VisitIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A booking; what is left out is chosen: the soonest time, the first technician."""

    fulfilment_id: UUID
    technician_id: UUID | None = None
    starts_at: Moment | None = None


class VisitBooked(Struct):
    """The visit as it stands in the calendar."""

    visit_id: UUID
    technician_id: UUID
    starts_at: datetime
    ends_at: datetime


class ApproveIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the installation is approved although something did not agree."""

    reason: Annotated[str, Meta(min_length=3, max_length=500)]


class Approved(Struct):
    """The report that is approved now."""

    report_id: UUID


class Cancelled(Struct):
    """The visit whose time is free again."""

    visit_id: UUID


@get(
    "/console/fulfilments/{fulfilment_id:uuid}/slots",
    operation_id="listFreeSlots",
    opt=needs("fsm:visit:book"),
    responses=problems(NotFound, NothingToInstall, install.WindowNotUsable),
    tags=TAGS,
)
async def list_free_slots(
    fulfilment_id: UUID, since: Since, until: Until, actor: Actor
) -> list[SlotOut]:
    """List when the goods of a parcel could be installed, and by whom."""
    slots = await install.free_slots(fulfilment_id, since=since, until=until, actor=actor)
    return [SlotOut(one.technician_id, one.name, one.start, one.end) for one in slots]


@post(
    "/console/visits",
    operation_id="bookVisit",
    opt=needs("fsm:visit:book"),
    responses=problems(
        NotFound,
        NothingToInstall,
        VisitAlreadyBooked,
        SlotTaken,
        NoFreeSlot,
        SkillLacking,
        OutsideHours,
        VisitTimeImpossible,
        GoodsMustStand,
        *REFUSALS,
    ),
    tags=TAGS,
)
async def book_visit(
    request: Request[Any, Any, Any], data: VisitIn, actor: Actor, key: OptionalKey = None
) -> Response[VisitBooked]:
    """Book a technician's visit, before or after the delivery (1014)."""

    async def create() -> VisitBooked:
        booked = await install.book_visit(
            data.fulfilment_id,
            technician_id=data.technician_id,
            starts_at=data.starts_at,
            actor=actor,
        )
        return msgspec.convert(booked._asdict(), VisitBooked)

    return await once(request, actor, key, create)


@post(
    "/console/visits/{visit_id:uuid}/cancel",
    operation_id="cancelVisit",
    opt=needs("fsm:visit:book"),
    responses=problems(VisitMissing, VisitOver),
    status_code=200,
    tags=TAGS,
)
async def cancel_visit(visit_id: UUID, actor: Actor) -> Cancelled:
    """Give the time of a booked visit back, so that another can be booked."""
    await install.cancel_visit(visit_id, actor=actor)
    return Cancelled(visit_id)


@post(
    "/console/visits/{visit_id:uuid}/approve",
    operation_id="approveInstallation",
    opt=needs("fsm:report:approve"),
    responses=problems(ReportMissing),
    status_code=200,
    tags=TAGS,
)
async def approve_visit(visit_id: UUID, data: ApproveIn, actor: Actor) -> Approved:
    """Approve an installation that did not approve itself (V5)."""
    return Approved(await install_reports.approve_visit(visit_id, data.reason, actor=actor))


handlers = [list_free_slots, book_visit, cancel_visit, approve_visit]
"""The routes of this door."""
