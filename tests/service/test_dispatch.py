"""Dispatch and transport on a real database: AWB, manifests, papers, scans, carrier events."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from doorstep.core import blobs, inbox
from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.core.ids import uuid7
from doorstep.flows import carrier_events, dispatch, transport
from doorstep.journey import Verdict
from doorstep.modules.tms import rules
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.refusals import (
    AwbTaken,
    ManifestAlreadyConfirmed,
    ManifestMissing,
    PieceAlreadyGiven,
)
from doorstep.ports import CarrierEvent
from tests.factories.care import passed
from tests.factories.road import (
    Road,
    a_parcel,
    a_scan,
    evaluate,
    how,
    labels_of,
    make_actor,
    problems_of,
)

pytestmark = pytest.mark.usefixtures("db")


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


async def test_who_knows_a_label_but_does_not_hold_the_box_picks_nothing_up(road: Road) -> None:
    parcel = await a_parcel(road)
    courier_id = road.courier.person_id
    assert courier_id
    given = {"location_id": road.world.warehouse_id, "courier_id": courier_id}
    await dispatch.give_to_courier([parcel], **given, actor=road.dispatcher)
    label = (await labels_of(parcel))[0]
    await transport.keep_scans([a_scan(label)], actor=await make_actor("courier"))
    await evaluate()
    assert 1009 not in await passed(parcel)
    await transport.keep_scans([a_scan(label)], actor=road.courier)
    await evaluate()
    assert 1009 in await passed(parcel)


async def test_a_courier_of_another_channel_moves_nothing(road: Road) -> None:
    parcel = await a_parcel(road)
    stranger = await make_actor("courier")
    await core_db.execute(
        "UPDATE person SET channel_ids = $2 WHERE id = $1", stranger.person_id, [uuid7()]
    )
    await transport.keep_scans([a_scan((await labels_of(parcel))[0])], actor=stranger)
    await evaluate()
    assert 1009 not in await passed(parcel)


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
        answer = await carrier_events.apply_carrier_event(event, source="clickpost", source_id="a")
        assert answer and answer.verdict is Verdict.APPLIED
    assert await core_db.value("SELECT count(*) FROM carrier_event") == 1
    assert [await how(parcel, code) for code in (1009, 1010, 1011, 1012)] == [
        "implied",
        "implied",
        "not_applicable",
        "done",
    ]
    late = await carrier_events.apply_carrier_event(
        said(await awb_of(parcel), 1009), source="clickpost", source_id="b"
    )
    assert late and late.verdict is Verdict.DUPLICATE


async def test_an_event_about_an_unknown_awb_waits_for_it(road: Road) -> None:
    with pytest.raises(inbox.WaitsFor) as waiting:
        await carrier_events.apply_carrier_event(
            said("BD1", 1009), source="clickpost", source_id="a"
        )
    assert waiting.value.key == "awb:BD1"
    await inbox.receive("clickpost", "a", b"{}", {})
    await core_db.execute("UPDATE inbox SET state = 'waiting', waits_for = 'awb:BD1'")
    await tms.create_carrier("OWN", "Doorstep Fleet")
    await tms.create_carrier("BD", "Blue Dart", "aggregator")
    parcel = await a_parcel(road)
    await dispatch.record_awb(parcel, carrier_code="BD", awb="BD1", actor=road.dispatcher)
    assert await core_db.value("SELECT state FROM inbox") == "new"


async def test_trouble_of_a_carrier_becomes_a_detour_or_a_problem_and_moves_nothing(
    road: Road,
) -> None:
    parcel = await a_parcel(road)
    event = said(await awb_of(parcel), None, detour="carrier_lost")
    assert (
        await carrier_events.apply_carrier_event(event, source="clickpost", source_id="a") is None
    )
    opened = await core_db.row("SELECT kind, closed_at FROM detour_case")
    assert opened == {"kind": "carrier_lost", "closed_at": None}
    odd = said(await awb_of(parcel), None, detour="unknown_status")
    assert await carrier_events.apply_carrier_event(odd, source="clickpost", source_id="c") is None
    assert await problems_of(parcel) == ["unknown_status"]
    back = said(await awb_of(parcel), 1013, return_leg=True)
    assert await carrier_events.apply_carrier_event(back, source="clickpost", source_id="b") is None
    assert 1009 not in await passed(parcel)
