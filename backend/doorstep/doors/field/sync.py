"""The sync of a phone: hand in what was captured, and ask what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, get, post
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import QueryParameter
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import handling, store
from doorstep.core.captures.envelope import MAX_BYTES, MAX_EVENTS, Batch, Event, open_batch, read
from doorstep.core.captures.store import Receipt
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotAllowed, Refusal
from doorstep.core.http.problems import MalformedRequest, WrongContentType, problems
from doorstep.core.http.request import JSON_TYPES
from doorstep.doors.field.captured import CAPTURES

TAGS = ["sync"]

Ids = Annotated[
    str,
    QueryParameter(
        max_length=37 * MAX_EVENTS,
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
        rf"(,[0-9a-fA-F]{{8}}(-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}){{0,{MAX_EVENTS - 1}}}$",
        description="Event ids, separated by commas.",
    ),
]


class BatchTooLarge(Refusal):
    """More than one request may bring; the phone sends less at a time."""

    status = 413
    title = "The batch is too large. Send fewer events at a time."

    def __init__(self) -> None:
        super().__init__(max_events=MAX_EVENTS, max_bytes=MAX_BYTES)


class NotAPhone(NotAllowed):
    """A capture belongs to the phone it was made on: this session is not of one."""

    title = "Only an enrolled phone hands in captures."


class UnreadableEvent(Struct):
    """An event of the batch without a readable id: it is kept, and has no receipt."""

    index: int
    reason: str


class PushOut(Struct):
    """What became of the batch. An event without a receipt is kept and still to be carried out."""

    server_time: datetime
    receipts: list[Receipt]
    unreadable: list[UnreadableEvent]


class ReceiptsOut(Struct):
    """The receipts of those ids that are this phone's."""

    server_time: datetime
    receipts: list[Receipt]


class _WrittenSchema(Schema):
    """The body as JSON Schema: it is read from its bytes, so the framework does not see it."""

    def to_schema(self) -> dict[str, Any]:
        """Write the batch down, its events in place."""
        defs = msgspec.json.schema(Batch)["$defs"]
        event = msgspec.json.schema(Event)["$defs"]["Event"]
        event["properties"]["type"]["examples"] = sorted(CAPTURES)
        event["properties"]["payload"] = {"type": "object"}
        batch: dict[str, Any] = defs["Batch"]
        batch["properties"]["events"] = {"type": "array", "maxItems": MAX_EVENTS, "items": event}
        return batch


@dataclass
class _PushOperation(Operation):
    """Says what the body is."""

    def __post_init__(self) -> None:
        content = {"application/json": OpenAPIMediaType(schema=_WrittenSchema())}
        self.request_body = RequestBody(required=True, content=content)


@post(
    "/field/sync/push",
    operation_id="pushCaptures",
    operation_class=_PushOperation,
    opt=needs("core:capture:sync"),
    status_code=200,
    responses=problems(BatchTooLarge, NotAPhone, WrongContentType),
    tags=TAGS,
)
async def push(request: Request[Actor, Any, Any], actor: Actor) -> PushOut:
    """Hand in captures: all are kept at once, then carried out in their order, each by itself.

    The same event again has no further effect and gets the same receipt. One that cannot be read or
    carried out is kept and rejected, or reviewed by a person; the others go through.
    """
    device_id = _device_of(actor)
    batch = await _batch(request)
    events = [read(bytes(raw)) for raw in batch.events]
    await store.keep(events, actor=actor, app_version=batch.app_version)
    await handling.drain(device_id)
    ids = [event.event_id for event in events if event.event_id is not None]
    return PushOut(
        now(),
        await store.receipts(ids, actor=actor),
        [UnreadableEvent(n, one.reason) for n, one in enumerate(events) if one.event_id is None],
    )


async def _batch(request: Request[Actor, Any, Any]) -> Batch:
    if not JSON_TYPES.match(request.headers.get("content-type", "").encode("latin-1")):
        raise WrongContentType("Send the content as application/json.")
    try:
        body = await request.body()
    except RequestEntityTooLarge as too_large:
        raise BatchTooLarge from too_large
    if len(body) > MAX_BYTES:
        raise BatchTooLarge
    try:
        batch = open_batch(body)
    except msgspec.ValidationError as wrong:
        raise Invalid(str(wrong)) from wrong
    except msgspec.DecodeError as broken:
        raise MalformedRequest(str(broken)) from broken
    if len(batch.events) > MAX_EVENTS:
        raise BatchTooLarge
    return batch


def _device_of(actor: Actor) -> UUID:
    if actor.device_id is None or actor.person_id is None:
        raise NotAPhone
    return actor.device_id


@get(
    "/field/sync/receipts",
    operation_id="readReceipts",
    opt=needs("core:capture:sync"),
    responses=problems(NotAPhone),
    tags=TAGS,
)
async def read_receipts(ids: Ids, actor: Actor) -> ReceiptsOut:
    """Tell what became of events whose answer was lost; only this phone's are known here."""
    _device_of(actor)
    wanted = [UUID(one) for one in ids.split(",")]
    return ReceiptsOut(now(), await store.receipts(wanted, actor=actor))


handlers = [push, read_receipts]
"""The routes of this door."""
