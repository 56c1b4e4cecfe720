"""Carriers, the shipments they carry, and what they say about them (SPEC P11, P12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.tms import rules
from doorstep.modules.tms.refusals import AwbTaken, CarrierUnknown


class Service(NamedTuple):
    """A channel that a carrier serves, how fast, and when it picks up (on the channel's clock)."""

    channel_id: UUID
    service: str = "standard"
    priority: int = 100
    pickup_from: time = time(9)
    pickup_until: time = time(18)


class ShipmentBooked(NamedTuple):
    """A shipment and the numbers on its labels; `first` is False when it had been booked before."""

    id: UUID
    awb: str
    labels: tuple[str, ...]
    first: bool


@db.transactional
async def create_carrier(
    code: str, name: str, kind: str = "own", services: Sequence[Service] = ()
) -> UUID:
    """Make a carrier known, or give a known one this name and these services; return its id.

    `kind` is own, aggregator or direct. Only an own carrier gets AWB numbers from us.
    """
    carrier_id: UUID = await db.value(
        "INSERT INTO carrier (id, code, name, kind) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (code) DO UPDATE SET name = excluded.name, kind = excluded.kind,"
        " active = true RETURNING id",
        uuid7(),
        code,
        name,
        kind,
    )
    await db.execute("DELETE FROM carrier_service WHERE carrier_id = $1", carrier_id)
    await db.execute_many(
        "INSERT INTO carrier_service"
        " (carrier_id, channel_id, service, priority, pickup_from, pickup_until)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [(carrier_id, *service) for service in services],
    )
    return carrier_id


async def choose_carrier(channel_id: UUID, service: str) -> dict[str, Any] | None:
    """Find who carries this service in this channel: lowest priority number first (SPEC P12)."""
    return await db.row(
        "SELECT c.id, c.code, c.name, c.kind, s.pickup_from, s.pickup_until"
        " FROM carrier_service s JOIN carrier c ON c.id = s.carrier_id"
        " WHERE s.channel_id = $1 AND s.service = $2 AND c.active"
        " ORDER BY s.priority, c.code LIMIT 1",
        channel_id,
        service,
    )


async def carrier_by_code(code: str) -> dict[str, Any]:
    """Find a carrier. Raises: CarrierUnknown."""
    found = await db.row(
        "SELECT id, code, name, kind FROM carrier WHERE code = $1 AND active", code
    )
    if found is None:
        raise CarrierUnknown(code=code)
    return found


async def next_awb(country: str) -> str:
    """Draw the next AWB number of our own fleet; none is used twice, gaps are harmless."""
    return rules.make_awb(await db.value("SELECT nextval('awb_number')"), country)


@db.transactional
async def create_shipment(
    fulfilment: Mapping[str, Any],
    *,
    carrier_id: UUID,
    service: str,
    awb: str,
    packages: Sequence[Mapping[str, Any]],
    window: tuple[datetime, datetime] | None = None,
    leg: str = "outbound",
) -> ShipmentBooked:
    """Book a shipment of all packages (id, n, of, weight_g) of a fulfilment, one label per piece.

    Booking the same leg of the same attempt again returns the shipment there is.

    Raises: AwbTaken.
    """
    opens, closes = window or (None, None)
    shipment_id = await db.value(
        "INSERT INTO shipment (id, order_id, fulfilment_id, carrier_id, leg, attempt, service, awb,"
        " pickup_from, pickup_until, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT DO NOTHING RETURNING id",
        uuid7(),
        fulfilment["order_id"],
        fulfilment["id"],
        carrier_id,
        leg,
        fulfilment["attempt"],
        service,
        awb,
        opens,
        closes,
        now(),
    )
    if shipment_id is None:
        return await _booked_before(fulfilment, leg, awb)
    labels = tuple(rules.label_of(awb, package["n"]) for package in packages)
    await db.execute(
        "INSERT INTO piece (id, shipment_id, package_id, n, of, label_no, weight_g)"
        " SELECT new_id(), $1, given.* FROM unnest($2::uuid[], $3::smallint[], $4::smallint[],"
        " $5::text[], $6::int[]) AS given",
        shipment_id,
        [package["id"] for package in packages],
        [package["n"] for package in packages],
        [package["of"] for package in packages],
        list(labels),
        [package["weight_g"] for package in packages],
    )
    return ShipmentBooked(shipment_id, awb, labels, True)


async def _booked_before(fulfilment: Mapping[str, Any], leg: str, awb: str) -> ShipmentBooked:
    found = await db.row(
        "SELECT s.id, s.awb, array_agg(p.label_no ORDER BY p.n) AS labels FROM shipment s"
        " LEFT JOIN piece p ON p.shipment_id = s.id"
        " WHERE s.fulfilment_id = $1 AND s.leg = $2 AND s.attempt = $3 GROUP BY s.id",
        fulfilment["id"],
        leg,
        fulfilment["attempt"],
    )
    if found is None:
        raise AwbTaken(awb=awb)
    return ShipmentBooked(found["id"], found["awb"], tuple(found["labels"]), False)


async def move_pickup(shipment_id: UUID, window: tuple[datetime, datetime]) -> None:
    """Give a shipment that nobody picked up its next pickup window."""
    await db.execute(
        "UPDATE shipment SET pickup_from = $2, pickup_until = $3 WHERE id = $1",
        shipment_id,
        *window,
    )


async def keep_carrier_event(
    shipment: Mapping[str, Any],
    *,
    source: str,
    source_id: str,
    stage: int | None,
    status: str,
    place: str,
    remark: str,
    happened_at: datetime,
) -> UUID:
    """Keep what a carrier said of a shipment (id, order_id, awb); the same event is one row."""
    event_id: UUID = await db.value(
        "WITH kept AS (INSERT INTO carrier_event (id, source, source_id, order_id, shipment_id,"
        " awb, stage, status, place, remark, happened_at, recorded_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        " ON CONFLICT (source, source_id) DO NOTHING RETURNING id)"
        " SELECT id FROM kept"
        " UNION ALL SELECT id FROM carrier_event WHERE source = $2 AND source_id = $3 LIMIT 1",
        uuid7(),
        source,
        source_id,
        shipment["order_id"],
        shipment["id"],
        shipment["awb"],
        stage,
        status,
        place,
        remark,
        happened_at,
        now(),
    )
    return event_id
