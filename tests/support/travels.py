"""Orders that set out while phones work: what is captured on their ways, in turn, and by whom.

What must be there before (money, goods, labels, a run, a visit) is done here by the people of the
play; the rest is left to the phones.
"""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from doorstep.core.ids import uuid7
from doorstep.doors.field.captured import CAPTURES
from doorstep.play import picking
from doorstep.play.captures import now, today
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.parcel import ParcelPlay
from doorstep.play.pictures import strokes
from doorstep.play.visitors import Company
from doorstep.seed import SampleUser
from doorstep.seed.catalogue import PRODUCTS
from doorstep.seed.people import CREWS
from tests.support.whole_stack import WholeStack

Leg = dict[str, Any]
Way = list[Leg]

AT_ONCE = 8
DAYS_A_WAY = 6
MOST = 48
"""Ways that are made at most, however long the days go on."""

DOOR_SHARE = 6
"""Of so many ways one leads through the door and the installation, the others over the floor."""

FORGOTTEN_SHARE = 8
"""Of so many ways one has lost its beginning: nobody captures that picking has begun."""

DOOR_CHANNEL = "AE"
"""More of the play's people than those of one market would wait for the limit on enrolments."""

MIXER = next(product for product in PRODUCTS if product.sku == "MIX-500")
MACHINE = "WM-7KG"

_STOP = """
SELECT s.id, s.run_id FROM delivery_stop s WHERE s.fulfilment_id = $1 AND s.state = 'open'
"""
_LABELS = """
SELECT p.label_no FROM piece p JOIN shipment s ON s.id = p.shipment_id
 WHERE s.fulfilment_id = $1 ORDER BY p.n
"""


async def ways(
    stack: WholeStack, company: Company, lead: SampleUser, *, seed: int, days: int
) -> list[Way]:
    """Bring orders to where the phones take over; `lead` drives to the door."""
    gate = asyncio.Semaphore(AT_ONCE)
    channels = list(CREWS)

    async def one(number: int) -> Way:
        async with gate:
            if number % DOOR_SHARE == 0:
                return await _to_the_door(stack, company, lead, number, seed)
            channel = channels[number % len(channels)]
            whole = await _over_the_floor(company, channel, number, seed)
            return _without_its_beginning(whole) if number % FORGOTTEN_SHARE == 1 else whole

    return await asyncio.gather(*(one(n) for n in range(min(days // DAYS_A_WAY, MOST))))


async def _over_the_floor(company: Company, channel: str, number: int, seed: int) -> Way:
    """Pick, check and pack, by the two phones of the warehouse's person."""
    plan = Plan(number=number, channel=channel, lines=((MIXER.sku, 1),), seed=seed)
    parcel_id = await _paid(OrderPlay(company, plan))
    person_id = company.find("warehouse", channel).person_id
    ids = {"fulfilment_id": parcel_id}
    scan = {"scan_uid": str(uuid7()), "code": MIXER.barcode, "captured_at": now()}
    box = {
        name: getattr(MIXER, name) for name in ("weight_g", "length_mm", "width_mm", "height_mm")
    }
    checked = _leg(person_id, "check.scan", ids | {"scans": [scan]})
    return [
        _leg(person_id, "pick.start", ids),
        checked | {"effects": [None, scan["scan_uid"]], "elsewhere": True},
        _leg(person_id, "pack.close", ids | {"pieces": [box]}) | {"elsewhere": True},
    ]


def _without_its_beginning(way: Way) -> Way:
    """Leave out the first leg: the steps of the others wait for it, whatever else they do."""
    return [
        leg | {"effects": [effect for effect in leg["effects"] if effect is not None]}
        for leg in way[1:]
    ]


async def _to_the_door(
    stack: WholeStack, company: Company, lead: SampleUser, number: int, seed: int
) -> Way:
    """The crew takes the run over and delivers; the technician's report needs the delivery."""
    plan = Plan(number=number, channel=DOOR_CHANNEL, lines=((MACHINE, 1),), seed=seed)
    order = OrderPlay(company, plan)
    parcel_id = await _paid(order)
    parcel = ParcelPlay(order, order.parcel_of(await order.order(), parcel_id))
    await parcel.accept()
    await picking.pick_check_pack(parcel)
    await parcel.reached(1008)
    technician = company.find("technician", DOOR_CHANNEL)
    desk = await company.staff("dispatcher")
    visit = {"fulfilment_id": parcel_id, "technician_id": str(technician.person_id)}
    await desk.post("/console/visits", visit)
    await parcel.carry()
    run = {
        "person_id": str(lead.person_id), "vehicle": "VAN-1",
        "planned_on": today(DOOR_CHANNEL).isoformat(), "fulfilment_ids": [parcel_id],
    }  # fmt: skip
    await desk.post("/console/runs", run)
    [stop] = await stack.rows(_STOP, UUID(parcel_id))
    labels = await stack.rows(_LABELS, UUID(parcel_id))
    proof = {
        "stop_id": str(stop["id"]),
        "receiver": {"name": "Aisha Khan", "relation": "neighbour"},
        "signature": strokes(),
        "scanned_labels": [row["label_no"] for row in labels],
    }
    return [
        _leg(lead.person_id, "run.accept", {"run_id": str(stop["run_id"])}),
        _leg(lead.person_id, "pod.record", proof) | {"slots": ["parcel"]},
        await _report(company, technician, parcel_id),
    ]


async def _report(company: Company, technician: SampleUser, parcel_id: str) -> Leg:
    cards = await (await company.person(technician)).get("/field/visits")
    card = next(one for one in cards if one["fulfilment_id"] == parcel_id)
    [unit] = card["units"]
    answers: dict[str, object] = {"check": True, "number": 21.5, "text": "As it should be."}
    done = {
        "fulfilment_line_id": unit["fulfilment_line_id"],
        "checklist_id": unit["checklist_id"],
        "serial": unit["serials"][0],
        "answers": {item["id"]: answers[item["kind"]] for item in unit["checklist"]["items"]},
    }
    report = {
        "visit_id": card["id"],
        "units": [done],
        "demo_topics": [topic["id"] for topic in unit["checklist"]["demo_topics"]],
        "sign_off": {"name": "Aisha Khan", "strokes": strokes()},
    }
    leg = _leg(technician.person_id, "visit.complete", report)
    return leg | {"slots": unit["photo_slots"], "elsewhere": True}


async def _paid(order: OrderPlay) -> str:
    """Order and pay, and wait for the goods; tell the parcel."""
    await order.place()
    await order.pay()
    [parcel] = await order.living()
    parcel_id: str = parcel["id"]
    await order.stage_of(parcel_id, 1003)
    return parcel_id


def _leg(person_id: UUID, type_: str, payload: dict[str, Any]) -> Leg:
    """Say what is captured; see `Leg` in pwa/tests/days/travels.ts."""
    return {
        "person_id": str(person_id), "type": type_, "schema": CAPTURES[type_].schema,
        "payload": payload, "slots": [], "elsewhere": False, "effects": [None],
    }  # fmt: skip
