"""Every stage done twice is done once; every stage done too early waits or is refused.

Through the real doors, with every reaction and every job of the product.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import allocate, care, settle
from doorstep.flows.place_order import order_placed
from doorstep.journey import Evidence, Fact, Verdict
from doorstep.journey.stages import BY_CODE
from tests.factories.company import Company, open_company
from tests.factories.journeys import (
    LAST,
    Order,
    Step,
    order_body,
    place,
    send_order,
    standing,
)
from tests.factories.snapshots import effects, everything, outcome
from tests.support.stack import Cleaner

Make = Callable[[Order], Awaitable[Step]]

GUARD = {"receiver": {"name": "The guard", "relation": "guard"}}
"""Somebody who takes the goods without the customer's code, which is not issued early."""


async def booked_report(order: Order) -> Step:
    answer = await order.company.send(
        "dispatcher", "/console/visits", {"fulfilment_id": order.parcel}
    )
    assert answer.status_code == 201, answer.text
    return await order.report()


async def accepted_pod(order: Order) -> Step:
    run = await order.plan_run()
    await order.company.send("delivery", f"/field/runs/{run}/accept", _capture())
    return await order.pod(**GUARD)


async def planned_pod(order: Order) -> Step:
    await order.plan_run()
    return await order.pod(**GUARD)


def _capture() -> dict[str, object]:
    return {"event_id": uuid7(), "captured_at": now()}


async def healthy() -> None:
    assert [str(one) for one in await doctor.run()] == []


async def passings(order: Order, stage: int) -> int:
    found: int = await db.value(
        "SELECT count(*) FROM journey_event WHERE fulfilment_id = $1 AND kind = 'stage' AND stage = $2",
        order.parcel,
        stage,
    )
    return found


# --- Twice --------------------------------------------------------------------------------------

STEPS: dict[int, Make] = {
    1004: Order.accept,
    1005: Order.pick,
    1006: Order.check,
    1007: Order.pack,
    1009: lambda order: order.scan("pickup"),
    1010: lambda order: order.scan("departure"),
    1011: lambda order: order.scan("hub_in"),
    1012: Order.accept_run,
    1013: Order.pod,
    1014: Order.book,
    1015: Order.report,
    1016: Order.feedback,
}
ONCE_ONLY = frozenset({1004, 1012, 1014, 1016})
"""Doors that say 409 to the same claim under another event id; the others keep it as evidence."""


@pytest.mark.parametrize("stage", STEPS)
async def test_a_step_of_a_person_twice_is_once(company: Company, stage: int) -> None:
    order = await standing(company, stage - 1)
    step = await STEPS[stage](order)
    first = await order.take(step)
    assert first.status_code in (200, 201), first.text
    assert stage in await order.passed()
    before = await effects()

    again = await order.take(step)
    if stage == 1014:
        assert again.status_code == 409  # A booking has no event id: the second is another one.
    else:
        assert again.status_code == 200, again.text
        assert said(again) == said(first) or stage in (1009, 1010, 1011)
    assert await effects() == before

    another = await order.take(step.under_another_id())
    assert another.status_code == (409 if stage in ONCE_ONLY else 200), another.text
    assert await effects() == before
    assert await passings(order, stage) == 1
    await healthy()


def said(answer: httpx.Response) -> object:
    """What the answer says of the event; the percentage beside it is today's."""
    content = answer.json()
    return {name: part for name, part in content.items() if name != "progress"}


async def test_an_order_twice_is_one_order(company: Company) -> None:
    body = order_body("T-TWICE")
    first = await send_order(company, body, "the-same-key")
    placed = await db.value("SELECT payload FROM outbox WHERE kind = 'flows.order_placed'")
    await company.work()
    before = await effects()
    again = await send_order(company, body, "the-same-key")
    other = await send_order(company, body, "another-key")
    await order_placed(placed)
    await company.work()
    assert first.content == again.content == other.content
    assert again.headers["Idempotent-Replay"] == "true"
    assert await effects() == before
    await healthy()


async def test_a_payment_twice_is_counted_once(company: Company) -> None:
    order = await place(company)
    hook = order.payment()
    for _ in range(2):
        assert (await company.hook("checkout", hook)).status_code == 200
        await company.work()
    before = await effects()
    assert {1002, 1003} <= {*await order.passed()}
    await order.pay()  # The same action in another event.
    assert await effects() == before
    await healthy()


