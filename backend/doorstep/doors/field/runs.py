"""Couriers and delivery executives: their pickups, their runs, and taking both over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.clock import now
from doorstep.core.http.problems import problems
from doorstep.doors.field.addresses import DoorAddress
from doorstep.doors.field.door_links import DoorLinkOut, link_out
from doorstep.doors.verdicts import VerdictOut, verdict
from doorstep.flows import transport
from doorstep.flows.stops import StopAsk, ask_of_stops
from doorstep.modules.tms.refusals import (
    ManifestAlreadyConfirmed,
    ManifestMissing,
    RunAlreadyAccepted,
    RunMissing,
    RunNotAcceptable,
    ShiftNotOpen,
)
from doorstep.modules.tms.schemas import Window

TAGS = ["transport"]

# Today on the channel's clock, and whatever was not finished before.
OWN_RUNS = """
SELECT r.id, r.number, r.vehicle, r.planned_on, r.state, r.shift_id,
       (SELECT jsonb_agg(jsonb_build_object(
                 'id', s.id, 'position', s.position, 'state', s.state, 'number', o.number,
                 'order_id', f.order_id, 'channel_id', f.channel_id,
                 'fulfilment_id', f.id, 'address', jsonb_build_object(
                    'name', a.name, 'phone', a.phone, 'line1', a.line1, 'building', a.building,
                    'floor', a.floor, 'flat', a.flat, 'lift', a.lift, 'area', a.area,
                    'city', a.city, 'postcode', a.postcode, 'lat', a.lat, 'lng', a.lng,
                    'instructions', a.instructions),
                 'link', door_link_of(s.id),
                 'window', (SELECT CASE WHEN w.from_at IS NOT NULL THEN jsonb_build_object(
                              'from_at', w.from_at, 'until_at', w.until_at) END
                              FROM delivery_window w WHERE w.fulfilment_id = f.id
                             ORDER BY w.n DESC LIMIT 1),
                 'goods', coalesce((SELECT jsonb_agg(jsonb_build_object('fulfilment_line_id', l.id,
                              'sku', p.sku, 'name', p.name, 'quantity', l.quantity,
                              'crew_size', p.crew_size, 'serials', array(
                                SELECT u.serial FROM unit u WHERE u.fulfilment_line_id = l.id
                                 ORDER BY u.serial)) ORDER BY p.name, l.id)
                             FROM fulfilment_line l JOIN product p ON p.id = l.product_id
                            WHERE l.fulfilment_id = f.id), '[]'),
                 'pieces', coalesce((
                    SELECT jsonb_agg(jsonb_build_object('label_no', p.label_no, 'n', p.n,
                              'of', p."of", 'weight_g', p.weight_g,
                              'goods', box_goods(p.package_id)) ORDER BY p.n)
                      FROM shipment h JOIN piece p ON p.shipment_id = h.id
                     WHERE h.id = (SELECT id FROM shipment
                                    WHERE fulfilment_id = f.id AND leg = 'outbound'
                                    ORDER BY attempt DESC LIMIT 1)), '[]')) ORDER BY s.position)
          FROM delivery_stop s
          JOIN fulfilment f ON f.id = s.fulfilment_id
          JOIN customer_order o ON o.id = f.order_id
          JOIN address a ON a.id = o.address_id
         WHERE s.run_id = r.id AND s.state <> 'removed') AS stops
  FROM delivery_run r
  JOIN run_person d ON d.run_id = r.id
  JOIN channel c ON c.id = r.channel_id
 WHERE d.person_id = $1 AND r.state IN ('planned', 'accepted')
   AND r.planned_on <= ($2::timestamptz AT TIME ZONE c.zone)::date
 ORDER BY r.planned_on, r.number
