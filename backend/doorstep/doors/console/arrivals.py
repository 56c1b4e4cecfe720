"""Desks: goods that are to come in, and what a location lacks (SPEC P3, P20)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.flows import announce, restock
from doorstep.modules.wms.schemas import Pieces, Reason, Serial
from doorstep.modules.wms.service import receiving

TAGS = ["console"]

LIST = """
SELECT a.id, a.number, a.kind, a.ref, a.state, l.code AS location, a.expected_on, a.created_at,
       o.number AS order_number, a.fulfilment_id,
       sum(e.quantity)::int AS quantity, sum(e.received)::int AS received
  FROM expected_arrival a
  JOIN expected_line e ON e.arrival_id = a.id
  LEFT JOIN location l ON l.id = a.location_id
  LEFT JOIN customer_order o ON o.id = a.order_id
 WHERE ($1::text IS NULL OR a.state = $1) AND ($2::text IS NULL OR a.kind = $2) AND {scope}
 GROUP BY a.id, l.code, o.number ORDER BY a.created_at DESC LIMIT $3
"""

DETAIL = """
SELECT a.id, a.number, a.kind, a.ref, a.state, a.ending_words,
  (SELECT jsonb_agg(jsonb_build_object(
      'sku', p.sku, 'quantity', l.quantity, 'received', l.received, 'serials', l.serials)
      ORDER BY l.position)
     FROM expected_line l JOIN product p ON p.id = l.product_id WHERE l.arrival_id = a.id) AS lines,
  coalesce((SELECT jsonb_agg(jsonb_build_object(
      'code', s.code, 'serial', s.serial, 'quantity', s.quantity, 'grade', s.grade,
      'verdict', CASE WHEN back.id IS NULL THEN s.verdict ELSE 'taken_back' END, 'words', s.words,
      'photo_sha256', s.photo_sha256, 'by', w.name, 'captured_at', s.captured_at)
      ORDER BY s.recorded_at, s.id)
     FROM receipt_scan s LEFT JOIN person w ON w.id = s.actor_id
     LEFT JOIN receipt_scan back ON back.takes_back = s.id
    WHERE s.arrival_id = a.id AND s.takes_back IS NULL), '[]') AS scans
  FROM expected_arrival a WHERE a.id = $1
"""

Sku = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
Ref = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]

ArrivalState = Annotated[
    Literal["expected", "receiving", "received", "cancelled"] | None, QueryParameter(name="state")
]


class ArrivalRow(Struct, kw_only=True):
    """Goods that are to come in; `location` is null for any one of the channel."""

    id: UUID
    number: str
    kind: str
    ref: str
    state: str
    location: str | None
    expected_on: date | None
    created_at: datetime
    order_number: str | None
    fulfilment_id: UUID | None
    quantity: int
    received: int


class ArrivalLineOut(Struct, kw_only=True):
    """Pieces of a SKU, those that have come in, and the announced serials."""

    sku: str
    quantity: int
    received: int
    serials: list[str]


class ArrivalScan(Struct, kw_only=True):
    """A beep of the floor and what it was; one that was taken back counts for nothing."""

    code: str
    serial: str | None
    quantity: int
    grade: str
    verdict: str
    words: str
    photo_sha256: str | None
    by: str | None
    captured_at: datetime


class WholeArrival(Struct, kw_only=True):
    """Everything that a desk looks at when something differs."""

    id: UUID
    number: str
    kind: str
    ref: str
    state: str
    ending_words: str
    lines: list[ArrivalLineOut]
    scans: list[ArrivalScan]


class ArrivalLineIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Pieces of a SKU; serials where they are known beforehand."""

    sku: Sku
    quantity: Pieces
    serials: Annotated[list[Serial], Meta(max_length=1000)] = []


class AnnounceIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Goods that a vendor (purchase) or another location (transfer) sends; `event_id` becomes the id.

    `owner_id` is the vendor who stays their owner; null makes them our own.
    """

    event_id: UUID
    kind: Literal["purchase", "transfer"] = "purchase"
    ref: Ref
    location_id: UUID
    from_location_id: UUID | None = None
    owner_id: UUID | None = None
    expected_on: date | None = None
    lines: Annotated[list[ArrivalLineIn], Meta(min_length=1, max_length=200)]


class ArrivalOut(Struct):
    """The arrival as it stands now."""

    id: UUID
    number: str
    state: str


class CancelIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the goods will not come."""

    words: Reason


class CloseShortIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is known of the missing pieces."""

    event_id: UUID
    words: Reason


class RestockOut(Struct):
    """So many pieces are missing at a location, and why."""

    product_id: UUID
    sku: str
    name: str
    owner_id: UUID | None
    owner_name: str | None
    quantity: int
    why: str


class RestockIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A proposal that is ordered; `event_id` becomes the arrival's id, no quantity takes the proposed."""

    event_id: UUID
    location_id: UUID
    sku: Sku
    owner_id: UUID | None = None
    quantity: Pieces | None = None
    ref: Ref
    expected_on: date | None = None


