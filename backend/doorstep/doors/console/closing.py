"""The end of an order: what keeps it open, closing it by hand, and the archive (P18, P19)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import closing
from doorstep.flows.closing import Closing

TAGS = ["orders"]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
Term = Annotated[str | None, QueryParameter(min_length=3, max_length=60)]

# $1 number, $2 phone, $3 AWB, $4 serial; a unit may have been sold again, its warranty stays.
ARCHIVED = """
SELECT o.id AS order_id, o.number, o.external_id, o.state, o.placed_at, o.closed_at, o.closing_reason,
       c.code || '/' || extract(year FROM o.placed_at AT TIME ZONE c.zone) || '/' || o.number || '/'
         AS folder,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
         'file', e.file, 'kind', e.kind, 'sha256', e.sha256, 'document_id', e.document_id)
         ORDER BY e.file) FROM archive_entry e WHERE e.order_id = o.id), '[]') AS files
  FROM customer_order o JOIN channel c ON c.id = o.channel_id
 WHERE o.closed_at IS NOT NULL AND o.id IN (
   SELECT id FROM customer_order WHERE number = $1
   UNION ALL
   SELECT x.id FROM customer_order x JOIN customer who ON who.id = x.customer_id WHERE who.phone = $2
   UNION ALL
   SELECT order_id FROM shipment WHERE awb = $3
   UNION ALL
   SELECT f.order_id FROM unit u JOIN fulfilment_line l ON l.id = u.fulfilment_line_id
     JOIN fulfilment f ON f.id = l.fulfilment_id WHERE u.serial = $4
   UNION ALL
   SELECT order_id FROM warranty WHERE serial = $4
 ) AND {scope}
 ORDER BY o.closed_at DESC, o.id LIMIT 100
"""


class NothingToLookFor(Invalid):
    title = "Name one of: order number, phone, AWB, serial."


class CloseOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why an order is over before its time."""

    reason: Reason


class ArchivedFile(Struct):
    """A file of the archive; one with a `document_id` is opened at /console/documents."""

    file: str
    kind: str
    sha256: str
    document_id: UUID | None


class ArchivedOrder(Struct, kw_only=True):
    """A closed order and what is kept of it under its folder."""

    order_id: UUID
    number: str
    external_id: str
    state: str
    folder: str
    placed_at: datetime
    closed_at: datetime
    closing_reason: str
    files: list[ArchivedFile]


@get(
    "/console/orders/{order_id:uuid}/closing",
    operation_id="readClosing",
    opt=needs("oms:order:read"),
    responses=problems(NotFound),
    tags=TAGS,
)
async def read_closing(order_id: UUID, actor: Actor) -> Closing:
    """Tell whether an order is closed, and what keeps it open, in words."""
    await scope(actor).require_order(order_id)
    return await closing.read_closing(order_id)


@post(
    "/console/orders/{order_id:uuid}/close",
    operation_id="closeOrder",
    opt=needs("oms:order:close"),
    responses=problems(NotFound),
    status_code=200,
    tags=TAGS,
)
async def close_order(order_id: UUID, data: CloseOrder, actor: Actor) -> Closing:
    """Close an order before its time, with a reason; a closed one stays as it is."""
    return await closing.close_by_person(order_id, data.reason, actor=actor)


@get(
    "/console/archive",
    operation_id="listArchivedOrders",
    opt=needs("oms:archive:read"),
    responses=problems(NothingToLookFor),
    tags=TAGS,
)
async def list_archived_orders(
    actor: Actor,
    number: Term = None,
    phone: Term = None,
    awb: Term = None,
    serial: Term = None,
) -> list[ArchivedOrder]:
    """Find closed orders by number, by the customer's phone, by AWB or by a unit's serial."""
    if sum(term is not None for term in (number, phone, awb, serial)) != 1:
        raise NothingToLookFor
    condition, arguments = scope(actor).orders("o", first=5)
    # However it is written, a phone number is kept as + and digits.
    digits = "+" + re.sub(r"\D", "", phone).removeprefix("00") if phone else None
    found = await db.rows(ARCHIVED.format(scope=condition), number, digits, awb, serial, *arguments)
    return msgspec.convert(found, list[ArchivedOrder])


handlers = [read_closing, close_order, list_archived_orders]
"""The routes of this door."""
