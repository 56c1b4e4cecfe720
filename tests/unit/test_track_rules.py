"""When somebody comes, what is next, and who may be told: decided without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.doors.track import rules
from doorstep.doors.track.page_schemas import Attempt
from doorstep.doors.track.page_view import attempt_words
from doorstep.doors.track.page_words import LANGUAGES, Words
from doorstep.doors.track.rules import Next, Road, Span
from doorstep.journey.detours import DETOURS

DUBAI = ZoneInfo("Asia/Dubai")
NOON = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
"""In Dubai it is noon."""


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def test_a_young_run_is_reckoned_by_the_usual_pace() -> None:
    found = rules.expect_arrival(3, NOON, [], NOON)
    assert found == (NOON + minutes(30), NOON + minutes(90), "usual")


def test_a_run_with_doors_behind_it_is_reckoned_by_its_own_pace() -> None:
    closed = [NOON + minutes(6 * n) for n in range(1, 6)]
    found = rules.expect_arrival(2, NOON, closed, NOON + minutes(30))
    assert found.cause == "pace"
    assert found.from_at == NOON + minutes(40)
    assert found.until_at == NOON + minutes(60)
    slower = [NOON + minutes(30 * n) for n in range(1, 6)]
    later = rules.expect_arrival(2, NOON, slower, NOON + minutes(150))
    assert later.until_at - (NOON + minutes(150)) > found.until_at - (NOON + minutes(30))


def test_a_van_that_has_gone_quiet_is_told_as_that_and_reckoned_from_now() -> None:
    present = NOON + minutes(180)
    found = rules.expect_arrival(1, NOON, [], present)
    assert (found.cause, found.from_at, found.until_at) == (
        "quiet", present, present + minutes(60)
    )  # fmt: skip


@given(
    stops=st.integers(0, 60),
    gaps=st.lists(st.integers(0, 200), max_size=20),
    since=st.integers(0, 600),
)
def test_a_range_is_ahead_not_too_narrow_and_grows_with_the_stops(
    stops: int, gaps: list[int], since: int
) -> None:
    at, closed = NOON, []
    for gap in gaps:
        at += minutes(gap)
        closed.append(at)
    present = at + minutes(since)
    found = rules.expect_arrival(stops, NOON, closed, present)
    assert found.until_at > present
    assert found.from_at > present - rules.STEP
    assert found.until_at - found.from_at >= rules.NARROWEST
    assert found.from_at.minute % 10 == found.until_at.minute % 10 == 0
    one_more = rules.expect_arrival(stops + 1, NOON, closed, present)
    assert one_more.until_at >= found.until_at


def following(settled: set[int], **given: Any) -> Next:
    known = {
        "needs_install": True, "ended": False, "held_up": False, "window": None, "visit": None,
        "road": None, "present": NOON,
    }  # fmt: skip
    return rules.what_next(settled, **(known | given))


ON_THE_ROAD = Road(True, 2, NOON, [])
PROMISED = Span(NOON + minutes(120), NOON + minutes(240))


def test_before_a_van_has_it_the_promise_counts_and_without_one_the_next_step() -> None:
    assert following({1001}).kind == "milestone"
    assert following({1001}, window=PROMISED)[:3] == ("window", *PROMISED)
    over = Span(NOON - minutes(240), NOON - minutes(120))
    assert following({1001}, window=over).kind == "milestone"


def test_what_is_held_up_is_promised_no_next_step() -> None:
    assert following({1001}, held_up=True).kind == "nothing"
    assert following({1001}, held_up=True, window=PROMISED).kind == "window"


def test_a_van_on_the_road_is_reckoned_within_what_was_promised() -> None:
    found = following({1012}, road=ON_THE_ROAD)
    assert (found.kind, found.stops_before) == ("arriving", 2)
    early = following({1012}, road=ON_THE_ROAD, window=PROMISED)
    assert early.from_at == PROMISED.from_at
    missed = Span(NOON - minutes(60), NOON - minutes(10))
    assert following({1012}, road=ON_THE_ROAD, window=missed).kind == "late"


def test_without_a_run_of_ours_nobody_knows_the_time_of_day() -> None:
    assert following({1012}).kind == "on_the_road"
    planned = ON_THE_ROAD._replace(on_the_road=False)
    assert following({1012}, road=planned).kind == "on_the_road"


def test_after_delivery_comes_the_visit_where_there_is_one() -> None:
    visit = Span(NOON + minutes(60), NOON + minutes(120))
    assert following({1012, 1013}, visit=visit)[:3] == ("visit", *visit)
    assert following({1012, 1013}).kind == "visit_unplanned"
    assert following({1012, 1013}, needs_install=False).kind == "nothing"
    assert following({1013, 1015}, visit=visit).kind == "nothing"
    assert following({1012}, ended=True, window=PROMISED).kind == "nothing"


def test_goods_that_must_stand_are_plugged_in_later_and_only_told_until_then() -> None:
    assert rules.plug_in_after(NOON, 4, NOON + minutes(1)) == NOON + minutes(240)
    assert rules.plug_in_after(NOON, 4, NOON + minutes(240)) is None
    assert rules.plug_in_after(NOON, 0, NOON) is None
    assert rules.plug_in_after(None, 4, NOON) is None


@pytest.mark.parametrize(
    ("planned_on", "out", "delivered", "told"),
    [
        (date(2026, 11, 27), True, False, True),
        (date(2026, 11, 28), True, False, False),
        (date(2026, 11, 27), False, False, False),
        (date(2026, 11, 27), True, True, False),
        (None, True, False, False),
    ],
)
def test_a_courier_is_named_on_the_day_and_until_the_goods_are_there(
    planned_on: date | None, out: bool, delivered: bool, told: bool
) -> None:
    assert told is rules.comes_on(
        planned_on, out_for_delivery=out, delivered=delivered, zone=DUBAI, present=NOON
    )


def test_a_first_name_is_a_letter_before_signing_in() -> None:
    assert (rules.initial("Karim"), rules.initial("")) == ("K.", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_of_stops_can_be_said(language: str) -> None:
    words = Words(language, "Asia/Dubai")
    said = [words.count("stops", n) for n in range(120)]
    assert all(said) and "{" not in "".join(said)
    assert len({*said[:3]}) == 3
    # From the third on the number itself stands in the sentence, in every form of the language.
    assert all(str(n) in said[n] for n in range(3, 120))


def test_times_are_those_of_the_place() -> None:
    words = Words("en", "Asia/Dubai")
    end = NOON + minutes(50)
    assert words.between(NOON, end, NOON) == "Today between 12:00 and 12:50"
    later = NOON + timedelta(days=1)
    said = words.between(later, later + minutes(50), NOON)
    assert said == "Saturday 28 November, between 12:00 and 12:50"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_why_a_delivery_failed_can_be_said(language: str) -> None:
    words = Words(language)
    reasons = next(one.reasons for one in DETOURS if one.kind == "delivery_failed")
    assert "not_home" in reasons
    for reason in reasons:
        told = attempt_words(Attempt(reason=reason, at=NOON, said="was_here"), words)
        assert told[0].endswith(words(f"reason_{reason}")) and words("attempt_was_here") in told[1]
