"""Which line follows for a piece of work: the sum is what it earns, once or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.auth.permissions import may
from doorstep.modules.earnings import rules
from doorstep.modules.earnings.rules import KINDS, KINDS_OF, Work, next_line

ONE, OTHER = UUID(int=1), UUID(int=2)
AT = datetime(2026, 11, 27, 8, tzinfo=UTC)


def work(**other: Any) -> Work:
    told = {
        "event_id": ONE, "kind": "delivery", "person_id": ONE, "channel_id": ONE, "order_id": ONE,
        "number": "DS-000001", "currency": "AED", "minutes": None, "worked_at": AT,
        "worked_on": AT.date(), "earns": True, "why": "done", "words": "", "rate_id": ONE,
        "rate_minor": 12_50, "last_n": 0, "last_minor": 0, "last_rate_id": None,
    }  # fmt: skip
    return Work(**(told | other))


@given(st.lists(st.booleans(), max_size=12), st.integers(1, 10**9))
def test_whatever_is_said_in_turn_the_sum_is_what_stands_last(said: list[bool], rate: int) -> None:
    """However often it counts and does not, and even if the rate changes meanwhile (IM)."""
    sum_minor, last = 0, work(rate_minor=rate)
    for earns in [True, *said]:
        for _ in range(2):  # The same again changes nothing.
            now = last._replace(earns=earns, why="done" if earns else "not_accepted")
            line = next_line(now)
            if line is not None:
                sum_minor += line.amount_minor
                last = now._replace(
                    last_n=line.n,
                    last_minor=line.amount_minor,
                    last_rate_id=line.rate_id,
                    rate_id=OTHER,
                    rate_minor=rate + 7,
                )
        assert sum_minor == (rate if earns else 0)


@pytest.mark.parametrize(
    "nothing",
    [
        {"rate_id": None, "rate_minor": 0},
        {"rate_minor": 0},
        {"minutes": 0, "kind": "shift_hour"},
        {"earns": False},
    ],
)
def test_where_there_is_nothing_to_earn_no_line_is_made_up(nothing: dict[str, Any]) -> None:
    assert next_line(work(**nothing)) is None


def test_hours_are_paid_by_the_minute_with_halves_up() -> None:
    assert rules.amount(20_00, 450) == 150_00
    assert rules.amount(1_00, 1) == 2  # 1.67
    assert rules.amount(30, 1) == 1  # 0.5
    assert rules.amount(29, 1) == 0
    assert rules.amount(12_50, None) == 12_50


def test_the_reason_of_a_line_says_who_has_changed_it() -> None:
    stood = {"last_n": 1, "last_minor": 12_50, "last_rate_id": ONE}
    for why in ("not_accepted", "replaced", "decided"):
        line = next_line(work(earns=False, why=why, **stood))
        assert line == (2, -12_50, why, ONE)
    away = {"last_n": 2, "last_minor": -12_50, "last_rate_id": ONE}
    assert next_line(work(**away)) == (3, 12_50, "given_back", ONE)
    assert next_line(work(why="decided", **away)) == (3, 12_50, "decided", ONE)


def test_two_calendar_weeks_are_told() -> None:
    assert rules.told_since(date(2026, 11, 27)) == date(2026, 11, 16)
    assert rules.told_since(date(2026, 11, 23)) == date(2026, 11, 16)


def test_everybody_whose_work_can_earn_may_read_it() -> None:
    assert {kind for kinds in KINDS_OF.values() for kind in kinds} == set(KINDS)
    assert all(may(role, "earnings:line:own") for role in KINDS_OF)
