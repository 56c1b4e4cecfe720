"""A vendor reads his purchase orders, answers them, and sees what is paid on them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from doorstep.core import tenant
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.doors.tranches import TrancheOut
from doorstep.doors.verdicts import KEPT, VerdictOut, told
from doorstep.flows import vendor_answers
from doorstep.journey.refusals import (
    DateNotAhead,
    DetourKnown,
    DetourNotPossible,
    FulfilmentEnded,
    StageAlreadyDone,
    StageTooEarly,
)
from doorstep.modules.finance.service import tranches
from doorstep.modules.scm import service as scm

TAGS = ["vendor"]
PurchaseOrderId = Annotated[UUID, PathParameter()]
State = Literal["sent", "accepted", "declined", "cancelled"]


class PurchaseOrderOut(Struct, kw_only=True):
    """A purchase order in a list; `answer_due_at` is in the vendor's working hours."""

    id: UUID
    number: str
    fulfilment_id: UUID
    state: str
    currency: str
    total_minor: int
    sent_at: datetime | None
    answer_due_at: datetime | None
    answered_at: datetime | None
    answer_reason: str
    ready_on: date | None
    created_at: datetime


class PurchaseOrderLine(Struct, kw_only=True):
    """Goods at what they cost us; the customer's price is nowhere in a purchase order."""

    fulfilment_line_id: UUID
    sku: str
    name: str
    quantity: int
    unit_cost_minor: int
    total_minor: int


class PurchaseOrderDetail(PurchaseOrderOut, kw_only=True):
    """A purchase order with its lines."""

    lines: list[PurchaseOrderLine]


class AcceptedLine(Struct, kw_only=True, forbid_unknown_fields=True):
    """How many pieces of a line the vendor delivers."""

    fulfilment_line_id: UUID
    quantity: Annotated[int, Meta(ge=0, le=100_000)]


class AcceptIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The acceptance; the client makes `event_id`, so that a repeat is known.

    `ready_on`: the goods are ready later. `lines`: only these quantities; what is not named is not
    delivered and comes from elsewhere.
    """

    event_id: UUID
    ready_on: date | None = None
    lines: Annotated[list[AcceptedLine], Meta(min_length=1, max_length=200)] | None = None


class ConfirmIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The vendor's word; the client makes `event_id`."""

    event_id: UUID


class ReadyIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """When the goods are ready now; the client makes `event_id`."""

    event_id: UUID
    ready_on: date


class DeclineIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The refusal, with why."""

    event_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class DisputeIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is wrong, in the vendor's words; the client makes `event_id`."""

    event_id: UUID
    words: Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]


