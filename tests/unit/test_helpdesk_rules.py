"""Decisions of helpdesk and closing without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.working_time import ROUND_THE_CLOCK, Calendar
from doorstep.flows.closing_rules import ParcelState, unfinished, window_over, window_words
from doorstep.journey.stages import STAGES
from doorstep.modules.helpdesk.kinds import KINDS
from doorstep.modules.helpdesk.rules import (
    DEFAULT_RULES,
    EscalationRule,
    Waiting,
    deadline,
    handed_on,
    next_step,
    state_after,
)
from doorstep.seed.calendars import CALENDARS
from doorstep.seed.catalogue import CHANNELS

MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)
LEVELS = st.lists(
    st.builds(
        EscalationRule,
        level=st.integers(1, 3),
        after_minutes=st.integers(0, 5000),
        counted_from=st.sampled_from(["opened", "due"]),
        owner_role=st.sampled_from([None, "admin"]),
        tells=st.just(()),
        kind=st.sampled_from([None, "review", "unrouted"]),
        country=st.sampled_from([None, "AE", "KW"]),
    ),
    max_size=12,
)


def waiting(level: int = 0) -> Waiting:
    return Waiting("review", "AE", level, MONDAY, MONDAY + timedelta(hours=8))


@given(LEVELS)
def test_escalation_climbs_level_by_level_and_ends(rules: list[EscalationRule]) -> None:
    climbed = []
    problem = waiting()
    while (step := next_step(problem, rules, ROUND_THE_CLOCK)) is not None:
        assert step.rule.kind in (None, "review") and step.rule.country in (None, "AE")
        assert step.at >= problem.opened_at
        climbed.append(step.rule.level)
        problem = waiting(step.rule.level)
    fitting = {
        one.level for one in rules if one.kind in (None, "review") and one.country in (None, "AE")
    }
    assert climbed == sorted(fitting)


@given(LEVELS)
def test_the_order_of_the_rows_decides_nothing(rules: list[EscalationRule]) -> None:
    keys = {(one.level, one.kind, one.country): one for one in rules}
    unique = list(keys.values())
    assert next_step(waiting(), unique, ROUND_THE_CLOCK) == next_step(
        waiting(), unique[::-1], ROUND_THE_CLOCK
    )


def test_the_default_rules_lead_every_kind_to_an_admin() -> None:
    for name in KINDS:
        problem = Waiting(name, None, 2, MONDAY, MONDAY)
        last = next_step(problem, DEFAULT_RULES, ROUND_THE_CLOCK)
        assert last is not None and last.rule.owner_role == "admin"


def test_a_calendar_with_too_few_hours_loses_nothing() -> None:
    minute_a_week = Calendar("Asia/Dubai", {"1": [("09:00", "09:01")]})
    span = timedelta(hours=100)
    assert deadline(minute_a_week, MONDAY, span) == MONDAY + span


@pytest.mark.parametrize(
    ("state", "author", "waits", "after"),
    [
        ("open", "staff", True, "waiting"),
        ("open", "staff", False, "open"),
        ("waiting", "staff", False, "waiting"),
        ("waiting", "customer", False, "open"),
        ("waiting", "customer", True, "open"),
        ("waiting", "internal", False, "waiting"),
        ("resolved", "customer", False, "open"),
        ("resolved", "staff", True, "resolved"),
        ("resolved", "internal", False, "resolved"),
    ],
)
def test_where_a_message_leaves_a_ticket(state: Any, author: Any, waits: bool, after: str) -> None:
    assert state_after(state, author, waits=waits) == after


def test_sample_calendars_work_on_the_days_and_clock_of_their_channels() -> None:
    assert set(CALENDARS) == {channel.country for channel in CHANNELS}
    for channel in CHANNELS:
        calendar = CALENDARS[channel.country]
        assert calendar.zone == channel.zone
        assert sorted(map(int, calendar.working_hours)) == sorted(channel.working_week)
        assert {day.year for day in calendar.holidays} == {2026, 2027}


# --- Closing --------------------------------------------------------------------------------------

ALL = [stage.code for stage in STAGES]


def a_parcel(passed: list[int], **given: bool) -> ParcelState:
    flags = {
        "ended": False, "needs_vendor": True, "needs_install": True, "has_warranty": True,
        "collection": False,
    }  # fmt: skip
    return ParcelState(parcel=1, passed=passed, **(flags | given))


@pytest.mark.parametrize("missing", [code for code in ALL if code not in (1011, 1016, 1017)])
def test_the_first_missing_stage_is_named(missing: int) -> None:
    (words,) = unfinished([a_parcel([code for code in ALL if code != missing])])
    assert words.startswith(f"Parcel 1 waits for {missing} ")


def test_feedback_settlement_and_an_unseen_hub_keep_no_order_open() -> None:
    assert unfinished([a_parcel([c for c in ALL if c not in (1011, 1016, 1017)])]) == []


def test_what_does_not_apply_or_has_ended_is_not_waited_for() -> None:
    plain = [c for c in ALL if c not in (1004, 1014, 1015, 1017, 1018)]
    nothing_extra = {"needs_vendor": False, "needs_install": False, "has_warranty": False}
    assert unfinished([a_parcel([*plain, 1014, 1015], **nothing_extra)]) == []
    assert unfinished([a_parcel([1001], ended=True)]) == []


def test_the_window_is_over_at_its_end_and_at_once_when_nothing_is_left() -> None:
    living, ended = a_parcel(ALL), a_parcel([1001], ended=True)
    second = timedelta(seconds=1)
    assert not window_over([living], None, MONDAY)
    assert not window_over([living, ended], MONDAY + second, MONDAY)
    assert window_over([living, ended], MONDAY, MONDAY)
    assert window_over([ended], None, MONDAY)
    assert window_words(MONDAY + second, MONDAY) and not window_words(MONDAY, MONDAY)


@pytest.mark.parametrize(
    ("owner", "taker", "expected"),
    [
        ("dispatcher", "admin", ("admin", ["sales"])),
        ("dispatcher", None, ("dispatcher", ["sales"])),
        ("finance", "admin", ("finance", ["sales", "admin"])),
        ("finance", "sales", ("finance", ["sales"])),
        ("finance", None, ("finance", ["sales"])),
    ],
)
def test_money_stays_with_finance_and_who_would_have_taken_it_is_told(
    owner: str, taker: str | None, expected: tuple[str, list[str]]
) -> None:
    rule = EscalationRule(1, 60, "due", taker, ("sales",))
    assert handed_on(rule, owner) == expected
