"""Receiving, adjusting, counting, restocking and the end of a shift, decided without a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.money import EXPONENTS
from doorstep.modules.wms.rules import Expected, read_code, still_missing
from doorstep.modules.wms.rules.adjusting import USUAL_VALUE, Policy, Weight, decide, usual_policy
from doorstep.modules.wms.rules.counting import (
    COUNT_EVERY_DAYS,
    Shelf,
    classes,
    due_shelves,
    judge,
    judge_serials,
)
from doorstep.modules.wms.rules.picking import late_at
from doorstep.modules.wms.rules.receiving import (
    Left,
    OpenLine,
    ScannedCode,
    differences,
    read_receipt,
)
from doorstep.modules.wms.rules.restocking import Demand, propose
from doorstep.modules.wms.rules.shifts import USUAL_ITEMS, Answer, Item, not_answered, not_asked

MACHINE, KETTLE, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2026, 11, 26, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def machines(open_pieces: int = 2, serials: frozenset[str] | None = None) -> OpenLine:
    return OpenLine(UUID(int=10), MACHINE, "WM-7KG", "111", True, open_pieces, serials)


def kettles(open_pieces: int = 3) -> OpenLine:
    return OpenLine(UUID(int=11), KETTLE, "KET-17", "222", False, open_pieces, None)


def scan(code: str, serial: str | None = None, quantity: int = 1, grade: Any = "sellable") -> Any:
    return ScannedCode(code, serial, quantity, grade)


# --- Receiving ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beep", "verdict"),
    [
        (scan("222", quantity=3), "right"),
        (scan("222", quantity=4), "over"),
        (scan("333"), "unknown_code"),
        (scan("111"), "serial_needed"),
        (scan("111", "SN-1"), "right"),
        (scan("111", "SN-1", quantity=2), "one_at_a_time"),
        (scan("111", "SN-SEEN"), "already_scanned"),
        (scan("111", "SN-KNOWN"), "serial_known"),
        (scan("111", "SN-KETTLE"), "serial_of_other_product"),
        (scan("SN-KNOWN"), "serial_known"),
        (scan("SN-OTHER"), "serial_of_other_product"),
        (scan("222", grade="scrap"), "not_scrap"),
    ],
)
def test_a_beep_at_a_purchase_is_told_what_it_is(beep: ScannedCode, verdict: str) -> None:
    known = {"SN-KNOWN": {MACHINE}, "SN-KETTLE": {KETTLE}, "SN-OTHER": {OTHER}}
    reading = read_receipt(beep, "purchase", [machines(), kettles()], known, {"SN-SEEN"})
    assert reading.verdict == verdict
    assert bool(reading.words) == (verdict != "right")
    assert (reading.line_id is not None) == (verdict == "right")


def test_an_announced_serial_is_read_alone_and_no_other_comes_in() -> None:
    lines = [machines(serials=frozenset({"SN-1", "SN-2"}))]
    assert read_receipt(scan("SN-1"), "purchase", lines, {}, ()).verdict == "right"
    assert read_receipt(scan("111", "SN-9"), "purchase", lines, {}, ()).verdict == "unknown_code"


def test_only_the_very_unit_that_left_comes_back_with_its_parcel() -> None:
    lines = [machines(1, frozenset({"SN-1"})), kettles(1)]
    known = {"SN-1": {MACHINE}, "SN-2": {MACHINE}, "SN-3": {OTHER}}

    def verdict(*beep: Any, grade: Any = "open_box") -> str:
        return read_receipt(scan(*beep, grade=grade), "customer_return", lines, known, ()).verdict

    assert verdict("SN-1") == verdict("111", "SN-1") == verdict("SN-1", grade="scrap") == "right"
    assert verdict("SN-2") == verdict("111", "SN-2") == "serial_of_other_parcel"
    assert verdict("111", "SN-NEVER-SEEN") == "serial_of_other_parcel"
    assert verdict("SN-3") == "serial_of_other_product"


def test_a_parcel_without_units_left_takes_no_serial_at_all() -> None:
    lines = [machines(1, frozenset())]
    reading = read_receipt(scan("111", "SN-1"), "return_to_origin", lines, {"SN-1": {MACHINE}}, ())
    assert reading.verdict == "serial_of_other_parcel"


def test_two_lines_of_one_sku_are_filled_one_after_the_other() -> None:
    full, empty = kettles(0), kettles(2)._replace(line_id=UUID(int=12))
    reading = read_receipt(scan("222", quantity=2), "purchase", [full, empty], {}, ())
    assert (reading.verdict, reading.line_id) == ("right", UUID(int=12))


@given(st.lists(st.integers(1, 4), max_size=12), st.integers(0, 12))
def test_however_it_is_scanned_no_more_comes_in_than_was_expected(
    beeps: list[int], expected: int
) -> None:
    taken = 0
    for quantity in beeps:
        line = kettles(expected - taken)
        reading = read_receipt(scan("222", quantity=quantity), "purchase", [line], {}, ())
        if reading.verdict == "right":
            taken += quantity
        else:
            assert reading.verdict == "over" and taken + quantity > expected
    assert taken <= expected


def test_differences_name_what_is_missing_and_each_wrong_code_once() -> None:
    found = differences([Left("A", 0), Left("B", 2)], [("9", "Unknown."), ("9", "Unknown.")])
    assert found == ["Missing: 2 × B.", "Code 9: Unknown."]


# --- Adjusting ----------------------------------------------------------------------------------

POLICY = Policy(3, 1000)


@pytest.mark.parametrize(
    ("units", "cost", "today", "approved"),
    [
        (3, 100, Weight(0, 0), True),
        (4, 100, Weight(0, 0), False),
        (1, 100, Weight(3, 0), False),
        (1, 1000, Weight(0, 0), True),
        (1, 1001, Weight(0, 0), False),
        (1, 500, Weight(1, 501), False),
        (3, None, Weight(0, 0), True),
        (4, None, Weight(0, 0), False),
    ],
)
def test_the_ordinary_adjustment_approves_itself_and_the_rest_waits(
    units: int, cost: int | None, today: Weight, approved: bool
) -> None:
    decision = decide(units, cost, today, POLICY)
    assert decision.approved is approved and decision.why


def test_what_cannot_be_booked_never_approves_itself() -> None:
    decision = decide(1, 1, Weight(0, 0), POLICY, "2 pieces are free here.")
    assert not decision.approved and "2 pieces are free here." in decision.why


def test_the_usual_policy_is_worth_about_the_same_in_every_currency() -> None:
    assert set(USUAL_VALUE) == set(EXPONENTS)
    assert usual_policy("AED") == Policy(3, 1_000_00)
    assert usual_policy("INR") == Policy(3, 25_000_00)
    assert usual_policy("KWD") == Policy(3, 80_000)
    assert usual_policy("JPY") == Policy(3, 40_000)
    assert usual_policy("ZMW") == Policy(3, 0), "nothing that costs anything passes by itself"


@given(st.lists(st.integers(1, 5), max_size=30))
def test_splitting_an_adjustment_does_not_get_more_past_the_policy(parts: list[int]) -> None:
    past = 0
    for units in parts:
        if decide(units, 100, Weight(past, past * 100), POLICY).approved:
            past += units
    assert past <= POLICY.max_units and past * 100 <= POLICY.max_value_minor


# --- Counting -----------------------------------------------------------------------------------


def shelf(sku: str, shipped: int, days: int | None) -> Shelf:
    counted = None if days is None else NOW - timedelta(days=days)
    return Shelf(UUID(int=1), None, "sellable", sku, shipped, counted)


def test_what_ships_most_is_class_a_and_what_does_not_ship_is_class_c() -> None:
    found = classes([shelf("A", 80, 0), shelf("B", 15, 0), shelf("C", 5, 0), shelf("D", 0, 0)])
    assert [(one.shelf.sku, one.abc) for one in found] == [
        ("A", "A"),
        ("B", "B"),
        ("C", "C"),
        ("D", "C"),
    ]
    assert {one.abc for one in classes([shelf("X", 0, 0), shelf("Y", 0, 0)])} == {"C"}


def test_the_longest_overdue_is_counted_first_and_what_is_not_due_is_left_alone() -> None:
    shelves = [
        shelf("FAST", 80, COUNT_EVERY_DAYS["A"]),
        shelf("FAST-DONE", 90, COUNT_EVERY_DAYS["A"] - 1),
        shelf("SLOW", 1, COUNT_EVERY_DAYS["C"] * 3),
        shelf("NEW", 0, None),
    ]
    due = [one.shelf.sku for one in due_shelves(shelves, NOW, 10)]
    assert due == ["NEW", "SLOW", "FAST"]
    assert [one.shelf.sku for one in due_shelves(shelves, NOW, 1)] == ["NEW"]


@given(st.integers(0, 50), st.lists(st.integers(-5, 5), max_size=6), st.integers(0, 6))
def test_what_moves_while_somebody_counts_right_is_never_a_difference(
    start: int, moves: list[int], when: int
) -> None:
    """He counts what truly lies there after some of the moves; the books are read before and after."""
    truly = start + sum(moves[:when])
    after = start + sum(moves)
    captured = truly
    judged = judge(truly, captured, after, moved=bool(moves[when:]))
    assert (judged.verdict, judged.difference) == ("kept", 0)


@given(st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_a_difference_is_kept_only_when_nothing_moved(
    counted: int, captured: int, recorded: int, moved: bool
) -> None:
    judged = judge(counted, captured, recorded, moved=moved)
    if judged.difference:
        assert not moved and judged.difference == counted - recorded
    if judged.verdict == "again":
        assert moved and counted not in (captured, recorded)


def test_serials_that_are_missing_and_extra_are_named() -> None:
    judged = judge_serials({"1", "3"}, {"1", "2"}, moved=False)
    assert (judged.difference, judged.missing, judged.extra) == (0, ("2",), ("3",))
    assert judge_serials({"1", "3"}, {"1", "2"}, moved=True).verdict == "again"
    assert judge_serials({"1", "2"}, {"2", "1"}, moved=True).verdict == "kept"


# --- Restocking and the end of a shift ----------------------------------------------------------


@pytest.mark.parametrize(
    ("demand", "quantity"),
    [
        (Demand(30, 0, 14, 0), 0),
        (Demand(30, 0, 13, 0), 1),
        (Demand(30, 5, 10, 4), 5),
        (Demand(1, 0, 0, 0), 1),
        (Demand(0, 2, 0, 0), 2),
        (Demand(0, 0, 0, 0), 0),
    ],
)
def test_a_shelf_is_restocked_for_its_sales_and_for_those_who_wait(
    demand: Demand, quantity: int
) -> None:
    proposal = propose(demand, history_days=30, cover_days=14)
    assert proposal.quantity == quantity
    assert str(demand.shipped) in proposal.why


@given(
    st.builds(
        Demand, st.integers(0, 500), st.integers(0, 50), st.integers(0, 500), st.integers(0, 500)
    )
)
def test_what_is_proposed_fills_the_need_exactly(demand: Demand) -> None:
    proposal = propose(demand, history_days=30, cover_days=14)
    after = demand._replace(incoming=demand.incoming + proposal.quantity)
    assert propose(after, history_days=30, cover_days=14).quantity == 0
    if proposal.quantity:
        short = after._replace(incoming=after.incoming - 1)
        assert propose(short, history_days=30, cover_days=14).quantity == 1


def test_every_role_of_the_field_has_a_list_and_each_item_is_answered_once() -> None:
    assert set(USUAL_ITEMS) == {
        "warehouse", "store", "vendor_store", "courier", "delivery", "technician",
    }  # fmt: skip
    items = [Item("labels", "Labels"), Item("ribbon", "Ribbon")]
    yes = Answer("labels", True, "")
    assert not_answered(items, [yes]) == ["ribbon"]
    assert not_asked(items, [yes, yes, Answer("van_stock", True, "")]) == ["labels", "van_stock"]


# --- Picking -------------------------------------------------------------------------------------


def on_the_list(line: int, quantity: int, barcodes: int = 0, *serials: str) -> Expected:
    return Expected(
        UUID(int=line), MACHINE, "WM-7KG", "Machine", quantity, "111", True, ("HOSE",), barcodes,
        frozenset(serials), {},
    )  # fmt: skip


def test_a_product_on_two_lines_of_a_parcel_is_scanned_for_both() -> None:
    first, second = on_the_list(10, 1, 1, "A"), on_the_list(11, 2)
    unit = {"B": {"id": UUID(int=7), "product_id": MACHINE, "free": True}}
    for code in ("111", "B"):
        reading = read_code(code, [first, second], unit)
        assert (reading.ok, reading.fulfilment_line_id) == (True, UUID(int=11))
    again = read_code("A", [first, second], {"A": unit["B"]})
    assert (again.ok, again.reason) == (False, "Serial A is already scanned.")
    full = [first, on_the_list(11, 1, 1, "C")]
    assert not read_code("111", full, {}).ok
    assert read_code("B", full, unit).reason == "1 × WM-7KG already have their serials."
    assert still_missing([first, second])[0] == "1 × accessory HOSE"


@pytest.mark.parametrize(
    ("listed", "late"),
    [
        ("2026-11-26T10:00", "2026-11-27T10:00"),  # Thursday
        ("2026-11-27T10:00", "2026-11-30T10:00"),  # Friday: the weekend does not count
        ("2026-11-28T10:00", "2026-12-01T00:00"),  # Saturday: Monday is its day
    ],
)
def test_a_parcel_is_late_after_a_working_day_of_its_country(listed: str, late: str) -> None:
    zone = ZoneInfo("Asia/Dubai")
    at = late_at(datetime.fromisoformat(listed).replace(tzinfo=zone), "Asia/Dubai", [1, 2, 3, 4, 5])
    assert at == datetime.fromisoformat(late).replace(tzinfo=zone)


def test_where_no_working_week_is_known_every_day_counts() -> None:
    assert late_at(NOW, "Asia/Dubai", []) == NOW + timedelta(days=1)


def test_the_field_app_has_the_words_of_every_usual_item() -> None:
    """The server says them in English; a phone says them in the language of its person."""
    texts = json.loads((ROOT / "pwa/src/field/i18n/en.json").read_text())
    ours = {item for items in USUAL_ITEMS.values() for item in items}
    assert {item: texts.get(f"shift_item_{item.code}") for item in ours} == {
        item: item.words for item in ours
    }
