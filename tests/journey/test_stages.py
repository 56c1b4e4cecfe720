"""The table of stages and the decisions made by it, without a database."""

from __future__ import annotations

import pytest

from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.journey.rules import (
    Cause,
    Evidence,
    Passing,
    Standing,
    Step,
    Verdict,
    decide,
    is_unseen,
    missing_before,
    next_not_applicable,
    standing_at,
)
from doorstep.journey.stages import BY_CODE, STAGES, BadTable, Flags, check

FULL = Flags(needs_vendor=True, needs_install=True, has_warranty=True, collection=False)
PLAIN = Flags(needs_vendor=False, needs_install=False, has_warranty=False, collection=False)


def standing(*passed: int, flags: Flags = FULL) -> Standing:
    return Standing(flags, False, frozenset(), dict.fromkeys(passed), frozenset())


def step(code: int, source: str = "phone", kind: str = "", role: str = "") -> Step:
    stage = BY_CODE[code]
    actor = Actor(role=role or min(stage.roles), source=source, person_id=uuid7())  # type: ignore[arg-type]
    return Step(code, actor, (Evidence(kind or min(stage.evidence), "ref"),))


def test_the_table_is_the_one_of_the_specification() -> None:
    assert [(s.code, s.progress) for s in STAGES] == list(
        zip(
            range(1001, 1019),
            [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 70, 75, 85, 90, 95, 100],
            strict=True,
        )
    )
    assert [s.milestone for s in STAGES if s.milestone] == [f"T{n}" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"progress": 10}, "does not raise"),
        ({"after": (1099,)}, "waits for a stage"),
        ({"after": ()}, "cannot be reached"),
        ({"roles": frozenset()}, "no role"),
        ({"optional": 1099}, "which no row has"),
    ],
)
def test_a_table_that_contradicts_itself_stops_the_program(change: dict, words: str) -> None:
    broken = list(STAGES)
    broken[5] = broken[5]._replace(**change)
    with pytest.raises(BadTable, match=words):
        check(tuple(broken))


@pytest.mark.parametrize("stage", STAGES[1:], ids=lambda s: str(s.code))
def test_every_stage_in_its_turn_applies_and_too_early_is_held(stage) -> None:
    before = missing_before(stage, ())
    in_turn = decide(standing(*before), step(stage.code))
    assert in_turn.verdict is Verdict.APPLIED
    assert in_turn.passings[-1] == Passing(stage.code, "done")
    early = decide(standing(), step(stage.code, "person"))
    assert (early.verdict, early.cause) == (Verdict.HELD, Cause.EARLY)
    assert "1001" in early.reason


def test_a_carriers_later_event_implies_the_missing_transport_scans() -> None:
    until_awb = range(1001, 1009)
    decision = decide(standing(*until_awb), step(1013, "carrier", "carrier_event", "system"))
    assert decision.passings == (
        Passing(1009, "implied"),
        Passing(1010, "implied"),
        Passing(1012, "implied"),
        Passing(1011, "not_applicable"),
        Passing(1013, "done"),
    )


def test_our_own_steps_are_never_implied() -> None:
    decision = decide(
        standing(*range(1001, 1006)), step(1013, "carrier", "carrier_event", "system")
    )
    assert decision.verdict is Verdict.HELD
    assert "1006" in decision.reason


def test_an_accepted_run_without_a_hub_scan_leaves_the_hub_out() -> None:
    decision = decide(standing(*range(1001, 1011)), step(1012, "phone", "run", "delivery"))
    assert decision.passings == (Passing(1011, "not_applicable"), Passing(1012, "done"))


def test_a_stage_of_another_role_or_without_proof_is_rejected() -> None:
    wrong_role = decide(standing(*range(1001, 1005)), step(1005, role="courier"))
    assert (wrong_role.verdict, wrong_role.cause) == (Verdict.REJECTED, Cause.ROLE)
    no_proof = decide(standing(*range(1001, 1005)), step(1005, kind="photo"))
    assert (no_proof.verdict, no_proof.cause) == (Verdict.REJECTED, Cause.EVIDENCE)


def test_the_second_phone_gets_review_and_the_same_person_a_duplicate() -> None:
    first = step(1005)
    where = Standing(FULL, False, frozenset(), {1005: first.actor.person_id}, frozenset())
    assert decide(where, first).verdict is Verdict.DUPLICATE
    assert decide(where, step(1005)).verdict is Verdict.REVIEW
    assert decide(where, step(1005, "scan")).verdict is Verdict.DUPLICATE
    assert decide(where, step(1005, "person")).cause is Cause.DONE


def test_the_real_scan_of_an_implied_stage_is_kept_as_evidence() -> None:
    where = Standing(FULL, False, frozenset(), {1009: None}, frozenset({1009}))
    assert decide(where, step(1009)).verdict is Verdict.DUPLICATE


def test_what_was_implied_or_thought_to_be_skipped_is_yet_to_be_seen() -> None:
    assert is_unseen(1010, "implied", FULL)
    assert is_unseen(1011, "not_applicable", FULL), (
        "no hub was scanned, and there may have been one"
    )
    counter = Flags(needs_vendor=False, needs_install=False, has_warranty=True, collection=True)
    assert not is_unseen(1011, "not_applicable", counter), "nothing goes by a hub"
    assert not is_unseen(1017, "not_applicable", PLAIN), "there is nobody to pay"
    assert not is_unseen(1010, "done", FULL)


def test_a_blocking_detour_holds_and_an_end_asks_for_review() -> None:
    blocked = standing(*range(1001, 1005))._replace(open_detours=frozenset({"short_stock"}))
    assert decide(blocked, step(1005)).verdict is Verdict.HELD
    ended = standing(*range(1001, 1005))._replace(ended=True)
    assert decide(ended, step(1005)).verdict is Verdict.REVIEW


def test_own_goods_without_installation_skip_what_does_not_apply() -> None:
    passed = set(range(1001, 1004))
    assert next_not_applicable(PLAIN, passed) == 1004
    passed |= set(range(1004, 1014))
    assert next_not_applicable(PLAIN, passed) == 1014
    assert next_not_applicable(PLAIN, passed | {1014, 1015}) == 1017
    assert next_not_applicable(PLAIN, passed | {1014, 1015, 1017}) == 1018


def test_a_counter_collection_has_no_transport() -> None:
    counter = Flags(needs_vendor=False, needs_install=False, has_warranty=True, collection=True)
    passed = set(range(1001, 1008))
    for code in range(1008, 1013):
        assert next_not_applicable(counter, passed) == code
        passed.add(code)
    assert next_not_applicable(counter, passed) is None


def test_the_percentage_is_that_of_the_unbroken_row() -> None:
    everything = set(range(1001, 1019))
    assert standing_at(everything) == (1018, 100)
    assert standing_at(everything - {1016}) == (1015, 85)
    assert standing_at(()) == (0, 0)
