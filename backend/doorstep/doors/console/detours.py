"""Desks: what goes wrong with a parcel, and how it is settled; cancelling; returns (RMA)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from msgspec import Meta, Struct

from doorstep import journey
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.verdicts import VerdictOut, told, verdict
from doorstep.flows import cancel, detours, expected_dates, returns
from doorstep.journey import refusals
from doorstep.journey.describe import describe

TAGS = ["detours"]
Words = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Kind = Annotated[str, Meta(pattern="^[a-z_]{1,40}$")]
REFUSED = (
    NotFound,
    detours.NotByHand,
    refusals.DetourNotPossible,
    refusals.DetourKnown,
    refusals.FulfilmentEnded,
    refusals.UnknownReason,
)


class LineIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Pieces of a line of the parcel; serials where it matters which ones."""

    fulfilment_line_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    serials: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=80)]], Meta(max_length=200)
    ] = []


class DetourIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What happened; the client makes `event_id`. `lines` empty means the whole parcel."""

    event_id: UUID
    kind: Kind
    reason: Annotated[str, Meta(max_length=40, pattern="^[a-z_]*$")] = ""
    words: Words = ""
    lines: Annotated[list[LineIn], Meta(max_length=200)] = []


class SettleIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The detour is over; the client makes `event_id`."""

    event_id: UUID


class DateIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """By when it is expected to be over, and why; the client makes `event_id`."""

    event_id: UUID
    expected_on: date
    words: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


class CancelIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the order is cancelled; without `fulfilment_ids` all of it that is not delivered."""

    event_id: UUID
    reason: Literal["customer", "unpaid", "no_stock", "fraud", "duplicate", "other"]
    words: Words = ""
    fulfilment_ids: Annotated[list[UUID], Meta(min_length=1, max_length=100)] | None = None


class CancelledParcel(Struct):
    """What became of a parcel."""

    fulfilment_id: UUID
    step: VerdictOut


class ReturnIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Goods that are to come back. `late`: beyond the return window, on the desk's word."""

    event_id: UUID
    reason: Literal["changed_mind", "damaged", "not_as_described", "exchange", "other"]
    words: Words = ""
    lines: Annotated[list[LineIn], Meta(max_length=200)] = []
    how: Literal["home", "store"]
    late: bool = False


class ReturnOut(Struct):
    """The return as it is expected now; `arrival_id` is what the floor receives it by."""

    step: VerdictOut
    arrival_ids: list[UUID]


def _quantities(lines: list[LineIn]) -> list[journey.Quantity]:
    return [
        journey.Quantity(
            fulfilment_line_id=line.fulfilment_line_id,
            quantity=line.quantity,
            serials=tuple(line.serials),
        )
        for line in lines
    ]


@get("/console/detours", operation_id="readDetourTable", opt=needs("oms:order:read"), tags=TAGS)
async def read_detour_table() -> list[dict[str, object]]:
    """Give the table of detours: where, by whom, with which reasons, what each undoes and tells."""
    found: list[dict[str, object]] = describe()["detours"]
    return found


@post(
    "/console/fulfilments/{fulfilment_id:uuid}/detours",
    operation_id="reportDetour",
    opt=needs("journey:detour:report"),
    responses=problems(*REFUSED, detours.LineNotOfParcel, detours.WholeParcelOnly),
    status_code=200,
    tags=TAGS,
)
async def report_detour(fulfilment_id: UUID, data: DetourIn, actor: Actor) -> Response[VerdictOut]:
    """Report what has gone wrong with a parcel."""
    return told(
        await detours.report(
            data.event_id,
            fulfilment_id,
            data.kind,
            actor=actor,
            reason=data.reason,
            detail=data.words,
            lines=_quantities(data.lines),
        )
    )


@post(
    "/console/fulfilments/{fulfilment_id:uuid}/detours/{kind:str}/settle",
    operation_id="settleDetour",
    opt=needs("journey:detour:report"),
    responses=problems(*REFUSED),
    status_code=200,
    tags=TAGS,
)
async def settle_detour(
    fulfilment_id: UUID, kind: Kind, data: SettleIn, actor: Actor
) -> Response[VerdictOut]:
    """Say that a detour is over: the parcel goes on where it stood."""
    return told(await detours.settle(data.event_id, fulfilment_id, kind, actor=actor))


@post(
    "/console/fulfilments/{fulfilment_id:uuid}/detours/{kind:str}/date",
    operation_id="setExpectedDate",
    opt=needs("journey:detour:report"),
    responses=problems(
        NotFound, expected_dates.NotDated, refusals.DateNotAhead, refusals.DetourKnown
    ),
    status_code=200,
    tags=TAGS,
)
async def set_expected_date(
    fulfilment_id: UUID, kind: Kind, data: DateIn, actor: Actor
) -> Response[VerdictOut]:
    """Say by when an open detour is over: the customer is told the date, once."""
    return told(
        await expected_dates.set_date(
            data.event_id, fulfilment_id, kind, data.expected_on, data.words, actor=actor
        )
    )


@post(
    "/console/orders/{order_id:uuid}/cancel",
    operation_id="cancelOrder",
    opt=needs("oms:order:cancel"),
    responses=problems(NotFound, cancel.NothingToCancel),
    status_code=200,
    tags=TAGS,
)
async def cancel_order(order_id: UUID, data: CancelIn, actor: Actor) -> list[CancelledParcel]:
    """Cancel what is not delivered yet: goods are free or called back, money is owed back."""
    cancelled = await cancel.cancel_order(
        order_id,
        data.event_id,
        reason=data.reason,
        detail=data.words,
        actor=actor,
        fulfilment_ids=data.fulfilment_ids,
    )
    return [CancelledParcel(one.fulfilment_id, verdict(one.answer)) for one in cancelled]


@post(
    "/console/fulfilments/{fulfilment_id:uuid}/returns",
    operation_id="requestReturn",
    opt=needs("oms:return:request"),
    responses=problems(*REFUSED, returns.NotWithCustomer, returns.ReturnWindowOver),
    status_code=200,
    tags=TAGS,
)
async def request_return(fulfilment_id: UUID, data: ReturnIn, actor: Actor) -> ReturnOut:
    """Have goods come back, whole or in part: the floor expects them, a ticket is opened."""
    asked = await returns.request_return(
        fulfilment_id,
        data.event_id,
        reason=data.reason,
        words=data.words,
        lines=_quantities(data.lines),
        how=data.how,
        actor=actor,
        late=data.late,
    )
    return ReturnOut(verdict(asked.answer), asked.arrival_ids)


handlers = [
    read_detour_table,
    report_detour,
    settle_detour,
    set_expected_date,
    cancel_order,
    request_return,
]
"""The routes of this desk."""
