"""Who is told to look at his phone: work given, changed and taken away, what did not count.

Each is written with its fact, in its transaction, and pushed by a job. A push only says where to
look (the lane); a phone that misses it hears the same by its next pull.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.jobs import job
from doorstep.flows import door_money
from doorstep.modules.push import service as push
from doorstep.modules.tms import service as tms

OPEN_STOP = """
SELECT id, run_id, order_id, fulfilment_id FROM delivery_stop
 WHERE fulfilment_id = $1 AND state = 'open'
"""

OPEN_STOPS = """
SELECT id, order_id, fulfilment_id FROM delivery_stop WHERE run_id = $1 AND state = 'open' ORDER BY id
"""

REMOVED = """
SELECT s.run_id, r.state = 'cancelled' AS run_over,
       (SELECT array_agg(person_id) FROM run_person WHERE run_id = r.id) AS people
  FROM delivery_stop s JOIN delivery_run r ON r.id = s.run_id WHERE s.id = $1
"""

OPEN_STOPS_OF_ORDER = """
SELECT id, run_id FROM delivery_stop WHERE order_id = $1 AND state = 'open' ORDER BY id
"""

PEOPLE = "SELECT person_id FROM run_person WHERE run_id = $1"

# A run that nobody has taken over is read whole when it is: its amounts are no news.
ACCEPTED_STOPS = """
SELECT s.id, s.run_id, s.order_id, s.fulfilment_id, s.told_due_minor
  FROM delivery_stop s JOIN delivery_run r ON r.id = s.run_id
 WHERE s.order_id = $1 AND s.state = 'open' AND r.state = 'accepted'
   AND EXISTS (SELECT FROM payment_line p WHERE p.order_id = s.order_id AND p.due = 'at_door')
 ORDER BY s.id
"""


async def tell_run_planned(run_id: UUID) -> None:
    """Tell the people of a run that it is theirs."""
    await push.tell(await _people(run_id), "run_planned", f"run:{run_id}", key=f"run:{run_id}")


async def note_dues(run_id: UUID) -> None:
    """Remember what is due at each stop of a run that is taken over: its people read it whole now."""
    stops = await db.rows(OPEN_STOPS, run_id)
    await tms.note_told_dues(await _dues(stops))


async def tell_stop_added(fulfilment_id: UUID) -> None:
    """Tell the people of the run that a delivery was put on that there is more to drive."""
    stop = await db.one(OPEN_STOP, fulfilment_id)
    await tms.note_told_dues(await _dues([stop]))
    people = await _people(stop["run_id"])
    await push.tell(people, "run_changed", f"run:{stop['run_id']}", key=f"stop_added:{stop['id']}")


@job("flows.tell_stop_removed", queue="messages", timeout=15)
@db.transactional
async def tell_stop_removed(payload: dict[str, Any]) -> None:
    """Tell the people of a run that the stop {stop_id} is no longer theirs, or none of the run is."""
    stop_id = payload["stop_id"]
    found = await db.one(REMOVED, UUID(stop_id))
    kind = "run_cancelled" if found["run_over"] else "work_taken"
    lane = f"run:{found['run_id']}"
    await push.tell(found["people"] or [], kind, lane, key=f"stop_removed:{stop_id}")
    await outbox.done()


async def tell_drivers_of_money(fact: journey.Fact) -> None:
    """Tell whoever is on the way with parcels of an order where another amount is due than they know."""
    stops = await db.rows(ACCEPTED_STOPS, fact.order_id)
    dues = await _dues(stops)
    changed = [stop for stop in stops if stop["told_due_minor"] != dues[stop["id"]]]
    await tms.note_told_dues({stop["id"]: dues[stop["id"]] for stop in changed})
    for stop in changed:
        people = await _people(stop["run_id"])
        key = f"stop_changed:{stop['id']}:{fact.event_id}"
        await push.tell(people, "stop_changed", f"stop:{stop['id']}", key=key)


async def tell_window(fulfilment_id: UUID, event_id: UUID) -> None:
    """Tell whoever drives a delivery that another window is promised for it; nobody may yet."""
    stop = await db.row(OPEN_STOP, fulfilment_id)
    if stop is not None:
        people = await _people(stop["run_id"])
        lane = f"stop:{stop['id']}"
        await push.tell(people, "stop_changed", lane, key=f"window:{event_id}")


async def tell_address(order_id: UUID, version: str) -> None:
    """Tell whoever drives to an order that its address says more now."""
    for stop in await db.rows(OPEN_STOPS_OF_ORDER, order_id):
        people = await _people(stop["run_id"])
        key = f"address:{stop['id']}:{version}"
        await push.tell(people, "stop_changed", f"stop:{stop['id']}", key=key)


async def tell_offer(offer_id: UUID, person_id: UUID) -> None:
    """Tell somebody on the road that one more delivery is offered to him."""
    lane = f"offer:{offer_id}"
    await push.tell([person_id], "work_offered", lane, key=lane)


async def tell_manifest(manifest_id: UUID, courier_id: UUID) -> None:
    """Tell a courier that pieces wait for him."""
    lane = f"manifest:{manifest_id}"
    await push.tell([courier_id], "manifest_given", lane, key=lane)


async def tell_visit(
    kind: Literal["visit_booked", "visit_moved", "visit_called_off"],
    visit_id: UUID,
    technician_id: UUID,
    moves: int = 0,
) -> None:
    """Tell a technician of a visit of his; `moves` tells one move of it from another."""
    key = f"{kind}:{visit_id}:{moves}"
    await push.tell([technician_id], kind, f"visit:{visit_id}", key=key)


async def tell_proof(pod: Mapping[str, Any], verdict: str) -> None:
    """Tell who took a proof (id, stop_id, person_id, checks) that it is doubted or does not count."""
    kind = {"look": "proof_doubtful", "failed": "proof_failed"}.get(verdict)
    if kind is not None and pod["person_id"] is not None:
        key = f"proof:{pod['id']}:{pod['checks'] + 1}"
        await push.tell([pod["person_id"]], kind, f"stop:{pod['stop_id']}", key=key)


@job("flows.tell_capture_rejected", queue="messages", timeout=15)
async def tell_capture_rejected(payload: dict[str, Any]) -> None:
    """Tell the phone {device_id} that what it captured ({event_id}) was not accepted."""
    key = f"capture_rejected:{payload['event_id']}"
    await push.tell_device(UUID(payload["device_id"]), "capture_rejected", "captures", key=key)


@job("flows.tell_device_command", queue="messages", timeout=15)
async def tell_device_command(payload: dict[str, Any]) -> None:
    """Tell the phone {device_id} that it was locked, or is to hand in and sign out ({at})."""
    key = f"device_command:{payload['at']}"
    await push.tell_device(UUID(payload["device_id"]), "device_command", "device", key=key)


async def _dues(stops: Sequence[Mapping[str, Any]]) -> dict[UUID, int]:
    """Tell what is due at each of these stops now, in minor units."""
    if not stops:
        return {}
    dues = await door_money.dues_of({stop["fulfilment_id"]: stop["order_id"] for stop in stops})
    return {stop["id"]: dues[stop["fulfilment_id"]].minor for stop in stops}


async def _people(run_id: UUID) -> list[UUID]:
    return [row["person_id"] for row in await db.rows(PEOPLE, run_id)]
