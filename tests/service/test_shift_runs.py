"""A shift drives what its people were given for its day by themselves, and answers for it (IM9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.flows import deliver, fleet, transport
from doorstep.modules.tms.refusals import ShiftNotEmpty
from tests.factories.care import reacting
from tests.factories.fleet import close, holds, make_team, on_the_shelf, places, sound
from tests.factories.road import FRESH, Road, a_parcel, a_proof, cash, make_actor, out_for_delivery
from tests.service.test_shift_close import WITH_MONEY, a_cod_parcel, count

pytestmark = pytest.mark.usefixtures("db")

RUN_OF = "SELECT shift_id FROM delivery_run WHERE id = $1"


@pytest.fixture(autouse=True)
async def _moving(road: Road) -> AsyncIterator[None]:
    with reacting(WITH_MONEY):
        yield


async def test_a_shift_drives_what_its_people_were_given_for_the_day_by_themselves(
    road: Road,
) -> None:
    driver = road.courier
    early, left = await a_cod_parcel(road), await a_parcel(road)
    stops = await out_for_delivery(road, early, left)
    team = await make_team(road, "VAN-2", begun=False, members=[driver])
    event = uuid7()
    for _ in range(2):
        await fleet.open_shift(team.shift_id, event, actor=driver)
    for payload in await core_db.rows("SELECT payload FROM outbox WHERE kind = 'flows.load_run'"):
        for _ in range(2):
            await fleet.load_run(payload["payload"])
    assert await places(left) == {"VAN-2"}
    late = await transport.plan_run(
        [await a_parcel(road)],
        person_id=driver.person_id, vehicle="Another", planned_on=FRESH, actor=road.dispatcher,
    )  # fmt: skip
    runs = await core_db.rows("SELECT id, shift_id, vehicle FROM delivery_run ORDER BY number")
    assert [(run["shift_id"], run["vehicle"]) for run in runs] == [(team.shift_id, "VAN-2")] * 2
    assert runs[-1]["id"] == late["id"]
    proof = await a_proof(early, tenders=[cash(314_800)])
    await deliver.record_pod(stops[early], proof, actor=driver)
    assert await holds(team) == "You hold AED 3,148.00 and 1 Kettle 1.7 l."
    with pytest.raises(ShiftNotEmpty):
        await close(team)
    await count(team, 314_800)
    await on_the_shelf(road, left)
    assert (await close(team))["state"] == "closed"
    again = await transport.plan_run(
        [await a_parcel(road)],
        person_id=driver.person_id, vehicle="VAN-9", planned_on=FRESH, actor=road.dispatcher,
    )  # fmt: skip
    # The phone repeats its beginning after the end: what came since is not the shift's.
    await fleet.open_shift(team.shift_id, event, actor=driver)
    assert await core_db.value(RUN_OF, again["id"]) is None
    await sound()


async def test_a_run_that_is_planned_while_the_shift_opens_is_the_shifts(road: Road) -> None:
    for n in range(4):
        driver = await make_actor("delivery")
        team = await make_team(road, f"VAN-{n}", begun=False, members=[driver])
        parcel = await a_parcel(road)
        run, _ = await asyncio.gather(
            transport.plan_run(
                [parcel], person_id=driver.person_id, vehicle="VAN", planned_on=FRESH,
                actor=road.dispatcher,
            ),
            fleet.open_shift(team.shift_id, uuid7(), actor=driver),
        )  # fmt: skip
        assert await core_db.value(RUN_OF, run["id"]) == team.shift_id


async def test_a_run_of_another_day_or_person_is_not_the_shifts(road: Road) -> None:
    parcel = await a_parcel(road)
    run = await transport.plan_run(
        [parcel], person_id=road.courier.person_id, vehicle="VAN-1", planned_on=FRESH,
        actor=road.dispatcher,
    )  # fmt: skip
    await make_team(road, "VAN-2")
    tomorrow = FRESH + timedelta(days=1)
    await core_db.execute("UPDATE delivery_run SET planned_on = $1", tomorrow)
    await make_team(road, "VAN-3", members=[road.courier])
    assert await core_db.value(RUN_OF, run["id"]) is None
