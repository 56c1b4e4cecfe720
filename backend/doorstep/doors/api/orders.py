"""Orders in by our own API, and an order with its parcels out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi import ResponseSpec
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep import journey
from doorstep.core import db, idempotency
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import place_order as intake
from doorstep.flows.order_document import RepeatKey
from doorstep.modules.oms.schemas import NewOrder, OrderPayment
from doorstep.ports import (
    IncomingAddress,
    IncomingCustomer,
    IncomingLine,
    IncomingOrder,
    IncomingPayment,
)


class PaymentsDiffer(Invalid):
    title = "The payment lines do not add up to the order's total."


class PaymentReferencesUnclear(Invalid):
    """The gateway names a reference: by it alone each payment line must be found."""

    title = "Two payment lines have the same reference, or several due now and one has none."


class NoSuchOrder(NotFound):
    title = "There is no such order."


class OrderTaken(Struct):
    """The order as it is known here from now on; `number` is what people say on the phone."""

    order_id: UUID
    number: str
    fulfilment_ids: list[UUID]


ROUTE = "POST /api/orders"


@post(
    "/api/orders",
    operation_id="placeOrder",
    opt=needs("oms:order:create"),
    responses={201: ResponseSpec(OrderTaken, description="The order is taken and its stock held.")}
    | problems(
        intake.OutOfStock,
        intake.UnknownChannel,
        intake.UnknownSku,
        intake.WrongCurrency,
        PaymentsDiffer,
        PaymentReferencesUnclear,
        idempotency.IdempotencyKeyReused,
        idempotency.RequestInFlight,
    ),
    tags=["orders"],
)
async def place_order(
    request: Request[Actor, Any, Any],
    data: NewOrder,
    actor: Actor,
    idempotency_key: idempotency.IdempotencyKey,
) -> Response[bytes]:
    """Take an order: route it, hold its stock, begin its journey (1001). Never oversells."""
    body = await request.body()
    placed = await intake.place_order(
        incoming(data),
        actor=actor,
        may_be_short=False,
        repeat=RepeatKey(
            scope=idempotency.scope_of(actor),
            key=idempotency_key,
            route=ROUTE,
            body_sha256=hashlib.sha256(body).hexdigest(),
        ),
    )
    headers = {"Idempotent-Replay": "true"} if placed.outcome == "replay" else {}
    return Response(placed.answer, status_code=201, media_type="application/json", headers=headers)


def _require_clear_references(payments: Sequence[OrderPayment]) -> None:
    named = [payment.reference for payment in payments if payment.reference]
    due_now = [payment.reference for payment in payments if payment.due == "now"]
    if len(set(named)) < len(named) or (len(due_now) > 1 and "" in due_now):
        raise PaymentReferencesUnclear(references=[payment.reference for payment in payments])


def incoming(order: NewOrder) -> IncomingOrder:
    """Write an order of our own API the way every channel's orders look.

    Raises: PaymentsDiffer, PaymentReferencesUnclear.
    """
    lines = tuple(
        IncomingLine(
            external_item_id="",
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            unit_price_minor=line.unit_price_minor,
            tax_minor=line.tax_minor,
            discount_minor=line.discount_minor,
            total_minor=line.unit_price_minor * line.quantity
            + line.tax_minor
            - line.discount_minor,
        )
        for line in order.lines
    )
    total = sum(line.total_minor for line in lines) + order.shipping_minor
    paid = sum(payment.amount_minor for payment in order.payments)
    if total != paid:
        raise PaymentsDiffer(f"{paid} instead of {total}", total_minor=total, payments_minor=paid)
    _require_clear_references(order.payments)
    return IncomingOrder(
        external_id=order.external_id,
        external_entity_id="",
        channel_code=order.channel,
        currency=order.currency,
        placed_at=_utc(order.placed_at) if order.placed_at else now(),
        customer=IncomingCustomer(
            name=order.customer.name,
            email=order.customer.email,
            phone=order.customer.phone,
            language=order.customer.language,
        ),
        ship_to=_address(order),
        lines=lines,
        shipping_minor=order.shipping_minor,
        other_minor=0,
        discount_minor=sum(line.discount_minor for line in lines),
        tax_minor=sum(line.tax_minor for line in lines),
        total_minor=total,
        payments=tuple(
            IncomingPayment(
                method=payment.method,
                amount_minor=payment.amount_minor,
                due=payment.due,
                reference=payment.reference or order.external_id,
                transaction_id="",
                state="pending",
            )
            for payment in order.payments
        ),
        delivery_service=order.delivery_service,
        pickup_location_code="",
        released=True,
        shop_state="",
    )


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _address(order: NewOrder) -> IncomingAddress:
    to = order.ship_to
    return IncomingAddress(
        name=to.name,
        phone=to.phone,
        street=tuple(to.street),
        building=to.building,
        floor=to.floor,
        flat=to.flat,
        city=to.city,
        region=to.region,
        postcode=to.postcode,
        country=to.country,
        lat=to.lat,
        lng=to.lng,
        instructions=to.instructions,
    )


class StageOut(Struct):
    """A stage that is settled: how, by which role, from where, and with which evidence.

    `device` is a phone's id, or `system:` and the job or system that acted.
    """

    stage: int
    how: str
    role: str
    source: str
    device: str
    captured_at: datetime
    recorded_at: datetime
    evidence: list[dict[str, str | None]]


class DetourOut(Struct):
    """A detour of a parcel: what went wrong, why, and whether it is over (`closed_as`)."""

    id: UUID
    kind: str
    reason: str
    detail: str
    attempt: int
    lines: list[journey.Quantity]
    role: str
    opened_at: datetime
    closed_at: datetime | None
    closed_as: str | None


class ParcelLineOut(Struct):
    """Goods that travel in a parcel."""

    id: UUID
    sku: str
    name: str
    quantity: int


class ParcelOut(Struct):
    """One fulfilment of an order and its journey so far."""

    id: UUID
    parcel: int
    state: str
    ended_as: str | None
    replaces_id: UUID | None
    attempt: int
    stage: int
    progress: int
    location_id: UUID | None
    owner_id: UUID | None
    po_id: UUID | None
    lines: list[ParcelLineOut]
    stages: list[StageOut]
    detours: list[DetourOut]


class ApprovalOut(Struct):
    """Why the order's reservation or payment was approved, waits or was rejected (P5, P8)."""

    id: UUID
    kind: str
    verdict: str
    decided: str
    reasons: list[str]
    policy_version: int
    decided_role: str
    decided_at: datetime


