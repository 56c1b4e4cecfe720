"""The walk of an order on the road: pickup, runs, the door, offers, and the fleet beside it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from doorstep.core.clock import now
from doorstep.core.db import value
from doorstep.core.ids import uuid7
from tests.contract.walk import Walk
from tests.factories.captures import capture
from tests.factories.journeys import Order, standing
from tests.factories.road import FRESH

LATER = FRESH + timedelta(days=1)
"""A day on which nobody has runs of his own, which a shift would drive."""


async def road(walk: Walk, order: Order) -> None:
    """Manifest, runs, stop, code, proof of delivery."""
    company = walk.company
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = (await walk.ask("makeManifest", "dispatcher", manifest)).json()
    await walk.ask("listOwnManifests", "courier")
    counted = {"event_id": uuid7(), "captured_at": now(), "counted": 2}
    await walk.ask("confirmPickup", "courier", counted, manifest_id=made["id"])
    await walk.ask("listCargo", "courier")
    for kind in ("pickup", "departure"):
        await order.take_well(await order.scan(kind))
    plan = {
        "person_id": company.users["delivery"].id,
        "vehicle": "VAN-1",
        "planned_on": FRESH,
        "fulfilment_ids": [order.parcel],
    }
    run = (await walk.ask("planRun", "dispatcher", plan)).json()
    await walk.ask("removeStop", "dispatcher", {}, stop_id=run["stops"][0]["id"])
    run = (await walk.ask("planRun", "dispatcher", plan)).json()
    stop = {"stop_id": run["stops"][0]["id"]}
    await walk.ask("listOwnRuns", "delivery")
    accept = {"event_id": uuid7(), "captured_at": now()}
    await walk.ask("acceptRun", "delivery", accept, run_id=run["id"])
    code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    await walk.ask("sendHandoverCodeFromDoor", "delivery", **stop)
    await walk.ask("checkHandoverCode", "delivery", {"code": code}, **stop)
    proof = {
        "event_id": uuid7(), "captured_at": now(), "handover_code": code,
        "receiver": {"name": "Aisha Khan", "relation": "customer"},
    }  # fmt: skip
    half = await walk.ask("addProofOfDelivery", "delivery", proof, **stop)
    assert half.json()["verdict"] == "review"
    await walk.ask("listProblems", "dispatcher")
    problem = await value("SELECT id FROM problem WHERE closed_at IS NULL AND order_id IS NOT NULL")
    await walk.ask("assignProblem", "support", {}, problem_id=problem)
    await walk.ask("closeProblem", "support", {"words": "seen"}, problem_id=problem)
    reason = {"reason": "the customer called"}
    pod = {"pod_id": proof["event_id"]}
    word = {"words": "Canary words"}
    about = {"job_kind": "stop", "job_id": run["stops"][0]["id"]}
    await walk.ask("addNote", "delivery", capture(**about, **word))
    await walk.ask("listOwnWords", "delivery")
    await walk.ask("reportProblem", "delivery", capture(about="address", **about, **word))
    await walk.ask("appealProofOfDelivery", "delivery", capture(**word), **pod)
    asked = await value("SELECT problem_id FROM field_word WHERE kind = 'appeal'")
    await walk.ask("readWordsOfProblem", "dispatcher", problem_id=asked)
    await walk.ask("readWordsOfOrder", "dispatcher", order_id=order.order_id)
    await walk.ask("readRatings", "dispatcher", order_id=order.order_id)
    await walk.ask("acceptProofOfDelivery", "dispatcher", reason, **pod)
    await walk.ask("readProofOfDelivery", "delivery", **pod)


async def offers(walk: Walk) -> None:
    """A delivery is offered to somebody on the road: taken back, declined, then taken."""
    company = walk.company
    await standing(company, 1012)
    order = await standing(company, 1008)
    asked = {"fulfilment_id": order.parcel, "person_ids": [company.users["delivery"].id]}
    made = (await walk.ask("offerWork", "dispatcher", asked)).json()
    await walk.ask("listOffers", "dispatcher")
    await walk.ask("listOwnOffers", "delivery")
    await walk.ask("withdrawOffer", "dispatcher", {}, offer_id=made["id"])
    made = (await walk.ask("offerWork", "dispatcher", asked)).json()
    no = {"event_id": uuid7(), "captured_at": now(), "reason": "too_far"}
    await walk.ask("declineOffer", "delivery", no, offer_id=made["id"])
    made = (await walk.ask("offerWork", "dispatcher", asked)).json()
    yes = {"event_id": uuid7(), "captured_at": now()}
    await walk.ask("acceptOffer", "delivery", yes, offer_id=made["id"])


async def windows(walk: Walk) -> None:
    """A delivery is promised for a window."""
    order = await standing(walk.company, 1012)
    window = {"from_at": now() + timedelta(hours=1), "until_at": now() + timedelta(hours=3)}
    promise = {"event_id": uuid7(), "window": window, "reason": "Canary promise"}
    await walk.ask("promiseWindow", "dispatcher", promise, fulfilment_id=order.parcel)
    await walk.ask("listWindows", "dispatcher", fulfilment_id=order.parcel)
    await walk.ask("readOrderAddress", "dispatcher", order_id=order.order_id)
    floor = {"floor": "Canary floor"}
    await walk.ask("completeOrderAddress", "dispatcher", floor, order_id=order.order_id)
    channel = walk.company.world.channel_id
    await walk.ask("saveDeliverySlots", "dispatcher", {"slots": []}, channel_id=channel)
    await walk.ask("listDeliverySlots", "dispatcher", channel_id=channel)


async def fleet(walk: Walk) -> None:
    """Vehicles, crews, shifts; one van is down, the other crew goes home."""
    company = walk.company
    channel_id = company.world.channel_id
    shifts: list[UUID] = []
    for who, code in (("delivery", "VAN-7"), ("courier", "VAN-8")):
        van = {
            "code": code, "channel_id": channel_id, "plate": "Canary plate", "capacity_kg": 900,
            "capacity_l": 9000,
        }  # fmt: skip
        vehicle = (await walk.ask("saveVehicle", "dispatcher", van)).json()
        person = company.users[who].id
        crew = {
            "id": uuid7(), "channel_id": channel_id, "name": f"Canary {who}", "lead_id": person,
            "member_ids": [person],
        }  # fmt: skip
        made = (await walk.ask("saveCrew", "dispatcher", crew)).json()
        shift = {
            "id": uuid7(), "crew_id": made["id"], "vehicle_id": vehicle["id"], "planned_on": LATER,
        }  # fmt: skip
        await walk.ask("planShift", "dispatcher", shift)
        off = shift | {"id": uuid7()}
        await walk.ask("planShift", "dispatcher", off)
        await walk.ask("cancelShift", "dispatcher", {"reason": "no van"}, shift_id=off["id"])
        shifts.append(shift["id"])
        await walk.ask("openShift", who, {"event_id": uuid7()}, shift_id=shift["id"])
        await walk.ask("readOwnShift", who)
    for list_of_them in ("listVehicles", "listCrews", "listShifts", "listAvailability"):
        await walk.ask(list_of_them, "dispatcher")
    down, other = shifts
    parcel = await standing(company, 1008, ("MIX-500", 1))
    work = {"shift_id": down, "fulfilment_ids": [parcel.parcel]}
    run = (await walk.ask("planRun", "dispatcher", work)).json()
    accept = {"event_id": uuid7(), "captured_at": now()}
    await walk.ask("acceptRun", "delivery", accept, run_id=run["id"])
    await walk.ask("listVansOut", "warehouse")
    call = {"event_id": uuid7(), "to_shift_id": other, "reason": "flat battery"}
    told = (await walk.ask("reportVanDown", "dispatcher", call, shift_id=down)).json()
    assert [one["state"] for one in told["parcels"]] == ["moved"]
    about = [{"fulfilment_id": parcel.parcel, "reason": "at_hub"}]
    end = {"event_id": uuid7(), "explanations": about}
    await walk.ask("closeShift", "delivery", end, shift_id=down)


async def earnings(walk: Walk, order: Order) -> None:
    """What the delivery of an order has earned: its rate, its line, a desk's word on it."""
    rate = {"channel_id": walk.company.world.channel_id, "kind": "delivery", "amount_minor": 5_00}
    begun = {"reason": "Canary words", "valid_from": now() - timedelta(days=30)}
    await walk.ask("setEarningRate", "finance", rate | begun)
    await walk.ask("listEarningRates", "finance")
    today = now().date()
    days = f"?from={today - timedelta(days=30)}&to={today + timedelta(days=1)}"
    await walk.ask("listEarnings", "finance", query=days)
    person = walk.company.users["delivery"].id
    await walk.ask("listEarningLines", "finance", query=f"{days}&person_id={person}")
    pod = await value("SELECT id FROM pod WHERE fulfilment_id = $1", order.parcel)
    word = {"event_id": uuid7(), "work_id": pod, "earns": False, "reason": "Canary words"}
    await walk.ask("decideEarning", "dispatcher", word)
