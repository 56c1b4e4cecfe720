"""How a proof of delivery is weighed (A9): what keeps money hardly errs, the rest only asks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.geo import metres_between
from doorstep.modules.tms.rules import proofs
from doorstep.modules.tms.rules.proofs import (
    Copy,
    OwnThreshold,
    SeenPhoto,
    SeenPlace,
    SeenProof,
    check_proof,
    choose_thresholds,
    sort_codes,
)

LIMITS = {name: one.value for name, one in proofs.DEFAULT_THRESHOLDS.items()}
GOOD = SeenPhoto("parcel", sharpness=1.2, mean=130, p95=200)
HERE, THERE = UUID(int=1), UUID(int=2)


def verdict(photo: SeenPhoto = GOOD, **other: Any) -> str:
    return check_proof(SeenProof([photo], **other), LIMITS).verdict


def copy(bits: int, *, exact: bool = False, same_order: bool = False) -> tuple[Copy, ...]:
    return (Copy(exact, bits, same_order),)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "passed"),
        ({"sharpness": 0.29}, "look"),
        ({"sharpness": 0.1, "shows_own": True}, "passed"),
        ({"mean": 39}, "look"),
        ({"p95": 59}, "look"),
        ({"p95": 59, "shows_own": True}, "look"),
        ({"shows_other": True}, "failed"),
        ({"shows_other": True, "shows_own": True}, "passed"),
        ({"shows_other_serial": True}, "look"),
        ({"copies": copy(0, exact=True)}, "failed"),
        ({"copies": copy(6)}, "failed"),
        ({"copies": copy(7)}, "look"),
        ({"copies": copy(14)}, "look"),
        ({"copies": copy(15)}, "passed"),
        ({"copies": copy(0, exact=True), "shows_own": True}, "look"),
        ({"copies": copy(3), "shows_own": True}, "passed"),
        ({"copies": copy(0, exact=True, same_order=True)}, "look"),
        ({"copies": copy(3, same_order=True)}, "passed"),
    ],
)
def test_a_photo_is_weighed(change: dict[str, Any], expected: str) -> None:
    assert verdict(GOOD._replace(**change)) == expected


@pytest.mark.parametrize(
    ("place", "expected"),
    [(None, "passed"), (SeenPlace(150, 10), "passed"), (SeenPlace(151, 10), "look"),
     (SeenPlace(390, 200), "passed"), (SeenPlace(410, 200), "look"), (SeenPlace(0, 501), "look")],
)  # fmt: skip
def test_the_place_is_compared_as_exactly_as_it_is_known(
    place: SeenPlace | None, expected: str
) -> None:
    assert verdict(place=place) == expected


def test_a_signature_needs_two_strokes_or_a_long_one() -> None:
    dot = [[(0.0, 0.0, 0), (3.0, 3.0, 9)]]
    assert verdict(signature=dot) == "look"
    assert verdict(signature=[*dot, *dot]) == "passed"
    assert verdict(signature=[[(0.0, 0.0, 0), (150.0, 0.0, 9)]]) == "passed"


def test_a_wrong_code_fails_and_is_not_held_twice() -> None:
    found = check_proof(SeenProof([GOOD], code_reason="The code was wrong."), LIMITS)
    assert found[:3] == ("failed", ("The code was wrong.",), None)
    assert [one.code for one in found.findings] == ["wrong_code"]


copies = st.builds(Copy, st.booleans(), st.integers(0, 256), st.booleans())
photos = st.builds(
    SeenPhoto,
    slot=st.sampled_from(["parcel", "door"]),
    sharpness=st.floats(0, 9),
    mean=st.floats(0, 255),
    p95=st.integers(0, 255),
    shows_own=st.booleans(),
    shows_other=st.booleans(),
    shows_other_serial=st.booleans(),
    copies=st.lists(copies, max_size=3),
)
seen_proofs = st.builds(
    SeenProof,
    photos=st.lists(photos, max_size=3),
    place=st.none() | st.builds(SeenPlace, st.floats(0, 1e6), st.floats(0, 1e5)),
    code_reason=st.none() | st.just("The code was wrong."),
    signature=st.none(),
)


@given(seen_proofs)
def test_the_verdict_follows_from_its_reasons(seen: SeenProof) -> None:
    found = check_proof(seen, LIMITS)
    assert (found.verdict == "passed") == (not found.reasons)
    said = [one.words for one in found.findings if one.code != "wrong_code"]
    assert [one for one in found.reasons if one != seen.code_reason] == said
    assert found.verdict == "failed" or found.hold is None
    assert found.verdict != "failed" or found.hold or seen.code_reason
    assert check_proof(seen, LIMITS) == found


@given(seen_proofs, photos)
def test_one_more_photo_never_makes_a_verdict_milder(seen: SeenProof, more: SeenPhoto) -> None:
    order = ("passed", "look", "failed")
    before = check_proof(seen, LIMITS).verdict
    after = check_proof(seen._replace(photos=[*seen.photos, more]), LIMITS).verdict
    assert order.index(after) >= order.index(before)


@given(photos)
def test_quality_alone_never_keeps_money(photo: SeenPhoto) -> None:
    poor = photo._replace(copies=(), shows_other=False)
    assert check_proof(SeenProof([poor]), LIMITS).verdict != "failed"


def test_the_closest_threshold_holds() -> None:
    channel, other = UUID(int=7), UUID(int=8)
    own = [
        OwnThreshold("place_m", 200),
        OwnThreshold("place_m", 300, handed_to="other"),
        OwnThreshold("place_m", 400, channel_id=channel),
        OwnThreshold("place_m", 500, channel_id=channel, handed_to="other"),
        OwnThreshold("nobody_knows_this", 1),
    ]
    found = [
        choose_thresholds(own, channel_id=where, handed_to=who)["place_m"]
        for where in (other, channel)
        for who in ("customer", "other")
    ]
    assert found == [200, 300, 400, 500]
    assert choose_thresholds(own, channel_id=other, handed_to="customer").keys() == LIMITS.keys()


def test_every_threshold_names_its_source() -> None:
    assert all(len(one.source) > 10 for one in proofs.DEFAULT_THRESHOLDS.values())


def test_codes_are_sorted_by_whom_they_belong_to() -> None:
    known = [
        {"code": "A-1", "kind": "label", "fulfilment_id": HERE},
        {"code": "B-1", "kind": "label", "fulfilment_id": THERE},
        {"code": "SN", "kind": "serial", "fulfilment_id": THERE},
    ]
    assert sort_codes(["A-1", "B-1"], known, HERE) == (True, True, False)
    assert sort_codes(["SN", "4006381333931"], known, HERE) == (False, False, True)
    assert sort_codes([], known, HERE) == (False, False, False)


def test_metres_are_measured_along_the_ground() -> None:
    assert metres_between(25.08, 55.14, 25.08, 55.14) == 0
    assert metres_between(0, 0, 0, 1) == pytest.approx(111_195, rel=0.001)
    assert metres_between(25.08, 55.14, 25.1, 55.14) == pytest.approx(2_224, rel=0.001)
