"""Field service decides without a database: free time, standing goods, what a report proves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.ids import uuid7
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.refusals import ChecklistNotMade
from doorstep.modules.fsm.rules import Known, Line, Span
from doorstep.modules.fsm.schemas import (
    Checklist,
    InstalledUnit,
    Item,
    Photo,
    SignOff,
    Topic,
    VisitCompleted,
)

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")
LINE, PRODUCT, LIST, OTHER = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)

CHECKLIST = Checklist(
    title="Washing machine",
    minutes=60,
    items=[
        Item(id="level", text="It stands level.", kind="check"),
        Item(id="pressure", text="Water pressure, bar", kind="number"),
        Item(id="note", text="Remarks", kind="text"),
    ],
    photo_slots=["before", "after"],
    demo_topics=[Topic(id="modes", text="Programs")],
)
WASHER = Line(LINE, PRODUCT, "Washer", 1, True, ("SN-1",), True)
KNOWN = {LIST: Known(PRODUCT, CHECKLIST)}


def monday(clock: str, zone: ZoneInfo = DUBAI) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{clock}").replace(tzinfo=zone)


# --- Free time ----------------------------------------------------------------------------------

HOURS = {"1": [("09:00", "11:00"), ("12:00", "13:00")]}


def slots(*busy: Span, window: Span | None = None, minutes: int = 60) -> list[str]:
    window = window or Span(monday("00:00"), monday("23:59"))
    found = rules.open_slots(HOURS, DUBAI, busy, window, timedelta(minutes=minutes))
    return [slot.start.astimezone(DUBAI).strftime("%H:%M") for slot in found]


def test_slots_fill_the_working_hours_on_the_half_hour() -> None:
    assert slots() == ["09:00", "09:30", "10:00", "12:00"]
    assert slots(minutes=90) == ["09:00", "09:30"]
    assert slots(minutes=180) == []


def test_no_slot_overlaps_another_visit_but_it_may_touch_one() -> None:
    assert slots(Span(monday("10:00"), monday("11:00"))) == ["09:00", "12:00"]


def test_no_slot_lies_outside_the_window() -> None:
    assert slots(window=Span(monday("09:15"), monday("12:30"))) == ["09:30", "10:00"]


def test_an_hour_that_a_clock_change_skips_is_not_offered_twice() -> None:
    day = datetime(2027, 3, 28, tzinfo=BERLIN)
    found = list(
        rules.open_slots(
            {"7": [("01:00", "04:00")]},
            BERLIN,
            [],
            Span(day, day + timedelta(days=1)),
            timedelta(hours=1),
        )
    )
    assert len(found) == 3
    assert found[-1].end - found[0].start == timedelta(hours=2)


@given(st.lists(st.tuples(st.integers(0, 47), st.integers(1, 8)), max_size=6))
def test_no_free_slot_ever_overlaps_a_visit(taken: list[tuple[int, int]]) -> None:
    start = monday("00:00")
    step = timedelta(minutes=30)
    busy = [Span(start + step * at, start + step * (at + long)) for at, long in taken]
    window = Span(start, start + timedelta(days=1))
    hours = {"1": [("06:00", "20:00")]}
    for slot in rules.open_slots(hours, DUBAI, busy, window, timedelta(minutes=90)):
        assert not any(rules.overlap(slot, visit) for visit in busy)
        assert rules.within_hours(hours, DUBAI, slot)


@pytest.mark.parametrize(
    "hours",
    [{"8": [("09:00", "10:00")]}, {"1": [("10:00", "09:00")]}, {"1": [("nine", "ten")]}],
)
def test_hours_that_nobody_can_work_are_not_sound(hours: dict[str, list[tuple[str, str]]]) -> None:
    assert not rules.hours_are_sound(hours)


# --- Standing goods -----------------------------------------------------------------------------


def test_goods_stand_from_their_delivery_on() -> None:
    present = datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert rules.earliest_start(None, 4, present) == present
    assert rules.earliest_start(present, 4, present) == present + timedelta(hours=4)
    assert rules.earliest_start(present - timedelta(days=1), 4, present) == present
    assert rules.booking_holds(present + timedelta(hours=4), present, 4)
    assert not rules.booking_holds(present + timedelta(hours=3), present, 4)


# --- Checklists and reports ---------------------------------------------------------------------


def test_a_checklist_names_everything_once() -> None:
    rules.check_checklist(CHECKLIST)
    with pytest.raises(ChecklistNotMade):
        rules.check_checklist(msgspec.structs.replace(CHECKLIST, photo_slots=["after", "after"]))


def a_report(**other: Any) -> VisitCompleted:
    given = {
        "event_id": uuid7(),
        "captured_at": datetime.now(UTC),
        "units": [a_unit()],
        "photos": [Photo(slot="before", sha256="0" * 64), Photo(slot="after", sha256="1" * 64)],
        "demo_topics": ["modes"],
        "sign_off": SignOff(name="Aisha", strokes=[[(0.0, 0.0, 0)]]),
    }
    return VisitCompleted(**given | other)


def a_unit(**other: Any) -> InstalledUnit:
    given = {
        "fulfilment_line_id": LINE,
        "checklist_id": LIST,
        "serial": "SN-1",
        "answers": {"level": True, "pressure": 2.5, "note": "none"},
    }
    return InstalledUnit(**given | other)


def judged(report: VisitCompleted, *lines: Line) -> rules.Report:
    return rules.judge(report, lines or (WASHER,), KNOWN)


def test_a_whole_report_agrees() -> None:
    assert judged(a_report()) == rules.Report([], [])


@pytest.mark.parametrize(
    ("other", "missing"),
    [
        ({"units": []}, ["unit:Washer", "photo:"]),
        ({"units": [a_unit(serial=" ")]}, ["serial:Washer"]),
        ({"units": [a_unit(checklist_id=None)]}, ["checklist:Washer"]),
        ({"units": [a_unit(checklist_id=OTHER)]}, ["checklist:Washer"]),
        ({"units": [a_unit(answers={"level": True, "note": "x"})]}, ["answer:pressure"]),
        ({"photos": []}, ["photo:before", "photo:after"]),
        ({"demo_topics": []}, ["demo:modes"]),
        ({"sign_off": None}, ["sign_off"]),
        ({"sign_off": SignOff(name=" ", strokes=[[(0.0, 0.0, 0)]])}, ["sign_off"]),
    ],
)
def test_what_a_report_does_not_bring_is_named(other: dict[str, Any], missing: list[str]) -> None:
    found = judged(a_report(**other)).missing
    assert [name for name in missing if name != "photo:"] == [
        name for name in found if name in missing
    ]
    assert found


def test_a_list_for_other_goods_answers_nothing() -> None:
    foreign = {LIST: Known(OTHER, CHECKLIST)}
    assert "checklist:Washer" in rules.judge(a_report(), [WASHER], foreign).missing


def test_goods_without_a_checklist_still_need_pictures_and_a_signature() -> None:
    plain = WASHER._replace(has_checklist=False, serialised=False)
    report = a_report(units=[a_unit(checklist_id=None, answers={}, serial="")], photos=[])
    assert judged(report, plain).missing == ["photo:before", "photo:after"]


@pytest.mark.parametrize(
    "unit",
    [
        a_unit(serial="SN-2"),
        a_unit(fulfilment_line_id=OTHER),
        a_unit(answers={"level": False, "pressure": 2.5, "note": "x"}),
        a_unit(answers={"level": True, "pressure": "high", "note": "x"}),
        a_unit(answers={"level": True, "pressure": 2, "note": "x", "unasked": True}),
    ],
)
def test_what_does_not_agree_waits_for_a_dispatcher(unit: InstalledUnit) -> None:
    assert judged(a_report(units=[unit])).disagreements


def test_one_serial_is_not_two_units() -> None:
    pair = WASHER._replace(quantity=2, serials=("SN-1", "SN-2"))
    report = a_report(units=[a_unit(), a_unit()])
    assert judged(report, pair).disagreements == ["The same serial is reported twice."]
