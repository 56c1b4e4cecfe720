"""When a message may go out, what a report changes, what comes next, what a word to us means: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.messages.delivery_rules import (
    MOST_SENDS,
    Quiet,
    Standing,
    State,
    after_report,
    follow_up,
    quiet_until,
)
from doorstep.modules.messages.reply_rules import taken_as

DUBAI = Quiet("Asia/Dubai", time(21), time(8))
ZONES = ("Asia/Dubai", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - made aware by the strategy
    datetime(2027, 12, 31),  # noqa: DTZ001 - made aware by the strategy
    timezones=st.just(UTC),
)
HOURS = st.times().map(lambda one: one.replace(second=0, microsecond=0))


def at(zone: str, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("here", "ends"),
    [
        ("2026-11-27T20:59", None),
        ("2026-11-27T21:00", "2026-11-28T08:00"),
        ("2026-11-27T23:30", "2026-11-28T08:00"),
        ("2026-11-28T00:00", "2026-11-28T08:00"),
        ("2026-11-28T07:59", "2026-11-28T08:00"),
        ("2026-11-28T08:00", None),
    ],
)
def test_quiet_hours_go_over_midnight(here: str, ends: str | None) -> None:
    expected = at("Asia/Dubai", ends) if ends else None
    assert quiet_until(at("Asia/Dubai", here), DUBAI) == expected


def test_the_clock_on_the_wall_counts_when_clocks_change() -> None:
    berlin = Quiet("Europe/Berlin", time(21), time(8))
    # The night of 29 March 2026 has ten hours from 21:00 to 08:00, that of 25 October twelve.
    for day, following, hours in (
        ("2026-03-28", "2026-03-29", 10),
        ("2026-10-24", "2026-10-25", 12),
    ):
        begins = at("Europe/Berlin", f"{day}T21:00")
        ends = quiet_until(begins, berlin)
        assert ends == at("Europe/Berlin", f"{following}T08:00")
        assert ends - begins == timedelta(hours=hours)


def test_an_end_that_comes_twice_is_its_second_time_in_the_second_hour() -> None:
    early = Quiet("Europe/Berlin", time(22), time(2, 30))
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 for the second time
    assert quiet_until(second_pass, early) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_equal_times_are_no_quiet_hours() -> None:
    assert quiet_until(at("Asia/Dubai", "2026-11-27T23:00"), DUBAI._replace(until=time(21))) is None


@given(MOMENTS, st.sampled_from(ZONES), HOURS, HOURS)
def test_quiet_hours_end_soon_and_outside_of_themselves(
    moment: datetime, zone: str, since: time, until: time
) -> None:
    quiet = Quiet(zone, since, until)
    ends = quiet_until(moment, quiet)
    if ends is None:
        return
    assert moment < ends <= moment + timedelta(hours=25)
    again = quiet_until(ends, quiet)
    # Only a clock that is put back at that very time may lead back into them, for that once.
    assert again is None or again - ends <= timedelta(hours=1)


@given(st.permutations(["sent", "delivered", "read"]))
def test_any_order_of_reports_ends_the_same(seen: list[str]) -> None:
    state: State = "sending"
    for means in seen:
        state = after_report(state, means)
    assert state == "read"


@given(st.lists(st.sampled_from(["sent", "delivered", "read", "failed", "nothing"]), max_size=8))
def test_a_message_never_goes_back(seen: list[str]) -> None:
    order = ["sending", "sent_unknown", "sent", "failed", "delivered", "read"]
    state: State = "sending"
    for means in seen:
        following = after_report(state, means)
        assert order.index(following) >= order.index(state)
        state = following
    for first, second in permutations(seen, 2):
        one = after_report(after_report("sending", first), second)
        other = after_report(after_report("sending", second), first)
        assert one == other


def test_a_failure_of_an_earlier_sending_does_not_stop_the_next() -> None:
    assert after_report("queued", "failed") == "queued"
    assert after_report("skipped", "delivered") == "skipped"


def standing(state: State, **changes: object) -> Standing:
    usual = Standing(state, overdue=True, has_next=False, followed=False, may_repeat=False, sends=1)
    return usual._replace(**changes)


@pytest.mark.parametrize(
    ("message", "step"),
    [
        (standing("sent", overdue=False, has_next=True), "wait"),
        (standing("sent", has_next=True), "next"),
        (standing("sent"), "nothing"),
        (standing("queued", has_next=True), "next"),
        (standing("sending", has_next=True), "wait"),
        (standing("delivered", has_next=True), "nothing"),
        (standing("read", has_next=True), "nothing"),
        (standing("skipped", has_next=True), "nothing"),
        (standing("failed", overdue=False, has_next=True), "next"),
        (standing("failed"), "nothing"),
        (standing("sent_unknown", overdue=False, may_repeat=True), "wait"),
        (standing("sent_unknown", has_next=True, may_repeat=True), "next"),
        (standing("sent_unknown", may_repeat=True), "again"),
        (standing("sent_unknown", may_repeat=True, sends=MOST_SENDS), "give_up"),
        (standing("sent_unknown"), "give_up"),
        (standing("sent_unknown", may_repeat=True, followed=True), "nothing"),
    ],
)
def test_what_comes_next(message: Standing, step: str) -> None:
    assert follow_up(message) == step


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("STOP", "stop"), ("stop!", "stop"), ("  Stop. ", "stop"), ("Opt-out", "stop"),
        ("إيقاف", "stop"), ("تَوَقَّف", "stop"), ("बंद", "stop"), ("START", "start"), ("ابدأ", "start"),
        ("शुरू", "start"), ("Help?", "help"), ("مساعدة", "help"), ("मदद", "help"),
        ("Please stop by at six", "words"), ("Cancel", "words"), ("", "words"), ("👍", "words"),
    ],
)  # fmt: skip
def test_what_a_word_to_us_means(words: str, meant: str) -> None:
    assert taken_as(words) == meant


@given(st.text(max_size=200))
def test_any_text_means_something(words: str) -> None:
    assert taken_as(words) in ("stop", "start", "help", "words")
