"""On the road: scans that prove 1009-1011, runs that prove 1012."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import structlog

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.errors import Invalid, NotFound, Refusal
from doorstep.core.jobs import job
from doorstep.flows import earnings, fleet, hands, phones
from doorstep.flows.dispatch import require_driver
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import Scan

log = structlog.get_logger(__name__)

# The first scan of each piece counts: the same one always completes the shipment, so evaluating
# again passes the same event id. Knowing a label is not holding the box: only people of the
# channel count, and a piece that stands on a manifest is picked up by that manifest's courier.
COMPLETED_SHIPMENTS = """
SELECT s.fulfilment_id,
       jsonb_agg(to_jsonb(seen) || jsonb_build_object('n', p.n) ORDER BY p.n) AS scans
  FROM shipment s
  JOIN fulfilment f ON f.id = s.fulfilment_id
  JOIN piece p ON p.shipment_id = s.id
  LEFT JOIN LATERAL (
    SELECT c.scan_uid, c.person_id, c.role, c.device_id, c.captured_at, c.recorded_at,
           c.request_id
      FROM scan c JOIN person w ON w.id = c.person_id
     WHERE c.label_no = p.label_no AND c.kind = $2
       AND (w.channel_ids = '{}' OR f.channel_id = ANY (w.channel_ids))
       AND ($2 <> 'pickup' OR NOT EXISTS (
         SELECT FROM manifest_piece x JOIN manifest m ON m.id = x.manifest_id
          WHERE x.piece_id = p.id AND m.courier_id <> c.person_id))
     ORDER BY c.recorded_at, c.scan_uid LIMIT 1) seen ON true
 WHERE s.id IN (SELECT shipment_id FROM piece WHERE label_no = ANY ($1)) AND s.leg = 'outbound'
 GROUP BY s.id
HAVING bool_and(seen.scan_uid IS NOT NULL)
 ORDER BY s.order_id, s.id
"""

# {scope} comes from core.auth.scope: names of ours, values bound.
DELIVERIES = """
SELECT f.id, f.order_id, f.channel_id, f.state, f.collection,
       1013 = ANY (f.passed) OR EXISTS (
         SELECT FROM detour_case d WHERE d.fulfilment_id = f.id AND d.closed_at IS NULL
            AND d.kind = 'return_to_origin') AS delivered
  FROM fulfilment f WHERE f.id = ANY ($1) AND {scope}
"""


class NotForARun(Invalid):
    """Ended, delivered, on its way back or collected at the counter: nobody drives there."""

    title = "A delivery of this run cannot be driven."


class OneChannelPerRun(Invalid):
    title = "All deliveries of a run belong to one channel."


# Another crew of ours had it out for delivery before, in this attempt.
OUT_BEFORE = """
SELECT f.progress FROM fulfilment f JOIN delivery_run r ON r.id = $2
 WHERE f.id = $1 AND r.shift_id IS NOT NULL AND EXISTS (
   SELECT FROM journey_event e WHERE e.fulfilment_id = f.id AND e.kind = 'stage' AND e.stage = 1012
      AND e.attempt = f.attempt AND e.event_id <> $3)
