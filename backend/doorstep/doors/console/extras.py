"""Desks: the price list of extras, what was sold at visits, and the parts on the vans."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.flows import extras as flow
from doorstep.modules.fsm.refusals import (
    NothingMoved,
    PartUnknown,
    PriceNotNamed,
    PriceNotTimed,
    TechnicianMissing,
    VisitMissing,
)
from doorstep.modules.fsm.schemas import PartsMoved, PriceIn
from doorstep.modules.fsm.service import extras, prices

TAGS = ["installation"]

OF_VISIT = """
SELECT x.id, x.captured_at, x.currency, x.charged_minor, x.shown_minor, x.signer_name,
       x.signature IS NOT NULL AS signed, x.disagreements,
       (SELECT jsonb_agg(jsonb_build_object('code', coalesce(p.code, ''), 'quantity', l.quantity,
                'net_minor', l.net_minor, 'tax_minor', l.tax_minor) ORDER BY l.n)
          FROM visit_extra_line l LEFT JOIN service_price p ON p.id = l.price_id
         WHERE l.extra_id = x.id) AS lines
  FROM visit_extra x WHERE x.visit_id = $1 ORDER BY x.recorded_at, x.id
"""


class PriceOut(Struct, kw_only=True):
    """A price as it holds now: of one unit, before tax; tax in 1/100 %."""

    id: UUID
    channel_id: UUID
    code: str
    version: int
    names: dict[str, str]
    unit: str
    price_minor: int
    tax_basis_points: int
    currency: str
    sku: str | None
    valid_from: datetime
    valid_until: datetime | None


class PriceSet(Struct):
    """The version that was written, or the one before where it says the same."""

    id: UUID


class SoldLine(Struct):
    """A line of extras; `code` is empty where the phone named no price of the channel."""

    code: str
    quantity: int
    net_minor: int
    tax_minor: int


class SoldExtras(Struct, kw_only=True):
    """What a customer has agreed to. `shown_minor`: the sum that stood on the screen."""

    id: UUID
    captured_at: datetime
    currency: str
    charged_minor: int
    shown_minor: int
    signer_name: str
    signed: bool
    disagreements: list[str]
    lines: list[SoldLine]


class PartOnVan(Struct):
    """A part on a technician's van; less than nothing where books and van differ."""

    technician_id: UUID
    technician: str
    sku: str
    name: str
    quantity: int


class PartsKept(Struct):
    """The movement is on record."""

    event_id: UUID


@get("/console/prices", operation_id="listPrices", opt=needs("fsm:price:read"), tags=TAGS)
async def list_prices(actor: Actor) -> list[PriceOut]:
    """List the prices of extras that hold now."""
    return msgspec.convert(await prices.holding(await flow.channels_of(actor)), list[PriceOut])


@post(
    "/console/prices",
    operation_id="setPrice",
    opt=needs("fsm:price:write"),
    responses=problems(NotFound, PriceNotNamed, PriceNotTimed, PartUnknown, *REFUSALS),
    tags=TAGS,
)
async def set_price(
    request: Request[Any, Any, Any], data: PriceIn, actor: Actor, key: OptionalKey = None
) -> Response[PriceSet]:
    """Set what an extra costs from a moment on; what was shown before stays what is charged."""

    async def create() -> PriceSet:
        return PriceSet(await flow.set_price(data, actor=actor))

    return await once(request, actor, key, create)


@get(
    "/console/visits/{visit_id:uuid}/extras",
    operation_id="readVisitExtras",
    opt=needs("fsm:extra:read"),
    responses=problems(VisitMissing, NotFound),
    tags=TAGS,
)
async def read_extras(visit_id: UUID, actor: Actor) -> list[SoldExtras]:
    """Show what was sold at a visit, with what does not agree."""
    parcel = await db.value("SELECT fulfilment_id FROM visit WHERE id = $1", visit_id)
    if parcel is None:
        raise VisitMissing
    await scope(actor).require_fulfilment(parcel)
    return msgspec.convert(await db.rows(OF_VISIT, visit_id), list[SoldExtras])


@get("/console/parts", operation_id="listPartsOnVans", opt=needs("fsm:part:read"), tags=TAGS)
async def list_parts(actor: Actor) -> list[PartOnVan]:
    """List the parts on the vans of the technicians, also those of which too many were used."""
    found = await extras.on_vans(await flow.technicians_of(actor))
    return msgspec.convert(found, list[PartOnVan])


@post(
    "/console/technicians/{technician_id:uuid}/parts",
    operation_id="movePartsOfVan",
    opt=needs("fsm:part:move"),
    responses=problems(TechnicianMissing, PartUnknown, NothingMoved, EventIdReused),
    status_code=200,
    tags=TAGS,
)
async def move_parts(technician_id: UUID, data: PartsMoved, actor: Actor) -> PartsKept:
    """Put parts on a technician's van, or take them off with a quantity less than nothing."""
    await flow.move_parts(technician_id, data, actor=actor)
    return PartsKept(data.event_id)


handlers = [list_prices, set_price, read_extras, list_parts, move_parts]
"""The routes of this door."""