@get(
    "/console/arrivals",
    operation_id="listExpectedArrivals",
    opt=needs("wms:arrival:plan"),
    tags=TAGS,
)
async def list_expected_arrivals(
    actor: Actor,
    standing: ArrivalState = None,
    kind: Literal["purchase", "return_to_origin", "customer_return", "transfer"] | None = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> list[ArrivalRow]:
    """List the arrivals of the person's channels, the newest first."""
    condition, arguments = scope(actor).channels("a.channel_id", first=4)
    rows: list[dict[str, Any]] = await db.rows(
        LIST.format(scope=condition), standing, kind, limit, *arguments
    )
    return msgspec.convert(rows, list[ArrivalRow])


@get(
    "/console/arrivals/{arrival_id:uuid}",
    operation_id="readArrival",
    opt=needs("wms:arrival:plan"),
    responses=problems(receiving.ArrivalMissing),
    tags=TAGS,
)
async def read_arrival(arrival_id: UUID, actor: Actor) -> WholeArrival:
    """Show what was expected and every beep of the floor."""
    await announce.in_sight(arrival_id, actor)
    return msgspec.convert(await db.one(DETAIL, arrival_id), WholeArrival)


@post(
    "/console/arrivals",
    operation_id="announceArrival",
    opt=needs("wms:arrival:plan"),
    responses=problems(
        announce.LocationMissing,
        announce.ProductUnknown,
        announce.VendorUnknown,
        receiving.NothingExpected,
        receiving.ArrivalRefTaken,
        EventIdReused,
        *REFUSALS,
    ),
    tags=TAGS,
)
async def announce_arrival(
    request: Request[Any, Any, Any], data: AnnounceIn, actor: Actor, key: OptionalKey = None
) -> Response[ArrivalOut]:
    """Announce goods to a location, so that its people can scan them in."""

    async def create() -> ArrivalOut:
        new = announce.NewArrival(
            data.event_id,
            data.kind,
            data.ref,
            data.location_id,
            data.from_location_id,
            data.owner_id,
            data.expected_on,
            [(line.sku, line.quantity, line.serials) for line in data.lines],
        )
        return _told(await announce.announce(new, actor=actor))

    return await once(request, actor, key, create)


def _told(arrival: receiving.Arrival) -> ArrivalOut:
    return ArrivalOut(arrival.id, arrival.number, arrival.state)


@post(
    "/console/arrivals/{arrival_id:uuid}/cancel",
    operation_id="cancelArrival",
    opt=needs("wms:arrival:plan"),
    status_code=200,
    responses=problems(receiving.ArrivalMissing, receiving.ArrivalUnderWay, receiving.ArrivalEnded),
    tags=TAGS,
)
async def cancel_arrival(arrival_id: UUID, data: CancelIn, actor: Actor) -> ArrivalOut:
    """Await goods no more of which nothing has come in."""
    return _told(await announce.cancel(arrival_id, data.words, actor=actor))


@post(
    "/console/arrivals/{arrival_id:uuid}/close",
    operation_id="closeArrival",
    opt=needs("wms:arrival:plan"),
    status_code=200,
    responses=problems(
        receiving.ArrivalMissing, receiving.ArrivalUnderWay, receiving.ArrivalEnded, EventIdReused
    ),
    tags=TAGS,
)
async def close_arrival(arrival_id: UUID, data: CloseShortIn, actor: Actor) -> ArrivalOut:
    """Await the missing pieces of an arrival no more; what has come in stays booked."""
    return _told(await announce.close_short(data.event_id, arrival_id, data.words, actor=actor))


@get(
    "/console/restock-proposals",
    operation_id="readRestockProposals",
    opt=needs("wms:arrival:plan"),
    responses=problems(announce.LocationMissing),
    tags=TAGS,
)
async def read_restock_proposals(
    actor: Actor,
    location_id: UUID,
    cover_days: Annotated[int, QueryParameter(ge=1, le=180)] = restock.COVER_DAYS,
    history_days: Annotated[int, QueryParameter(ge=1, le=365)] = restock.HISTORY_DAYS,
) -> list[RestockOut]:
    """List what a location lacks for the days to come, with the reason in words."""
    await announce.shelf_location(location_id, actor)
    found = await restock.proposals(location_id, history_days=history_days, cover_days=cover_days)
    return [RestockOut(*one) for one in found]


@post(
    "/console/restock-proposals",
    operation_id="orderRestock",
    opt=needs("wms:arrival:plan"),
    responses=problems(
        announce.LocationMissing,
        announce.ProductUnknown,
        announce.VendorUnknown,
        restock.NothingToRestock,
        receiving.ArrivalMissing,
        receiving.ArrivalRefTaken,
        EventIdReused,
        *REFUSALS,
    ),
    tags=TAGS,
)
async def order_restock(
    request: Request[Any, Any, Any], data: RestockIn, actor: Actor, key: OptionalKey = None
) -> Response[ArrivalOut]:
    """Turn a proposal into an expected arrival."""

    async def create() -> ArrivalOut:
        wanted = restock.RestockOrder(
            data.event_id,
            data.location_id,
            data.sku,
            data.owner_id,
            data.quantity,
            data.ref,
            data.expected_on,
        )
        return _told(await restock.order_restock(wanted, actor=actor))

    return await once(request, actor, key, create)


handlers = [
    list_expected_arrivals,
    read_arrival,
    announce_arrival,
    cancel_arrival,
    close_arrival,
    read_restock_proposals,
    order_restock,
]
"""The routes of this door."""
