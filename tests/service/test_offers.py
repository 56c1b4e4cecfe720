"""Work offered on the road: one person at a time, in time by trusted time, and exactly one gets it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import offers, transport
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    AlreadyOffered,
    NotOnTheRoad,
    OfferMissing,
    OfferOver,
)
from tests.factories.care import passed
from tests.factories.road import FRESH, Road, a_parcel, make_actor
from tests.support.worker import run_due

pytestmark = pytest.mark.usefixtures("db")


async def on_the_road(road: Road, driver: Actor | None = None) -> Actor:
    """Let somebody begin a run of a parcel of his own."""
    driver = driver or await make_actor("courier")
    run = await transport.plan_run(
        [await a_parcel(road)],
        person_id=driver.person_id,
        vehicle="VAN",
        planned_on=FRESH,
        actor=road.dispatcher,
    )
    await transport.accept_run(run["id"], event_id=uuid7(), captured_at=now(), actor=driver)
    return driver


async def offered(road: Road, *people: Actor) -> tuple[UUID, UUID]:
    """Offer a parcel to these people in this order; return the parcel and the first offer."""
    parcel = await a_parcel(road)
    ids = [person.person_id for person in people if person.person_id]
    return parcel, await offers.offer(parcel, ids, actor=road.dispatcher)


async def say(
    offer_id: UUID, who: Actor, said: Any = "accept", event_id: UUID | None = None
) -> str:
    return await offers.answer(
        offer_id, event_id=event_id or uuid7(), said=said, captured_at=now(), actor=who
    )


async def offers_of(parcel: UUID) -> list[dict[str, Any]]:
    return await core_db.rows(
        "SELECT id, person_id, state, then_ids FROM work_offer WHERE fulfilment_id = $1"
        " ORDER BY offered_at, id",
        parcel,
    )


async def test_who_accepts_in_time_has_the_stop_and_goes_out_with_it(road: Road) -> None:
    driver = await on_the_road(road)
    parcel, offer_id = await offered(road, driver)
    event_id = uuid7()
    assert [await say(offer_id, driver, event_id=event_id) for _ in range(2)] == ["counted"] * 2
    [taken] = await offers_of(parcel)
    assert taken["state"] == "taken"
    stop = await core_db.one(
        "SELECT s.state, s.position, p.person_id FROM delivery_stop s"
        " JOIN run_person p ON p.run_id = s.run_id WHERE s.fulfilment_id = $1",
        parcel,
    )
    assert (stop["state"], stop["position"], stop["person_id"]) == ("open", 2, driver.person_id)
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.start_offered'")
    for _ in range(2):
        await offers.start_offered(job["payload"])
    assert 1012 in await passed(parcel)
    assert await core_db.value("SELECT count(*) FROM work_answer") == 1


async def test_who_declines_leaves_it_to_the_next_and_then_it_is_the_desks_again(
    road: Road,
) -> None:
    first, second = await on_the_road(road), await on_the_road(road)
    parcel, offer_id = await offered(road, first, second)
    assert await say(offer_id, first, "decline") == "counted"
    one, two = await offers_of(parcel)
    assert (one["state"], two["state"], two["person_id"]) == (
        "declined",
        "open",
        second.person_id,
    )
    assert await say(offer_id, first) == "too_late", "he has said no"
    assert await say(two["id"], second, "decline") == "counted"
    assert [row["state"] for row in await offers_of(parcel)] == ["declined"] * 2
    await offers.offer(parcel, [first.person_id], actor=road.dispatcher)  # type: ignore[list-item]


async def test_of_acceptances_at_once_exactly_one_gets_it(road: Road) -> None:
    first, second = await on_the_road(road), await on_the_road(road)
    parcel, offer_id = await offered(road, first, second)
    await core_db.execute("UPDATE work_offer SET state = 'lapsed', ended_at = now()")
    # The first answers in time what has just lapsed; the second is asked at the same moment.
    other = await offers.offer(parcel, [second.person_id], actor=road.dispatcher)  # type: ignore[list-item]
    ends = await asyncio.gather(
        *(say(offer_id, first) for _ in range(3)), *(say(other, second) for _ in range(3))
    )
    assert sorted(ends) == ["counted"] + ["too_late"] * 5
    stops = await core_db.value(
        "SELECT count(*) FROM delivery_stop WHERE fulfilment_id = $1 AND state = 'open'", parcel
    )
    assert stops == 1


async def test_what_was_captured_before_the_end_counts_while_nobody_else_was_asked(
    road: Road,
) -> None:
    driver = await on_the_road(road)
    parcel, offer_id = await offered(road, driver)
    row = await core_db.one("SELECT * FROM work_offer WHERE id = $1", offer_id)
    locked = dict(row)
    assert await offers._is_free(locked)
    async with core_db.unit_of_work():
        await offers._go_on(locked, "lapsed")
    lapsed = (await offers_of(parcel))[0]
    assert lapsed["state"] == "lapsed"
    # The request comes in now, and the end has not come yet: it was captured before it.
    assert await say(offer_id, driver) == "counted"
    assert (await offers_of(parcel))[0]["state"] == "taken"


async def test_an_offer_that_nobody_answers_goes_on_to_the_next_and_then_to_nobody(
    road: Road,
) -> None:
    first, second = await on_the_road(road), await on_the_road(road)
    parcel, _ = await offered(road, first, second)
    seen = []
    for _ in range(2):
        await core_db.execute("DELETE FROM outbox WHERE kind <> 'flows.lapse_offer'")
        await run_due()
        seen.append([(one["person_id"], one["state"]) for one in await offers_of(parcel)])
        # The time is up for whoever is asked now.
        await core_db.execute(
            "UPDATE outbox SET next_at = $1 WHERE kind = 'flows.lapse_offer'", now()
        )
    await run_due()
    seen.append([(one["person_id"], one["state"]) for one in await offers_of(parcel)])
    one, two = first.person_id, second.person_id
    assert seen == [
        [(one, "open")],
        [(one, "lapsed"), (two, "open")],
        [(one, "lapsed"), (two, "lapsed")],
    ]


async def test_what_comes_after_the_end_is_kept_and_does_not_count(road: Road) -> None:
    driver = await on_the_road(road)
    parcel, offer_id = await offered(road, driver)
    await core_db.execute(
        "UPDATE work_offer SET offered_at = $1, ends_at = $2",
        now() - timedelta(minutes=4),
        now() - timedelta(minutes=1),
    )
    assert await say(offer_id, driver) == "too_late"
    kept = await core_db.one("SELECT answer, outcome FROM work_answer")
    assert (kept["answer"], kept["outcome"]) == ("accept", "too_late")
    assert not await core_db.value(
        "SELECT count(*) FROM delivery_stop WHERE fulfilment_id = $1", parcel
    )


async def test_only_a_free_parcel_is_offered_and_only_on_the_road(road: Road) -> None:
    driver, idle = await on_the_road(road), await make_actor("courier")
    parcel, offer_id = await offered(road, driver)
    assert driver.person_id and idle.person_id
    with pytest.raises(AlreadyOffered):
        await offers.offer(parcel, [driver.person_id], actor=road.dispatcher)
    with pytest.raises(NotOnTheRoad):
        await offers.offer(await a_parcel(road), [idle.person_id], actor=road.dispatcher)
    with pytest.raises(OfferMissing):
        await say(offer_id, idle)
    with pytest.raises(OfferMissing):
        await offers.withdraw(offer_id, actor=replace(road.dispatcher, channel_ids=(uuid7(),)))
    await offers.withdraw(offer_id, actor=road.dispatcher)
    with pytest.raises(OfferOver):
        await offers.withdraw(offer_id, actor=road.dispatcher)
    assert await say(offer_id, driver) == "too_late"
    _, other = await offered(road, driver)
    assert await say(other, driver) == "counted"
    taken = await core_db.value("SELECT fulfilment_id FROM work_offer WHERE id = $1", other)
    with pytest.raises(AlreadyAssigned):
        await offers.offer(taken, [driver.person_id], actor=road.dispatcher)
