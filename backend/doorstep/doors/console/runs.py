"""Dispatchers: shipments of other carriers, manifests for couriers, runs, proofs in review."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.openapi import ResponseSpec
from msgspec import Meta, Struct

from doorstep.core import blobs, db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotAllowed, NotFound
from doorstep.core.http.problems import problems
from doorstep.doors.once import REFUSALS, OptionalKey, once
from doorstep.doors.verdicts import VerdictOut, told
from doorstep.flows import deliver, dispatch, transport
from doorstep.journey.refusals import StageAlreadyDone, StageTooEarly
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    AwbTaken,
    CarrierUnknown,
    CrewTooSmall,
    NothingToCollect,
    PieceAlreadyGiven,
    ShiftMissing,
    ShiftOver,
    StopMissing,
    VehicleFull,
)

AnyRequest = Request[Any, Any, Any]
TAGS = ["transport"]
Ids = Annotated[list[UUID], Meta(min_length=1, max_length=100)]
Reason = Annotated[str, Meta(min_length=3, max_length=500)]

# {scope} comes from core.auth.scope: names of ours, values bound.
DOCUMENTS = """
SELECT d.id, d.kind, d.language, d.created_at FROM order_document d
 WHERE (d.fulfilment_id = $1 OR (d.fulfilment_id IS NULL AND d.order_id =
        (SELECT f.order_id FROM fulfilment f WHERE f.id = $1)))
 ORDER BY d.kind, d.language
"""
DOCUMENT = """
SELECT d.sha256, d.kind, o.number FROM order_document d
  JOIN customer_order o ON o.id = d.order_id WHERE d.id = $1 AND {scope}
"""


class ShipmentIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """An AWB that a carrier has given from outside."""

    fulfilment_id: UUID
    carrier_code: Annotated[str, Meta(min_length=1, max_length=40)]
    awb: Annotated[str, Meta(pattern="^[A-Za-z0-9-]{4,40}$")]


class ManifestIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Parcels that a courier is to pick up at a location."""

    location_id: UUID
    courier_id: UUID
    fulfilment_ids: Ids


class ManifestMade(Struct):
    """The manifest, and how many pieces stand on it."""

    id: UUID
    number: str
    pieces: int


class RunIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Deliveries in the order of driving, for a shift, or for a person with a vehicle on a day."""

    shift_id: UUID | None = None
    person_id: UUID | None = None
    vehicle: Annotated[str, Meta(min_length=1, max_length=40)] | None = None
    planned_on: date | None = None
    fulfilment_ids: Ids


class PlannedStop(Struct):
    """A delivery of the run."""

    id: UUID
    fulfilment_id: UUID
    position: int


class RunPlanned(Struct):
    """The run as its driver will see it."""

    id: UUID
    number: str
    stops: list[PlannedStop]


class Removed(Struct):
    """The delivery is free to be given to somebody else."""

    stop_id: UUID


class AcceptPodIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Why a proof counts although it lacks something."""

    reason: Reason


class DocumentOut(Struct):
    """A printed paper of a parcel or its order."""

    id: UUID
    kind: str
    language: str
    created_at: datetime


@post(
    "/console/shipments",
    operation_id="recordAwb",
    opt=needs("tms:shipment:write"),
    responses=problems(NotFound, CarrierUnknown, AwbTaken, StageTooEarly, StageAlreadyDone),
    status_code=200,
    tags=TAGS,
)
async def record_awb(data: ShipmentIn, actor: Actor) -> Response[VerdictOut]:
    """Book a packed parcel under another carrier's AWB (1008)."""
    return told(
        await dispatch.record_awb(
            data.fulfilment_id, carrier_code=data.carrier_code, awb=data.awb, actor=actor
        )
    )


