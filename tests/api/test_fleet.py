"""A day of two crews through the real doors: loading, a van that is down, the end."""

from __future__ import annotations

from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.journeys import Order, standing
from tests.factories.road import FRESH
from tests.factories.steps import healthy


async def scanned(company: Company, who: str, kind: str, *labels: str) -> None:
    """Send scans and run what follows from them."""
    scans = [
        {"scan_uid": uuid7(), "label_no": label, "kind": kind, "captured_at": now()}
        for label in labels
    ]
    answer = await company.send(who, "/field/scans", {"scans": scans})
    assert answer.status_code == 200, answer.text
    await company.work()


async def second_crew(company: Company) -> UUID:
    """Let the courier lead a crew of his own, with a van that takes little."""
    channel_id, lead = company.world.channel_id, company.users["courier"].id
    van = {
        "code": "VAN-2",
        "channel_id": channel_id,
        "plate": "B",
        "capacity_kg": 60,
        "capacity_l": 900,
    }
    vehicle = await company.send("dispatcher", "/console/vehicles", van)
    crew = {
        "id": uuid7(),
        "channel_id": channel_id,
        "name": "B",
        "lead_id": lead,
        "member_ids": [lead],
    }
    assert (await company.send("dispatcher", "/console/crews", crew)).status_code == 200
    shift = {
        "id": uuid7(), "crew_id": crew["id"], "vehicle_id": vehicle.json()["id"], "planned_on": FRESH,
    }  # fmt: skip
    for _ in range(2):
        assert (await company.send("dispatcher", "/console/shifts", shift)).status_code == 201
    opened = await company.send(
        "courier", f"/field/shifts/{shift['id']}/open", {"event_id": uuid7()}
    )
    assert opened.json()["state"] == "open"
    shift_id: UUID = shift["id"]
    return shift_id


async def out(company: Company, shift_id: UUID, *orders: Order) -> None:
    """Plan these orders for the shift and accept the run."""
    work = {"shift_id": shift_id, "fulfilment_ids": [order.parcel for order in orders]}
    run = await company.send("dispatcher", "/console/runs", work)
    assert run.status_code == 201, run.text
    accept = {"event_id": uuid7(), "captured_at": now()}
    accepted = await company.send("delivery", f"/field/runs/{run.json()['id']}/accept", accept)
    assert accepted.status_code == 200, accepted.text
    await company.work()