async def test_checking_a_payment_and_allocating_again_changes_nothing(company: Company) -> None:
    order = await standing(company, 1003)
    before = await effects()
    await settle.verify_order_payment(order.order_id)
    fulfilment = await journey.lock(order.parcel)
    fact = Fact(
        name="1002", order_id=order.order_id, fulfilment_id=order.parcel, fulfilment=fulfilment,
        actor=Actor.system("test"), attempt=1, evidence=(), data={"how": "done"},
    )  # fmt: skip
    await allocate.turn_holds_into_allocations(fact)
    for stage in (1002, 1003):
        answer = await claim(order, stage, "webhook")
        assert answer.verdict is Verdict.DUPLICATE
    await company.work()
    assert await effects() == before
    await healthy()


async def test_an_awb_twice_is_one_shipment(company: Company) -> None:
    order = await outside(company, 1007)
    step = await order.record_awb("CP-1")
    for _ in range(2):
        answer = await order.take(step)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "applied")
    before = await effects()
    await order.take(await order.record_awb("CP-2"))
    await order.company.hook("clickpost", carrier_scan("CP-1", 1))
    await company.work()
    assert await effects() == before
    assert await passings(order, 1008) == 1
    await healthy()


CARRIER = {1009: 4, 1010: 5, 1011: 1004, 1012: 6, 1013: 8}
"""Stage → ClickPost's status code."""


@pytest.mark.parametrize("stage", CARRIER)
async def test_a_carriers_word_twice_is_once(company: Company, stage: int) -> None:
    order = await outside(company, 1008)
    for code in [code for at, code in CARRIER.items() if at <= stage]:
        await company.hook("clickpost", carrier_scan(order.awb, code))
        await company.work()
    before = await effects()
    for minute in (0, 7):  # The very same scan, then the same status told again later.
        await company.hook("clickpost", carrier_scan(order.awb, CARRIER[stage], minute=minute))
        await company.work()
    assert await effects() == before
    assert await passings(order, stage) == 1
    await healthy()


async def test_settlement_and_certificate_twice_are_once(company: Company) -> None:
    order = await standing(company, LAST)
    before = await effects()
    await settle.review_purchase_order(await order.po_id())
    await care.issue_certificates({"fulfilment_id": str(order.parcel)})
    for stage in (1017, 1018):
        assert (await claim(order, stage, "system")).verdict is Verdict.DUPLICATE
    await company.work()
    assert await effects() == before
    assert len(company.bank.paid) == len(company.bank.calls) == 6
    await healthy()


async def test_a_courier_who_captures_a_cash_delivery_twice_brings_its_money_once(
    company: Company,
) -> None:
    order = await place(company, ("MIX-500", 1), method="cod")
    approval = {"event_id": uuid7(), "reason": "known to us"}
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    assert (await company.send("finance", path, approval)).status_code == 200
    await company.work()
    await order.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": order.total_minor}]}
    step = await order.pod(**cash)
    for one in (step, step, step.under_another_id()):
        assert (await order.take(one)).status_code == 200
    count = {
        "event_id": uuid7(), "order_ids": [order.order_id], "amount_minor": order.total_minor,
        "currency": "AED",
    }  # fmt: skip
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201, counted.text
    assert counted.json()["expected_minor"] == order.total_minor
    await company.work()
    await healthy()


_UNDISTURBED: dict[str, list[str]] = {}


@pytest.fixture
async def undisturbed(
    db: object, redis: object, tmp_path: Path, _cleaner: Cleaner
) -> dict[str, list[str]]:
    """How it ends for an order that nobody disturbs; asked for before `company`."""
    if not _UNDISTURBED:
        async with open_company(tmp_path) as company:
            await standing(company, LAST)
            _UNDISTURBED.update(await outcome("problems"))
        await _cleaner.clean()
    return _UNDISTURBED


# --- Too early ----------------------------------------------------------------------------------

EARLY: dict[str, tuple[int, int, Make]] = {
    "pick before the vendor's answer": (1005, 1003, Order.pick),
    "check before the pick": (1006, 1004, Order.check),
    "check before the vendor's answer": (1006, 1003, Order.check),
    "pack before the pick": (1007, 1004, Order.pack),
    "pack before the check": (1007, 1005, Order.pack),
    "run before the parcel is packed": (1012, 1006, Order.accept_run),
    "run before the order is paid": (1012, 1001, Order.accept_run),
    "proof of delivery before the parcel is packed": (1013, 1006, accepted_pod),
    "proof of delivery before the vendor's answer": (1013, 1003, planned_pod),
    "report before the delivery": (1015, 1012, booked_report),
    "report before the pickup": (1015, 1008, booked_report),
}
"""What → (its stage, where the order stands, the step)."""


def verdict_of(answer: object, stage: int) -> str:
    content = answer.json()  # type: ignore[attr-defined]
    if "stops" in content:
        return str(content["stops"][0]["step"]["verdict"])
    return str((content.get("step") or content)["verdict"])


