"""Every detour at every place of the journey, and everybody who reports or settles it; no database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from doorstep.core.actor import ROLES, Actor, Source
from doorstep.core.ids import uuid7
from doorstep.journey.detour_rules import (
    decide_dating,
    decide_opening,
    decide_settling,
    is_ahead,
    settled_by_passing,
)
from doorstep.journey.detours import DETOURS, Detour, check
from doorstep.journey.rules import Cause, Evidence, Standing, Step, Verdict, decide
from doorstep.journey.stages import BY_CODE, STAGES, BadTable, Flags

FULL = Flags(needs_vendor=True, needs_install=True, has_warranty=True, collection=False)
CODES = [stage.code for stage in STAGES]


def standing(highest: int, *open_detours: str, ended: bool = False) -> Standing:
    passed = dict.fromkeys(code for code in CODES if code <= highest)
    return Standing(FULL, ended, frozenset(open_detours), passed, frozenset())


def somebody(role: str, source: Source = "system") -> Actor:
    return Actor(role=role, source=source, person_id=uuid7())


def reporter(detour: Detour, source: Source = "system") -> Actor:
    return somebody(min(detour.opened_by), source)


@pytest.mark.parametrize("detour", DETOURS, ids=lambda one: one.kind)
def test_it_opens_exactly_between_its_first_and_last_stage(detour: Detour) -> None:
    for highest in CODES:
        decision = decide_opening(standing(highest), detour, reporter(detour, "person"))
        if highest < detour.first:
            expected = (Verdict.REVIEW, Cause.EARLY)
        elif detour.until is not None and highest >= detour.until:
            expected = (Verdict.DUPLICATE, Cause.OVERTAKEN)
        else:
            expected = (Verdict.APPLIED, Cause.NONE)
        assert (decision.verdict, decision.cause) == expected, highest


@pytest.mark.parametrize("detour", DETOURS, ids=lambda one: one.kind)
def test_only_its_roles_report_and_settle_it(detour: Detour) -> None:
    for role in ROLES:
        opened = decide_opening(standing(detour.first), detour, somebody(role))
        assert (opened.verdict is Verdict.APPLIED) == (role in detour.opened_by), role
        settled = decide_settling(standing(detour.first, detour.kind), detour, somebody(role))
        assert (settled.verdict is Verdict.APPLIED) == (role in detour.settled_by), role


@pytest.mark.parametrize("detour", DETOURS, ids=lambda one: one.kind)
def test_only_its_roles_say_by_when_it_is_over_and_only_while_it_is_open(detour: Detour) -> None:
    for accepts, roles in ((False, detour.dated_by), (True, detour.accepted_by)):
        for role in ROLES:
            opened = standing(detour.first, detour.kind)
            decision = decide_dating(opened, detour, somebody(role), accepts=accepts)
            assert (decision.verdict is Verdict.APPLIED) == (role in roles), role
        for role in roles:
            over = decide_dating(standing(detour.first), detour, somebody(role), accepts=accepts)
            assert (over.verdict, over.cause) == (Verdict.DUPLICATE, Cause.DONE)


@pytest.mark.parametrize(
    ("days", "ahead"), [(-1, False), (0, False), (1, True), (366, True), (367, False)]
)
def test_a_date_lies_after_today_and_within_a_year(days: int, ahead: bool) -> None:
    today = date(2026, 11, 26)
    assert is_ahead(today + timedelta(days=days), today) is ahead


def test_what_customers_accept_or_cancel_is_short_stock_alone() -> None:
    assert [one.kind for one in DETOURS if "customer" in one.accepted_by] == ["short_stock"]


@pytest.mark.parametrize("detour", DETOURS, ids=lambda one: one.kind)
def test_a_report_of_what_is_open_or_has_ended_changes_nothing(detour: Detour) -> None:
    again = decide_opening(standing(detour.first, detour.kind), detour, reporter(detour))
    assert (again.verdict, again.cause) == (Verdict.DUPLICATE, Cause.DONE)
    over = decide_opening(standing(detour.first, ended=True), detour, reporter(detour))
    assert (over.verdict, over.cause) == (Verdict.REVIEW, Cause.ENDED)
    nothing = decide_settling(
        standing(detour.first), detour, somebody(min(detour.settled_by or ["system"]))
    )
    assert nothing.verdict in (Verdict.DUPLICATE, Verdict.REJECTED)


@pytest.mark.parametrize(
    "detour", [one for one in DETOURS if one.blocks_from], ids=lambda one: one.kind
)
def test_while_it_is_open_the_steps_behind_it_are_held_but_for_those_that_settle_it(
    detour: Detour,
) -> None:
    assert detour.blocks_from is not None
    for stage in STAGES:
        if stage.code <= detour.first:
            continue
        actor = Actor(role=min(stage.roles), source="phone", person_id=uuid7())
        step = Step(stage.code, actor, (Evidence(min(stage.evidence), "ref"),))
        before = standing(stage.code - 1, detour.kind)
        held = decide(before, step).verdict is Verdict.HELD
        assert held == (stage.code >= detour.blocks_from and stage.code not in detour.settled_at)


def test_a_carriers_report_implies_the_scans_before_it_and_never_our_own_steps() -> None:
    failed = next(one for one in DETOURS if one.kind == "delivery_failed")
    carrier = Actor.system("clickpost", source="carrier")
    decision = decide_opening(standing(1008), failed, carrier)
    assert [p.stage for p in decision.passings if p.how == "implied"] == [1009, 1010, 1012]
    # The hub is not waited for any more, as with a scan: heard later it changes nothing.
    assert [p.stage for p in decision.passings if p.how == "not_applicable"] == [1011]
    assert decide_opening(standing(1006), failed, carrier).verdict is Verdict.REVIEW


def test_two_phones_that_tell_different_stories_are_looked_at() -> None:
    failed = next(one for one in DETOURS if one.kind == "delivery_failed")
    late = decide_opening(standing(1013), failed, somebody("delivery", "phone"))
    assert (late.verdict, late.cause) == (Verdict.REVIEW, Cause.OVERTAKEN)
    by_carrier = decide_opening(
        standing(1012), failed, Actor.system("clickpost", source="carrier"), overtaken=True
    )
    assert (by_carrier.verdict, by_carrier.cause) == (Verdict.DUPLICATE, Cause.OVERTAKEN)


def test_passing_a_stage_settles_what_it_answers() -> None:
    open_ones = ["carrier_delayed", "pickup_missed", "dispute", "delivery_failed"]
    assert settled_by_passing(open_ones, [1009]) == ["pickup_missed"]
    assert settled_by_passing(open_ones, [1010, 1012]) == ["carrier_delayed", "delivery_failed"]
    later = ["carrier_delayed"]
    assert settled_by_passing(open_ones, [1012], told_later=later) == ["delivery_failed"]
    assert "carrier_delayed" in settled_by_passing(open_ones, [1013], told_later=later)


def test_what_the_carrier_tells_of_the_road_holds_only_the_tranches_behind_it() -> None:
    """V1 to V3 are earned before the road: heard before or after, they end the same (IQ4)."""
    told = [one for one in DETOURS if one.department == "Transport" and one.holds_from]
    assert {(one.kind, one.holds_from) for one in told} == {
        ("carrier_lost", 4), ("carrier_damaged", 4), ("return_to_origin", 4),
    }  # fmt: skip


def test_every_detour_of_the_specification_is_a_row() -> None:
    """SPEC J readings, "Detours", read word by word."""
    assert {one.kind for one in DETOURS} >= {
        "payment_pending", "payment_failed", "payment_expired", "approval_waiting", "short_stock",
        "vendor_silent", "vendor_declined", "vendor_partial", "qc_mismatch", "pickup_missed",
        "carrier_delayed", "carrier_lost", "carrier_damaged", "delivery_failed", "wrong_goods",
        "serial_differs", "hidden_damage", "dead_on_arrival", "part_missing", "installation_failed",
        "cancelled", "cancelled_after_dispatch", "returned", "returned_part", "dispute",
    }  # fmt: skip
    reasons = {one.kind: one.reasons for one in DETOURS}
    assert len(reasons["delivery_failed"]) == 7 and len(reasons["installation_failed"]) == 6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": 1099}, "names a stage"),
        ({"opened_by": frozenset()}, "names no role"),
        ({"opened_by": frozenset({"pilot"})}, "names no role"),
        ({"restarts": 1012, "blocks_from": 1012}, "more than one effect"),
        ({"ends_as": "gone"}, "is no end"),
        ({"settled_by": frozenset(), "settled_at": frozenset()}, "nothing settles"),
        ({"until": 1001}, "can never open"),
        ({"holds_from": 7}, "tranche"),
    ],
)
def test_a_row_that_contradicts_itself_stops_the_program(change: dict, words: str) -> None:
    rows = list(DETOURS)
    rows[0] = rows[0]._replace(**change)
    with pytest.raises(BadTable, match=words):
        check(tuple(rows))


def test_the_stages_that_it_names_are_stages() -> None:
    assert all(one.first in BY_CODE for one in DETOURS)
