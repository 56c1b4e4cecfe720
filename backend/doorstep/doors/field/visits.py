"""Technicians: their visits as cards that work offline, begun and completed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.doors.field import earlier, sold
from doorstep.doors.field.addresses import DoorAddress
from doorstep.doors.verdicts import KEPT, VerdictOut, told
from doorstep.flows import failed_visit, install, install_reports, visit_findings
from doorstep.flows.came_back import PIECES_BACK
from doorstep.journey.refusals import (
    DetourKnown,
    DetourNotPossible,
    StageAlreadyDone,
    StageTooEarly,
)
from doorstep.modules.fsm import rules
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.refusals import ReportIncomplete, VisitMissing, VisitOver
from doorstep.modules.fsm.schemas import (
    Checklist,
    PartFitted,
    VisitCompleted,
    VisitFailed,
    VisitFinding,
    VisitStarted,
)

TAGS = ["installation"]

OWN_VISITS = f"""
SELECT v.id, v.fulfilment_id, v.purpose, lower(v.during) AS starts_at, upper(v.during) AS ends_at, v.state,
       o.number, e.recorded_at AS delivered_at,
       EXISTS (SELECT FROM detour_case d WHERE d.fulfilment_id = v.fulfilment_id
                  AND d.kind = 'part_missing' AND d.closed_at IS NULL) AS missing_part,
       CASE WHEN y.claim_id IS NOT NULL THEN jsonb_build_object('name', z.name, 'phone', nullif(z.phone, ''),
          'line1', y.place, 'building', '', 'floor', '', 'flat', '', 'lift', NULL, 'area', '', 'city', '',
          'postcode', '', 'lat', NULL, 'lng', NULL, 'instructions', '')
       ELSE jsonb_build_object('name', a.name, 'phone', a.phone, 'line1', a.line1,
          'building', a.building, 'floor', a.floor, 'flat', a.flat, 'lift', a.lift,
          'area', a.area, 'city', a.city, 'postcode', a.postcode, 'lat', a.lat, 'lng', a.lng,
          'instructions', a.instructions) END AS address,
       CASE WHEN w.id IS NOT NULL THEN jsonb_build_object('ticket', t.number, 'words', t.words,
          'certificate', w.number, 'photos',
          (SELECT count(*) FROM ticket_photo x WHERE x.ticket_id = t.id)) END AS claim,
       coalesce((SELECT jsonb_agg(jsonb_build_object('fulfilment_line_id', l.id, 'product_id', p.id,
                 'sku', p.sku, 'model', p.name,
                 'quantity', CASE WHEN w.id IS NULL THEN l.quantity - {PIECES_BACK} ELSE 1 END,
                 'serialised', p.serialised AND (w.id IS NULL OR w.serial IS NOT NULL),
                 'standing_hours', p.standing_hours,
                 'warranty_months', p.warranty_months,
                 'serials', coalesce((SELECT jsonb_agg(u.serial ORDER BY u.serial) FROM unit u
                               WHERE u.fulfilment_line_id = l.id AND u.state <> 'scrapped'
                                 AND (w.id IS NULL OR u.serial = w.serial)), '[]')
               ) ORDER BY p.sku, l.id)
          FROM fulfilment_line l JOIN product p ON p.id = l.product_id
         WHERE CASE WHEN w.id IS NULL
                    THEN l.fulfilment_id = v.fulfilment_id AND p.needs_install AND l.quantity > {PIECES_BACK}
                    ELSE l.id = w.fulfilment_line_id END), '[]') AS units,
       CASE WHEN y.claim_id IS NULL THEN coalesce(({earlier.EARLIER}), '[]') ELSE '[]' END AS earlier,
       o.currency, coalesce(({sold.EXTRAS}), '[]') AS extras,
       coalesce(({sold.RECEIPTS}), '[]') AS receipts
  FROM visit v
  JOIN customer_order o ON o.id = v.order_id
  JOIN address a ON a.id = o.address_id
  JOIN customer k ON k.id = o.customer_id
  LEFT JOIN warranty_claim q ON q.id = v.claim_id
  LEFT JOIN warranty w ON w.id = q.warranty_id
  LEFT JOIN ticket t ON t.id = q.id
  -- A new owner's goods are with him, not where they were delivered.
  LEFT JOIN warranty_claim_place y ON y.claim_id = q.id
  LEFT JOIN warranty_transfer z ON z.order_id = q.order_id AND z.n = q.owner_n
  LEFT JOIN LATERAL (
    SELECT recorded_at FROM journey_event e
     WHERE e.fulfilment_id = v.fulfilment_id AND e.kind = 'stage' AND e.stage = 1013
     ORDER BY e.seq DESC LIMIT 1) e ON true
 WHERE v.technician_id = $1 AND v.state IN ('booked', 'started')
 ORDER BY lower(v.during), v.id