@pytest.mark.parametrize("what", EARLY)
async def test_too_early_from_a_phone_is_held_and_applied_once_in_its_turn(
    undisturbed: dict[str, list[str]], company: Company, what: str
) -> None:
    stage, stands, make = EARLY[what]
    order = await standing(company, stands)
    step = await make(order)
    for _ in range(2):
        answer = await order.take(step)
        assert answer.status_code == (200 if stage == 1012 else 202), answer.text
        assert verdict_of(answer, stage) == "held"
    assert stage not in await order.passed()
    assert await held(stage) == [(None, None)]
    await healthy()

    await order.go_on()
    assert await order.passed() == sorted(BY_CODE)
    assert await passings(order, stage) == 1
    [(verdict, event_id)] = await held(stage)
    assert verdict == "applied"
    assert event_id == await db.value(
        "SELECT event_id FROM journey_event WHERE kind = 'stage' AND stage = $1", stage
    )
    assert await outcome("problems") == undisturbed
    assert await db.value("SELECT state FROM pick_list") == "packed"
    await healthy()


async def test_a_parcel_packed_too_early_stays_on_the_pickers_list(company: Company) -> None:
    order = await standing(company, 1004)
    await order.take(await order.pack())
    listed = await company.get("warehouse", "/field/pick-lists")
    assert [one["state"] for one in listed] == ["open"]
    await order.take_well(await order.pick())
    listed = await company.get("warehouse", "/field/pick-lists")
    assert [one["state"] for one in listed] == ["picking"]
    await order.take_well(await order.check())
    assert await company.get("warehouse", "/field/pick-lists") == []


async def held(stage: int) -> list[tuple[str | None, UUID | None]]:
    rows = await db.rows(
        "SELECT verdict, CASE WHEN released_at IS NOT NULL THEN event_id END AS event_id"
        " FROM held_step WHERE stage = $1",
        stage,
    )
    return [(row["verdict"], row["event_id"]) for row in rows]


PERSON_EARLY: dict[str, tuple[int, Make]] = {
    "pick": (1003, Order.pick),
    "check": (1004, Order.check),
    "pack": (1005, Order.pack),
    "awb": (1006, lambda order: order.record_awb("CP-9")),
    "proof of delivery": (1006, planned_pod),
    "report": (1012, booked_report),
    "feedback": (1014, Order.feedback),
}


@pytest.mark.parametrize("what", PERSON_EARLY)
async def test_too_early_from_a_screen_is_409_and_nothing_is_kept(
    company: Company, what: str
) -> None:
    stands, make = PERSON_EARLY[what]
    order = await standing(company, stands)
    step = await make(order)
    who = step.who
    if who in ("warehouse", "delivery", "technician"):
        who = await company.at_a_screen(who)
    await company.work()
    before = await everything()
    answer = await company.send(who, step.path, step.body)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/stage-too-early")
    assert await everything() == before


async def test_a_run_accepted_at_a_screen_too_early_moves_nothing_and_may_be_accepted_again(
    company: Company,
) -> None:
    order = await standing(company, 1006)
    step = await order.accept_run()
    screen = await company.at_a_screen("delivery")
    answer = await company.send(screen, step.path, step.body)
    assert verdict_of(answer, 1012) == "rejected"
    assert await held(1012) == []
    await company.work()
    await order.go_on(1011)
    answer = await company.send(screen, step.path, step.body)
    assert verdict_of(answer, 1012) == "applied"
    await company.work()
    await healthy()


# Packing is left out: a claim without its boxes is no parcel (EARLY has the real one).
@pytest.mark.parametrize("stage", [code for code in BY_CODE if code not in (1001, 1002, 1007)])
async def test_whatever_is_claimed_right_after_the_order_waits_for_its_turn(
    company: Company, stage: int
) -> None:
    source = "system" if "system" in BY_CODE[stage].roles else "phone"
    order = await place(company)
    answer = await claim(order, stage, source)
    assert answer.verdict is Verdict.HELD
    before = await effects()
    assert (await claim(order, stage, source, answer.event_id)).verdict is Verdict.HELD
    assert await effects() == before
    await order.go_on(stage)
    assert await passings(order, stage) == 1
    rows = await db.rows("SELECT verdict FROM held_step WHERE stage = $1", stage)
    assert [row["verdict"] for row in rows] == ["applied"]
    await healthy()


