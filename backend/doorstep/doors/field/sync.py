"""The sync of a phone: hand in what was captured, and ask what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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

from doorstep.core import app_versions, limits
from doorstep.core.actor import Actor
from doorstep.core.app_versions import AppTooOld
from doorstep.core.auth import devices
from doorstep.core.auth.device_keys import Verifier
from doorstep.core.auth.devices import DeviceWord
from doorstep.core.auth.permissions import needs, public
from doorstep.core.captures import handling, health, store, surrender
from doorstep.core.captures.envelope import (
    MAX_BYTES,
    MAX_EVENTS,
    Batch,
    Event,
    Read,
    as_sent,
    open_batch,
    read,
)
from doorstep.core.captures.store import Receipt
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotAllowed, Refusal
from doorstep.core.http.problems import MalformedRequest, WrongContentType, problems
from doorstep.core.http.request import JSON_TYPES
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.field.captured import CAPTURES
from doorstep.doors.field.proof import DeviceId, SignatureOf, SignedAt

TAGS = ["sync"]
HANDS_IN = needs("core:capture:sync", hands_in=True)

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
    """What is captured, and what is held for it, belongs to a phone: this session is not of one."""

    title = "Only an enrolled phone syncs."


class UnreadableEvent(Struct):
    """An event of the batch without a readable id: it is kept, and has no receipt."""

    index: int
    reason: str


class PushOut(Struct):
    """What became of the batch. An event without a receipt is kept and still to be carried out."""

    server_time: datetime
    receipts: list[Receipt]
    unreadable: list[UnreadableEvent]
    device: DeviceWord


class ReceiptsOut(Struct):
    """The receipts of those ids that are this phone's."""

    server_time: datetime
    receipts: list[Receipt]
    device: DeviceWord


class SurrenderOut(Struct):
    """What became of the batch; each event was kept for a person, or had its receipt before."""

    server_time: datetime
    receipts: list[Receipt]
    unreadable: list[UnreadableEvent]


class _WrittenSchema(Schema):
    """The body as JSON Schema: it is read from its bytes, so the framework does not see it."""

    def to_schema(self) -> dict[str, Any]:
        """Write the batch down, its events in place."""
        defs = msgspec.json.schema(Batch)["$defs"]
        event = msgspec.json.schema(Event)["$defs"]["Event"]
        event["properties"]["type"]["examples"] = sorted(CAPTURES)
        event["properties"]["payload"] = {"type": "object"}
        batch: dict[str, Any] = defs["Batch"]
        said = msgspec.json.schema(health.Health)["$defs"]["Health"]
        batch["properties"]["health"] = {"anyOf": [said, {"type": "null"}], "default": None}
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
    opt=HANDS_IN,
    status_code=200,
    responses=problems(BatchTooLarge, NotAPhone, WrongContentType, AppTooOld),
    tags=TAGS,
)
async def push(request: Request[Actor, Any, Any], actor: Actor) -> PushOut:
    """Hand in captures: all are kept at once, then carried out in their order, each by itself.

    The same event again has no further effect and gets the same receipt. One that cannot be read or
    carried out is kept and rejected, or reviewed by a person; the others go through. One that this
    phone has not signed with the key it was enrolled with is kept for a person. A version that is
    too old gets 426 and keeps all it has until it is updated.
    """
    device = await device_of(actor)
    body = await _body(request)
    batch = _opened(body)
    await devices.heard(device, told=batch.device_state, app_version=batch.app_version)
    app_versions.require_current(batch.app_version)
    events = await _read(batch, body, device)
    await store.keep(events, actor=actor, app_version=batch.app_version)
    await handling.drain(device.id)
    receipts = await store.receipts(_ids(events), actor=actor)
    told = health.read(batch.health)
    await health.pushed(device, told, receipts=len(receipts))
    return PushOut(now(), receipts, _unreadable(events), device.word)


@post(
    surrender.PATH,
    operation_id="surrenderCaptures",
    operation_class=_PushOperation,
    opt=public(limit="surrender"),
    status_code=200,
    responses=problems(BatchTooLarge, surrender.SurrenderRefused, WrongContentType),
    tags=TAGS,
)
async def surrender_captures(
    request: Request[Any, Any, Any],
    device_id: DeviceId,
    signed_at: SignedAt,
    signature: SignatureOf,
) -> SurrenderOut:
    """Hand in what a phone without a session still has: it is kept, and a person looks at it.

    The headers sign the body with the device's key; `Doorstep-Signature` covers the lines
    `POST /field/sync/surrender`, device, time and SHA-256 of the body in hex. Whoever is refused
    learns the server's time and nothing else.
    """
    await limits.take("surrender_device", str(device_id))
    body = await _body(request)
    claims = surrender.Surrender(device_id, signed_at, signature, body)
    device = await surrender.recognise(claims)
    batch = _opened(body)
    events = await _read(batch, body, device)
    request_id = REQUEST_ID.get()
    await surrender.keep(
        events, device, claims, app_version=batch.app_version, request_id=request_id
    )
    actor = surrender.actor_of(device, request_id)
    return SurrenderOut(now(), await store.receipts(_ids(events), actor=actor), _unreadable(events))


async def _read(batch: Batch, body: bytes, device: devices.Device) -> list[Read]:
    """Read the events and look at their signatures, beside the loop: a hundred take some 10 ms."""
    raws = [bytes(raw) for raw in batch.events]
    key = Verifier(device.public_key)

    def work() -> list[Read]:
        return [read(raw, sent, key) for raw, sent in zip(raws, as_sent(body, raws), strict=True)]

    return await asyncio.to_thread(work)


def _ids(events: Sequence[Read]) -> list[UUID]:
    return [event.event_id for event in events if event.event_id is not None]


def _unreadable(events: Sequence[Read]) -> list[UnreadableEvent]:
    return [UnreadableEvent(n, one.reason) for n, one in enumerate(events) if one.event_id is None]


async def _body(request: Request[Any, Any, Any]) -> bytes:
    if not JSON_TYPES.match(request.headers.get("content-type", "").encode("latin-1")):
        raise WrongContentType("Send the content as application/json.")
    try:
        body = await request.body()
    except RequestEntityTooLarge as too_large:
        raise BatchTooLarge from too_large
    if len(body) > MAX_BYTES:
        raise BatchTooLarge
    return body


def _opened(body: bytes) -> Batch:
    try:
        batch = open_batch(body)
    except msgspec.ValidationError as wrong:
        raise Invalid(str(wrong)) from wrong
    except msgspec.DecodeError as broken:
        raise MalformedRequest(str(broken)) from broken
    if len(batch.events) > MAX_EVENTS:
        raise BatchTooLarge
    return batch


async def device_of(actor: Actor) -> devices.Device:
    if actor.device_id is None or actor.person_id is None:
        raise NotAPhone
    device = await devices.read_device(actor.device_id)
    if device is None:
        raise NotAPhone
    return device


@get(
    "/field/sync/receipts",
    operation_id="readReceipts",
    opt=HANDS_IN,
    responses=problems(NotAPhone),
    tags=TAGS,
)
async def read_receipts(ids: Ids, actor: Actor) -> ReceiptsOut:
    """Tell what became of events whose answer was lost; only this phone's are known here."""
    device = await device_of(actor)
    wanted = [UUID(one) for one in ids.split(",")]
    return ReceiptsOut(now(), await store.receipts(wanted, actor=actor), device.word)


handlers = [push, read_receipts, surrender_captures]
"""The routes of this door."""
