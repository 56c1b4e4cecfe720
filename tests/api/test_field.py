"""Couriers, technicians and dispatchers over HTTP: from the packed parcel to the approved visit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from litestar import Litestar

from doorstep.app import create_app
from doorstep.core import blobs
from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.console import runs as console_runs
from doorstep.doors.console import visits as console_visits
from doorstep.doors.field import pods, runs, scans, visits
from doorstep.flows import dispatch, proof_pictures, transport
from doorstep.modules.fsm import service as fsm
from tests.factories.care import passed, reacting, serials_for
from tests.factories.road import (
    ALWAYS,
    REACTIONS,
    Road,
    a_checklist,
    a_proof,
    code_of,
    labels_of,
    make_road,
    packed,
    picture,
    upload,
)
from tests.support.access import Person

SignIn = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
def app() -> Litestar:
    """The doors of the road alone."""
    doors = [*scans.handlers, *runs.handlers, *pods.handlers, *visits.handlers]
    return create_app(doors=[*doors, *console_runs.handlers, *console_visits.handlers])


@pytest.fixture
async def road(client: httpx.AsyncClient) -> AsyncIterator[Road]:
    with reacting(REACTIONS):
        yield await make_road()


async def a_parcel(road: Road, **given: Any) -> UUID:
    parcel = (await packed(road, ("WM-7KG", 1), **given)).parcels[0]
    serial = await core_db.value("SELECT serial FROM unit WHERE state = 'in_stock' LIMIT 1")
    await serials_for(parcel, [serial])
    return parcel


async def ask(client: httpx.AsyncClient, person: Person, path: str, **params: str) -> Any:
    answer = await client.get(path, headers=person.headers, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def tell(
    client: httpx.AsyncClient, person: Person, path: str, body: Any, status: int = 200
) -> Any:
    answer = await client.post(
        path,
        headers=person.headers | {"Content-Type": "application/json"},
        content=msgspec.json.encode(body),
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def a_step(**more: Any) -> dict[str, Any]:
    return {"event_id": uuid7(), "captured_at": now(), **more}


async def planned(
    client: httpx.AsyncClient, dispatcher: Person, courier: Person, *parcels: UUID
) -> Any:
    run = {
        "person_id": courier.id,
        "vehicle": "VAN-1",
        "planned_on": "2026-11-23",
        "fulfilment_ids": parcels,
    }
    return await tell(client, dispatcher, "/console/runs", run, 201)


async def test_a_parcel_goes_from_the_shelf_to_the_approved_installation(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    dispatcher, courier = await signed_in("dispatcher"), await signed_in("courier")
    technician = await signed_in("technician")
    await fsm.create_technician(technician.id, road.world.channel_id, ["laundry"], ALWAYS)
    await fsm.save_checklist(road.world.products["WM-7KG"], a_checklist())
    parcel = await a_parcel(road, pieces=2)
    labels = await labels_of(parcel)

    manifest = {
        "location_id": road.world.warehouse_id,
        "courier_id": courier.id,
        "fulfilment_ids": [parcel],
    }
    made = await tell(client, dispatcher, "/console/manifests", manifest, 201)
    [own] = await ask(client, courier, "/field/manifests")
    assert [piece["label_no"] for piece in own["pieces"]] == labels
    await tell(client, courier, f"/field/manifests/{made['id']}/confirm", a_step(counted=2))

    seen = [
        {"scan_uid": uuid7(), "label_no": label, "kind": "pickup", "captured_at": now()}
        for label in labels
    ]
    answer = await tell(client, courier, "/field/scans", {"scans": seen})
    assert [scan["verdict"] for scan in answer["scans"]] == ["stored", "stored"]
    await transport.evaluate_scans("pickup", labels)
    assert 1009 in await passed(parcel)

    run = await planned(client, dispatcher, courier, parcel)
    [tour] = await ask(client, courier, "/field/runs")
    [stop] = tour["stops"]
    assert stop["address"]["building"] == "Tower 1" and stop["cash_due_minor"] == 0
    assert stop["recipe"] == {"proofs": ["scan", "photo", "code"], "photo_slots": ["parcel"]}
    accepted = await tell(client, courier, f"/field/runs/{run['id']}/accept", a_step())
    assert accepted["stops"][0]["step"]["verdict"] == "applied"

    code = await code_of(parcel)
    right = await tell(client, courier, f"/field/stops/{stop['id']}/code", {"code": code})
    assert right == {"ok": True, "tries_left": 5}
    proof = await a_proof(parcel)
    pod = await tell(client, courier, f"/field/stops/{stop['id']}/pod", proof)
    assert (pod["verdict"], pod["stage"]) == ("applied", 1013)

    slots = await ask(
        client,
        dispatcher,
        f"/console/fulfilments/{parcel}/slots",
        **{"from": now().isoformat(), "to": (now() + timedelta(days=3)).isoformat()},
    )
    booking = {"fulfilment_id": parcel, "starts_at": slots[3]["starts_at"]}
    booked = await tell(client, dispatcher, "/console/visits", booking, 201)
    assert 1014 in await passed(parcel)

    [card] = await ask(client, technician, "/field/visits")
    [unit] = card["units"]
    assert unit["model"] == "Washing machine 7 kg" and len(unit["serials"]) == 1
    assert (card["missing_part"], unit["warranty_months"]) == (False, 24)
    assert unit["checklist"]["items"][0]["id"] == "level"
    visit = f"/field/visits/{booked['visit_id']}"
    assert (await tell(client, technician, f"{visit}/start", a_step()))["verdict"] == "applied"
    report = a_step(
        units=[
            {
                "fulfilment_line_id": unit["fulfilment_line_id"],
                "checklist_id": unit["checklist_id"],
                "serial": unit["serials"][0],
                "answers": {"level": True},
            }
        ],
        photos=[{"slot": slot, "sha256": picture(slot)} for slot in unit["photo_slots"]],
        demo_topics=["modes"],
        sign_off={"name": "Aisha Khan", "strokes": [[[0, 0, 0], [4, 4, 30]]]},
    )
    done = await tell(client, technician, f"{visit}/complete", report)
    assert (done["verdict"], done["stage"], done["progress"]) == ("applied", 1015, 85)
    for name in (str(parcel), "before", "after"):
        await upload(picture(name))
        await proof_pictures.photo_verified(picture(name))
    assert await core_db.value("SELECT approval FROM visit_report") == "automatic"
    assert await core_db.value("SELECT bytes_verified_at FROM pod") is not None


async def test_a_courier_reads_what_the_check_of_his_own_proof_found(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    dispatcher, courier = await signed_in("dispatcher"), await signed_in("delivery")
    parcel = await a_parcel(road)
    run = await planned(client, dispatcher, courier, parcel)
    await tell(client, courier, f"/field/runs/{run['id']}/accept", a_step())
    proof = await a_proof(parcel)
    path = f"/field/pods/{proof.event_id}"
    assert (await client.get(path, headers=courier.headers)).status_code == 404
    stop = run["stops"][0]["id"]
    await tell(client, courier, f"/field/stops/{stop}/pod", proof)
    waiting = await ask(client, courier, path)
    assert (waiting["verdict"], waiting["waits_for"]) == ("waiting", ["parcel"])
    await upload(picture(str(parcel)))
    await core_db.execute(
        "INSERT INTO picture_measure VALUES ($1, 0.1, 20, 30, $2, $3, '{}')",
        picture(str(parcel)),
        b"\x0f" * 32,
        list(range(16)),
    )
    await proof_pictures.photo_verified(picture(str(parcel)))
    found = await ask(client, courier, path)
    assert (found["verdict"], found["waits_for"], found["settled"]) == ("look", [], False)
    assert found["reasons"][0] == "The photo 'parcel' is too dark."
    other = await signed_in("delivery")
    assert (await client.get(path, headers=other.headers)).status_code == 404


async def test_a_half_proof_from_a_phone_is_202_and_a_dispatcher_lets_it_count(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    dispatcher, courier = await signed_in("dispatcher"), await signed_in("delivery")
    parcel = await a_parcel(road)
    run = await planned(client, dispatcher, courier, parcel)
    stop = run["stops"][0]["id"]
    await tell(client, courier, f"/field/runs/{run['id']}/accept", a_step())
    proof = await a_proof(parcel, photos=[])
    pod = await tell(client, courier, f"/field/stops/{stop}/pod", proof, 202)
    assert pod["verdict"] == "review"
    accept = f"/console/pods/{proof.event_id}/accept"
    answer = await tell(client, dispatcher, accept, {"reason": "Customer called"})
    assert answer["verdict"] == "applied" and 1013 in await passed(parcel)


async def test_what_is_not_ones_own_does_not_exist(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    dispatcher, courier = await signed_in("dispatcher"), await signed_in("courier")
    other = await signed_in("courier")
    parcel = await a_parcel(road)
    run = await planned(client, dispatcher, courier, parcel)
    assert await ask(client, other, "/field/runs") == []
    await tell(client, other, f"/field/runs/{run['id']}/accept", a_step(), 404)
    stop = run["stops"][0]["id"]
    await tell(client, other, f"/field/stops/{stop}/pod", await a_proof(parcel), 404)
    foreign = await signed_in("dispatcher", channel_ids=[uuid7()])
    await tell(client, foreign, f"/console/stops/{stop}/remove", {}, 404)
    await tell(client, foreign, "/console/visits", {"fulfilment_id": parcel}, 404)
    await tell(client, courier, "/console/runs", {}, 403)


async def test_broken_captures_name_the_field(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    courier = await signed_in("courier")
    await tell(client, courier, "/field/scans", {"scans": []}, 422)
    naive = {"scan_uid": uuid7(), "label_no": "A-1", "kind": "pickup"}
    bad = naive | {"captured_at": "2026-11-23T10:00:00"}
    await tell(client, courier, "/field/scans", {"scans": [bad]}, 422)
    dispatcher = await signed_in("dispatcher")
    parcel = await a_parcel(road)
    path = f"/console/fulfilments/{parcel}/slots?from=2026-11-23T10:00:00&to=2026-11-24T10:00:00"
    answer = await client.get(path, headers=dispatcher.headers)
    assert answer.status_code == 422, answer.text


async def test_the_papers_of_a_parcel_are_listed_and_opened_where_one_may(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road, tmp_path: Path
) -> None:
    await blobs.start(f"file://{tmp_path}")
    parcel = await a_parcel(road)
    await dispatch.make_documents({"fulfilment_id": str(parcel)})
    warehouse = await signed_in("warehouse", location_id=road.world.warehouse_id)
    papers = await ask(client, warehouse, f"/console/fulfilments/{parcel}/documents")
    assert {paper["kind"] for paper in papers} == {
        "invoice",
        "label",
        "packing_slip",
        "return_form",
    }
    opened = await client.get(f"/console/documents/{papers[0]['id']}", headers=warehouse.headers)
    assert opened.content.startswith(b"%PDF") and opened.headers["content-type"].startswith(
        "application/pdf"
    )
    elsewhere = await signed_in("warehouse")
    answer = await client.get(f"/console/documents/{papers[0]['id']}", headers=elsewhere.headers)
    assert answer.status_code == 404
    await blobs.stop()


async def test_a_desk_that_lost_an_answer_gets_it_again_under_its_key(
    client: httpx.AsyncClient, signed_in: SignIn, road: Road
) -> None:
    dispatcher, courier = await signed_in("dispatcher"), await signed_in("courier")
    run = {
        "person_id": str(courier.id),
        "vehicle": "VAN-1",
        "planned_on": "2026-11-23",
        "fulfilment_ids": [str(await a_parcel(road))],
    }
    keyed = dispatcher.headers | {"Idempotency-Key": "desk-key-0001"}
    first = await client.post("/console/runs", json=run, headers=keyed)
    again = await client.post("/console/runs", json=run, headers=keyed)
    other = await client.post("/console/runs", json=run | {"vehicle": "VAN-2"}, headers=keyed)
    without = await client.post("/console/runs", json=run, headers=dispatcher.headers)
    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["Idempotent-Replay"] == "true"
    assert (other.status_code, without.status_code) == (422, 409)
