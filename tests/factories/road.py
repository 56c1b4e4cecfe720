"""Parcels on the road and technicians at work, for tests of transport and installation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from doorstep import journey, ports
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import deliver, dispatch, install, proof_pictures, transport
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.schemas import Checklist, Item, Topic
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import Photo, Place, ProofOfDelivery, Receiver, Scan, Tender
from tests.factories.care import Travelling, place, serials_for, travel
from tests.factories.world import World, an_order, make_world

REACTIONS: Mapping[str, Sequence[journey.Reaction]] = {
    "1007": [dispatch.book_shipment],
    "1008": [dispatch.make_label_documents],
    "1012": [deliver.issue_handover_code],
    "1013": [proof_pictures.check_bytes, install.pass_schedule_if_booked],
    "bytes_verified": [proof_pictures.check_bytes],
    "visit_booked": [install.pass_schedule_if_booked],
}
"""The reactions of transport and installation alone."""

ALWAYS = {str(day): [("00:00", "23:30")] for day in range(1, 8)}
FRESH = date(2026, 11, 23)


@dataclass
class Road:
    """People of the road, and what they see."""

    world: World
    courier: Actor
    dispatcher: Actor
    parcels: dict[UUID, Travelling] = field(default_factory=dict)


async def make_person(role: str, name: str = "") -> UUID:
    """Add somebody who may do what the role may."""
    person_id = uuid7()
    await db.execute(
        "INSERT INTO person (id, role, name, created_at) VALUES ($1, $2, $3, $4)",
        person_id,
        role,
        name or f"a {role}",
        now(),
    )
    return person_id


async def make_actor(role: str, source: Any = "phone") -> Actor:
    """Add somebody and act as them, from a phone unless it is said otherwise."""
    person_id = await make_person(role)
    device_id = uuid7() if source == "phone" else None
    return Actor(
        role=role,
        source=source,
        person_id=person_id,
        device_id=device_id,
        request_id=uuid7().hex,
    )


async def make_road() -> Road:
    """Make a world with an own fleet for standard deliveries, a courier and a dispatcher."""
    world = await make_world()
    await tms.create_carrier("OWN", "Doorstep Fleet", services=[tms.Service(world.channel_id)])
    return Road(world, await make_actor("courier"), await make_actor("dispatcher", "person"))


async def packed(
    road: Road, *lines: tuple[str, int], pieces: int = 1, order: ports.IncomingOrder | None = None
) -> Travelling:
    """Let an order travel until it is packed in so many boxes (1007)."""
    going = await place(order=order or an_order(*lines), world=road.world)
    for parcel in going.parcels:
        road.parcels[parcel] = going
        for n in range(1, pieces + 1):
            await db.execute(
                "INSERT INTO package VALUES ($1, $2, $3, $4, 5000, 300, 300, 300, NULL, $5)",
                uuid7(),
                parcel,
                n,
                pieces,
                now(),
            )
        await travel(parcel, 1002, 1003, 1004, 1005, 1006, 1007)
    return going


async def labels_of(parcel: UUID) -> list[str]:
    """List the labels on a parcel's pieces."""
    rows = await db.rows(
        "SELECT p.label_no FROM piece p JOIN shipment s ON s.id = p.shipment_id"
        " WHERE s.fulfilment_id = $1 ORDER BY p.n",
        parcel,
    )
    return [row["label_no"] for row in rows]


def a_scan(label_no: str, kind: Any = "pickup", **other: Any) -> Scan:
    """See one label, now."""
    return Scan(scan_uid=uuid7(), label_no=label_no, kind=kind, captured_at=now(), **other)


async def out_for_delivery(road: Road, *parcels: UUID) -> dict[UUID, UUID]:
    """Plan a run of these parcels for the courier and accept it; return parcel → stop."""
    run = await transport.plan_run(
        parcels,
        person_id=road.courier.person_id or uuid7(),
        vehicle="VAN-1",
        planned_on=FRESH,
        actor=road.dispatcher,
    )
    await transport.accept_run(run["id"], event_id=uuid7(), captured_at=now(), actor=road.courier)
    return {stop["fulfilment_id"]: stop["id"] for stop in run["stops"]}


