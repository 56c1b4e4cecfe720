"""Desks: what was paid for extras at visits, and the receipt of it as a paper."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import extras_paid, receipt_paper
from doorstep.modules.fsm.refusals import BillInAnotherCurrency, MoreThanBilled, VisitMissing
from doorstep.modules.fsm.schemas import BillPaid

TAGS = ["installation"]

# {scope} is a condition of core.auth.scope.
RECEIPTS = """
SELECT r.id, r.number, r.order_id, r.visit_id, o.number AS order_number, p.name AS taken_by,
       r.captured_at, r.currency, r.billed_minor, r.paid_minor,
       greatest(0, r.billed_minor - r.paid_before_minor - r.paid_minor) AS open_minor,
       r.bill_later, r.disagreements,
       coalesce((SELECT jsonb_agg(jsonb_build_object('method', t.method,
                   'amount_minor', t.amount_minor, 'reference', t.reference,
                   'counted', EXISTS (SELECT FROM cash_count_extra c
                                       WHERE c.receipt_id = t.receipt_id AND c.tender_n = t.n))
                   ORDER BY t.n) FROM extra_tender t WHERE t.receipt_id = r.id), '[]') AS tenders
  FROM extra_receipt r
  JOIN customer_order o ON o.id = r.order_id
  JOIN person p ON p.id = r.person_id
 WHERE ($1::uuid IS NULL OR r.visit_id = $1) AND {scope}
 ORDER BY r.recorded_at DESC, r.id DESC LIMIT $2
"""

PARCEL = "SELECT fulfilment_id FROM extra_receipt WHERE id = $1"


class TenderOfExtras(Struct, kw_only=True):
    """One way in which it was paid; cash is `counted` when a desk has it."""

    method: str
    amount_minor: int
    reference: str
    counted: bool


class ReceiptRow(Struct, kw_only=True):
    """A receipt: all extras of the visit by then, what was paid by it, and what was open after it."""

    id: UUID
    number: str
    order_id: UUID
    visit_id: UUID
    order_number: str
    taken_by: str
    captured_at: datetime
    currency: str
    billed_minor: int
    paid_minor: int
    open_minor: int
    bill_later: bool
    disagreements: list[str]
    tenders: list[TenderOfExtras]


class BillReceipt(Struct, kw_only=True):
    """The receipt of a bill's payment, and what is open after it."""

    id: UUID
    number: str
    paid_minor: int
    open_minor: int


@get("/console/receipts", operation_id="listReceipts", opt=needs("fsm:extra:read"), tags=TAGS)
async def list_receipts(
    actor: Actor,
    visit_id: Annotated[UUID | None, QueryParameter()] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[ReceiptRow]:
    """List what was paid for extras, newest first, or that of one visit."""
    condition, arguments = scope(actor).of_fulfilment("r.fulfilment_id", first=3)
    found = await db.rows(RECEIPTS.format(scope=condition), visit_id, limit, *arguments)
    return msgspec.convert(found, list[ReceiptRow])


@get(
    "/console/receipts/{receipt_id:uuid}/paper",
    operation_id="openReceipt",
    opt=needs("fsm:extra:read"),
    responses=problems(NotFound)
    | {200: ResponseSpec(bytes, media_type="application/pdf", description="The PDF.")},
    tags=TAGS,
)
async def open_receipt(receipt_id: UUID, actor: Actor) -> Response[bytes]:
    """Print a receipt in the language of its order."""
    parcel = await db.value(PARCEL, receipt_id)
    if parcel is None:
        raise NotFound
    await scope(actor).require_fulfilment(parcel)
    receipt = await receipt_paper.read(receipt_id)
    return Response(
        await asyncio.to_thread(receipt_paper.draw, receipt),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{receipt.number}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


@post(
    "/console/visits/{visit_id:uuid}/extras-payments",
    operation_id="recordExtrasPayment",
    opt=needs("oms:payment:record"),
    responses=problems(
        VisitMissing, NotFound, BillInAnotherCurrency, MoreThanBilled, EventIdReused
    ),
    tags=TAGS,
)
async def record_payment(visit_id: UUID, data: BillPaid, actor: Actor) -> BillReceipt:
    """Record that a bill of extras was paid in cash at the desk or by bank transfer."""
    parcel = await db.value("SELECT fulfilment_id FROM visit WHERE id = $1", visit_id)
    if parcel is None:
        raise VisitMissing
    await scope(actor).require_fulfilment(parcel)
    paid = await extras_paid.pay_bill(visit_id, data, actor=actor)
    return BillReceipt(
        id=data.event_id,
        number=paid.number,
        paid_minor=paid.paid_minor,
        open_minor=paid.open_minor,
    )


handlers = [list_receipts, open_receipt, record_payment]
"""The routes of this door."""
