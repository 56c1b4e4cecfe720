"""Delivery runs: planned by a dispatcher, accepted once by the person who drives (SPEC J1012)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    RunAlreadyAccepted,
    RunMissing,
    RunNotAcceptable,
    ShiftNotOpen,
    StopMissing,
)


@db.transactional
async def plan_run(
    actor: Actor,
    *,
    channel_id: UUID,
    person_id: UUID,
    vehicle: str,
    planned_on: date,
    deliveries: Sequence[tuple[UUID, UUID]],
    shift_id: UUID | None = None,
) -> dict[str, Any]:
    """Give deliveries, as (order, fulfilment) in the order of driving, to one person.

    With a shift they are everybody's who works it; `person_id` is its lead then.

    Returns (id, number, stops: [{id, fulfilment_id, position}]).

    Raises: AlreadyAssigned if another run has one of them; nothing is planned then (IO6).
    """
    run = await db.one(
        "INSERT INTO delivery_run"
        " (id, channel_id, person_id, vehicle, planned_on, planned_by, planned_at, shift_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id, number",
        uuid7(),
        channel_id,
        person_id,
        vehicle,
        planned_on,
        actor.person_id,
        now(),
        shift_id,
    )
    stops = await db.rows(
        "INSERT INTO delivery_stop (id, run_id, order_id, fulfilment_id, position)"
        " SELECT new_id(), $1, d.order_id, d.fulfilment_id, d.n"
        " FROM unnest($2::uuid[], $3::uuid[]) WITH ORDINALITY AS d (order_id, fulfilment_id, n)"
        " ON CONFLICT (fulfilment_id) WHERE state = 'open' DO NOTHING"
        " RETURNING id, fulfilment_id, position",
        run["id"],
        [order_id for order_id, _ in deliveries],
        [fulfilment_id for _, fulfilment_id in deliveries],
    )
    taken = {fulfilment_id for _, fulfilment_id in deliveries} - {s["fulfilment_id"] for s in stops}
    if taken:
        raise AlreadyAssigned(fulfilment_ids=sorted(map(str, taken)))
    return run | {"stops": stops}


@db.transactional
async def accept_run(actor: Actor, run_id: UUID, event_id: UUID) -> list[dict[str, Any]]:
    """Take over one's own run, or one of one's shift, once; return its stops in driving order.

    Each stop is (id, fulfilment_id); those taken off the run are left out.

    The same event again changes nothing and returns the same stops.

    Raises: RunMissing (also for another person's run), RunAlreadyAccepted, RunNotAcceptable,
    ShiftNotOpen.
    """
    run = await db.row(
        "SELECT r.state, r.accept_event_id, s.state AS shift FROM delivery_run r"
        " LEFT JOIN shift s ON s.id = r.shift_id WHERE r.id = $1 AND EXISTS"
        " (SELECT FROM run_person p WHERE p.run_id = r.id AND p.person_id = $2) FOR UPDATE OF r",
        run_id,
        actor.person_id,
    )
    if run is None:
        raise RunMissing
    if run["accept_event_id"] not in (None, event_id):
        raise RunAlreadyAccepted
    if run["accept_event_id"] is None:
        if run["state"] != "planned":
            raise RunNotAcceptable
        if run["shift"] not in (None, "open"):
            raise ShiftNotOpen
        await db.execute(
            "UPDATE delivery_run SET state = 'accepted', accept_event_id = $2, accepted_at = $3"
            " WHERE id = $1",
            run_id,
            event_id,
            now(),
        )
    return await db.rows(
        "SELECT id, fulfilment_id FROM delivery_stop WHERE run_id = $1 AND state <> 'removed'"
        " ORDER BY position",
        run_id,
    )


async def open_parcels(run_id: UUID) -> list[UUID]:
    """List the parcels that a run has still to deliver, in driving order."""
    rows = await db.rows(
        "SELECT fulfilment_id FROM delivery_stop WHERE run_id = $1 AND state = 'open'"
        " ORDER BY position",
        run_id,
    )
    return [row["fulfilment_id"] for row in rows]


async def close_stop(stop_id: UUID) -> UUID | None:
    """Mark a stop as done, and its run as finished when it was the last one.

    When its delivery was given to another run in between, nobody drives there any more either:
    returns the stop of that run, which is taken off it.
    """
    if await _end_stop(stop_id, "done"):
        return None
    moved: UUID | None = await db.value(
        "SELECT o.id FROM delivery_stop s JOIN delivery_stop o USING (fulfilment_id)"
        " WHERE s.id = $1 AND s.state = 'removed' AND o.state = 'open'",
        stop_id,
    )
    if moved is not None:
        await _end_stop(moved, "removed")
    return moved


async def take_off(stop_id: UUID) -> bool:
    """Take a delivery off its run; tell whether it was still open."""
    return await _end_stop(stop_id, "removed")


async def fail_stop(fulfilment_id: UUID) -> UUID | None:
    """Close the open stop of a delivery that failed; return it, or None when there is none."""
    return await _end_open_stop(fulfilment_id, "failed")


async def drop_stop(fulfilment_id: UUID) -> UUID | None:
    """Take a delivery that has ended off its run; return its stop, or None when there is none."""
    return await _end_open_stop(fulfilment_id, "removed")


async def _end_open_stop(fulfilment_id: UUID, state: str) -> UUID | None:
    stop_id: UUID | None = await db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1 AND state = 'open'", fulfilment_id
    )
    if stop_id is not None:
        await _end_stop(stop_id, state)
    return stop_id


@db.transactional
async def remove_stop(stop_id: UUID) -> None:
    """Take a delivery off its run, so that it can be given to somebody else.

    Raises: StopMissing if there is no such open stop.
    """
    if not await _end_stop(stop_id, "removed"):
        raise StopMissing


@db.transactional
async def _end_stop(stop_id: UUID, state: str) -> bool:
    run_id = await db.value(
        "UPDATE delivery_stop SET state = $2, closed_at = $3 WHERE id = $1 AND state = 'open'"
        " RETURNING run_id",
        stop_id,
        state,
        now(),
    )
    if run_id is None:
        return False
    # The run's row is taken after its stop by everybody, so that two stops closed at once see
    # one another: the second waits here and then finds no open stop.
    await db.execute("SELECT FROM delivery_run WHERE id = $1 FOR UPDATE", run_id)
    await db.execute(
        "UPDATE delivery_run r SET finished_at = $2, state = CASE WHEN EXISTS"
        " (SELECT FROM delivery_stop s WHERE s.run_id = r.id AND s.state IN ('done', 'failed'))"
        " THEN 'finished' ELSE 'cancelled' END"
        " WHERE r.id = $1 AND r.state IN ('planned', 'accepted') AND NOT EXISTS"
        " (SELECT FROM delivery_stop s WHERE s.run_id = r.id AND s.state = 'open')",
        run_id,
        now(),
    )
    if state == "removed":
        # Whoever was to drive there must hear of it, whatever took the delivery away.
        await outbox.add("flows.tell_stop_removed", {"stop_id": stop_id})
    return True


async def note_told_dues(dues: Mapping[UUID, int]) -> None:
    """Remember what the people of these stops (stop → minor units) now know to be due there."""
    await db.execute(
        "UPDATE delivery_stop s SET told_due_minor = d.minor"
        " FROM unnest($1::uuid[], $2::bigint[]) AS d (id, minor)"
        " WHERE s.id = d.id AND s.told_due_minor IS DISTINCT FROM d.minor",
        list(dues),
        list(dues.values()),
    )