@pytest.mark.parametrize("stage", [1010, 1011, 1012, 1013])
async def test_a_carriers_later_word_implies_the_scans_nobody_saw(
    company: Company, stage: int
) -> None:
    order = await outside(company, 1008)
    await company.hook("clickpost", carrier_scan(order.awb, CARRIER[stage]))
    await company.work()
    rows = await db.rows(
        "SELECT stage, how FROM journey_event WHERE kind = 'stage' AND stage BETWEEN 1009 AND $1"
        " ORDER BY stage",
        stage,
    )
    hows = {row["stage"]: row["how"] for row in rows}
    assert hows == {
        code: "done" if code == stage else "not_applicable" if code == 1011 else "implied"
        for code in range(1009, stage + 1)
    }
    before = await effects()
    for code, status in CARRIER.items():
        if code < stage:
            await company.hook("clickpost", carrier_scan(order.awb, status))
    await company.work()
    assert await effects() == before
    await healthy()


async def test_scans_of_a_label_before_its_shipment_count_when_it_appears(company: Company) -> None:
    order = await standing(company, 1006)
    await db.execute("DELETE FROM carrier_service")
    await order.take_well(await order.pack())
    assert 1008 not in await order.passed()
    scans = [
        {"scan_uid": uuid7(), "label_no": f"CP-7-{n}", "kind": "pickup", "captured_at": now()}
        for n in (1, 2)
    ]
    answer = await company.send("courier", "/field/scans", {"scans": scans})
    assert [one["verdict"] for one in answer.json()["scans"]] == ["unknown_label"] * 2
    await company.work()
    await order.take_well(await order.record_awb("CP-7"))
    assert 1009 in await order.passed()
    await healthy()


# --- An id that means something else ---------------------------------------------------------------

REUSED: dict[str, tuple[int, Make, int, Make]] = {
    "an acceptance": (1003, Order.accept, 1003, Order.accept),
    "a pick": (1004, Order.pick, 1004, Order.pick),
    "a pick that is held": (1003, Order.pick, 1004, Order.pick),
    "a check": (1005, Order.check, 1005, Order.check),
    "a box": (1006, Order.pack, 1006, Order.pack),
    "a run": (1011, Order.accept_run, 1011, Order.accept_run),
    "a proof of delivery": (1012, Order.pod, 1012, Order.pod),
    "a report": (1014, Order.report, 1014, Order.report),
    "another stage": (1004, Order.pick, 1012, Order.pod),
}


@pytest.mark.parametrize("what", REUSED)
async def test_an_event_id_that_stands_for_another_parcels_step_is_refused(
    company: Company, what: str
) -> None:
    """Otherwise the second parcel would get the first one's answer, and never move."""
    stands, make, other_stands, make_other = REUSED[what]
    first, second = await standing(company, stands), await standing(company, other_stands)
    step = await make(first)
    assert (await first.take(step)).status_code in (200, 202)
    other = await make_other(second)
    if "scans" in other.body:  # Of a check, the scans are what must not be of another parcel.
        other.body["scans"][0]["scan_uid"] = step.body["scans"][0]["scan_uid"]
    else:
        other.body["event_id"] = step.body["event_id"]
    before = await effects()
    answer = await second.take(other)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/event-id-reused")
    assert await effects() == before
    await healthy()


async def test_the_same_beep_twice_in_one_batch_is_one_scan(company: Company) -> None:
    order = await standing(company, 1005)
    step = await order.check()
    step.body["scans"] += step.body["scans"]
    answer = await order.take(step)
    assert (answer.status_code, answer.json()["step"]["verdict"]) == (200, "applied")
    await healthy()


# --- Help ---------------------------------------------------------------------------------------


async def outside(company: Company, stage: int) -> Order:
    """An order that an outside carrier takes."""
    await db.execute("DELETE FROM carrier_service")
    order = await place(company)
    order.awb = "CP-1"
    await order.go_on(stage)
    return order


def carrier_scan(awb: str, code: int, *, minute: int = 0) -> bytes:
    """Write ClickPost's webhook."""
    content = {
        "waybill": awb,
        "clickpost_status_code": code,
        "timestamp": f"2026-11-23T09:{minute:02}:00Z",
        "location": "Dubai",
        "remark": f"status {code}",
    }
    return json.dumps(content).encode()


async def claim(
    order: Order, stage: int, source: str, event_id: UUID | None = None
) -> journey.Answer:
    """Claim a stage with a proof of the right kind, as a role that may."""
    row = BY_CODE[stage]
    role = "system" if "system" in row.roles else min(row.roles)
    return await journey.advance(
        event_id or uuid7(),
        order.parcel,
        stage,
        actor=Actor(role=role, source=source, name="a claim"),  # type: ignore[arg-type]
        evidence=[Evidence(min(row.evidence), "by claim")],
    )