async def test_a_day_of_two_crews(company: Company) -> None:
    helper = await company.join("technician", channel_ids=[company.world.channel_id])
    company.users["helper"] = helper
    shift_id = await crewed(company, "VAN-1", helper.id)
    heavy = await standing(company, 1008, ("WM-7KG", 1))
    light = await standing(company, 1008, ("MIX-500", 2))
    await out(company, shift_id, heavy, light)

    # Loading: every box the crew has scanned counts, and the helper sees the same.
    labels = await heavy.labels() + await light.labels()
    await scanned(company, "delivery", "load", *labels[:-1])
    seen = await company.get("helper", "/field/shift")
    assert seen["loading"]["words"] == f"{len(labels) - 1} of {len(labels)}"
    assert [
        piece["label_no"] for piece in seen["loading"]["pieces"] if not piece["loaded"]
    ] == labels[-1:]
    await scanned(company, "delivery", "load", labels[-1])
    seen = await company.get("delivery", "/field/shift")
    assert seen["loading"]["words"] == f"{len(labels)} of {len(labels)}"
    assert seen["holding"]["words"] == "You hold 2 Hand mixer and 1 Washing machine 7 kg."
    [row] = await company.get("dispatcher", f"/console/shifts?on={FRESH}")
    assert (row["load_g"], row["open_stops"], row["people"]) == (69_800, 2, 2)

    # The van is down; the other one is too small, and its crew too, for the washing machine.
    other = await second_crew(company)
    call = {"event_id": uuid7(), "to_shift_id": other, "reason": "flat battery"}
    answers = [
        (await company.send("dispatcher", f"/console/shifts/{shift_id}/van-down", call)).json()
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    taker = await db.value(
        "SELECT v.code FROM shift s JOIN vehicle v ON v.id = s.vehicle_id WHERE s.id = $1", other
    )
    assert seen["gives_to"] == ""
    assert (await company.get("delivery", "/field/shift"))["gives_to"] == taker
    states = {one["fulfilment_id"]: one["state"] for one in answers[0]["parcels"]}
    assert states == {str(heavy.parcel): "left", str(light.parcel): "moved"}
    await company.work()
    told = [body for *_, body in company.post.sent if "another team" in body]
    assert len(told) == 2 and all(light.number in body for body in told)
    kinds = [one["kind"] for one in await company.get("dispatcher", "/problems")]
    assert "van_down_leftover" in kinds
    await scanned(company, "courier", "transfer", *await light.labels())

    # The end: refused with a sentence, then accepted with a word about what is left.
    end = {"event_id": uuid7()}
    refused = await company.send("delivery", f"/field/shifts/{shift_id}/close", end)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/shift-not-empty")
    assert refused.json()["detail"] == "You hold 1 Washing machine 7 kg."
    about = [{"fulfilment_id": heavy.parcel, "reason": "at_hub", "words": "Towed to the hub"}]
    for _ in range(2):
        closed = await company.send(
            "helper", f"/field/shifts/{shift_id}/close", end | {"explanations": about}
        )
        assert (closed.status_code, closed.json()["state"]) == (200, "closed"), closed.text
    await company.work()
    await healthy()
    gone = await company.http.get("/field/shift", headers=company.users["helper"].headers)
    assert gone.status_code == 404


async def test_what_cannot_be_planned_says_why(company: Company) -> None:
    shift_id = await crewed(company, "VAN-1")
    heavy = await standing(company, 1008, ("WM-7KG", 1))
    work = {"shift_id": shift_id, "fulfilment_ids": [heavy.parcel]}
    refused = await company.send("dispatcher", "/console/runs", work)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/crew-too-small")
    assert heavy.number in refused.json()["detail"]
    nobody = await company.send("dispatcher", "/console/runs", {"fulfilment_ids": [heavy.parcel]})
    assert (nobody.status_code, nobody.json()["type"]) == (422, "/problems/nobody-named")
    vehicle = {"code": "DXB", "channel_id": company.world.channel_id, "plate": "A",
               "capacity_kg": 1, "capacity_l": 1}  # fmt: skip
    taken = await company.send("dispatcher", "/console/vehicles", vehicle)
    assert (taken.status_code, taken.json()["type"]) == (409, "/problems/vehicle-code-taken")


async def test_a_planned_shift_is_called_off_once_its_deliveries_are_with_another(
    company: Company,
) -> None:
    shift_id = await crewed(company, "VAN-1")
    other = uuid7()
    row = await db.one("SELECT crew_id, vehicle_id, planned_on FROM shift WHERE id = $1", shift_id)
    planned = await company.send("dispatcher", "/console/shifts", {"id": other, **row})
    assert planned.status_code == 201
    path = f"/console/shifts/{other}/cancel"
    no_van = {"reason": "The van is in the workshop."}

    order = await standing(company, 1008, ("MIX-500", 1))
    work = {"shift_id": other, "fulfilment_ids": [order.parcel]}
    assert (await company.send("dispatcher", "/console/runs", work)).status_code == 201
    refused = await company.send("dispatcher", path, no_van)
    assert (refused.status_code, refused.json()["deliveries"]) == (409, 1)
    call = {"event_id": uuid7(), "to_shift_id": shift_id, "reason": "no van"}
    moved = await company.send("dispatcher", f"/console/shifts/{other}/van-down", call)
    assert [one["state"] for one in moved.json()["parcels"]] == ["moved"]

    for _ in range(2):
        done = await company.send("dispatcher", path, no_van)
        assert (done.status_code, done.json()["state"]) == (200, "cancelled")
    kept = await db.one("SELECT cancel_reason, cancelled_by FROM shift WHERE id = $1", other)
    assert tuple(kept.values()) == (no_van["reason"], company.users["dispatcher"].id)
    late = await company.send("dispatcher", "/console/runs", work)
    assert late.json()["type"] == "/problems/shift-over"
    opened = await company.send("delivery", f"/field/shifts/{other}/open", {"event_id": uuid7()})
    assert opened.json()["type"] == "/problems/shift-over"
    open_one = await company.send("dispatcher", f"/console/shifts/{shift_id}/cancel", no_van)
    assert open_one.json()["type"] == "/problems/shift-already-opened"
    await healthy()
