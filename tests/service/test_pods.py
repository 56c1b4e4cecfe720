"""Proofs of delivery on a real database: kept whatever they lack, counted once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import deliver, proof_pictures, transport
from doorstep.journey import Verdict
from doorstep.journey.refusals import StageAlreadyDone
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    CodeTriesExhausted,
    CodeUnavailable,
    ProofMissing,
    StopMissing,
)
from doorstep.modules.tms.schemas import Photo, Receiver
from tests.factories.care import pass_stage, passed
from tests.factories.road import (
    FRESH,
    KETTLE,
    Road,
    a_parcel,
    a_proof,
    cash,
    code_of,
    make_actor,
    out_for_delivery,
    packed,
    picture,
    problems_of,
    upload,
)
from tests.factories.world import an_order

pytestmark = pytest.mark.usefixtures("db")


# --- Proof of delivery --------------------------------------------------------------------------


async def test_a_whole_proof_delivers_and_v4_waits_for_its_picture(road: Road) -> None:
    parcel = await a_parcel(road, pieces=2)
    stops = await out_for_delivery(road, parcel)
    proof = await a_proof(parcel)
    answer = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert answer.verdict is Verdict.APPLIED and 1013 in await passed(parcel)
    pod = await core_db.one("SELECT * FROM pod")
    assert (pod["verdict"], pod["code_ok"], pod["hold_reason"]) == ("applied", True, None)
    assert pod["bytes_verified_at"] is None
    await proof_pictures.photo_verified(picture(str(parcel)))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is None
    await upload(picture(str(parcel)))
    for _ in range(2):
        await proof_pictures.photo_verified(picture(str(parcel)))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is not None
    facts = await core_db.value("SELECT count(*) FROM journey_event WHERE name = 'bytes_verified'")
    assert facts == 1
    assert await core_db.value("SELECT state FROM delivery_run") == "finished"
    assert await problems_of(parcel) == []


async def test_a_proof_whose_picture_is_there_already_is_verified_at_once(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await upload(picture(str(parcel)))
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is not None
    asked = await core_db.value("SELECT count(*) FROM outbox WHERE kind = 'flows.blob_verified'")
    assert asked == 1


async def test_the_same_proof_twice_is_one_proof(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    proof = await a_proof(parcel)
    answers = [await deliver.record_pod(stops[parcel], proof, actor=road.courier) for _ in "ab"]
    assert [answer.verdict for answer in answers] == [Verdict.APPLIED, Verdict.APPLIED]
    assert await core_db.value("SELECT count(*) FROM pod") == 1
    other = await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    assert other.verdict is Verdict.DUPLICATE
    assert await core_db.value("SELECT count(*) FROM pod") == 2


async def test_a_phone_whose_capture_lacks_a_proof_is_never_lost(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    proof = await a_proof(parcel, photos=[], handover_code=None)
    answer = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert answer.verdict is Verdict.REVIEW
    assert "photo:parcel, code" in answer.reason
    assert 1013 not in await passed(parcel)
    assert await problems_of(parcel) == ["pod_incomplete"]
    again = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert (again.verdict, again.reason) == (answer.verdict, answer.reason)
    accepted = await deliver.accept_pod(
        proof.event_id, "Called the customer", actor=road.dispatcher
    )
    assert accepted.verdict is Verdict.APPLIED and 1013 in await passed(parcel)
    assert await core_db.value("SELECT verdict FROM pod") == "applied"
    with pytest.raises(NotFound):
        await deliver.accept_pod(proof.event_id, "once more", actor=road.dispatcher)


async def test_a_person_at_a_screen_is_refused_and_nothing_is_kept(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    at_screen = type(road.courier)(
        role="courier", source="person", person_id=road.courier.person_id
    )
    with pytest.raises(ProofMissing):
        await deliver.record_pod(stops[parcel], await a_proof(parcel, photos=[]), actor=at_screen)
    assert await core_db.value("SELECT count(*) FROM pod") == 0
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=at_screen)
    with pytest.raises(StageAlreadyDone):
        await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=at_screen)
    assert await core_db.value("SELECT count(*) FROM pod") == 1


async def test_nobody_hands_in_a_proof_for_another_persons_stop(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    with pytest.raises(StopMissing):
        await deliver.record_pod(
            stops[parcel], await a_proof(parcel), actor=await make_actor("courier")
        )


async def test_a_wrong_code_delivers_and_holds_v4(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    right = await code_of(parcel)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    proof = await a_proof(parcel, handover_code=wrong)
    answer = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert answer.verdict is Verdict.APPLIED and 1013 in await passed(parcel)
    pod = await core_db.one("SELECT code_ok, hold_reason FROM pod")
    assert pod["code_ok"] is False and pod["hold_reason"]
    assert await problems_of(parcel) == ["handover_code_wrong"]


async def test_five_wrong_codes_lock_the_code_even_at_once(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    right = await code_of(parcel)
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    guesses = [deliver.check_code(stops[parcel], wrong, actor=road.courier) for _ in range(8)]
    ends = await asyncio.gather(*guesses, return_exceptions=True)
    left = sorted(end.tries_left for end in ends if not isinstance(end, BaseException))
    assert left == [1, 2, 3, 4]
    with pytest.raises(CodeTriesExhausted):
        await deliver.check_code(stops[parcel], right, actor=road.courier)


async def test_a_code_is_right_before_it_is_locked_and_missing_before_it_is_issued(
    road: Road,
) -> None:
    parcel = await a_parcel(road)
    assert road.courier.person_id
    run = await transport.plan_run(
        [parcel],
        person_id=road.courier.person_id,
        vehicle="V",
        planned_on=FRESH,
        actor=road.dispatcher,
    )
    stop_id = run["stops"][0]["id"]
    with pytest.raises(CodeUnavailable):
        await deliver.check_code(stop_id, "123456", actor=road.courier)
    await transport.accept_run(run["id"], event_id=uuid7(), captured_at=now(), actor=road.courier)
    check = await deliver.check_code(stop_id, await code_of(parcel), actor=road.courier)
    assert check.ok and check.tries_left == 5


async def test_cash_at_the_door_is_due_once_and_a_difference_is_a_problem(road: Road) -> None:
    going = await packed(road, order=an_order(KETTLE, method="cod", price_minor=25_000))
    parcel = going.parcels[0]
    stops = await out_for_delivery(road, parcel)
    without = await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    assert without.verdict is Verdict.REVIEW and "tender" in without.reason
    less = await a_proof(parcel, tenders=[cash(20_000), cash(4_000)])
    answer = await deliver.record_pod(stops[parcel], less, actor=road.courier)
    assert answer.verdict is Verdict.APPLIED
    pod = await core_db.one(
        "SELECT due_minor, tendered_minor FROM pod WHERE id = $1", less.event_id
    )
    assert (pod["due_minor"], pod["tendered_minor"]) == (25_000, 24_000)
    assert "door_payment_differs" in await problems_of(parcel)
    assert await core_db.value("SELECT count(*) FROM pod_tender") == 2


async def test_a_guard_gives_his_name_and_no_code(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    proof = await a_proof(
        parcel,
        receiver=Receiver(name="Ravi", relation="guard"),
        handover_code=None,
        scanned_labels=[],
        signature=None,
    )
    answer = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert answer.verdict is Verdict.APPLIED
    nameless = await packed(road, KETTLE)
    stops = await out_for_delivery(road, nameless.parcels[0])
    proof = await a_proof(
        nameless.parcels[0], receiver=Receiver(name=" ", relation="guard"), handover_code=None
    )
    answer = await deliver.record_pod(stops[nameless.parcels[0]], proof, actor=road.courier)
    assert answer.verdict is Verdict.REVIEW


async def test_the_installations_own_recipe_holds(road: Road) -> None:
    await tms.save_recipe(
        rules.Recipe(("photo", "place"), ("door", "goods"), channel_id=road.world.channel_id)
    )
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    photos = [Photo(slot=slot, sha256=picture(slot)) for slot in ("door", "goods")]
    proof = await a_proof(parcel, photos=photos, handover_code=None, scanned_labels=[])
    answer = await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    assert answer.verdict is Verdict.APPLIED
    await upload(picture("door"))
    await proof_pictures.photo_verified(picture("door"))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is None
    await upload(picture("goods"))
    await proof_pictures.photo_verified(picture("goods"))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is not None


async def test_bytes_that_are_no_picture_are_a_problem_not_a_proof(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    await proof_pictures.photo_verified(picture(str(parcel)), refusal="not-a-picture")
    assert await problems_of(parcel) == ["photo_unusable"]
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is None


async def test_a_second_proof_whose_pictures_are_there_counts_for_v4(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    await upload(picture("again"))
    again = await a_proof(parcel, photos=[Photo(slot="parcel", sha256=picture("again"))])
    answer = await deliver.record_pod(stops[parcel], again, actor=road.courier)
    assert answer.verdict is Verdict.DUPLICATE
    verified = await core_db.rows("SELECT id FROM pod WHERE bytes_verified_at IS NOT NULL")
    assert [row["id"] for row in verified] == [again.event_id]
    facts = await core_db.value("SELECT count(*) FROM journey_event WHERE name = 'bytes_verified'")
    assert facts == 1


async def test_a_proof_that_comes_too_early_is_held_and_delivers_later(road: Road) -> None:
    await tms.create_carrier("OWN", "Doorstep Fleet")
    parcel = await a_parcel(road)
    assert road.courier.person_id and 1008 not in await passed(parcel)
    run = await transport.plan_run(
        [parcel],
        person_id=road.courier.person_id,
        vehicle="V",
        planned_on=FRESH,
        actor=road.dispatcher,
    )
    proof = await a_proof(parcel, handover_code="123456")
    answer = await deliver.record_pod(run["stops"][0]["id"], proof, actor=road.courier)
    assert answer.verdict is Verdict.HELD
    await pass_stage(parcel, 1008)
    assert 1013 in await passed(parcel)
    assert await core_db.value("SELECT verdict FROM pod") == "applied"
    # The code had not been issued, so the goods are with the customer and V4 waits.
    assert await core_db.value("SELECT hold_reason FROM pod") is not None


async def test_a_journeys_body_holds_no_personal_data_of_a_proof(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    body = await core_db.value(
        "SELECT body FROM journey_event WHERE fulfilment_id = $1 AND stage = 1013", parcel
    )
    assert b"Aisha" not in body and b"25.08" not in body
    assert (await code_of(parcel)).encode() not in body


async def test_captured_at_of_a_phone_is_kept_as_it_said(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    wrong_clock = now() - timedelta(days=2)
    proof = await a_proof(parcel, captured_at=wrong_clock)
    await deliver.record_pod(stops[parcel], proof, actor=road.courier)
    event = await core_db.one(
        "SELECT captured_at, recorded_at FROM journey_event WHERE stage = 1013"
    )
    assert event["captured_at"] == wrong_clock < event["recorded_at"]
