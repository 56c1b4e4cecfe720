"""Which orders approve themselves, and what they say (SPEC P5, P8)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.money import EXPONENTS, to_minor
from doorstep.modules.finance.rules.approvals import (
    Facts,
    Kind,
    LineFacts,
    Policy,
    decide,
    default_policy,
)
from doorstep.modules.finance.rules.payments import Line, Terms
from doorstep.modules.finance.rules.payments import decide as decide_money

POLICY = Policy(
    reservation_amount_minor=30_000_00, address_complete_above_minor=20_000_00,
    cancelled_allowed=3, refused_allowed=2, quantity_per_sku=10, scarce_units=5,
    scarce_share_percent=50, payment_amount_minor=20_000_00, first_order_amount_minor=15_000_00,
    phone_verified_above_minor=15_000_00,
)  # fmt: skip
ONE = LineFacts(sku="WM-7KG", quantity=1, taken=1, free_left=19)
ORDINARY = Facts(
    currency="AED", total_minor=1_300_00, at_door_minor=0, cod_limit_minor=5_000_00,
    phone_verified=False, address_missing=("pin",), orders_before=0, orders_completed=0,
    cancelled_lately=0, refused_lately=0, refused_at_door_lately=0, lines=(ONE,),
)  # fmt: skip
KNOWN = msgspec.structs.replace(ORDINARY, phone_verified=True, orders_before=4, orders_completed=3)
KINDS: tuple[Kind, ...] = ("reservation", "payment")


def but(facts: Facts, **changed: Any) -> Facts:
    return msgspec.structs.replace(facts, **changed)


def line(quantity: int, taken: int, free_left: int) -> dict[str, Any]:
    return {"lines": (LineFacts(sku="X", quantity=quantity, taken=taken, free_left=free_left),)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_ordinary_prepaid_order_approves_itself_and_says_why(kind: Kind) -> None:
    for facts in (ORDINARY, KNOWN):
        judgement = decide(kind, POLICY, facts)
        assert judgement.approved
        assert "1300.00 AED is within" in judgement.reasons[0]
        assert len(judgement.reasons) >= 3


@pytest.mark.parametrize(
    ("kind", "good", "bad", "word"),
    [
        ("reservation", {"total_minor": 30_000_00}, {"total_minor": 30_000_01}, "above 30000.00"),
        ("reservation", {"cancelled_lately": 3}, {"cancelled_lately": 4}, "cancelled 4 orders"),
        ("reservation", {"refused_lately": 2}, {"refused_lately": 3}, "refused 3 deliveries"),
        ("reservation", line(10, 10, 90), line(11, 11, 89), "11 of X; 10 of a SKU"),
        ("reservation", line(2, 2, 2), line(3, 3, 2), "takes 3 of 5 free X, which is scarce"),
        ("reservation", line(3, 3, 3), line(3, 3, 1), "takes 3 of 4 free X, which is scarce"),
        ("payment", {"total_minor": 20_000_00}, {"total_minor": 20_000_01}, "above 20000.00"),
        ("payment", {"at_door_minor": 5_000_00}, {"at_door_minor": 5_000_01}, "above the limit"),
        (
            "payment",
            {"refused_at_door_lately": 1},
            {"refused_at_door_lately": 1, "at_door_minor": 1},
            "refused to pay",
        ),
        (
            "payment",
            {"total_minor": 15_000_00, "phone_verified": False},
            {"total_minor": 15_000_01, "phone_verified": False},
            "not verified",
        ),
        (
            "payment",
            {"total_minor": 15_000_00, "orders_completed": 0},
            {"total_minor": 15_000_01, "orders_completed": 0},
            "has not received an order yet",
        ),
        (
            "payment",
            {"at_door_minor": 100, "phone_verified": True},
            {"at_door_minor": 100, "phone_verified": False},
            "phone number is not verified",
        ),
    ],
)
def test_each_threshold_lets_its_own_value_pass_and_the_next_one_wait(
    kind: Kind, good: dict[str, Any], bad: dict[str, Any], word: str
) -> None:
    facts = but(KNOWN, address_missing=())
    assert decide(kind, POLICY, but(facts, **good)).approved
    judgement = decide(kind, POLICY, but(facts, **bad))
    assert not judgement.approved
    assert [reason for reason in judgement.reasons if word in reason] == list(judgement.reasons)


def test_a_large_order_needs_a_whole_address_and_a_small_one_asks_for_it_later() -> None:
    large = but(KNOWN, total_minor=20_000_01, address_missing=("flat", "lift", "pin"))
    assert decide("reservation", POLICY, large).reasons == (
        "The address of an order this large lacks: flat.",
    )
    assert decide("reservation", POLICY, but(large, total_minor=20_000_00)).approved
    assert decide("reservation", POLICY, but(large, address_missing=("lift", "pin"))).approved


def test_somebody_must_be_able_to_buy_the_last_one() -> None:
    assert decide("reservation", POLICY, but(KNOWN, **line(1, 1, 0))).approved


def test_every_reason_against_is_told() -> None:
    bad = but(
        ORDINARY,
        total_minor=50_000_00,
        address_missing=("flat",),
        cancelled_lately=9,
        refused_lately=9,
        **line(11, 4, 0),
    )
    assert len(decide("reservation", POLICY, bad).reasons) == 6


def test_every_currency_has_a_default_that_a_washing_machine_passes() -> None:
    prices = {"AED": "1300", "QAR": "1300", "SAR": "1300", "INR": "32000", "USD": "350"}
    prices |= {"EUR": "330", "KWD": "108", "BHD": "132", "OMR": "135", "JPY": "52000"}
    assert prices.keys() == EXPONENTS.keys()
    for currency, price in prices.items():
        facts = but(ORDINARY, currency=currency, total_minor=to_minor(price, currency))
        for kind in KINDS:
            assert decide(kind, default_policy(currency), facts).approved, currency
        twenty = but(facts, total_minor=facts.total_minor * 25)
        assert not decide("payment", default_policy(currency), twenty).approved, currency


amounts = st.integers(0, 10**8)
few = st.integers(0, 30)
some_lines = st.lists(
    st.builds(LineFacts, sku=st.sampled_from("ABC"), quantity=few, taken=few, free_left=few),
    min_size=1,
    max_size=4,
)
some_facts = st.builds(
    Facts, currency=st.just("AED"), total_minor=amounts, at_door_minor=amounts,
    cod_limit_minor=amounts, phone_verified=st.booleans(),
    address_missing=st.sampled_from([(), ("flat",)]), orders_before=few, orders_completed=few,
    cancelled_lately=few, refused_lately=few, refused_at_door_lately=few,
    lines=some_lines.map(tuple),
)  # fmt: skip


@given(facts=some_facts, kind=st.sampled_from(KINDS))
def test_no_decision_is_silent(facts: Facts, kind: Kind) -> None:
    judgement = decide(kind, POLICY, facts)
    assert judgement.reasons
    assert all(reason.endswith(".") and len(reason) > 10 for reason in judgement.reasons)


@given(
    facts=some_facts,
    kind=st.sampled_from(KINDS),
    worse=st.sampled_from(
        ["cancelled_lately", "refused_lately", "refused_at_door_lately", "total_minor"]
    ),
)
def test_what_waits_never_passes_by_getting_worse(facts: Facts, kind: Kind, worse: str) -> None:
    more = but(facts, **{worse: getattr(facts, worse) + 1})
    assert decide(kind, POLICY, facts).approved or not decide(kind, POLICY, more).approved


@given(facts=some_facts)
def test_the_rule_of_paying_at_the_door_is_a_part_of_the_policy(facts: Facts) -> None:
    """What `payments.decide` lets wait for an approval waits here for the same reason."""
    terms = Terms(
        currency="AED", total_minor=facts.at_door_minor, cod_limit_minor=facts.cod_limit_minor,
        phone_verified=facts.phone_verified, refused_lately=facts.refused_at_door_lately,
    )  # fmt: skip
    money = decide_money(
        [Line(due="at_door", amount_minor=facts.at_door_minor, captured_minor=0)], terms
    )
    judgement = decide("payment", POLICY, facts)
    assert (money.state == "approval_waiting") <= (not judgement.approved)
    assert (money.state == "approval_waiting") == (money.reason in judgement.reasons)
