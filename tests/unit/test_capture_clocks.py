"""When something was captured, by the phone's monotonic clock and the server's last word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.captures.clocks import TOLERANCE, Interval, flag, interval

ENROLLED = datetime(2026, 11, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MS = 3_600_000


def of(mono_ms: int, server_at: datetime | None, server_mono_ms: int | None) -> Interval:
    return interval(mono_ms, server_at, server_mono_ms, not_before=ENROLLED, received_at=RECEIVED)


def test_without_a_word_of_the_server_only_enrolment_and_arrival_bound_it() -> None:
    assert of(MS, None, None) == (ENROLLED, RECEIVED)


def test_the_servers_last_word_and_the_monotonic_clock_bound_it_from_below() -> None:
    earliest, latest = of(3 * MS, RECEIVED - 5 * HOUR, 2 * MS)
    assert timedelta() <= RECEIVED - 4 * HOUR - earliest < timedelta(seconds=2)
    assert latest == RECEIVED


def test_a_word_that_was_heard_after_the_capture_bounds_it_from_above() -> None:
    earliest, latest = of(MS, RECEIVED - HOUR, 2 * MS)
    assert earliest == ENROLLED
    assert timedelta() < latest - (RECEIVED - 2 * HOUR) < timedelta(minutes=1)


def test_what_the_server_cannot_have_said_does_not_count() -> None:
    assert of(MS, RECEIVED + HOUR, 0) == (ENROLLED, RECEIVED)
    assert of(48 * MS, RECEIVED - HOUR, 0) == (ENROLLED, RECEIVED)


def test_only_a_clock_far_outside_is_flagged() -> None:
    within = Interval(RECEIVED - HOUR, RECEIVED)
    assert flag(within.earliest - TOLERANCE, within) is None
    assert flag(within.latest + TOLERANCE, within) is None
    assert flag(within.earliest - timedelta(days=2), within) == "backdated"
    assert flag(within.latest + timedelta(days=2), within) == "postdated"


@given(
    heard_ago=st.timedeltas(timedelta(), timedelta(days=20)),
    share=st.floats(0, 1),
    server_mono_ms=st.integers(0, 10**9),
)
def test_an_honest_phone_is_never_flagged(
    heard_ago: timedelta, share: float, server_mono_ms: int
) -> None:
    heard = RECEIVED - heard_ago
    since = heard_ago * share
    mono_ms = server_mono_ms + int(since.total_seconds() * 1000)
    within = of(mono_ms, heard, server_mono_ms)
    assert within.earliest <= heard + since <= within.latest
    assert flag(heard + since, within) is None