async def code_of(parcel: UUID) -> str:
    """Read the handover code from the message to the customer."""
    code: str = await db.value(
        "SELECT payload ->> 'secret' FROM outbox WHERE kind = 'messages.handover_code'"
        " AND payload ->> 'fulfilment_id' = $1 ORDER BY id DESC LIMIT 1",
        str(parcel),
    )
    return code


def picture(name: str) -> str:
    """Name a picture by the hash of its bytes."""
    return hashlib.sha256(name.encode()).hexdigest()


async def upload(sha256: str) -> None:
    """Let a picture lie on the server, decoded, as uploads and pictures leave it."""
    await db.execute("INSERT INTO blob (sha256, size, mime) VALUES ($1, 1, 'image/jpeg')", sha256)
    await db.execute(
        "INSERT INTO picture (sha256, derivative, blob_sha256, width, height)"
        " VALUES ($1, 'large', $1, 1, 1)",
        sha256,
    )


async def a_proof(parcel: UUID, **other: Any) -> ProofOfDelivery:
    """Capture everything the default recipe of a prepaid stop asks for."""
    given: dict[str, Any] = {
        "event_id": uuid7(),
        "captured_at": datetime.now(UTC),
        "receiver": Receiver(name="Aisha Khan", relation="customer"),
        "photos": [Photo(slot="parcel", sha256=picture(str(parcel)))],
        "handover_code": await code_of(parcel),
        "scanned_labels": await labels_of(parcel),
        "place": Place(lat=25.08, lng=55.14, accuracy_m=8),
        "signature": [[(0.0, 0.0, 0), (1.0, 1.0, 20)]],
    }
    return ProofOfDelivery(**given | other)


def cash(amount_minor: int) -> Tender:
    """Take notes and coins."""
    return Tender(method="cash", amount_minor=amount_minor)


async def make_technician(road: Road, *skills: str, hours: Any = None) -> Actor:
    """Add a technician of the channel who always works, with these skills."""
    technician = await make_actor("technician")
    assert technician.person_id is not None
    await fsm.create_technician(
        technician.person_id, road.world.channel_id, skills or ("laundry",), hours or ALWAYS
    )
    return technician


def a_checklist(**other: Any) -> Checklist:
    """Write a short checklist for a washing machine."""
    given: dict[str, Any] = {
        "title": "Washing machine",
        "minutes": 60,
        "items": [Item(id="level", text="It stands level.", kind="check")],
        "photo_slots": ["before", "after"],
        "demo_topics": [Topic(id="modes", text="Programs")],
    }
    return Checklist(**given | other)


async def problems_of(parcel: UUID) -> list[str]:
    """List the kinds of problems that are open about a parcel."""
    rows = await db.rows(
        "SELECT kind FROM problem WHERE fulfilment_id = $1 AND closed_at IS NULL ORDER BY kind",
        parcel,
    )
    return [row["kind"] for row in rows]


KETTLE = ("KET-17", 1)


async def a_parcel(road: Road, *, pieces: int = 1) -> UUID:
    return (await packed(road, KETTLE, pieces=pieces)).parcels[0]


async def a_machine(road: Road, *, delivered: bool = False) -> UUID:
    """Let a washing machine with its serial number be packed, or delivered; two people carry it."""
    parcel = (await packed(road, ("WM-7KG", 1))).parcels[0]
    serial = await db.value("SELECT serial FROM unit WHERE state = 'in_stock' ORDER BY id LIMIT 1")
    await serials_for(parcel, [serial])
    if delivered:
        await travel(parcel, 1009, 1010, 1012, 1013)
    return parcel


async def visit_of(parcel: UUID) -> dict[str, Any]:
    """Read a parcel's visit, and when it begins."""
    return await db.one(
        "SELECT *, lower(during) AS starts_at FROM visit WHERE fulfilment_id = $1", parcel
    )


async def evaluate() -> None:
    """Run the evaluations that scans have asked for, as the worker does."""
    for row in await db.rows(
        "UPDATE outbox SET done_at = now() WHERE kind = 'flows.evaluate_scans' AND done_at IS NULL"
        " RETURNING payload"
    ):
        await transport.evaluate_scans_job(row["payload"])


async def how(parcel: UUID, stage: int) -> str | None:
    value: str | None = await db.value(
        "SELECT how FROM journey_event WHERE fulfilment_id = $1 AND stage = $2 AND kind = 'stage'",
        parcel,
        stage,
    )
    return value
