"""Failpoints: nothing unless armed, never where a customer could be served."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest

from doorstep.core import clock, failpoints
from doorstep.core.failpoints import (
    STATUS,
    Armed,
    Crashed,
    FailpointsInProduction,
    UnreadableFailpoint,
    failpoint,
    observed,
    parse,
)
from doorstep.settings import Settings


def test_a_failpoint_does_nothing_and_costs_next_to_nothing_while_nothing_is_armed() -> None:
    began = time.perf_counter()
    for _ in range(100_000):
        failpoint("anywhere")
    each = (time.perf_counter() - began) / 100_000
    assert each < 2e-6, f"{each * 1e9:.0f} ns"


def test_a_crash_is_not_swallowed_by_code_that_catches_every_exception() -> None:
    with observed(Armed(parse("bank.*=crash@2"))), pytest.raises(Crashed, match=r"bank\.after_pay"):
        failpoint("bank.before_pay")
        failpoint("outbox.before_done")
        try:
            failpoint("bank.after_pay")
        except Exception:
            pytest.fail("A dead process does not go on.")
    failpoint("bank.after_pay")


def test_the_process_stands_still_for_as_long_as_it_is_told() -> None:
    began = time.perf_counter()
    with observed(Armed(parse("a=sleep:0.05"))):
        failpoint("a")
    assert time.perf_counter() - began >= 0.05


def test_a_process_ends_at_its_failpoint_without_a_last_word() -> None:
    code = (
        "from doorstep.core.failpoints import failpoint, start\n"
        "from doorstep.settings import Settings\n"
        "start(Settings(doorstep_failpoints='here=exit', cookie_secure=False))\n"
        "try:\n    failpoint('here')\nfinally:\n    print('a last word')\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == STATUS, ended.stderr
    assert b"a last word" not in ended.stdout


@pytest.mark.parametrize("words", ["a", "a=", "a=jump", "a=crash@x", "a=sleep:long", "a=sleep"])
def test_a_rule_that_cannot_be_read_stops_the_program(words: str) -> None:
    with pytest.raises(UnreadableFailpoint):
        parse(words)


@pytest.mark.parametrize(
    "given",
    [
        Settings(doorstep_failpoints="on"),
        Settings(doorstep_failpoints="on", cookie_secure=False, public_url="https://shop.example"),
        Settings(doorstep_failpoints="on", cookie_secure=False, public_url="http://10.0.0.7:8000"),
        Settings(doorstep_clock_skew=5.0, cookie_secure=False),
    ],
    ids=["secure cookies", "a public name", "another machine", "a skew alone"],
)
def test_nothing_is_armed_where_a_customer_could_be_served(given: Settings) -> None:
    with pytest.raises(FailpointsInProduction):
        failpoints.start(given)


def test_the_clock_is_wrong_only_for_this_process_and_not_for_the_database() -> None:
    given = Settings(doorstep_failpoints="on", doorstep_clock_skew=90, cookie_secure=False)
    try:
        failpoints.start(given)
        ahead = clock.now() - datetime.now(UTC)
        assert timedelta(seconds=89) < ahead < timedelta(seconds=91)
        assert clock.offset() == timedelta()
    finally:
        clock.set_skew(timedelta())
