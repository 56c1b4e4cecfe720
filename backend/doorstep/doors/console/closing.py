"""The end of an order: what keeps it open, closing it by hand, and the archive (P18, P19)."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter, QueryParameter
from msgspec import Meta, Struct

from doorstep.core import blobs, db, pictures
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import closing
from doorstep.flows.closing import Closing

TAGS = ["orders"]
Reason = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
FileName = Annotated[
    str,
    PathParameter(max_length=120, pattern=r"^[^\x00]*$", description="As the archive lists it."),
]
PHOTO = "photo"
Term = Annotated[str | None, QueryParameter(min_length=3, max_length=60)]

# $1 number, $2 phone, $3 AWB, $4 serial; a unit may have been sold again, its warranty stays.
ARCHIVED = """
SELECT o.id AS order_id, o.number, o.external_id, o.state, o.placed_at, o.closed_at, o.closing_reason,
       c.code || '/' || extract(year FROM o.placed_at AT TIME ZONE c.zone) || '/' || o.number || '/'
         AS folder,
       coalesce((SELECT jsonb_agg(jsonb_build_object(
         'file', e.file, 'kind', e.kind, 'sha256', e.sha256, 'shown', EXISTS (
           SELECT FROM picture p WHERE p.sha256 = e.sha256)) ORDER BY e.file)
         FROM archive_entry e WHERE e.order_id = o.id), '[]') AS files
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


FILE = """
SELECT e.file, e.sha256, b.mime
  FROM archive_entry e JOIN blob b ON b.sha256 = e.sha256
 WHERE e.order_id = $1 AND e.file = $2 AND e.kind <> 'photo' AND {scope}
"""


class NothingToLookFor(Invalid):
    title = "Name one of: order number, phone, AWB, serial."


class CloseOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why an order is over before its time."""

    reason: Reason


class ArchivedFile(Struct):
    """A file of the archive; `url` opens it, and is null where the bytes are no picture.

    The link of a photo ends after five minutes and is this person's own.
    """

    file: str
    kind: str
    sha256: str
    url: str | None


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
    for order in found:
        order["files"] = [
            one | {"url": _url(order["order_id"], one, actor)} for one in order["files"]
        ]
    return msgspec.convert(found, list[ArchivedOrder])


def _url(order_id: UUID, file: dict[str, Any], actor: Actor) -> str | None:
    if file["kind"] != PHOTO:
        return f"/console/archive/{order_id}/files/{file['file']}"
    viewer = str(actor.person_id)
    return pictures.url(file["sha256"], "large", viewer=viewer) if file["shown"] else None


@get(
    "/console/archive/{order_id:uuid}/files/{file:str}",
    operation_id="openArchivedFile",
    opt=needs("oms:archive:read"),
    responses=problems(NotFound)
    | {200: ResponseSpec(bytes, media_type="application/octet-stream", description="The file.")},
    tags=TAGS,
)
async def open_archived_file(order_id: UUID, file: FileName, actor: Actor) -> Response[bytes]:
    """Open a paper or the index of a closed order; a photo is opened by its own link."""
    condition, arguments = scope(actor).of_order("e.order_id", first=3)
    found = await db.row(FILE.format(scope=condition), order_id, file, *arguments)
    if found is None:
        raise NotFound
    return Response(
        await blobs.get(found["sha256"]),
        media_type=found["mime"],
        headers={
            "Content-Disposition": f'inline; filename="{found["file"]}"',
            "Cache-Control": "private, no-store",
        },
    )


handlers = [read_closing, close_order, list_archived_orders, open_archived_file]
"""The routes of this door."""
