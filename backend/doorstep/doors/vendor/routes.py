"""A vendor reads his purchase orders, answers them, and sees what is paid on them."""

from __future__ import annotations

from datetime import datetime
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
from doorstep.flows import procure
from doorstep.journey.refusals import StageAlreadyDone, StageTooEarly
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
    created_at: datetime


class PurchaseOrderLine(Struct, kw_only=True):
    """Goods at what they cost us; the customer's price is nowhere in a purchase order."""

    sku: str
    name: str
    quantity: int
    unit_cost_minor: int
    total_minor: int


class PurchaseOrderDetail(PurchaseOrderOut, kw_only=True):
    """A purchase order with its lines."""

    lines: list[PurchaseOrderLine]


class AcceptIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The acceptance; the client makes `event_id`, so that a repeat is known."""

    event_id: UUID


class DeclineIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The refusal, with why."""

    event_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


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
        scm.PurchaseOrderMissing, scm.PurchaseOrderAlreadyAnswered, StageTooEarly, StageAlreadyDone
    ),
    tags=TAGS,
)
async def accept(actor: Actor, po_id: PurchaseOrderId, data: AcceptIn) -> Response[VerdictOut]:
    """Accept a purchase order: stage 1004 passes and the goods may be picked."""
    return told(await procure.accept_purchase_order(po_id, data.event_id, actor=actor))


@post(
    "/vendor/purchase-orders/{po_id:uuid}/decline",
    operation_id="declinePurchaseOrder",
    status_code=204,
    opt=needs("scm:purchase_order:answer"),
    responses=problems(scm.PurchaseOrderMissing, scm.PurchaseOrderAlreadyAnswered),
    tags=TAGS,
)
async def decline(actor: Actor, po_id: PurchaseOrderId, data: DeclineIn) -> None:
    """Decline a purchase order: nothing is paid on it, and a person finds the goods elsewhere."""
    await procure.decline_purchase_order(po_id, data.event_id, data.reason, actor=actor)


handlers = [list_purchase_orders, read_purchase_order, list_tranches, accept, decline]
"""The routes of this door."""
