"""The finance desk: purchase orders with their tranches, the ledger, counted cash, approvals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.tranches import TrancheOut
from doorstep.flows import cash, desk_refunds, settle, vendor_rest
from doorstep.flows.approvals import ApprovalDecided, OrderHasEnded, OwnOrder
from doorstep.modules.finance.service import ledger, payouts, tranches
from doorstep.modules.finance.service.desk_refunds import DeskRefund, Method
from doorstep.modules.scm.service import PurchaseOrderMissing
from doorstep.modules.tms.refusals import ShiftMissing

TAGS = ["finance"]

# {scope} is a condition of core.auth.scope.
LIST = """
SELECT p.id, p.number, p.state, p.order_id, o.number AS order_number, p.fulfilment_id,
       v.name AS vendor, p.currency, p.total_minor, p.sent_at, p.answer_due_at, p.answered_at,
       t.released_minor, t.paid_minor
  FROM purchase_order p
  JOIN customer_order o ON o.id = p.order_id
  JOIN vendor v ON v.id = p.vendor_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.amount_minor) FILTER (WHERE t.state = 'released'), 0)::bigint
             AS released_minor,
           coalesce(sum(t.amount_minor) FILTER (WHERE EXISTS (
             SELECT FROM payout x WHERE x.tranche_id = t.id AND x.state = 'paid')), 0)::bigint
             AS paid_minor
      FROM tranche t WHERE t.po_id = p.id) AS t
 WHERE ($1::uuid IS NULL OR p.order_id = $1) AND {scope}
 ORDER BY p.created_at DESC, p.id DESC LIMIT $2
