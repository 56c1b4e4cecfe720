"""Every stage too early is held or refused, and a reused event id stands for nothing else."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.journey import Verdict
from doorstep.journey.stages import BY_CODE
from tests.factories.company import Company, open_company
from tests.factories.journeys import (
    LAST,
    Order,
    place,
    standing,
)
from tests.factories.snapshots import effects, everything, outcome
from tests.factories.steps import (
    CARRIER,
    Make,
    accepted_pod,
    booked_report,
    carrier_scan,
    claim,
    healthy,
    outside,
    passings,
    planned_pod,
)
from tests.support.stack import Cleaner

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
