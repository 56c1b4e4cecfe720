"""Every type of event that a phone hands in is carried out as its request would be (IC2)."""

from __future__ import annotations

from doorstep.core import db as core_db
from doorstep.core.captures.registry import TYPES
from doorstep.core.ids import uuid7
from doorstep.doors.field import captured
from doorstep.doors.field.captured import CAPTURES
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.floor import adjustment, announced, beep, ok
from tests.factories.journeys import standing
from tests.factories.mishaps import failed_attempt
from tests.factories.steps import healthy
from tests.factories.sync import SyncedCompany


async def test_every_type_of_event_is_carried_out_and_an_order_comes_to_its_end_by_sync_alone(
    company: Company,
) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1008)
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    await synced.send("courier", f"/field/manifests/{made['id']}/confirm", capture(counted=1))
    await order.go_on(1014)
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    await synced.send("technician", f"/field/visits/{visit}/start", capture())
    await order.go_on(1018)
    assert 1018 in await order.passed()
    assert await core_db.value("SELECT progress FROM fulfilment WHERE id = $1", order.parcel) == 100
    await offers(synced)
    await mishaps(synced)
    await floor(synced)
    assert set(synced.captured) == set(CAPTURES)
    for name, receipts in synced.captured.items():
        assert {one["verdict"] for one in receipts} == {"applied"}, (name, receipts)
    await healthy()


async def offers(synced: SyncedCompany) -> None:
    """Somebody on the road declines what is offered, and takes it when asked again."""
    await standing(synced, 1012)
    order = await standing(synced, 1008)
    asked = {"fulfilment_id": order.parcel, "person_ids": [synced.users["delivery"].id]}
    for said, body in (("decline", capture(reason="too_far")), ("accept", capture())):
        made = await ok(synced, "dispatcher", "/console/offers", asked, 201)
        await synced.send("delivery", f"/field/offers/{made['id']}/{said}", body)
    await synced.work()


async def mishaps(synced: SyncedCompany) -> None:
    order = await standing(synced, 1012)
    here = await core_db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1", order.parcel
    )
    await synced.send("delivery", f"/field/stops/{here}/payment-link", capture())
    assert (await failed_attempt(order)).json()["verdict"] == "applied"
    failed = await core_db.value("SELECT event_id FROM capture WHERE type = 'delivery.failed'")
    word = {"words": "The wrong door."}
    await synced.send("delivery", "/field/amendments", capture(amends=failed, **word))
    stop = await core_db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1", order.parcel
    )
    about = {"job_kind": "stop", "job_id": stop}
    await synced.send("delivery", "/field/notes", capture(**about, **word))
    await synced.send("delivery", "/field/problems", capture(about="address", **about, **word))
    pod = await core_db.value("SELECT id FROM pod LIMIT 1")
    await synced.send("delivery", f"/field/pods/{pod}/appeals", capture(**word))
    order = await standing(synced, 1014)
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    missing = capture(kind="part_missing", words="No hose.")
    await synced.send("technician", f"/field/visits/{visit}/findings", missing)
    await synced.send("technician", f"/field/visits/{visit}/part-fitted", capture())
    # A price that nobody knows is kept like any other.
    sold = capture(lines=[{"price_id": uuid7(), "quantity": 1}], shown_minor=0)
    await synced.send("technician", f"/field/visits/{visit}/extras", sold)
    await synced.send(
        "technician", f"/field/visits/{visit}/extras-payments", capture(shown_minor=0)
    )
    broken = capture(reason="unit_faulty", words="It does not spin.")
    await synced.send("technician", f"/field/visits/{visit}/failed", broken)
    order = await standing(synced, 1010)
    damaged = capture(labels=await order.labels(), kind="damaged", words="A dent.")
    await synced.send("courier", "/field/piece-reports", damaged)
    order = await standing(synced, 1005)
    body = capture(words="The wrong one.")
    await synced.send("warehouse", f"/field/fulfilments/{order.parcel}/repick", body)
    await synced.work()


async def floor(synced: SyncedCompany) -> None:
    arrival = await announced(synced, ("KET-17", 2))
    scans = {"scans": [beep("6291100000024", quantity=2)]}
    await synced.send("warehouse", f"/field/arrivals/{arrival}/scans", scans)
    await synced.send("warehouse", f"/field/arrivals/{arrival}/finish", capture())
    await synced.send("warehouse", "/field/arrivals/unannounced", capture(code="X-1"))
    count = {
        "event_id": uuid7(), "location_id": synced.world.warehouse_id, "skus": ["MIX-500"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    made = await ok(synced, "dispatcher", "/console/counts", count, 201)
    [line] = next(
        one for one in await synced.get("warehouse", "/field/counts") if one["id"] == made["id"]
    )["lines"]
    entries = {"entries": [capture(line_id=line["id"], quantity=20)]}
    await synced.send("warehouse", f"/field/counts/{made['id']}/entries", entries)
    await synced.send("warehouse", f"/field/counts/{made['id']}/finish", capture())
    await synced.send("warehouse", "/field/adjustments", adjustment("MIX-500", -1))
    items = (await synced.get("warehouse", "/field/shift-checklist"))["items"]
    answers = [{"code": item["code"], "ok": True} for item in items]
    await synced.send("warehouse", "/field/shift-checklist", capture(answers=answers))
    shift = await crewed(synced, "VAN-9")
    await synced.send("delivery", f"/field/shifts/{shift}/close", {"event_id": uuid7()})
    await synced.work()


def test_every_type_stands_for_a_request_of_a_field_worker() -> None:
    for name, one in CAPTURES.items():
        assert TYPES[name].permission == one.handler.opt["permission"]
        assert next(iter(one.handler.paths)).startswith("/field/"), name
    assert len({one.handler for one in captured.CAPTURES.values()}) == len(CAPTURES)
