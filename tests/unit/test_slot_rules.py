"""Which delivery slots are free: by weekday and clock of the channel, room, lead and date."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.tms.refusals import SlotsNotUsable
from doorstep.modules.tms.rules.slots import Free, Slot, Span, check, days, free

DUBAI = ZoneInfo("Asia/Dubai")
MONDAY = datetime(2026, 11, 30, 3, tzinfo=UTC)
"""Seven in the morning in Dubai."""


def slot(weekday: int, begin: int, end: int, *, capacity: int = 1, lead: int = 0) -> Slot:
    return Slot(uuid4(), weekday, time(begin), time(end), capacity, lead)


def found(slots: list[Slot], *taken: Span, earliest: datetime = MONDAY) -> list[Free]:
    week = days(DUBAI, MONDAY, 7)
    return free(slots, DUBAI, week, taken, earliest=earliest, present=MONDAY)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=DUBAI).astimezone(UTC)


def test_slots_fall_on_their_weekday_by_the_clock_of_the_channel() -> None:
    [monday] = found([slot(1, 9, 13)])
    assert (monday.start, monday.end) == (at(30, 9), at(30, 13))


def test_a_slot_can_be_chosen_until_its_lead() -> None:
    near, far = slot(1, 9, 13, lead=120), slot(1, 13, 17, lead=120)
    assert len(found([near, far])) == 2
    near, far = slot(1, 9, 13, lead=121), slot(1, 13, 17, lead=120)
    assert [one.slot_id for one in found([near, far])] == [far.id]


def test_promises_take_room_in_every_slot_that_they_meet() -> None:
    morning, noon = slot(1, 9, 13, capacity=2), slot(1, 13, 17, capacity=2)
    until_one = Span(at(30, 9), at(30, 13))
    assert [one.left for one in found([morning, noon], until_one)] == [1, 2]
    across = Span(at(30, 12), at(30, 14))
    assert [one.left for one in found([morning, noon], until_one, across)] == [1]


def test_none_begins_before_the_goods_are_there() -> None:
    slots = [slot(weekday, 9, 13) for weekday in range(1, 8)]
    tuesday = at(30, 9) + timedelta(hours=1)
    assert [one.start.astimezone(DUBAI).day for one in found(slots, earliest=tuesday)] == [
        1, 2, 3, 4, 5, 6,
    ]  # fmt: skip


def test_windows_that_meet_or_end_before_they_begin_are_refused() -> None:
    check([slot(1, 9, 13), slot(1, 13, 17), slot(2, 12, 14)])
    for bad in ([slot(1, 13, 9)], [slot(1, 9, 13), slot(1, 12, 14)], [slot(1, 9, 9)]):
        with pytest.raises(SlotsNotUsable):
            check(bad)


@given(
    zone=st.sampled_from(["Asia/Dubai", "Europe/London", "America/New_York", "Asia/Kolkata"]),
    since=st.integers(0, 2 * 365 * 24 * 60).map(
        lambda minutes: MONDAY + timedelta(minutes=minutes)
    ),
    begin=st.integers(0, 22),
)
def test_over_every_change_of_the_clocks_a_slot_is_forward_and_not_past(
    zone: str, since: datetime, begin: int
) -> None:
    slots = [slot(weekday, begin, begin + 1) for weekday in range(1, 8)]
    there = ZoneInfo(zone)
    for one in free(slots, there, days(there, since, 14), [], earliest=since, present=since):
        assert since <= one.start < one.end <= one.start + timedelta(hours=2)
        assert one.start.astimezone(there).hour in (begin, begin + 1)