"""  # noqa: S608 - constants of ours


class UnitCard(Struct):
    """Goods to install: what they are, which serials came, when they may be plugged in.

    `quantity`: without what came back. `warranty_months`: from the installation on, 0 for none.
    `checklist_id` goes back with the answers, so that they are read by the version shown here.
    """

    fulfilment_line_id: UUID
    sku: str
    model: str
    quantity: int
    serialised: bool
    serials: list[str]
    plug_in_after: datetime | None
    warranty_months: int
    checklist_id: UUID | None
    checklist: Checklist | None
    photo_slots: list[str]


class ClaimCard(Struct):
    """What the customer claims under a warranty: in his words, with so many photos on the ticket."""

    ticket: str
    certificate: str
    words: str
    photos: int


class VisitCard(Struct):
    """One visit with all that is needed without a network; `delivered_at` null: not there yet.

    `purpose`: `installation`, or `warranty` with its `claim`; then `units` is the piece in question.

    `missing_part`: a part was reported missing, and nobody has said that it is fitted.
    """

    id: UUID
    fulfilment_id: UUID
    number: str
    purpose: str
    claim: ClaimCard | None
    state: str
    starts_at: datetime
    ends_at: datetime
    delivered_at: datetime | None
    missing_part: bool
    address: DoorAddress
    units: list[UnitCard]
    earlier: list[earlier.EarlierVisit]
    currency: str
    extras: list[sold.SoldAtVisit]
    receipts: list[sold.ReceiptAtVisit]


class StartedOut(Struct):
    """The start is on record; `duplicate` when it had been before."""

    event_id: UUID
    verdict: str


@get("/field/visits", operation_id="listOwnVisits", opt=needs("fsm:report:write"), tags=TAGS)
async def list_own_visits(actor: Actor) -> list[VisitCard]:
    """List the person's open visits with model, expected serials and the current checklists."""
    rows = await db.rows(OWN_VISITS, actor.person_id)
    products = {UUID(unit["product_id"]) for row in rows for unit in row["units"]}
    checklists = await fsm.current_checklists(products)
    return [_card(row, checklists) for row in rows]


def _card(row: dict[str, Any], checklists: dict[UUID, tuple[UUID, Checklist]]) -> VisitCard:
    # A repair is done by no checklist, and its goods have stood for long.
    installs = row["purpose"] == "installation"
    delivered_at = row["delivered_at"] if installs else None
    units = [_unit(unit, delivered_at, checklists if installs else {}) for unit in row.pop("units")]
    return msgspec.convert(row | {"units": units}, VisitCard)


def _unit(
    unit: dict[str, Any],
    delivered_at: datetime | None,
    checklists: dict[UUID, tuple[UUID, Checklist]],
) -> UnitCard:
    checklist_id, checklist = checklists.get(UUID(unit["product_id"]), (None, None))
    standing = timedelta(hours=unit["standing_hours"])
    return msgspec.convert(
        unit
        | {
            "plug_in_after": delivered_at + standing if delivered_at and standing else None,
            "checklist_id": checklist_id,
            "checklist": checklist,
            "photo_slots": checklist.photo_slots if checklist else [*rules.DEFAULT_PHOTO_SLOTS],
        },
        UnitCard,
    )


@post(
    "/field/visits/{visit_id:uuid}/start",
    operation_id="startVisit",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=problems(VisitMissing, VisitOver),
    tags=TAGS,
)
async def start_visit(visit_id: UUID, data: VisitStarted, actor: Actor) -> StartedOut:
    """Say that the work has begun."""
    new = await install.start_visit(visit_id, data, actor=actor)
    return StartedOut(data.event_id, "applied" if new else "duplicate")


@post(
    "/field/visits/{visit_id:uuid}/complete",
    operation_id="completeVisit",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=KEPT
    | problems(VisitMissing, VisitOver, ReportIncomplete, StageTooEarly, StageAlreadyDone),
    tags=TAGS,
)
async def complete_visit(
    visit_id: UUID, data: VisitCompleted, actor: Actor
) -> Response[VerdictOut]:
    """Hand in the report of an installation (1015); pictures are named and uploaded on their own.

    From a phone it is stored whatever it lacks: then 202 with the verdict `review`.
    """
    return told(await install_reports.complete_visit(visit_id, data, actor=actor))


@post(
    "/field/visits/{visit_id:uuid}/failed",
    operation_id="failVisit",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=KEPT | problems(VisitMissing, EventIdReused, DetourNotPossible, DetourKnown),
    tags=TAGS,
)
async def fail_visit(visit_id: UUID, data: VisitFailed, actor: Actor) -> Response[VerdictOut]:
    """Hand in why the installation could not be finished; the next visit is booked at once."""
    return told(await failed_visit.record_failed_visit(visit_id, data, actor=actor))


@post(
    "/field/visits/{visit_id:uuid}/findings",
    operation_id="addVisitFinding",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=KEPT | problems(VisitMissing, EventIdReused, DetourNotPossible, DetourKnown),
    tags=TAGS,
)
async def add_visit_finding(
    visit_id: UUID, data: VisitFinding, actor: Actor
) -> Response[VerdictOut]:
    """Report damage or a missing part found on the spot; support gets the task."""
    return told(await visit_findings.record_finding(visit_id, data, actor=actor))


@post(
    "/field/visits/{visit_id:uuid}/part-fitted",
    operation_id="addFittedPart",
    opt=needs("fsm:report:write"),
    status_code=200,
    responses=KEPT | problems(VisitMissing, EventIdReused, DetourKnown),
    tags=TAGS,
)
async def add_fitted_part(visit_id: UUID, data: PartFitted, actor: Actor) -> Response[VerdictOut]:
    """Say that the missing part is here and fitted: the installation can be finished."""
    return told(await visit_findings.fit_part(visit_id, data.event_id, actor=actor))


handlers = [
    list_own_visits,
    start_visit,
    complete_visit,
    fail_visit,
    add_visit_finding,
    add_fitted_part,
]
"""The routes of this door."""
