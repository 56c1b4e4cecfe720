"""When a place may be kept, and how roughly it is told again."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.ids import uuid7
from doorstep.modules.places.rules import Duty, duty_at, roughly, told_until

NINE = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
RUN = Duty("run", uuid7(), NINE, NINE + 3 * HOUR)
SHIFT = Duty("shift", uuid7(), NINE - HOUR, None)


def test_a_place_belongs_to_the_work_that_goes_on_then() -> None:
    assert duty_at(NINE, [RUN]) is RUN
    assert duty_at(NINE + 3 * HOUR, [RUN]) is RUN
    assert duty_at(NINE - timedelta(microseconds=1), [RUN]) is None
    assert duty_at(NINE + 3 * HOUR + timedelta(microseconds=1), [RUN]) is None
    assert duty_at(NINE + 5 * HOUR, [RUN, SHIFT]) is SHIFT
    assert duty_at(NINE, []) is None


def test_work_that_nobody_has_ended_lasts_a_day() -> None:
    assert SHIFT.covers(NINE + 23 * HOUR)
    assert not SHIFT.covers(NINE + 23 * HOUR + timedelta(seconds=1))


def test_an_hour_is_told_ten_minutes_after_its_end_and_nothing_changes_in_between() -> None:
    told = {told_until(NINE + timedelta(minutes=n)) for n in range(10, 70)}
    assert told == {NINE}
    assert told_until(NINE + timedelta(minutes=9)) == NINE - HOUR


@given(st.floats(-80, 80), st.floats(-179, 178), st.floats(0, 0.5), st.floats(0, 0.5))
def test_the_rough_area_holds_all_that_was_recorded(
    south: float, west: float, up: float, across: float
) -> None:
    area = roughly(south, west, south + up, west + across)
    assert (area.lat, area.lng) == (round(area.lat, 2), round(area.lng, 2))
    narrow = math.cos(math.radians(south + up / 2))
    for lat in (south, south + up):
        for lng in (west, west + across):
            away = math.hypot(lat - area.lat, (lng - area.lng) * narrow) * 111.32
            assert away <= area.radius_km + 0.01