"""

OWN_MANIFESTS = """
SELECT m.id, m.number, l.code AS location_code, l.name AS location_name, l.city, l.lat, l.lng,
       m.created_at,
       (SELECT min(s.pickup_until) FROM manifest_piece x
          JOIN piece p ON p.id = x.piece_id JOIN shipment s ON s.id = p.shipment_id
         WHERE x.manifest_id = m.id) AS pickup_until,
       coalesce((
         SELECT jsonb_agg(jsonb_build_object('label_no', p.label_no, 'n', p.n, 'of', p."of",
                  'weight_g', p.weight_g, 'number', o.number, 'destination', a.city,
                  'goods', box_goods(p.package_id)) ORDER BY p.label_no)
           FROM manifest_piece x
           JOIN piece p ON p.id = x.piece_id
           JOIN shipment s ON s.id = p.shipment_id
           JOIN customer_order o ON o.id = s.order_id
           JOIN address a ON a.id = o.address_id
          WHERE x.manifest_id = m.id), '[]') AS pieces
  FROM manifest m JOIN location l ON l.id = m.location_id
 WHERE m.courier_id = $1 AND m.confirmed_at IS NULL ORDER BY m.created_at, m.id
"""


class Piece(Struct):
    """A box; `label_no` is what its barcode says."""

    label_no: str
    n: int
    of: int
    weight_g: int


class BoxGoods(Struct):
    """Goods that are in a box; `part` of `parts` is which piece of goods that come in several."""

    fulfilment_line_id: UUID
    name: str
    quantity: int
    part: int
    parts: int


class PackedBox(Piece):
    """A box with what is in it; that is empty where the packer has not said."""

    goods: list[BoxGoods]


class Goods(Struct):
    """What is in the boxes, and how many people carry it.

    `unit_price_minor` is what each piece that is kept back takes off the money due at this stop.
    """

    fulfilment_line_id: UUID
    sku: str
    name: str
    quantity: int
    crew_size: int
    serials: list[str]
    unit_price_minor: int


class RecipeOut(Struct):
    """Which proofs the stop needs; `photo_slots` names the pictures."""

    proofs: list[str]
    photo_slots: list[str]


class StopOut(Struct):
    """One delivery with all that is needed without a network.

    `recipe` holds when the customer takes the goods, `recipe_other` when somebody else does.
    """

    id: UUID
    fulfilment_id: UUID
    number: str
    position: int
    state: str
    address: DoorAddress
    goods: list[Goods]
    pieces: list[PackedBox]
    cash_due_minor: int
    currency: str
    recipe: RecipeOut
    recipe_other: RecipeOut
    link: DoorLinkOut | None
    window: Window | None
    """When the delivery is promised, where it is."""


class RunHead(Struct):
    """A tour of one person, or of everybody of a shift, without its stops."""

    id: UUID
    number: str
    vehicle: str
    planned_on: date
    state: str
    shift_id: UUID | None


class RunOut(RunHead):
    """A tour of one person, or of everybody of a shift; stops stand in the order of driving."""

    stops: list[StopOut]


class AcceptIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Taking over; the phone makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment


class StopAccepted(Struct):
    """What accepting meant for one stop."""

    stop_id: UUID
    step: VerdictOut


class AcceptedOut(Struct):
    """The run is this person's; each stop tells whether 1012 is passed."""

    run_id: UUID
    stops: list[StopAccepted]


class PieceOfParcel(PackedBox):
    """A box with what is in it, the order and the town that it is for."""

    number: str
    destination: str


class ManifestOut(Struct):
    """Pieces that wait for this person at a location; `pickup_until` is the first cut-off of them."""

    id: UUID
    number: str
    location_code: str
    location_name: str
    city: str
    lat: float | None
    lng: float | None
    created_at: datetime
    pickup_until: datetime | None
    pieces: list[PieceOfParcel]