"""


class NobodyNamed(Invalid):
    title = "Name the shift, or the person with vehicle and day, that gets the run."


class StopAccepted(NamedTuple):
    """What accepting a run meant for one of its stops."""

    stop_id: UUID
    answer: journey.Answer


# --- Scans --------------------------------------------------------------------------------------


async def keep_scans(scans: Sequence[Scan], *, actor: Actor) -> list[tms.Kept]:
    """Store scans once each; those that complete a stage move it soon after, in a job."""
    return await tms.keep_scans(actor, scans)


@job("flows.evaluate_scans", queue="default", timeout=30)
async def evaluate_scans_job(payload: dict[str, Any]) -> None:
    """Move the shipments of {labels} on that now have a scan of {kind} on every piece."""
    await evaluate_scans(payload["kind"], payload["labels"])


async def evaluate_scans(kind: str, labels: Sequence[str]) -> list[journey.Answer]:
    """Pass the stage that this kind of scan proves, for each shipment whose every piece has one.

    Each shipment moves in a transaction of its own, since no use-case locks two orders; running
    it again passes the same event ids.

    Raises: ExceptionGroup of what failed, after all others have moved.
    """
    answers: list[journey.Answer] = []
    failures: list[Exception] = []
    for shipment in await db.rows(COMPLETED_SHIPMENTS, list(labels), kind):
        try:
            answers.append(await _complete(shipment["fulfilment_id"], kind, shipment["scans"]))
        except Exception as failure:  # One shipment must not stop the others.
            failures.append(failure)
    if failures:
        raise ExceptionGroup(f"{len(failures)} shipments could not be evaluated", failures)
    return answers


async def _complete(
    fulfilment_id: UUID, kind: str, scans: Sequence[dict[str, Any]]
) -> journey.Answer:
    stage, proof = rules.SCAN_STAGES[kind]
    last = rules.completing_scan(scans)
    return await journey.advance(
        UUID(last["scan_uid"]),
        fulfilment_id,
        stage,
        actor=_scanner(last),
        evidence=[journey.Evidence(proof, scan["scan_uid"]) for scan in scans],
        captured_at=datetime.fromisoformat(last["captured_at"]),
    )


def _scanner(scan: Any) -> Actor:
    return Actor(
        role=scan["role"],
        source="scan",
        person_id=UUID(scan["person_id"]),
        device_id=UUID(scan["device_id"]) if scan["device_id"] else None,
        request_id=scan["request_id"],
    )


# --- Pickup and runs ----------------------------------------------------------------------------

CHANNEL_OF_MANIFEST = """
SELECT l.channel_id FROM manifest m JOIN location l ON l.id = m.location_id WHERE m.id = $1
"""


@db.transactional
async def confirm_pickup(
    manifest_id: UUID, *, event_id: UUID, counted: int, captured_at: datetime, actor: Actor
) -> dict[str, Any]:
    """Record how many pieces the courier took over; another number than given is a problem (P13).

    Raises: ManifestMissing, ManifestAlreadyConfirmed.
    """
    manifest = await tms.confirm_pickup(
        actor, manifest_id, event_id=event_id, counted=counted, captured_at=captured_at
    )
    if manifest["first"] and manifest["expected"] != counted:
        await helpdesk.open_problem(
            "pickup_count_differs",
            f"{manifest['number']}: {counted} of {manifest['expected']} pieces were picked up",
            ref=str(manifest_id),
            owner_role="dispatcher",
            channel_id=await db.value(CHANNEL_OF_MANIFEST, manifest_id),
        )
    await earnings.settle(manifest_id)
    return manifest


@db.transactional
async def plan_run(
    fulfilment_ids: Sequence[UUID],
    *,
    actor: Actor,
    person_id: UUID | None = None,
    vehicle: str | None = None,
    planned_on: date | None = None,
    shift_id: UUID | None = None,
) -> dict[str, Any]:
    """Give deliveries, in the order of driving, to a courier or delivery executive, or to a shift.

    A shift's crew must be able to carry the goods, and its vehicle to load them. Whoever is named himself
    and works a shift on that day drives for it, without that question: its van has the goods, and its end
    asks for the money. Returns (id, number, stops).

    Raises: NotFound, NotForARun, OneChannelPerRun, NotACourier, AlreadyAssigned, NobodyNamed; for
    a shift ShiftMissing, ShiftOver, CrewTooSmall, VehicleFull.
    """
    channel_id, deliveries = await drivable(fulfilment_ids, actor)
    if shift_id is not None:
        shift = await fleet.shift_for(shift_id, fulfilment_ids, channel_id=channel_id, actor=actor)
        person_id, vehicle = shift["lead_id"], shift["vehicle"]
        planned_on = shift["planned_on"]
    elif person_id is not None:
        await require_driver(person_id, channel_id)
    if person_id is None or not vehicle or planned_on is None:
        raise NobodyNamed
    if shift_id is None and (worked := await tms.shift_worked(person_id, channel_id, planned_on)):
        shift_id, vehicle = worked["id"], worked["vehicle"]
    run = await tms.plan_run(
        actor,
        channel_id=channel_id,
        person_id=person_id,
        vehicle=vehicle,
        planned_on=planned_on,
        deliveries=deliveries,
        shift_id=shift_id,
    )
    await phones.tell_run_planned(run["id"])
    return run


async def drivable(
    fulfilment_ids: Sequence[UUID], actor: Actor
) -> tuple[UUID, list[tuple[UUID, UUID]]]:
    """Make sure that these parcels can be driven; return their channel and (order, parcel) each."""
    condition, arguments = scope(actor).fulfilments("f", first=2)
    found = {
        row["id"]: row
        for row in await db.rows(
            DELIVERIES.format(scope=condition), list(fulfilment_ids), *arguments
        )
    }
    if missing := set(fulfilment_ids) - found.keys():
        raise NotFound(fulfilment_ids=sorted(map(str, missing)))
    undrivable = [
        str(row["id"])
        for row in found.values()
        if row["state"] != "open" or row["collection"] or row["delivered"]
    ]
    if undrivable or len(found) != len(fulfilment_ids):
        raise NotForARun(fulfilment_ids=undrivable)
    channels = {row["channel_id"] for row in found.values()}
    if len(channels) > 1:
        raise OneChannelPerRun
    return channels.pop(), [(found[one]["order_id"], one) for one in fulfilment_ids]


@db.transactional
async def remove_stop(stop_id: UUID, *, actor: Actor) -> None:
    """Take a delivery off its run, so that it can be given to somebody else.

    Raises: StopMissing, also for a stop outside the actor's channels.
    """
    fulfilment_id = await db.value("SELECT fulfilment_id FROM delivery_stop WHERE id = $1", stop_id)
    if fulfilment_id is not None:
        await scope(actor).require_fulfilment(fulfilment_id)
    await tms.remove_stop(stop_id)


async def accept_run(
    run_id: UUID, *, event_id: UUID, captured_at: datetime, actor: Actor
) -> list[StopAccepted]:
    """Take over one's run, once, and pass 1012 on every delivery of it, implying missing scans.

    Each delivery moves in a transaction of its own, since no use-case locks two orders. If this
    process dies in between, the job of the same name does the rest with the same event ids.

    Raises: RunMissing, RunAlreadyAccepted, RunNotAcceptable, ShiftNotOpen. What a delivery refuses
    to a person at a screen stands in its answer: the others have moved.
    """
    stops = await take_run(run_id, event_id=event_id, captured_at=captured_at, actor=actor)
    return await start_stops(run_id, stops, event_id=event_id, captured_at=captured_at, actor=actor)


async def start_stops(
    run_id: UUID,
    stops: Sequence[dict[str, Any]],
    *,
    event_id: UUID,
    captured_at: datetime,
    actor: Actor,
) -> list[StopAccepted]:
    """Pass 1012 on every delivery of a run that was taken over, each in its own transaction."""
    return [
        StopAccepted(stop["id"], await _start(run_id, event_id, stop, captured_at, actor))
        for stop in stops
    ]


@db.transactional
async def take_run(
    run_id: UUID, *, event_id: UUID, captured_at: datetime, actor: Actor
) -> list[dict[str, Any]]:
    """Take over one's run, once; its job passes 1012 on the stops, which are returned, if nobody else does.

    Raises: RunMissing, RunAlreadyAccepted, RunNotAcceptable, ShiftNotOpen.
    """
    stops = await tms.accept_run(actor, run_id, event_id)
    await phones.note_dues(run_id)
    await outbox.add(
        "flows.start_run",
        {
            "run_id": run_id,
            "event_id": event_id,
            "captured_at": captured_at,
            **actor.for_a_job(),
        },
        key=f"start_run:{event_id}",
    )
    return stops


async def _start(
    run_id: UUID, event_id: UUID, stop: dict[str, Any], captured_at: datetime, actor: Actor
) -> journey.Answer:
    answer = await _go_out(run_id, event_id, stop, captured_at, actor)
    await hands.load(run_id, stop["fulfilment_id"])
    return answer


async def _go_out(
    run_id: UUID, event_id: UUID, stop: dict[str, Any], captured_at: datetime, actor: Actor
) -> journey.Answer:
    step = uuid5(event_id, str(stop["fulfilment_id"]))
    progress = await db.value(OUT_BEFORE, stop["fulfilment_id"], run_id, step)
    if progress is not None:
        return await _take_over(run_id, step, stop["fulfilment_id"], progress, actor)
    try:
        return await journey.advance(
            step,
            stop["fulfilment_id"],
            1012,
            actor=actor,
            evidence=[journey.Evidence("run", str(run_id))],
            captured_at=captured_at,
        )
    except Refusal as refused:
        return journey.Answer(journey.Verdict.REJECTED, refused.detail, step, 1012, 0)


async def _take_over(
    run_id: UUID, step: UUID, fulfilment_id: UUID, progress: int, actor: Actor
) -> journey.Answer:
    """Note that another crew has the delivery now: it is out already, nobody need look at that."""
    await journey.state_fact(
        "run_taken_over", fulfilment_id, actor=actor, data={"run_id": str(run_id)}, event_id=step
    )
    words = "It was out for delivery already; your crew has it now."
    return journey.Answer(journey.Verdict.DUPLICATE, words, step, 1012, progress)


@job("flows.start_run", queue="default", timeout=60)
async def start_run(payload: dict[str, Any]) -> None:
    """Pass 1012 on every delivery of an accepted run; those that have moved stay as they are."""
    actor = Actor.of_a_job(payload)
    run_id, event_id = UUID(payload["run_id"]), UUID(payload["event_id"])
    captured_at = datetime.fromisoformat(payload["captured_at"])
    for stop in await tms.accept_run(actor, run_id, event_id):
        await _start(run_id, event_id, stop, captured_at, actor)
