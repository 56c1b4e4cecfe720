"""The end of a shift on a real database: nothing is left in anybody's hands (IM9)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from doorstep.core import db as core_db
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.flows import cash as cash_desk
from doorstep.flows import deliver, settle, shift_close
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import ShiftMissing, ShiftNotEmpty, ShiftNotOpen, ShiftOver
from doorstep.modules.tms.schemas import Explanation
from tests.factories.care import reacting
from tests.factories.fleet import (
    MOVING,
    Team,
    close,
    drive,
    floor,
    holds,
    make_team,
    on_the_shelf,
    places,
    see,
    see_all,
    sound,
    state_of,
    take_over,
)
from tests.factories.money import FINANCE
from tests.factories.road import (
    KETTLE,
    Road,
    a_machine,
    a_parcel,
    a_proof,
    cash,
    labels_of,
    make_actor,
    make_person,
    packed,
    picture,
    problems_of,
)
from tests.factories.world import an_order

pytestmark = pytest.mark.usefixtures("db")

WITH_MONEY = {**MOVING, "1013": [*MOVING["1013"], settle.review]}


@pytest.fixture(autouse=True)
async def _moving(road: Road) -> AsyncIterator[None]:
    with reacting(WITH_MONEY):
        yield


async def a_cod_parcel(road: Road, price_minor: int = 314_800) -> UUID:
    order = an_order(KETTLE, method="cod", price_minor=price_minor)
    return (await packed(road, order=order)).parcels[0]


async def count(team: Team, amount: int, event: UUID | None = None) -> cash_desk.Counted:
    desk = replace(FINANCE, person_id=await make_person("finance"))
    return await cash_desk.count_cash(
        event or uuid7(), run_id=None, order_ids=[], shift_id=team.shift_id, counted_minor=amount,
        currency="AED", note="", actor=desk,
    )  # fmt: skip


async def take_money(road: Road, team: Team, parcel: UUID, amount: int = 314_800) -> None:
    stops = await drive(road, team, parcel)
    proof = await a_proof(parcel, tenders=[cash(amount)])
    await deliver.record_pod(stops[parcel], proof, actor=team.lead)


async def test_an_empty_shift_closes_once_however_often_it_is_asked(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    event = uuid7()
    ends = await asyncio.gather(*(close(team, event_id=event) for _ in range(4)))
    assert {end["state"] for end in ends} == {"closed"}
    with pytest.raises(ShiftOver):
        await close(team)
    with pytest.raises(ShiftMissing):
        await shift_close.close_shift(
            team.shift_id, event_id=event, explanations=[], actor=await make_actor("delivery")
        )
    assert await core_db.value("SELECT count(*) FROM shift_member WHERE on_duty") == 0
    await sound()


async def test_a_shift_that_has_not_begun_has_no_end(road: Road) -> None:
    team = await make_team(road, "VAN-1", begun=False)
    with pytest.raises(ShiftNotOpen):
        await close(team)


async def test_a_crew_is_told_in_words_what_it_holds(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    machine = await a_machine(road)
    await take_money(road, team, await a_cod_parcel(road))
    await drive(road, team, machine)
    words = "You hold AED 3,148.00 and 1 Washing machine 7 kg."
    assert await holds(team) == words
    with pytest.raises(ShiftNotEmpty) as refused:
        await close(team)
    assert refused.value.detail == words
    assert refused.value.facts["cash"] == [{"currency": "AED", "amount_minor": 314_800}]
    [parcel] = refused.value.facts["parcels"]
    assert parcel["labels"] == await labels_of(machine)
    assert await state_of(team) == "open"
    await sound()


async def test_refused_while_something_is_left_and_accepted_when_nothing_is(road: Road) -> None:
    team, worker = await make_team(road, "VAN-1"), await floor(road)
    delivered, shelved, scanned = [await a_parcel(road, pieces=2) for _ in range(3)]
    stops = await drive(road, team, delivered, shelved, scanned)
    event = uuid7()
    for _ in range(2):
        with pytest.raises(ShiftNotEmpty, match="3 Kettle"):
            await close(team, event_id=event)
    await deliver.record_pod(stops[delivered], await a_proof(delivered), actor=team.lead)
    with pytest.raises(ShiftNotEmpty, match="2 Kettle"):
        await close(team, event_id=event)
    await on_the_shelf(road, shelved)
    with pytest.raises(ShiftNotEmpty, match="1 Kettle"):
        await close(team, event_id=event)
    first, last = await labels_of(scanned)
    await see(worker, "hub_in", first)
    with pytest.raises(ShiftNotEmpty, match=f"You hold box {last}"):
        await close(team, event_id=event)
    await see(worker, "custody", last)
    assert await places(scanned) == {"CARRIER-AE"} and await holds(team) == "You hold nothing."
    assert (await close(team, event_id=event))["state"] == "closed"
    assert await core_db.value("SELECT count(*) FROM delivery_stop WHERE state = 'open'") == 0
    await sound()
    # What came back is given to the next crew like anything else.
    again = await make_team(road, "VAN-2")
    await drive(road, again, scanned)
    assert await places(scanned) == {"VAN-2"}
    await sound()


async def test_what_the_floor_saw_before_the_crew_took_it_is_not_back(road: Road) -> None:
    team, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    parcel = await a_parcel(road, pieces=2)
    await see_all(road.courier, "pickup", parcel)
    await see_all(await floor(road), "hub_in", parcel)
    await drive(road, team, parcel)
    assert await places(parcel) == {"VAN-1"}
    with pytest.raises(ShiftNotEmpty, match="1 Kettle"):
        await close(team)
    await take_over(road, team, other)
    with pytest.raises(ShiftNotEmpty, match="1 Kettle"):
        await close(team)
    await see_all(await floor(road), "hub_in", parcel)
    assert (await close(team))["state"] == "closed"
    await sound()


async def test_what_is_explained_leaves_the_van_and_becomes_a_problem(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    left, lost = await a_parcel(road, pieces=2), await a_parcel(road)
    await drive(road, team, left, lost)
    one, two = await labels_of(left)
    seen = picture("at the gate")
    about = [
        Explanation(label_no=one, reason="left_at_customer", words="At the gate", photo=seen),
        Explanation(fulfilment_id=lost, reason="lost", words="It fell off"),
    ]
    with pytest.raises(ShiftNotEmpty, match=f"You hold box {two}"):
        await close(team, *about)
    assert await core_db.value("SELECT count(*) FROM shift_explanation") == 0
    assert await problems_of(left) == []
    event = uuid7()
    about.append(Explanation(label_no=two, reason="at_hub"))
    for _ in range(2):
        assert (await close(team, *about, event_id=event))["state"] == "closed"
    assert await core_db.value("SELECT count(*) FROM shift_explanation") == 3
    assert await problems_of(left) == await problems_of(lost) == ["piece_unaccounted"]
    detail = await core_db.value("SELECT detail FROM problem WHERE fulfilment_id = $1", left)
    assert f"{one}: It is at the customer's. At the gate Picture {seen}." in detail
    assert await places(left) == await places(lost) == {"CARRIER-AE"}
    await sound()


async def test_a_word_about_what_is_not_on_the_van_changes_nothing(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    elsewhere = await a_parcel(road)
    about = Explanation(fulfilment_id=elsewhere, reason="lost")
    assert (await close(team, about))["state"] == "closed"
    assert await core_db.value("SELECT count(*) FROM shift_explanation") == 0
    assert await problems_of(elsewhere) == []


async def test_a_shift_closes_only_when_its_cash_is_counted(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    await take_money(road, team, await a_cod_parcel(road))
    with pytest.raises(ShiftNotEmpty, match=r"^You hold AED 3,148.00\.$"):
        await close(team, Explanation(label_no="CASH", reason="other"))
    event = uuid7()
    counts = await asyncio.gather(*(count(team, 314_800, event) for _ in range(3)))
    assert {one.difference_minor for one in counts} == {0}
    assert await core_db.value("SELECT shift_id FROM cash_count") == team.shift_id
    with pytest.raises(cash_desk.NoCashToCount):
        await count(team, 314_800)
    assert (await close(team))["state"] == "closed"
    await sound()


async def test_cash_taken_before_the_van_broke_down_is_its_crews(road: Road) -> None:
    down, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    await take_money(road, down, await a_cod_parcel(road))
    rest = await a_parcel(road)
    await drive(road, down, rest)
    await take_over(road, down, other)
    with pytest.raises(ShiftNotEmpty, match=r"AED 3,148\.00 and 1 Kettle"):
        await close(down)
    await see_all(other.lead, "transfer", rest)
    await count(down, 314_800)
    assert (await close(down))["state"] == "closed"
    with pytest.raises(ShiftNotEmpty, match="1 Kettle"):
        await close(other)
    await sound()


async def test_a_proof_that_comes_after_the_end_counts_and_finance_is_asked(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    parcel = await a_cod_parcel(road)
    stops = await drive(road, team, parcel)
    await close(team, Explanation(fulfilment_id=parcel, reason="left_at_customer"))
    proof = await a_proof(parcel, tenders=[cash(314_800)])
    for _ in range(2):
        await deliver.record_pod(stops[parcel], proof, actor=team.lead)
    assert await places(parcel) == {"CUST-AE"}
    late = await core_db.one("SELECT ref, owner_role FROM problem WHERE kind = 'cash_after_shift'")
    assert late == {"ref": str(team.shift_id), "owner_role": "finance"}
    assert await holds(team) == "You hold AED 3,148.00."
    await count(team, 314_800)
    assert await holds(team) == "You hold nothing."
    await sound()


async def test_the_job_finishes_an_end_that_died_in_the_middle(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await make_team(road, "VAN-1")
    parcels = [await a_parcel(road) for _ in range(2)]
    await drive(road, team, *parcels)
    about = [Explanation(fulfilment_id=one, reason="at_hub") for one in parcels]
    event = uuid7()

    async def dying(*_: object) -> None:
        raise ConnectionResetError("the process died")

    monkeypatch.setattr(shift_close, "_take_off_van", dying)
    with pytest.raises(ConnectionResetError):
        await close(team, *about, event_id=event)
    monkeypatch.undo()
    assert await state_of(team) == "closing"
    await sound()
    job = await core_db.one("SELECT payload FROM outbox WHERE kind = 'flows.end_shift'")
    await asyncio.gather(
        shift_close.end_shift(job["payload"]),
        close(team, *about, event_id=event),
        shift_close.end_shift(job["payload"]),
    )
    assert await state_of(team) == "closed"
    assert [await places(one) for one in parcels] == [{"CARRIER-AE"}] * 2
    await sound()


async def test_money_that_comes_while_a_shift_is_closing_opens_it_again(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = await make_team(road, "VAN-1")
    parcel = await a_cod_parcel(road)
    stops = await drive(road, team, parcel)
    about = Explanation(fulfilment_id=parcel, reason="left_at_customer")
    real = shift_close._end

    async def while_it_closes(shift_id: UUID) -> None:
        proof = await a_proof(parcel, tenders=[cash(314_800)])
        await deliver.record_pod(stops[parcel], proof, actor=team.people[1])
        await real(shift_id)

    monkeypatch.setattr(shift_close, "_end", while_it_closes)
    event = uuid7()
    with pytest.raises(ShiftNotEmpty, match=r"^You hold AED 3,148.00\.$"):
        await close(team, about, event_id=event)
    monkeypatch.undo()
    assert await state_of(team) == "open"
    await count(team, 314_800)
    assert (await close(team, about, event_id=event))["state"] == "closed"
    await sound()


async def test_a_pickup_that_races_the_end_leaves_nothing_on_a_closed_van(road: Road) -> None:
    for n in range(6):
        team = await make_team(road, f"VAN-{n}", people=1)
        parcel = (await packed(road, ("MIX-500", 1))).parcels[0] if n < 5 else await a_parcel(road)
        ends = await asyncio.gather(
            see_all(team.lead, "pickup", parcel), close(team), return_exceptions=True
        )
        assert all(end is None or isinstance(end, dict | Refusal) for end in ends), ends
        on_the_van = await places(parcel) == {team.vehicle}
        assert (await state_of(team) == "open") == on_the_van
        await sound()
        if on_the_van:
            await close(team, Explanation(fulfilment_id=parcel, reason="at_hub"))
    assert await core_db.value("SELECT count(*) FROM shift WHERE state <> 'closed'") == 0


async def test_opened_again_the_next_day_a_van_is_empty(road: Road) -> None:
    team = await make_team(road, "VAN-1")
    parcel = await a_parcel(road)
    await drive(road, team, parcel)
    await close(team, Explanation(fulfilment_id=parcel, reason="at_hub"))
    next_day = await make_team(road, "VAN-1", members=team.people)
    assert await holds(next_day) == "You hold nothing."
    assert (await tms.read_shift(next_day.shift_id))["state"] == "open"
    assert (await close(next_day))["state"] == "closed"