@get(
    "/vendor/purchase-orders",
    operation_id="listVendorPurchaseOrders",
    opt=needs("scm:purchase_order:read"),
    tags=TAGS,
)
async def list_purchase_orders(
    actor: Actor,
    in_state: Annotated[State | None, QueryParameter(name="state")] = None,
    before: Annotated[datetime | None, QueryParameter()] = None,
    before_id: Annotated[UUID | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> list[PurchaseOrderOut]:
    """List the vendor's own purchase orders, newest first.

    The next page begins at `before` and `before_id`: created_at and id of the last one.
    """
    last = (before, before_id) if before and before_id else None
    async with tenant.vendor(actor.vendor_id):
        found = await scm.list_own(actor.vendor_id, state=in_state, before=last, limit=limit)
    return msgspec.convert(found, list[PurchaseOrderOut])


@get(
    "/vendor/purchase-orders/{po_id:uuid}",
    operation_id="readVendorPurchaseOrder",
    opt=needs("scm:purchase_order:read"),
    responses=problems(scm.PurchaseOrderMissing),
    tags=TAGS,
)
async def read_purchase_order(actor: Actor, po_id: PurchaseOrderId) -> PurchaseOrderDetail:
    """Read one purchase order of the vendor with its lines."""
    async with tenant.vendor(actor.vendor_id):
        found = await scm.read_own(actor.vendor_id, po_id)
    return msgspec.convert(found, PurchaseOrderDetail)


@get(
    "/vendor/purchase-orders/{po_id:uuid}/tranches",
    operation_id="listVendorTranches",
    opt=needs("finance:tranche:read"),
    responses=problems(scm.PurchaseOrderMissing),
    tags=TAGS,
)
async def list_tranches(actor: Actor, po_id: PurchaseOrderId) -> list[TrancheOut]:
    """Tell what is paid on a purchase order of the vendor, and what each part waits for."""
    async with tenant.vendor(actor.vendor_id):
        await scm.read_own(actor.vendor_id, po_id)
        found = await tranches.of_purchase_order(po_id)
    return msgspec.convert(found, list[TrancheOut])


@post(
    "/vendor/purchase-orders/{po_id:uuid}/accept",
    operation_id="acceptPurchaseOrder",
    status_code=200,
    opt=needs("scm:purchase_order:answer"),
    responses=KEPT
    | problems(
        scm.PurchaseOrderMissing,
        scm.PurchaseOrderAlreadyAnswered,
        scm.PurchaseOrderWithdrawn,
        vendor_answers.NotOrdered,
        vendor_answers.NothingAccepted,
        DateNotAhead,
        StageTooEarly,
        StageAlreadyDone,
    ),
    tags=TAGS,
)
async def accept(actor: Actor, po_id: PurchaseOrderId, data: AcceptIn) -> Response[VerdictOut]:
    """Accept a purchase order, whole or in part: 1004 passes and the goods may be picked."""
    quantities = (
        {line.fulfilment_line_id: line.quantity for line in data.lines} if data.lines else None
    )
    return told(
        await vendor_answers.accept(
            po_id, data.event_id, actor=actor, ready_on=data.ready_on, quantities=quantities
        )
    )


@post(
    "/vendor/purchase-orders/{po_id:uuid}/ready-date",
    operation_id="moveReadyDate",
    status_code=200,
    opt=needs("scm:purchase_order:answer"),
    responses=problems(
        scm.PurchaseOrderMissing,
        scm.PurchaseOrderNotAccepted,
        DateNotAhead,
        DetourNotPossible,
        FulfilmentEnded,
    ),
    tags=TAGS,
)
async def move_ready(actor: Actor, po_id: PurchaseOrderId, data: ReadyIn) -> Response[VerdictOut]:
    """Say that accepted goods are ready on another day; the customer is told."""
    return told(await vendor_answers.move_ready(po_id, data.event_id, data.ready_on, actor=actor))


@post(
    "/vendor/purchase-orders/{po_id:uuid}/decline",
    operation_id="declinePurchaseOrder",
    status_code=204,
    opt=needs("scm:purchase_order:answer"),
    responses=problems(
        scm.PurchaseOrderMissing, scm.PurchaseOrderAlreadyAnswered, scm.PurchaseOrderWithdrawn
    ),
    tags=TAGS,
)
async def decline(actor: Actor, po_id: PurchaseOrderId, data: DeclineIn) -> None:
    """Decline a purchase order: nothing is paid on it, and the goods come from elsewhere."""
    await vendor_answers.decline(po_id, data.event_id, data.reason, actor=actor)


@post(
    "/vendor/purchase-orders/{po_id:uuid}/serials/confirm",
    operation_id="confirmSerials",
    status_code=200,
    opt=needs("scm:purchase_order:answer"),
    responses=problems(scm.PurchaseOrderMissing, DetourKnown),
    tags=TAGS,
)
async def confirm_serials(
    actor: Actor, po_id: PurchaseOrderId, data: ConfirmIn
) -> Response[VerdictOut]:
    """Confirm that another serial than was picked is the vendor's too; his tranches go on."""
    return told(await vendor_answers.confirm_serials(po_id, data.event_id, actor=actor))


@post(
    "/vendor/purchase-orders/{po_id:uuid}/dispute",
    operation_id="disputePurchaseOrder",
    status_code=200,
    opt=needs("scm:purchase_order:answer"),
    responses=KEPT | problems(scm.PurchaseOrderMissing, DetourKnown, DetourNotPossible),
    tags=TAGS,
)
async def dispute(actor: Actor, po_id: PurchaseOrderId, data: DisputeIn) -> Response[VerdictOut]:
    """Say that a purchase order is not right; its tranches wait until finance and vendor agree."""
    return told(await vendor_answers.dispute(po_id, data.event_id, data.words, actor=actor))


handlers = [
    list_purchase_orders,
    read_purchase_order,
    list_tranches,
    accept,
    move_ready,
    decline,
    confirm_serials,
    dispute,
]
"""The routes of this door."""
