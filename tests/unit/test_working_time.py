"""Business time: hours of the week on a wall clock, weekends and holidays of the right country."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.working_time import (
    ROUND_THE_CLOCK,
    Calendar,
    NobodyWorks,
    add_working_hours,
)

WEEK = {str(day): [("09:00", "13:00"), ("14:00", "18:00")] for day in range(1, 6)}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23 05:00", 8, "2026-11-23 14:00"),  # Monday 09:00 in Dubai, over lunch
        ("2026-11-23 04:00", 1, "2026-11-23 06:00"),  # before opening
        ("2026-11-23 13:00", 2, "2026-11-24 06:00"),  # an hour today, an hour tomorrow
        ("2026-11-27 13:30", 1, "2026-11-30 05:30"),  # Friday evening runs into Monday
        ("2026-11-28 08:00", 8, "2026-11-30 14:00"),  # begun on Saturday
    ],
)
def test_only_working_hours_count(start: str, hours: int, due: str) -> None:
    answer_by = add_working_hours(utc(start), timedelta(hours=hours), "Asia/Dubai", WEEK)
    assert answer_by == utc(due)


def test_summer_time_inside_a_working_day_gives_and_takes_nothing() -> None:
    nights = {str(day): [("00:00", "24:00")] for day in range(1, 8)}
    start = utc("2026-03-28 12:00")
    assert add_working_hours(start, timedelta(hours=24), "Europe/Berlin", nights) == start + (
        timedelta(hours=24)
    )


@given(st.integers(1, 200), st.integers(0, 60 * 24 * 7))
def test_a_deadline_is_never_before_the_time_that_it_gives(hours: int, minute: int) -> None:
    start = utc("2026-11-23 00:00") + timedelta(minutes=minute)
    due = add_working_hours(start, timedelta(hours=hours), "Asia/Dubai", WEEK)
    assert due >= start + timedelta(hours=hours)


def test_a_calendar_without_hours_is_an_error() -> None:
    with pytest.raises(NobodyWorks):
        add_working_hours(utc("2026-11-23 00:00"), timedelta(hours=1), "Asia/Dubai", {})


GULF = {str(day): [("09:00", "18:00")] for day in (7, 1, 2, 3, 4)}
EMIRATES = {str(day): [("09:00", "18:00")] for day in range(1, 6)}


def test_the_weekend_is_that_of_the_country() -> None:
    thursday = utc("2026-11-26 14:00")
    hour = timedelta(hours=2)
    dubai = Calendar("Asia/Dubai", EMIRATES)
    kuwait = Calendar("Asia/Kuwait", GULF)
    assert dubai.after(thursday, hour) == utc("2026-11-27 07:00")  # Friday 11:00 there
    assert kuwait.after(thursday, hour) == utc("2026-11-29 07:00")  # Sunday 10:00, an hour used


def test_a_holiday_is_no_working_day() -> None:
    national_days = {date(2026, 12, 2), date(2026, 12, 3)}
    calendar = Calendar("Asia/Dubai", EMIRATES, national_days)
    due = calendar.after(utc("2026-12-01 13:00"), timedelta(hours=2))  # Tuesday 17:00
    assert due == utc("2026-12-04 06:00")  # Friday 10:00
    assert Calendar("Asia/Dubai", EMIRATES).after(
        utc("2026-12-01 13:00"), timedelta(hours=2)
    ) == utc("2026-12-02 06:00")


@given(st.integers(0, 60 * 24 * 30))
def test_round_the_clock_every_minute_counts(minutes: int) -> None:
    start = utc("2026-11-27 23:59")
    span = timedelta(minutes=minutes)
    assert ROUND_THE_CLOCK.after(start, span) == start + span


@given(
    st.integers(0, 60 * 24 * 14),
    st.integers(0, 60 * 40),
    st.sets(st.integers(0, 20), max_size=6),
)
def test_due_lies_in_working_time_and_more_time_is_never_sooner(
    begin: int, minutes: int, off: set[int]
) -> None:
    start = utc("2026-11-23 00:00") + timedelta(minutes=begin)
    holidays = {date(2026, 11, 23) + timedelta(days=day) for day in off}
    calendar = Calendar("Asia/Dubai", EMIRATES, holidays)
    due = calendar.after(start, timedelta(minutes=minutes))
    local = due + timedelta(hours=4)
    assert local.date() not in holidays and local.isoweekday() <= 5
    assert 9 * 60 <= local.hour * 60 + local.minute <= 18 * 60
    assert start + timedelta(minutes=minutes) <= due
    assert due <= calendar.after(start, timedelta(minutes=minutes + 1))
