"""The customer chooses delivery and visit, and answers for an attempt that failed (P14, J1014)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import attempt_answers, delivery_slots, visit_choice
from doorstep.modules.fsm.refusals import GoodsMustStand, SlotTaken, VisitNotMovable
from doorstep.modules.tms.refusals import DeliveryNotChoosable, DeliverySlotTaken
from tests.factories.company import Company
from tests.factories.journeys import Order, place, standing
from tests.factories.slots import LEAD_MINUTES, OFFERED, failed, offer, windows_of
from tests.factories.steps import healthy


def customer(order: Order) -> Actor:
    return Actor(role="customer", source="person", order_id=order.order_id, request_id="page")


async def test_a_free_window_is_chosen_seen_by_the_desk_and_not_free_for_another(
    company: Company,
) -> None:
    await offer(company)
    one, other = await standing(company, 1004), await standing(company, 1004)
    free = await delivery_slots.free_slots(one.parcel, actor=customer(one))
    assert free[0].start >= now() + timedelta(minutes=LEAD_MINUTES)
    event_id = uuid7()
    for _ in range(2):
        await delivery_slots.choose(one.parcel, event_id, free[1].start, actor=customer(one))
    assert await windows_of(one) == [(free[1].start, free[1].end)]
    [seen] = await company.get("dispatcher", f"/console/parcels/{one.parcel}/windows")
    assert (seen["reason"], seen["set_by"]) == (delivery_slots.CHOSEN, None)
    left = await delivery_slots.free_slots(other.parcel, actor=customer(other))
    assert free[1].start not in {slot.start for slot in left}
    with pytest.raises(DeliverySlotTaken):
        await delivery_slots.choose(other.parcel, uuid7(), free[1].start, actor=customer(other))
    # Whoever moves gives the room back.
    await delivery_slots.choose(one.parcel, uuid7(), free[2].start, actor=customer(one))
    await delivery_slots.choose(other.parcel, uuid7(), free[1].start, actor=customer(other))
    await healthy()


async def test_of_many_who_choose_the_last_room_at_once_one_gets_it(company: Company) -> None:
    await offer(company)
    orders = [await standing(company, 1003) for _ in range(5)]
    [wished, *_] = await delivery_slots.free_slots(orders[0].parcel, actor=customer(orders[0]))
    answers = await asyncio.gather(
        *(
            delivery_slots.choose(order.parcel, uuid7(), wished.start, actor=customer(order))
            for order in orders
        ),
        return_exceptions=True,
    )
    refused = [answer for answer in answers if isinstance(answer, DeliverySlotTaken)]
    assert len(refused) == len(orders) - 1, answers
    assert len([1 for order in orders if await windows_of(order)]) == 1


@pytest.mark.parametrize(
    ("stage", "why"), [(1001, "too_early"), (1012, "on_its_way"), (1013, "delivered")]
)
async def test_only_between_reserved_and_out_for_delivery(
    company: Company, stage: int, why: str
) -> None:
    await offer(company)
    order = await standing(company, stage)
    assert await delivery_slots.free_slots(order.parcel, actor=customer(order)) == []
    with pytest.raises(DeliveryNotChoosable) as refused:
        await delivery_slots.choose(order.parcel, uuid7(), now(), actor=customer(order))
    assert refused.value.facts == {"why": why}
    assert await windows_of(order) == []


async def test_nobody_chooses_for_another_and_nothing_is_offered_without_slots(
    company: Company,
) -> None:
    order, other = await standing(company, 1003), await place(company, ("KET-17", 1))
    assert await delivery_slots.free_slots(order.parcel, actor=customer(order)) == []
    for deed in (
        delivery_slots.free_slots(order.parcel, actor=customer(other)),
        delivery_slots.choose(order.parcel, uuid7(), now(), actor=customer(other)),
        visit_choice.free_starts(order.parcel, actor=customer(other)),
        visit_choice.choose(order.parcel, now(), actor=customer(other)),
        attempt_answers.answer(order.parcel, uuid7(), "true", "", actor=customer(other)),
    ):
        with pytest.raises(NotFound):
            await deed


async def test_windows_that_meet_are_refused_and_the_old_ones_stand(company: Company) -> None:
    await offer(company)
    path = f"/console/channels/{company.world.channel_id}/delivery-slots"
    meeting = [OFFERED[0], OFFERED[0] | {"from_time": "12:00:00", "until_time": "14:00:00"}]
    headers = company.users["dispatcher"].headers
    answer = await company.http.put(path, json={"slots": meeting}, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/slots-not-usable")
    assert len(await company.get("dispatcher", path)) == len(OFFERED)


async def test_the_visit_follows_the_chosen_delivery_and_is_chosen_after_it(
    company: Company,
) -> None:
    await offer(company)
    order = await standing(company, 1004)
    me = customer(order)
    [soonest, *_] = await visit_choice.free_starts(order.parcel, actor=me)
    before = await visit_choice.choose(order.parcel, soonest, actor=me)
    assert await visit_choice.choose(order.parcel, soonest, actor=me) == before
    free = await delivery_slots.free_slots(order.parcel, actor=me)
    late = next(slot for slot in free if slot.start > soonest)
    await delivery_slots.choose(order.parcel, uuid7(), late.start, actor=me)
    moved = await core_db.value("SELECT lower(during) FROM visit WHERE id = $1", before.visit_id)
    assert moved >= late.end
    starts = await visit_choice.free_starts(order.parcel, actor=me)
    assert min(starts) >= late.end
    with pytest.raises(GoodsMustStand):
        await visit_choice.choose(order.parcel, late.start, actor=me)
    after = await visit_choice.choose(order.parcel, starts[-1], actor=me)
    assert (after.visit_id, after.starts_at) == (before.visit_id, starts[-1])
    await healthy()


async def test_a_visit_that_is_near_or_over_is_not_moved(company: Company, clock: Any) -> None:
    order = await standing(company, 1014)
    me = customer(order)
    starts_at = await core_db.value(
        "SELECT lower(during) FROM visit WHERE fulfilment_id = $1", order.parcel
    )
    clock.advance(starts_at - now() - timedelta(hours=1))
    assert await visit_choice.free_starts(order.parcel, actor=me) == []
    with pytest.raises(VisitNotMovable):
        await visit_choice.choose(order.parcel, starts_at + timedelta(days=1), actor=me)


async def test_a_time_that_another_order_has_is_taken(company: Company) -> None:
    one, other = await standing(company, 1013), await standing(company, 1013)
    starts = await visit_choice.free_starts(one.parcel, actor=customer(one))
    await visit_choice.choose(one.parcel, starts[0], actor=customer(one))
    with pytest.raises(SlotTaken):
        await visit_choice.choose(other.parcel, starts[0], actor=customer(other))


async def test_a_contradiction_asks_a_desk_with_both_words_and_the_first_answer_stands(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    with pytest.raises(attempt_answers.NoFailedAttempt):
        await attempt_answers.answer(order.parcel, uuid7(), "true", "", actor=customer(order))
    await failed(company, order)
    for _ in range(2):
        await attempt_answers.answer(
            order.parcel, uuid7(), "was_here", "I waited.", actor=customer(order)
        )
    [asked] = await core_db.rows(
        "SELECT owner_role, detail FROM problem WHERE kind = 'attempt_contradicted'"
    )
    assert asked["owner_role"] == "dispatcher"
    for words in ("not home", "waited 7 min", "called", "I waited."):
        assert words in asked["detail"]
    with pytest.raises(attempt_answers.AttemptAnswered):
        await attempt_answers.answer(order.parcel, uuid7(), "true", "", actor=customer(order))
    await healthy()


async def test_an_attempt_that_was_so_asks_nobody(company: Company) -> None:
    order = await standing(company, 1012)
    await failed(company, order)
    await attempt_answers.answer(order.parcel, uuid7(), "true", "", actor=customer(order))
    kinds = await core_db.rows("SELECT kind FROM problem")
    assert "attempt_contradicted" not in {row["kind"] for row in kinds}
