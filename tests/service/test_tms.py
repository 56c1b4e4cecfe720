"""Transport on a real database: AWB, scans, carrier events, runs, proofs of delivery."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from doorstep.core import blobs, inbox
from doorstep.core import db as core_db
from doorstep.core import redis as core_redis
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.core.outbox import bell
from doorstep.flows import deliver, dispatch, transport
from doorstep.journey import Verdict
from doorstep.journey.refusals import StageAlreadyDone
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    AlreadyAssigned,
    AwbTaken,
    CodeTriesExhausted,
    CodeUnavailable,
    ManifestAlreadyConfirmed,
    ManifestMissing,
    PieceAlreadyGiven,
    ProofMissing,
    RunAlreadyAccepted,
    RunMissing,
    StopMissing,
)
from doorstep.modules.tms.schemas import Photo, Receiver
from doorstep.ports import CarrierEvent
from tests.factories.care import pass_stage, passed, reacting
from tests.factories.road import (
    FRESH,
    REACTIONS,
    Road,
    a_proof,
    a_scan,
    cash,
    code_of,
    labels_of,
    make_actor,
    make_road,
    out_for_delivery,
    packed,
    picture,
    problems_of,
    upload,
)
from tests.factories.world import an_order

pytestmark = pytest.mark.usefixtures("db")

KETTLE = ("KET-17", 1)


@pytest.fixture
async def road() -> AsyncIterator[Road]:
    with reacting(REACTIONS):
        yield await make_road()
    await bell.rest()
    await core_redis.stop()


async def a_parcel(road: Road, *, pieces: int = 1) -> UUID:
    return (await packed(road, KETTLE, pieces=pieces)).parcels[0]


async def evaluate() -> None:
    """Run the evaluations that scans have asked for, as the worker does."""
    for row in await core_db.rows(
        "UPDATE outbox SET done_at = now() WHERE kind = 'flows.evaluate_scans' AND done_at IS NULL"
        " RETURNING payload"
    ):
        await transport.evaluate_scans_job(row["payload"])


async def how(parcel: UUID, stage: int) -> str | None:
    value: str | None = await core_db.value(
        "SELECT how FROM journey_event WHERE fulfilment_id = $1 AND stage = $2 AND kind = 'stage'",
        parcel,
        stage,
    )
    return value


# --- Dispatch -----------------------------------------------------------------------------------


async def test_a_packed_parcel_gets_an_awb_a_label_per_piece_and_1008(road: Road) -> None:
    parcel = await a_parcel(road, pieces=3)
    shipment = await core_db.one("SELECT * FROM shipment WHERE fulfilment_id = $1", parcel)
    assert rules.awb_is_sound(shipment["awb"]) and shipment["awb"].endswith("AE")
    assert shipment["pickup_from"] < shipment["pickup_until"]
    assert await labels_of(parcel) == [f"{shipment['awb']}-{n}" for n in (1, 2, 3)]
    assert 1008 in await passed(parcel)
    documents = await core_db.value(
        "SELECT count(*) FROM outbox WHERE kind = 'flows.make_documents'"
        " AND payload ->> 'fulfilment_id' = $1",
        str(parcel),
    )
    assert documents == 1


async def test_without_an_own_fleet_a_dispatcher_is_asked_for_the_awb(road: Road) -> None:
    await tms.create_carrier("OWN", "Doorstep Fleet")
    await tms.create_carrier("BD", "Blue Dart", "aggregator", [tms.Service(road.world.channel_id)])
    parcel = await a_parcel(road)
    assert 1008 not in await passed(parcel)
    assert await problems_of(parcel) == ["awb_needed"]
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD123", actor=road.dispatcher)
    assert 1008 in await passed(parcel)
    assert await labels_of(parcel) == ["BD123-1"]
    other = await a_parcel(road)
    with pytest.raises(AwbTaken):
        await dispatch.record_awb(other, carrier_code="BD", awb="BD123", actor=road.dispatcher)


async def test_a_manifest_gives_a_piece_once_and_is_confirmed_once(road: Road) -> None:
    parcel = await a_parcel(road, pieces=2)
    courier_id = road.courier.person_id
    assert courier_id
    given = {"location_id": road.world.warehouse_id, "courier_id": courier_id}
    manifest = await dispatch.give_to_courier([parcel], **given, actor=road.dispatcher)
    assert manifest["pieces"] == 2
    with pytest.raises(PieceAlreadyGiven):
        await dispatch.give_to_courier([parcel], **given, actor=road.dispatcher)
    confirm = {"event_id": uuid7(), "counted": 1, "captured_at": now()}
    other = await make_actor("courier")
    with pytest.raises(ManifestMissing):
        await transport.confirm_pickup(manifest["id"], **confirm, actor=other)
    first = await transport.confirm_pickup(manifest["id"], **confirm, actor=road.courier)
    again = await transport.confirm_pickup(manifest["id"], **confirm, actor=road.courier)
    assert (first["first"], again["first"]) == (True, False)
    assert (again["expected"], again["counted"]) == (2, 1)
    with pytest.raises(ManifestAlreadyConfirmed):
        await transport.confirm_pickup(
            manifest["id"], **confirm | {"event_id": uuid7()}, actor=road.courier
        )
    kinds = [r["kind"] for r in await core_db.rows("SELECT kind FROM problem")]
    assert kinds == ["pickup_count_differs"]


async def test_only_couriers_get_manifests_and_only_what_lies_there(road: Road) -> None:
    parcel = await a_parcel(road)
    place = road.world.warehouse_id
    warehouse = await make_actor("dispatcher")
    assert warehouse.person_id and road.courier.person_id
    with pytest.raises(dispatch.NotACourier):
        await dispatch.give_to_courier(
            [parcel], location_id=place, courier_id=warehouse.person_id, actor=road.dispatcher
        )
    with pytest.raises(NotFound):
        await dispatch.give_to_courier(
            [parcel], location_id=uuid4(), courier_id=road.courier.person_id, actor=road.dispatcher
        )


async def test_the_papers_of_a_parcel_are_printed_and_replaced(road: Road, tmp_path: Path) -> None:
    await blobs.start(f"file://{tmp_path}")
    parcel = await a_parcel(road, pieces=2)
    for _ in range(2):
        await dispatch.make_documents({"fulfilment_id": str(parcel)})
    papers = await core_db.rows("SELECT kind, sha256, fulfilment_id FROM order_document")
    assert sorted(paper["kind"] for paper in papers) == [
        "invoice",
        "label",
        "packing_slip",
        "return_form",
    ]
    assert [paper["kind"] for paper in papers if paper["fulfilment_id"] is None] == ["invoice"]
    for paper in papers:
        assert (await blobs.get(paper["sha256"])).startswith(b"%PDF")
    await blobs.stop()


# --- Scans --------------------------------------------------------------------------------------


async def test_scans_are_stored_once_whatever_they_are_of(road: Road) -> None:
    label = (await labels_of(await a_parcel(road)))[0]
    known, unknown = a_scan(label), a_scan("NOBODY-1", "custody")
    first = await transport.keep_scans([known, unknown, known], actor=road.courier)
    assert [one.verdict for one in first] == ["stored", "unknown_label", "duplicate"]
    again = await transport.keep_scans([unknown, known], actor=road.courier)
    assert [one.verdict for one in again] == ["duplicate", "duplicate"]
    assert await core_db.value("SELECT count(*) FROM scan") == 2


async def test_only_scans_that_can_complete_a_stage_are_evaluated(road: Road) -> None:
    labels = await labels_of(await a_parcel(road, pieces=2))
    scans = [a_scan(label, kind) for label in labels for kind in ("pickup", "load", "custody")]
    await transport.keep_scans(scans, actor=road.courier)
    rows = await core_db.rows("SELECT payload FROM outbox WHERE kind = 'flows.evaluate_scans'")
    assert [row["payload"]["kind"] for row in rows] == ["pickup"]
    assert sorted(rows[0]["payload"]["labels"]) == labels


async def test_a_shipment_moves_when_its_last_piece_is_scanned(road: Road) -> None:
    parcel = await a_parcel(road, pieces=2)
    first, last = await labels_of(parcel)
    await transport.keep_scans([a_scan(first)], actor=road.courier)
    await evaluate()
    assert 1009 not in await passed(parcel)
    await transport.keep_scans([a_scan(last)], actor=road.courier)
    await evaluate()
    assert 1009 in await passed(parcel)
    evidence = await core_db.value(
        "SELECT evidence FROM journey_event WHERE fulfilment_id = $1 AND stage = 1009", parcel
    )
    assert [item["kind"] for item in evidence] == ["pickup_scan", "pickup_scan"]


async def test_scans_evaluated_twice_move_once(road: Road) -> None:
    parcel = await a_parcel(road)
    labels = await labels_of(parcel)
    await transport.keep_scans([a_scan(labels[0])], actor=road.courier)
    answers = [await transport.evaluate_scans("pickup", labels) for _ in range(2)]
    assert [answer.verdict for [answer] in answers] == [Verdict.APPLIED, Verdict.APPLIED]
    # A second look at the same label is kept and changes nothing.
    await transport.keep_scans([a_scan(labels[0])], actor=road.courier)
    await evaluate()
    count = await core_db.value(
        "SELECT count(*) FROM journey_event WHERE fulfilment_id = $1 AND stage = 1009", parcel
    )
    assert count == 1


async def test_departure_and_hub_scans_pass_their_stages(road: Road) -> None:
    parcel = await a_parcel(road)
    label = (await labels_of(parcel))[0]
    for kind, stage in (("pickup", 1009), ("departure", 1010), ("hub_in", 1011)):
        await transport.keep_scans([a_scan(label, kind)], actor=road.courier)
        await evaluate()
        assert await how(parcel, stage) == "done"


async def test_a_departure_scan_that_comes_first_implies_the_pickup(road: Road) -> None:
    parcel = await a_parcel(road)
    label = (await labels_of(parcel))[0]
    await transport.keep_scans([a_scan(label, "departure")], actor=road.courier)
    await evaluate()
    assert await how(parcel, 1009) == "implied"
    # The real scan that arrives later is added as evidence.
    await transport.keep_scans([a_scan(label, "pickup")], actor=road.courier)
    await evaluate()
    kinds = await core_db.rows(
        "SELECT kind, verdict FROM journey_event WHERE fulfilment_id = $1 AND stage = 1009"
        " ORDER BY seq",
        parcel,
    )
    assert [(row["kind"], row["verdict"]) for row in kinds] == [
        ("stage", "applied"),
        ("evidence", "duplicate"),
    ]


async def test_a_scan_of_a_label_that_is_booked_later_counts_then(road: Road) -> None:
    await tms.create_carrier("BD", "Blue Dart", "aggregator", [tms.Service(road.world.channel_id)])
    await tms.create_carrier("OWN", "Doorstep Fleet")
    parcel = await a_parcel(road)
    await transport.keep_scans([a_scan("BD77-1")], actor=road.courier)
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD77", actor=road.dispatcher)
    await evaluate()
    assert 1009 in await passed(parcel)


async def test_scans_are_facts_that_nobody_changes(road: Road) -> None:
    await transport.keep_scans([a_scan("NOBODY-1")], actor=road.courier)
    with pytest.raises(Exception, match="append-only"):
        await core_db.execute("UPDATE scan SET label_no = 'OTHER-1'")


# --- Carrier events -----------------------------------------------------------------------------


def said(awb: str, stage: int | None, **other: object) -> CarrierEvent:
    given: dict[str, object] = {
        "awb": awb,
        "stage": stage,
        "detour": None,
        "reason": "",
        "happened_at": now(),
        "location": "Dubai",
        "remark": "",
        "raw_code": 6,
        "return_leg": False,
    }
    return CarrierEvent(**given | other)  # type: ignore[arg-type]


async def awb_of(parcel: UUID) -> str:
    awb: str = await core_db.value("SELECT awb FROM shipment WHERE fulfilment_id = $1", parcel)
    return awb


async def test_a_carrier_event_passes_its_stage_and_implies_the_missing_ones(road: Road) -> None:
    parcel = await a_parcel(road)
    event = said(await awb_of(parcel), 1012)
    for _ in range(2):
        answer = await transport.apply_carrier_event(event, source="clickpost", source_id="a")
        assert answer and answer.verdict is Verdict.APPLIED
    assert await core_db.value("SELECT count(*) FROM carrier_event") == 1
    assert [await how(parcel, code) for code in (1009, 1010, 1011, 1012)] == [
        "implied",
        "implied",
        "not_applicable",
        "done",
    ]
    late = await transport.apply_carrier_event(
        said(await awb_of(parcel), 1009), source="clickpost", source_id="b"
    )
    assert late and late.verdict is Verdict.DUPLICATE


async def test_an_event_about_an_unknown_awb_waits_for_it(road: Road) -> None:
    with pytest.raises(inbox.WaitsFor) as waiting:
        await transport.apply_carrier_event(said("BD1", 1009), source="clickpost", source_id="a")
    assert waiting.value.key == "awb:BD1"
    await inbox.receive("clickpost", "a", b"{}", {})
    await core_db.execute("UPDATE inbox SET state = 'waiting', waits_for = 'awb:BD1'")
    await tms.create_carrier("OWN", "Doorstep Fleet")
    await tms.create_carrier("BD", "Blue Dart", "aggregator")
    parcel = await a_parcel(road)
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD1", actor=road.dispatcher)
    assert await core_db.value("SELECT state FROM inbox") == "new"


async def test_trouble_of_a_carrier_becomes_a_problem_and_moves_nothing(road: Road) -> None:
    parcel = await a_parcel(road)
    event = said(await awb_of(parcel), None, detour="carrier_lost")
    assert await transport.apply_carrier_event(event, source="clickpost", source_id="a") is None
    assert await problems_of(parcel) == ["carrier_lost"]
    back = said(await awb_of(parcel), 1013, return_leg=True)
    assert await transport.apply_carrier_event(back, source="clickpost", source_id="b") is None
    assert 1009 not in await passed(parcel)


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
    await deliver.photo_verified(picture(str(parcel)))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is None
    await upload(picture(str(parcel)))
    for _ in range(2):
        await deliver.photo_verified(picture(str(parcel)))
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
    await deliver.photo_verified(picture("door"))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is None
    await upload(picture("goods"))
    await deliver.photo_verified(picture("goods"))
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is not None


async def test_bytes_that_are_no_picture_are_a_problem_not_a_proof(road: Road) -> None:
    parcel = await a_parcel(road)
    stops = await out_for_delivery(road, parcel)
    await deliver.record_pod(stops[parcel], await a_proof(parcel), actor=road.courier)
    await deliver.photo_verified(picture(str(parcel)), refusal="not-a-picture")
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