class ConfirmIn(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """How many pieces were taken over."""

    event_id: UUID
    captured_at: Moment
    counted: Annotated[int, Meta(ge=0, le=10_000)]


class ConfirmedOut(Struct):
    """The pickup is on record; another number than expected has become a problem."""

    id: UUID
    number: str
    expected: int
    counted: int


@get("/field/runs", operation_id="listOwnRuns", opt=needs("tms:run:accept"), tags=TAGS)
async def list_own_runs(actor: Actor) -> list[RunOut]:
    """List the person's unfinished runs up to today, and those of the person's shift.

    Each stop has its address, pieces and the money due.
    """
    rows = await db.rows(OWN_RUNS, actor.person_id, now())
    asks = await ask_of_stops([_fulfilment_of(stop) for row in rows for stop in row["stops"] or ()])
    return [_run(row, asks) for row in rows]


def _fulfilment_of(stop: dict[str, Any]) -> dict[str, UUID]:
    return {
        "id": UUID(stop["fulfilment_id"]),
        "order_id": UUID(stop["order_id"]),
        "channel_id": UUID(stop["channel_id"]),
    }


def _run(row: dict[str, Any], asks: Mapping[UUID, StopAsk]) -> RunOut:
    stops = [_stop(stop, asks[UUID(stop["fulfilment_id"])]) for stop in row.pop("stops") or ()]
    return RunOut(**row, stops=stops)


def _stop(stop: dict[str, Any], asked: StopAsk) -> StopOut:
    customer, other = asked.recipe("customer"), asked.recipe("other")
    return msgspec.convert(
        stop
        | {
            "link": stop["link"] and link_out(stop["link"]),
            "goods": [_priced(line, asked.unit_prices) for line in stop["goods"]],
            "cash_due_minor": asked.due_minor,
            "currency": asked.currency,
            "recipe": RecipeOut([*customer.proofs], [*customer.photo_slots]),
            "recipe_other": RecipeOut([*other.proofs], [*other.photo_slots]),
        },
        StopOut,
    )


def _priced(line: dict[str, Any], unit_prices: Mapping[UUID, int]) -> dict[str, Any]:
    return line | {"unit_price_minor": unit_prices[UUID(line["fulfilment_line_id"])]}


@post(
    "/field/runs/{run_id:uuid}/accept",
    operation_id="acceptRun",
    opt=needs("tms:run:accept"),
    status_code=200,
    responses=problems(RunMissing, RunAlreadyAccepted, RunNotAcceptable, ShiftNotOpen),
    tags=TAGS,
)
async def accept_run(run_id: UUID, data: AcceptIn, actor: Actor) -> AcceptedOut:
    """Take over one's run, or one of one's open shift, once: its deliveries are out (1012)."""
    accepted = await transport.accept_run(
        run_id, event_id=data.event_id, captured_at=data.captured_at, actor=actor
    )
    stops = [StopAccepted(stop.stop_id, verdict(stop.answer)) for stop in accepted]
    return AcceptedOut(run_id, stops)


@get(
    "/field/manifests",
    operation_id="listOwnManifests",
    opt=needs("tms:manifest:confirm"),
    tags=TAGS,
)
async def list_own_manifests(actor: Actor) -> list[ManifestOut]:
    """List the pieces that wait for the person to pick them up, by manifest."""
    return msgspec.convert(await db.rows(OWN_MANIFESTS, actor.person_id), list[ManifestOut])


@post(
    "/field/manifests/{manifest_id:uuid}/confirm",
    operation_id="confirmPickup",
    opt=needs("tms:manifest:confirm"),
    status_code=200,
    responses=problems(ManifestMissing, ManifestAlreadyConfirmed),
    tags=TAGS,
)
async def confirm_pickup(manifest_id: UUID, data: ConfirmIn, actor: Actor) -> ConfirmedOut:
    """Say how many pieces of a manifest were taken over; the scans themselves pass 1009."""
    confirmed = await transport.confirm_pickup(
        manifest_id,
        event_id=data.event_id,
        counted=data.counted,
        captured_at=data.captured_at,
        actor=actor,
    )
    confirmed.pop("first")
    return ConfirmedOut(**confirmed)


handlers = [list_own_runs, accept_run, list_own_manifests, confirm_pickup]
"""The routes of this door."""