@post(
    "/console/manifests",
    operation_id="makeManifest",
    opt=needs("tms:manifest:write"),
    responses=problems(
        NotFound,
        NotAllowed,
        dispatch.NotACourier,
        dispatch.OneCarrierPerManifest,
        NothingToCollect,
        PieceAlreadyGiven,
        *REFUSALS,
    ),
    tags=TAGS,
)
async def make_manifest(
    request: AnyRequest, data: ManifestIn, actor: Actor, key: OptionalKey = None
) -> Response[ManifestMade]:
    """Give the pieces of parcels that lie at one location to a courier."""

    async def create() -> ManifestMade:
        made = await dispatch.give_to_courier(
            data.fulfilment_ids,
            location_id=data.location_id,
            courier_id=data.courier_id,
            actor=actor,
        )
        return ManifestMade(**made)

    return await once(request, actor, key, create)


@post(
    "/console/runs",
    operation_id="planRun",
    opt=needs("tms:run:plan"),
    responses=problems(
        NotFound,
        dispatch.NotACourier,
        transport.NotForARun,
        transport.OneChannelPerRun,
        transport.NobodyNamed,
        AlreadyAssigned,
        ShiftMissing,
        ShiftOver,
        CrewTooSmall,
        VehicleFull,
        *REFUSALS,
    ),
    tags=TAGS,
)
async def plan_run(
    request: AnyRequest, data: RunIn, actor: Actor, key: OptionalKey = None
) -> Response[RunPlanned]:
    """Give deliveries to a shift's crew, or to one courier or delivery executive, who accepts."""

    async def create() -> RunPlanned:
        run = await transport.plan_run(
            data.fulfilment_ids,
            person_id=data.person_id,
            vehicle=data.vehicle,
            planned_on=data.planned_on,
            shift_id=data.shift_id,
            actor=actor,
        )
        return msgspec.convert(run, RunPlanned)

    return await once(request, actor, key, create)


@post(
    "/console/stops/{stop_id:uuid}/remove",
    operation_id="removeStop",
    opt=needs("tms:run:plan"),
    responses=problems(StopMissing),
    status_code=200,
    tags=TAGS,
)
async def remove_stop(stop_id: UUID, actor: Actor) -> Removed:
    """Take a delivery off its run."""
    await transport.remove_stop(stop_id, actor=actor)
    return Removed(stop_id)


@post(
    "/console/pods/{pod_id:uuid}/accept",
    operation_id="acceptProofOfDelivery",
    opt=needs("tms:shipment:write"),
    responses=problems(NotFound),
    status_code=200,
    tags=TAGS,
)
async def accept_pod(pod_id: UUID, data: AcceptPodIn, actor: Actor) -> Response[VerdictOut]:
    """Let a proof of delivery that waits for a person count, with a reason (1013, V4)."""
    return told(await deliver.accept_pod(pod_id, data.reason, actor=actor))


@get(
    "/console/fulfilments/{fulfilment_id:uuid}/documents",
    operation_id="listDocuments",
    opt=needs("oms:document:read"),
    responses=problems(NotFound),
    tags=["orders"],
)
async def list_documents(fulfilment_id: UUID, actor: Actor) -> list[DocumentOut]:
    """List the printed papers of a parcel, and the invoice of its order."""
    await scope(actor).require_fulfilment(fulfilment_id)
    return msgspec.convert(await db.rows(DOCUMENTS, fulfilment_id), list[DocumentOut])


@get(
    "/console/documents/{document_id:uuid}",
    operation_id="openDocument",
    opt=needs("oms:document:read"),
    responses=problems(NotFound)
    | {200: ResponseSpec(bytes, media_type="application/pdf", description="The PDF.")},
    tags=["orders"],
)
async def open_document(document_id: UUID, actor: Actor) -> Response[bytes]:
    """Open a printed paper."""
    condition, arguments = scope(actor).of_order("d.order_id", first=2)
    found = await db.row(DOCUMENT.format(scope=condition), document_id, *arguments)
    if found is None:
        raise NotFound
    return Response(
        await blobs.get(found["sha256"]),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'inline; filename="{found["number"]}-{found["kind"]}.pdf"',
            "Cache-Control": "private, no-store",
        },
    )


handlers = [
    record_awb,
    make_manifest,
    plan_run,
    remove_stop,
    accept_pod,
    list_documents,
    open_document,
]
"""The routes of this door."""
