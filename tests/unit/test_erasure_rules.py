"""What an erasure waits for, decided without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from doorstep.modules.privacy import rules

AT = datetime(2026, 11, 27, tzinfo=UTC)


def waits(*found: rules.WaitsFor, given_up: bool = False, age: int = 100, kept: int = 3650):
    return rules.waits(
        found,
        gives_up_warranty=given_up,
        last_order_at=AT - timedelta(days=age),
        retention_days=kept,
        at=AT,
    )


def test_where_nothing_is_open_nothing_is_waited_for() -> None:
    assert waits() == []


def test_everything_that_is_open_is_named_in_one_order() -> None:
    assert waits("work", "warranty", "order", "case", "money") == [*rules.WORDS]


def test_a_warranty_that_is_given_up_is_not_waited_for_and_nothing_else_is_given_up() -> None:
    assert waits("warranty", given_up=True) == []
    assert waits("warranty", "money", given_up=True) == ["money"]


@pytest.mark.parametrize(("age", "over"), [(29, False), (30, True), (31, True)])
def test_once_the_legal_time_is_over_nothing_is_waited_for(age: int, over: bool) -> None:
    assert (waits(*rules.WORDS, age=age, kept=30) == []) is over


def test_a_job_at_work_is_looked_at_soon_and_everything_else_later() -> None:
    assert rules.look_again(["work"], AT) == AT + rules.LOOK_SOON
    assert rules.look_again(["order", "work"], AT) == AT + rules.LOOK_AGAIN


def test_what_comes_after_an_erasure_is_looked_for_daily_until_nothing_comes_any_more() -> None:
    assert rules.swept_again(AT, AT) == AT + timedelta(days=1)
    assert rules.swept_again(AT - rules.SWEPT_FOR, AT) is None
