"""Runs on a real database: planned, accepted once, given to somebody else."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import dispatch, transport
from doorstep.journey import Verdict
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    RunAlreadyAccepted,
    RunMissing,
    StopMissing,
)
from tests.factories.care import passed
from tests.factories.road import (
    FRESH,
    Road,
    a_parcel,
    code_of,
    how,
    make_actor,
    out_for_delivery,
)

pytestmark = pytest.mark.usefixtures("db")


# --- Runs ---------------------------------------------------------------------------------------


async def test_an_accepted_run_passes_1012_once_and_tells_the_code(road: Road) -> None:
    parcel = await a_parcel(road)
    await out_for_delivery(road, parcel)
    assert await how(parcel, 1012) == "done"
    assert await how(parcel, 1009) == "implied"
    code = await code_of(parcel)
    assert len(code) == 6
    kept = await core_db.value("SELECT code_hash FROM handover_code")
    assert code.encode() not in kept


async def test_a_run_is_accepted_once_and_only_by_its_person(road: Road) -> None:
    parcel = await a_parcel(road)
    assert road.courier.person_id
    run = await transport.plan_run(
        [parcel],
        person_id=road.courier.person_id,
        vehicle="VAN",
        planned_on=FRESH,
        actor=road.dispatcher,
    )
    event = {"event_id": uuid7(), "captured_at": now()}
    with pytest.raises(RunMissing):
        await transport.accept_run(run["id"], **event, actor=await make_actor("courier"))
    for _ in range(2):
        [stop] = await transport.accept_run(run["id"], **event, actor=road.courier)
        assert stop.answer.verdict is Verdict.APPLIED
    with pytest.raises(RunAlreadyAccepted):
        await transport.accept_run(
            run["id"], event_id=uuid7(), captured_at=now(), actor=road.courier
        )
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.start_run'")
    await transport.start_run(job["payload"])
    assert await core_db.value("SELECT count(*) FROM journey_event WHERE stage = 1012") == 1


async def test_of_two_runs_planned_at_once_for_one_parcel_one_gets_it(road: Road) -> None:
    parcel = await a_parcel(road)
    assert road.courier.person_id
    plans = [
        transport.plan_run(
            [parcel],
            person_id=road.courier.person_id,
            vehicle=f"VAN-{n}",
            planned_on=FRESH,
            actor=road.dispatcher,
        )
        for n in range(6)
    ]
    ends = await asyncio.gather(*plans, return_exceptions=True)
    assert sum(isinstance(end, dict) for end in ends) == 1
    assert sum(isinstance(end, AlreadyAssigned) for end in ends) == 5
    assert await core_db.value("SELECT count(*) FROM delivery_run") == 1


async def test_a_removed_stop_can_be_given_to_somebody_else(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await transport.remove_stop(stops[parcel], actor=road.dispatcher)
    assert await core_db.value("SELECT state FROM delivery_run") == "cancelled"
    with pytest.raises(StopMissing):
        await transport.remove_stop(stops[parcel], actor=road.dispatcher)
    assert await out_for_delivery(road, parcel) != stops


async def test_a_parcel_that_nobody_drives_is_not_planned(road: Road) -> None:
    parcel = await a_parcel(road)
    assert road.courier.person_id
    plan = {"vehicle": "V", "planned_on": FRESH, "actor": road.dispatcher}
    with pytest.raises(NotFound):
        await transport.plan_run([uuid4()], person_id=road.courier.person_id, **plan)
    with pytest.raises(transport.NotForARun):
        await transport.plan_run([parcel, parcel], person_id=road.courier.person_id, **plan)
    with pytest.raises(dispatch.NotACourier):
        assert road.dispatcher.person_id
        await transport.plan_run([parcel], person_id=road.dispatcher.person_id, **plan)


async def test_a_run_with_a_parcel_that_has_no_awb_is_held_for_it(road: Road) -> None:
    await tms.create_carrier("BD", "Blue Dart", "aggregator")
    await tms.create_carrier("OWN", "Doorstep Fleet")
    parcel = await a_parcel(road)
    await out_for_delivery(road, parcel)
    assert 1012 not in await passed(parcel)
    assert "1008" in await core_db.value("SELECT waits_for FROM held_step")
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD9", actor=road.dispatcher)
    assert 1012 in await passed(parcel)
