"""What is wrong with a phone, each rule at both sides of its edge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from doorstep.flows.phone_rules import Phone, loses_work, troubles

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OLDEST = "1.4.0"
AT_WORK: dict[str, Any] = {"work": "shift", "work_since": NOW - timedelta(days=30)}


def phone(**other: Any) -> Phone:
    return Phone(**(AT_WORK | {"heard_at": NOW, "app_version": "1.4.0"} | other))


def ago(**length: float) -> datetime:
    return NOW - timedelta(**length)


def names(**other: Any) -> list[str]:
    return [one.name for one in troubles(phone(**other), NOW, oldest_version=OLDEST)]


@pytest.mark.parametrize(
    ("well", "wrong", "name"),
    [
        ({"quarantined": 0}, {"quarantined": 1}, "quarantine"),
        ({"oldest_at": ago(hours=2)}, {"oldest_at": ago(hours=2) - SECOND}, "waiting"),
        ({"heard_at": ago(hours=4)}, {"heard_at": ago(hours=4) - SECOND}, "silent"),
        (
            {"heard_at": ago(days=9), "work": None},
            {"heard_at": ago(days=9)},
            "silent",
        ),
        ({"app_version": "1.4"}, {"app_version": "1.3.9"}, "old_version"),
        (
            {"storage_used": 80, "storage_quota": 100},
            {"storage_used": 81, "storage_quota": 100},
            "storage",
        ),
        ({"storage_used": 81, "storage_quota": None}, {"storage_used": 2, "storage_quota": 1}, "storage"),
        ({"clock_offset_ms": 300_000}, {"clock_offset_ms": 300_001}, "clock"),
        ({"clock_offset_ms": -300_000}, {"clock_offset_ms": -300_001}, "clock"),
        (
            {"places_unreadable_at": ago(hours=24)},
            {"places_unreadable_at": ago(hours=24) + SECOND},
            "places",
        ),
        ({"push_subscribed": None}, {"push_subscribed": False}, "push_off"),
        ({"push_subscribed": False, "work": None}, {"push_subscribed": False}, "push_off"),
        (
            {"push_subscribed": False, "work": "floor"},
            {"push_subscribed": False, "work": "visit"},
            "push_off",
        ),
        (
            {"push_subscribed": False, "work": "active"},
            {"push_subscribed": False, "work": "run"},
            "push_off",
        ),
        (
            {"heard_at": ago(hours=9), "work": "visit", "work_since": ago(hours=4)},
            {"heard_at": ago(hours=9), "work": "visit", "work_since": ago(hours=4) - SECOND},
            "silent",
        ),
        (
            {"heard_at": ago(days=1), "work": "run", "work_since": None},
            {"heard_at": ago(days=1), "work": "run", "work_since": ago(hours=5)},
            "silent",
        ),
        (
            {"heard_at": ago(hours=9), "work": "active", "work_since": None},
            {"heard_at": ago(hours=9), "work": "floor", "work_since": ago(hours=15)},
            "silent",
        ),
        (
            {"push_subscribed": True, "push_silent_since": ago(hours=24)},
            {"push_subscribed": True, "push_silent_since": ago(hours=24) - SECOND},
            "push_dead",
        ),
    ],
)  # fmt: skip
def test_a_phone_is_well_until_it_is_not(
    well: dict[str, Any], wrong: dict[str, Any], name: str
) -> None:
    assert names(**well) == []
    assert names(**wrong) == [name]


def test_what_endangers_work_comes_first_and_every_word_says_what_helps() -> None:
    found = troubles(
        phone(
            quarantined=2, entries=3, pictures=5, oldest_at=ago(days=4), heard_at=ago(days=3),
            app_version="1.0", storage_used=95, storage_quota=100, clock_offset_ms=-7_200_000,
            push_subscribed=True, push_silent_since=ago(days=2),
        ),
        NOW,
        oldest_version=OLDEST,
    )  # fmt: skip
    assert [one.name for one in found] == [
        "quarantine", "waiting", "silent", "old_version", "storage", "clock", "push_dead",
    ]  # fmt: skip
    assert all(one.remedy for one in found)
    words = {one.name: one.words for one in found}
    assert words["waiting"] == "3 capture(s) and 5 picture(s) wait(s) on it, the oldest for 4 days."
    assert words["silent"] == "Its shift is open and it was not heard for 3 days."
    assert words["clock"] == "Its clock is 2 h behind."
    assert words["storage"] == "95 % of its storage is used."
    assert "1.0" in words["old_version"] and OLDEST in words["old_version"]


def test_only_what_may_cost_work_is_a_problem() -> None:
    bad = phone(app_version="0.1", clock_offset_ms=10**9, heard_at=ago(days=3))
    assert loses_work(bad, NOW) == {}
    day = ago(hours=24)
    assert loses_work(phone(oldest_at=day, entries=1), NOW) == {}
    assert loses_work(phone(oldest_at=day - SECOND, entries=1), NOW) == {
        "captures_waiting": "1 capture(s) and 0 picture(s), the oldest for 24 h."
    }
    assert loses_work(phone(oldest_at=ago(days=9), entries=1, work=None), NOW) == {}
    assert loses_work(phone(oldest_at=ago(days=9), entries=1, work="active"), NOW) != {}
    assert loses_work(phone(quarantined=1, work=None), NOW).keys() == {"captures_quarantined"}
