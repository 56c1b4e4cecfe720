"""Technicians: what may be sold beside the order, the parts on the van, and what a customer takes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import extras as flow
from doorstep.flows import extras_paid
from doorstep.modules.fsm.refusals import VisitMissing
from doorstep.modules.fsm.schemas import ExtrasPaid, VisitExtras
from doorstep.modules.fsm.service import extras, prices

TAGS = ["installation"]

CHANNEL = "SELECT channel_id FROM technician WHERE person_id = $1"


class ExtraPrice(Struct, kw_only=True):
    """A version of a price: of one unit, before tax; tax in 1/100 %. `sku`: the part it uses up."""

    id: UUID
    code: str
    names: dict[str, str]
    unit: str
    price_minor: int
    tax_basis_points: int
    currency: str
    sku: str | None


class VanPart(Struct):
    """A part on the person's van; less than nothing where more was used than loaded."""

    sku: str
    name: str
    quantity: int


class ExtrasKept(Struct):
    """What is charged; `reason` says what finance must look at before."""

    event_id: UUID
    verdict: str
    reason: str
    charged_minor: int


@get("/field/prices", operation_id="listExtraPrices", opt=needs("fsm:report:write"), tags=TAGS)
async def list_prices(actor: Actor) -> list[ExtraPrice]:
    """List what the technician may sell beside an order, at the prices that hold now."""
    channel_id = await db.value(CHANNEL, actor.person_id)
    found: list[Any] = [] if channel_id is None else await prices.holding([channel_id])
    return msgspec.convert(found, list[ExtraPrice])


@get("/field/parts", operation_id="listOwnParts", opt=needs("fsm:report:write"), tags=TAGS)
async def list_parts(actor: Actor) -> list[VanPart]:
    """List the parts on the person's own van."""
    found = [] if actor.person_id is None else await extras.on_vans([actor.person_id])
    return msgspec.convert(found, list[VanPart])


@post(
    "/field/visits/{visit_id:uuid}/extras",
    operation_id="addVisitExtras",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=problems(VisitMissing, EventIdReused),
    tags=TAGS,
)
async def add_extras(visit_id: UUID, data: VisitExtras, actor: Actor) -> ExtrasKept:
    """Hand in what the customer takes beside the order and has signed for."""
    kept = await flow.agree(visit_id, data, actor=actor)
    return ExtrasKept(data.event_id, "applied", " ".join(kept.disagreements), kept.charged_minor)


class PaymentKept(Struct):
    """What the receipt says; `reason` says what finance must look at, `open_minor` what it bills."""

    event_id: UUID
    verdict: str
    reason: str
    number: str
    paid_minor: int
    open_minor: int


@post(
    "/field/visits/{visit_id:uuid}/extras-payments",
    operation_id="payVisitExtras",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=problems(VisitMissing, EventIdReused),
    tags=TAGS,
)
async def pay_extras(visit_id: UUID, data: ExtrasPaid, actor: Actor) -> PaymentKept:
    """Hand in how the customer pays for the extras of a visit, or that a bill was promised."""
    paid = await extras_paid.pay(visit_id, data, actor=actor)
    reason = " ".join(paid.disagreements)
    return PaymentKept(
        data.event_id, "applied", reason, paid.number, paid.paid_minor, paid.open_minor
    )


handlers = [list_prices, list_parts, add_extras, pay_extras]
"""The routes of this door."""