"""

SEEN = "SELECT true FROM purchase_order p WHERE p.id = $1 AND {scope}"

SEEN_TRANCHE = """
SELECT true FROM tranche t JOIN purchase_order p ON p.id = t.po_id WHERE t.id = $1 AND {scope}
"""

SEEN_RUN = "SELECT true FROM delivery_run r WHERE r.id = $1 AND {scope}"

SEEN_SHIFT = "SELECT true FROM shift s WHERE s.id = $1 AND {scope}"


class NoSuchRun(NotFound):
    title = "There is no such delivery run."


class NothingNamed(Invalid):
    """A count is for a run, a shift or orders."""

    title = "Name the run, the shift or the orders that the cash is from."


class PurchaseOrderRow(Struct, kw_only=True):
    """A purchase order with how much of it is released and how much the bank has paid."""

    id: UUID
    number: str
    state: str
    order_id: UUID
    order_number: str
    fulfilment_id: UUID
    vendor: str
    currency: str
    total_minor: int
    sent_at: datetime | None
    answer_due_at: datetime | None
    answered_at: datetime | None
    released_minor: int
    paid_minor: int


class LedgerLine(Struct, kw_only=True):
    """One side of an entry."""

    account: str
    currency: str
    debit_minor: int
    credit_minor: int


class LedgerEntry(Struct, kw_only=True):
    """A journal entry; debit equals credit in each currency."""

    id: UUID
    key: str
    memo: str
    po_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    lines: list[LedgerLine]


class CashIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the desk counted, from a run, a shift or named orders; the client makes `event_id`."""

    event_id: UUID
    run_id: UUID | None = None
    shift_id: UUID | None = None
    order_ids: Annotated[list[UUID], Meta(max_length=200)] = []
    amount_minor: Annotated[int, Meta(ge=0, le=10**13)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class ApprovalIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why this order may go on although the policy says no."""

    event_id: UUID
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class PaymentStanding(Struct, kw_only=True):
    """Whether the payment lets the goods go: verified, waiting, failed, held, approval_waiting."""

    order_id: UUID
    state: str
    reason: str


class PayoutOrdered(Struct, kw_only=True):
    """A new payout of the tranche is under way; `attempt` counts them."""

    tranche_id: UUID
    attempt: int


@get(
    "/console/finance/purchase-orders",
    operation_id="listPurchaseOrders",
    opt=needs("finance:tranche:read"),
    tags=TAGS,
)
async def list_purchase_orders(
    actor: Actor,
    order_id: Annotated[UUID | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[PurchaseOrderRow]:
    """List purchase orders in the person's sight, newest first, or those of one order."""
    condition, arguments = scope(actor).purchase_orders("p", first=3)
    found = await db.rows(LIST.format(scope=condition), order_id, limit, *arguments)
    return msgspec.convert(found, list[PurchaseOrderRow])


@get(
    "/console/finance/purchase-orders/{po_id:uuid}/tranches",
    operation_id="listTranches",
    opt=needs("finance:tranche:read"),
    responses=problems(PurchaseOrderMissing),
    tags=TAGS,
)
async def list_tranches(actor: Actor, po_id: Annotated[UUID, PathParameter()]) -> list[TrancheOut]:
    """Tell the six tranches of a purchase order, each with its reason and its newest payout."""
    await _require(SEEN, "purchase_orders", actor, po_id, PurchaseOrderMissing)
    return msgspec.convert(await tranches.of_purchase_order(po_id), list[TrancheOut])


@get(
    "/console/finance/ledger",
    operation_id="readLedger",
    opt=needs("finance:ledger:read"),
    responses=problems(NotFound),
    tags=TAGS,
)
async def read_ledger(
    actor: Actor, order_id: Annotated[UUID, QueryParameter()]
) -> list[LedgerEntry]:
    """Read every journal entry of an order and its purchase orders, oldest first."""
    await scope(actor).require_order(order_id)
    return msgspec.convert(await ledger.entries_of(order_id), list[LedgerEntry])


@post(
    "/console/finance/cash-counts",
    operation_id="countCash",
    status_code=201,
    opt=needs("oms:payment:record"),
    responses=problems(
        NothingNamed, NoSuchRun, ShiftMissing, cash.NoCashToCount, cash.CashInAnotherCurrency
    ),
    tags=TAGS,
)
async def count_cash(actor: Actor, data: CashIn) -> cash.Counted:
    """Take in the cash of a run, a shift or of orders: it counts as paid from now on."""
    if data.run_id is None and data.shift_id is None and not data.order_ids:
        raise NothingNamed
    if data.run_id is not None:
        await _require(SEEN_RUN, "channels", actor, data.run_id, NoSuchRun, column="r.channel_id")
    if data.shift_id is not None:
        column = "s.channel_id"
        await _require(SEEN_SHIFT, "channels", actor, data.shift_id, ShiftMissing, column=column)
    for order_id in data.order_ids:
        await scope(actor).require_order(order_id)
    return await cash.count_cash(
        data.event_id,
        run_id=data.run_id,
        shift_id=data.shift_id,
        order_ids=data.order_ids,
        counted_minor=data.amount_minor,
        currency=data.currency,
        note=data.note,
        actor=actor,
    )


@post(
    "/console/finance/orders/{order_id:uuid}/payment-approval",
    operation_id="approvePayment",
    status_code=200,
    opt=needs("oms:payment:record"),
    responses=problems(NotFound, ApprovalDecided, OwnOrder, OrderHasEnded, EventIdReused),
    tags=TAGS,
)
async def approve_payment(
    actor: Actor, order_id: Annotated[UUID, PathParameter()], data: ApprovalIn
) -> PaymentStanding:
    """Let an order go on whose payment the channel's policy has stopped."""
    await scope(actor).require_order(order_id)
    decision = await settle.approve_payment(order_id, data.event_id, data.reason, actor=actor)
    return PaymentStanding(order_id=order_id, state=decision.state, reason=decision.reason)


class RefundIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Money given back outside the gateway; `reference` is the receipt's or the transfer's."""

    event_id: UUID
    amount_minor: Annotated[int, Meta(ge=1, le=10**13)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    method: Method
    reference: Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


@post(
    "/console/finance/orders/{order_id:uuid}/refunds",
    operation_id="recordRefund",
    status_code=201,
    opt=needs("oms:payment:record"),
    responses=problems(
        NotFound,
        EventIdReused,
        desk_refunds.RefundKnown,
        desk_refunds.RefundInAnotherCurrency,
        desk_refunds.MoreThanOwed,
    ),
    tags=TAGS,
)
async def record_refund(
    actor: Actor, order_id: Annotated[UUID, PathParameter()], data: RefundIn
) -> DeskRefund:
    """Record what a desk has given back in cash or by bank transfer: it is owed no more."""
    await scope(actor).require_order(order_id)
    refund = DeskRefund(
        id=data.event_id,
        order_id=order_id,
        method=data.method,
        amount_minor=data.amount_minor,
        currency=data.currency,
        reference=data.reference,
    )
    return await desk_refunds.record_refund(refund, actor=actor)


@post(
    "/console/finance/tranches/{tranche_id:uuid}/payouts",
    operation_id="payTrancheAgain",
    status_code=201,
    opt=needs("finance:payout:manage"),
    responses=problems(payouts.TrancheMissing, payouts.TrancheNotReleased, payouts.PayoutStillLive),
    tags=TAGS,
)
async def pay_again(actor: Actor, tranche_id: Annotated[UUID, PathParameter()]) -> PayoutOrdered:
    """Pay a released tranche again whose payout failed or came back.

    Sent twice it pays once: while the new payout may still pay, another one is refused.
    """
    await _require(SEEN_TRANCHE, "purchase_orders", actor, tranche_id, payouts.TrancheMissing)
    attempt = await settle.pay_again(tranche_id, actor=actor)
    return PayoutOrdered(tranche_id=tranche_id, attempt=attempt)


class RestIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the rest of a purchase order's money may go on although a part of it did not stay."""

    event_id: UUID
    reason: Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]


@post(
    "/console/finance/purchase-orders/{po_id:uuid}/rest",
    operation_id="releaseRest",
    status_code=200,
    opt=needs("finance:payout:manage"),
    responses=problems(PurchaseOrderMissing, vendor_rest.NothingToDecide, EventIdReused),
    tags=TAGS,
)
async def release_rest(
    actor: Actor, po_id: Annotated[UUID, PathParameter()], data: RestIn
) -> list[TrancheOut]:
    """Let the other tranches go on by their conditions, after goods of the order did not stay.

    Of each only what is for goods that stayed is released; what was released before for the others
    is claimed from the vendor.
    """
    await _require(SEEN, "purchase_orders", actor, po_id, PurchaseOrderMissing)
    await vendor_rest.release_rest(po_id, data.event_id, data.reason, actor=actor)
    return msgspec.convert(await tranches.of_purchase_order(po_id), list[TrancheOut])


async def _require(
    statement: str,
    kind: str,
    actor: Actor,
    wanted: UUID,
    missing: type[NotFound],
    column: str = "p",
) -> None:
    """Make sure that the actor sees the row; another's looks like none."""
    limits: Any = getattr(scope(actor), kind)
    condition, arguments = limits(column, first=2)
    if not await db.value(statement.format(scope=condition), wanted, *arguments):
        raise missing


handlers = [
    list_purchase_orders,
    list_tranches,
    read_ledger,
    count_cash,
    approve_payment,
    record_refund,
    pay_again,
    release_rest,
]
"""The routes of this desk."""