class OrderSummary(Struct):
    """An order in a list; `progress` is that of its least advanced living parcel."""

    id: UUID
    number: str
    external_id: str
    currency: str
    total_minor: int
    state: str
    placed_at: datetime
    progress: int | None


class OrderOut(OrderSummary):
    """An order with what was approved of it and every parcel's journey."""

    approvals: list[ApprovalOut]
    parcels: list[ParcelOut]


_ORDER = """
SELECT o.id, o.number, o.external_id, o.currency, o.total_minor, o.state, o.placed_at,
  (SELECT coalesce(jsonb_agg(jsonb_build_object(
      'id', a.id, 'kind', a.kind, 'verdict', a.verdict, 'decided', a.decided, 'reasons', a.reasons,
      'policy_version', a.policy_version, 'decided_role', a.decided_role,
      'decided_at', a.decided_at) ORDER BY a.decided_at, a.id), '[]')
   FROM approval a WHERE a.order_id = o.id) AS approvals,
  (SELECT min(f.progress) FROM fulfilment f WHERE f.order_id = o.id AND f.state = 'open') AS progress,
  (SELECT jsonb_agg(jsonb_build_object(
      'id', f.id, 'parcel', f.parcel, 'state', f.state, 'ended_as', f.ended_as, 'replaces_id', f.replaces_id,
      'attempt', f.attempt, 'stage', f.stage, 'progress', f.progress,
      'location_id', f.location_id, 'owner_id', f.owner_id, 'po_id', f.po_id,
      'lines', (SELECT jsonb_agg(jsonb_build_object('id', l.id, 'sku', ol.sku, 'name', ol.name,
          'quantity', l.quantity) ORDER BY ol.position, l.id)
        FROM fulfilment_line l JOIN order_line ol ON ol.id = l.order_line_id
       WHERE l.fulfilment_id = f.id),
      'stages', (SELECT jsonb_agg(jsonb_build_object(
          'stage', e.stage, 'how', e.how, 'role', e.actor_role, 'source', e.source,
          'device', e.device,
          'captured_at', e.captured_at, 'recorded_at', e.recorded_at, 'evidence', e.evidence)
          ORDER BY e.seq)
        FROM journey_event e
       WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = ANY (f.passed)
         AND NOT EXISTS (SELECT FROM journey_event later
                          WHERE later.fulfilment_id = f.id AND later.kind = 'stage'
                            AND later.stage = e.stage AND later.seq > e.seq)),
      'detours', coalesce((SELECT jsonb_agg(jsonb_build_object(
          'id', d.id, 'kind', d.kind, 'reason', d.reason, 'detail', d.detail, 'attempt', d.attempt,
          'lines', d.lines, 'role', d.opened_role, 'opened_at', d.opened_at,
          'closed_at', d.closed_at, 'closed_as', d.closed_as) ORDER BY d.opened_at)
        FROM detour_case d WHERE d.fulfilment_id = f.id), '[]')) ORDER BY f.parcel)
   FROM fulfilment f WHERE f.order_id = o.id) AS parcels
FROM customer_order o WHERE o.number = $1 AND {condition}
"""

_ORDERS = """
SELECT o.id, o.number, o.external_id, o.currency, o.total_minor, o.state, o.placed_at,
  (SELECT min(f.progress) FROM fulfilment f WHERE f.order_id = o.id AND f.state = 'open') AS progress
FROM customer_order o
WHERE ($1::text IS NULL OR o.external_id = $1) AND ($2::uuid IS NULL OR o.id < $2) AND {condition}
ORDER BY o.id DESC LIMIT 100
"""


@get(
    "/api/orders/{number:str}",
    operation_id="getOrder",
    opt=needs("oms:order:read"),
    responses=problems(NoSuchOrder),
    tags=["orders"],
)
async def get_order(number: Annotated[str, Meta(max_length=20)], actor: Actor) -> OrderOut:
    """Show an order with every parcel's journey: which stage, how, by whom, with which evidence."""
    condition, arguments = scope(actor).orders("o", first=2)
    row = await db.row(_ORDER.format(condition=condition), number, *arguments)
    if row is None:
        raise NoSuchOrder(number)
    return msgspec.convert(row, OrderOut)


@get(
    "/api/orders",
    operation_id="listOrders",
    opt=needs("oms:order:read"),
    tags=["orders"],
)
async def list_orders(
    actor: Actor,
    external_id: Annotated[str | None, QueryParameter(max_length=64)] = None,
    before: UUID | None = None,
) -> list[OrderSummary]:
    """List orders, newest first, a hundred a page; `before` is the last id of the page before."""
    condition, arguments = scope(actor).orders("o", first=3)
    rows = await db.rows(_ORDERS.format(condition=condition), external_id, before, *arguments)
    return msgspec.convert(rows, list[OrderSummary])


handlers = [place_order, list_orders, get_order]
