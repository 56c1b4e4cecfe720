"""Work that comes up during the day is offered to people on the road, one after another, with an end.

Exactly one of them gets it: whoever answers holds the parcel's lock, and a parcel has one open offer and
one open stop at a time. An answer counts if it can have been captured before the end, by trusted time
(IC6), and nobody else was asked since; what comes too late is kept and told to its person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import Refusal
from doorstep.core.jobs import job
from doorstep.flows import fleet, phones, transport
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import AlreadyAssigned, NotOnTheRoad, OfferMissing, OfferOver
from doorstep.modules.tms.service.offers import Outcome

ON_ITS_WAY = timedelta(seconds=15)
"""So long an answer of the last second is waited for."""

MINUTES = "SELECT offer_minutes FROM channel WHERE id = $1"
OPEN_STOP = "SELECT 1 FROM delivery_stop WHERE fulfilment_id = $1 AND state = 'open'"
OTHER_OPEN = """
SELECT 1 FROM work_offer WHERE fulfilment_id = $1 AND state = 'open' AND id <> $2
"""
PARCEL = "SELECT fulfilment_id FROM work_offer WHERE id = $1"
EARLIEST = "SELECT earliest_at FROM capture WHERE event_id = $1"


@db.transactional
async def offer(fulfilment_id: UUID, person_ids: Sequence[UUID], *, actor: Actor) -> UUID:
    """Offer a delivery to people whose run has begun, in this order; return the first offer.

    Raises: NotFound, NotForARun, AlreadyAssigned, AlreadyOffered, NotOnTheRoad.
    """
    await scope(actor).require_fulfilment(fulfilment_id)
    await journey.lock(fulfilment_id)
    channel_id, [(order_id, _)] = await transport.drivable([fulfilment_id], actor)
    if await db.value(OPEN_STOP, fulfilment_id):
        raise AlreadyAssigned(fulfilment_ids=[str(fulfilment_id)])
    away = [one for one in person_ids if await tms.run_of(one, channel_id) is None]
    if away:
        raise NotOnTheRoad(person_ids=sorted(map(str, away)))
    return await _ask(order_id, fulfilment_id, channel_id, person_ids, actor.person_id)


async def _ask(
    order_id: UUID,
    fulfilment_id: UUID,
    channel_id: UUID,
    person_ids: Sequence[UUID],
    offered_by: UUID | None,
) -> UUID:
    person_id, *then_ids = person_ids
    ends_at = now() + timedelta(minutes=await db.value(MINUTES, channel_id))
    offer_id = await tms.make_offer(
        order_id=order_id,
        fulfilment_id=fulfilment_id,
        channel_id=channel_id,
        person_id=person_id,
        then_ids=then_ids,
        offered_by=offered_by,
        ends_at=ends_at,
    )
    await phones.tell_offer(offer_id, person_id)
    await outbox.add(
        "flows.lapse_offer",
        {"offer_id": offer_id},
        order_id=order_id,
        key=f"lapse_offer:{offer_id}",
        run_at=ends_at + ON_ITS_WAY,
    )
    return offer_id


@db.transactional
async def withdraw(offer_id: UUID, *, actor: Actor) -> None:
    """Take an open offer back; nobody else is asked.

    Raises: OfferMissing, also out of sight; OfferOver.
    """
    condition, arguments = scope(actor).channels("w.channel_id", first=2)
    seen = f"SELECT w.fulfilment_id FROM work_offer w WHERE w.id = $1 AND {condition}"  # noqa: S608 - a constant
    fulfilment_id = await db.value(seen, offer_id, *arguments)
    if fulfilment_id is None:
        raise OfferMissing
    await journey.lock(fulfilment_id)
    if (await tms.lock_offer(offer_id))["state"] != "open":
        raise OfferOver
    await tms.end_offer(offer_id, "withdrawn")


@db.transactional
async def answer(
    offer_id: UUID,
    *,
    event_id: UUID,
    said: Literal["accept", "decline"],
    captured_at: datetime,
    actor: Actor,
    reason: str = "",
) -> Outcome:
    """Keep what somebody answers to an offer and do it, if it is in time; return what became of it.

    The same event id again changes nothing and gets its first answer.

    Raises: OfferMissing (also for another person's); EventIdReused.
    """
    own = await db.row(f"{PARCEL} AND person_id = $2", offer_id, actor.person_id)
    if own is None:
        raise OfferMissing
    fulfilment = await journey.lock(own["fulfilment_id"])
    if (known := await tms.read_answer(event_id, offer_id)) is not None:
        return known
    offered = await tms.lock_offer(offer_id)
    # A request at a screen is captured when it comes in; a phone's time stands with its capture.
    earliest_at = await db.value(EARLIEST, event_id) or now()
    told = tms.Answered(event_id, said, reason, captured_at, earliest_at)
    outcome: Outcome = "counted"
    if said == "decline":
        if offered["state"] == "open":
            await _go_on(offered, "declined")
        else:
            outcome = "too_late"
    elif earliest_at > offered["ends_at"] or not await _is_free(offered):
        outcome = "too_late"
    elif not await _take(offered, fulfilment, told, actor):
        outcome = "not_possible"
    await tms.keep_answer(actor, offer_id, told, outcome)
    return outcome


async def _is_free(offered: Mapping[str, Any]) -> bool:
    """Tell whether nobody else has the work or is asked about it since."""
    if offered["state"] not in ("open", "lapsed"):
        return False
    parcel = offered["fulfilment_id"]
    return not (
        await db.value(OPEN_STOP, parcel) or await db.value(OTHER_OPEN, parcel, offered["id"])
    )


async def _take(
    offered: Mapping[str, Any], fulfilment: Mapping[str, Any], told: tms.Answered, actor: Actor
) -> bool:
    """Put the delivery on the person's run; a run that is over, or full, goes on to the next person."""
    run = await _fitting_run(offered, actor)
    stop_id = None
    if run is not None:
        stop_id = await tms.add_stop(run["id"], offered["order_id"], offered["fulfilment_id"])
    if run is None or stop_id is None:
        if offered["state"] == "open":
            await _go_on(offered, "gone")
        return False
    await tms.end_offer(offered["id"], "taken", stop_id)
    await phones.note_dues(run["id"])
    await outbox.add(
        "flows.start_offered",
        {
            "run_id": run["id"],
            "stop_id": stop_id,
            "fulfilment_id": fulfilment["id"],
            "event_id": told.event_id,
            "captured_at": told.captured_at,
            **actor.for_a_job(),
        },
        order_id=offered["order_id"],
        key=f"start_offered:{told.event_id}",
    )
    return True


async def _fitting_run(offered: Mapping[str, Any], actor: Actor) -> dict[str, Any] | None:
    person_id, channel_id = offered["person_id"], offered["channel_id"]
    run = await tms.run_of(person_id, channel_id)
    if run is None:
        return None
    machine = Actor.system("offers.answer", request_id=actor.request_id)
    parcels = [offered["fulfilment_id"]]
    async with db.unit_of_work() as uow:
        try:
            async with uow.savepoint():
                await transport.drivable(parcels, machine)
                if run["shift_id"] is not None:
                    await fleet.shift_for(
                        run["shift_id"], parcels, channel_id=channel_id, actor=machine
                    )
        except Refusal:
            return None
    return await tms.run_of(person_id, channel_id, lock=True)


async def _go_on(offered: Mapping[str, Any], state: str) -> None:
    """End an offer and ask the next person who is still on the road; else the work is the desk's again."""
    await tms.end_offer(offered["id"], state)
    then_ids = offered["then_ids"]
    while then_ids and await tms.run_of(then_ids[0], offered["channel_id"]) is None:
        then_ids = then_ids[1:]
    drivable = await db.value(
        "SELECT 1 FROM fulfilment WHERE id = $1 AND state = 'open'", offered["fulfilment_id"]
    )
    if then_ids and drivable and not await db.value(OPEN_STOP, offered["fulfilment_id"]):
        await _ask(
            offered["order_id"],
            offered["fulfilment_id"],
            offered["channel_id"],
            then_ids,
            offered["offered_by"],
        )


@job("flows.lapse_offer", queue="default", timeout=20)
@db.transactional
async def lapse_offer(payload: dict[str, Any]) -> None:
    """End the offer {offer_id} that nobody has answered, and ask the next person."""
    offer_id = UUID(payload["offer_id"])
    await journey.lock(await db.value(PARCEL, offer_id))
    offered = await tms.lock_offer(offer_id)
    if offered["state"] == "open":
        await _go_on(offered, "lapsed")
    await outbox.done()


@job("flows.start_offered", queue="default", timeout=30)
async def start_offered(payload: dict[str, Any]) -> None:
    """Pass 1012 on a delivery that was taken on the road; again it passes the same event id."""
    actor = Actor.of_a_job(payload)
    stop = {"id": UUID(payload["stop_id"]), "fulfilment_id": UUID(payload["fulfilment_id"])}
    await transport.start_stops(
        UUID(payload["run_id"]),
        [stop],
        event_id=UUID(payload["event_id"]),
        captured_at=datetime.fromisoformat(payload["captured_at"]),
        actor=actor,
    )
