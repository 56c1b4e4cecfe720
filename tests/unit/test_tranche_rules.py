"""When a tranche is released, and what it says while it waits (SPEC V)."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.modules.finance.rules import payouts
from doorstep.modules.finance.rules.payments import Line, Terms, Told, spread_refund
from doorstep.modules.finance.rules.payments import decide as decide_payment
from doorstep.modules.finance.rules.tranches import (
    Facts,
    amounts,
    decide,
    for_gone,
    settled,
    withheld,
)

NOTHING_YET = Facts(
    po_state="sent", currency="AED", price_minor=200_00, captured_minor=0, living=1, dispatched=0,
    delivered=0, verified=0, installable=1, installed=0, approved=0, warranted=1, registered=0,
)  # fmt: skip
ALL_DONE = Facts(
    po_state="accepted", currency="AED", price_minor=200_00, captured_minor=200_00, living=1,
    dispatched=1, delivered=1, verified=1, installable=1, installed=1, approved=1, warranted=1,
    registered=1,
)  # fmt: skip


def but(facts: Facts, **changed: Any) -> Facts:
    return msgspec.structs.replace(facts, **changed)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1, "Waits for the whole customer price: 200.00 AED is not captured yet."),
        (2, "Waits for the vendor to accept the purchase order."),
        (3, "Waits for the courier's pickup scan."),
        (4, "Waits for the delivery."),
        (5, "Waits for the installation."),
        (6, "Waits for the warranty to be registered."),
    ],
)
def test_each_tranche_says_what_it_waits_for(number: int, reason: str) -> None:
    decision = decide(number, NOTHING_YET)
    assert (decision.state, decision.reason) == ("waiting", reason)


@pytest.mark.parametrize("number", range(1, 7))
def test_with_everything_done_each_tranche_is_released(number: int) -> None:
    assert decide(number, ALL_DONE).state == "released"


CONDITIONS = {
    1: {"captured_minor": 199_99},
    2: {"po_state": "sent"},
    3: {"dispatched": 0},
    4: {"verified": 0},
    5: {"approved": 0},
    6: {"registered": 0},
}


@pytest.mark.parametrize("missing", range(1, 7))
def test_a_missing_fact_stops_its_own_tranche_alone(missing: int) -> None:
    facts = but(ALL_DONE, **CONDITIONS[missing])
    states = {number: decide(number, facts).state for number in range(1, 7)}
    assert states.pop(missing) == "waiting"
    assert set(states.values()) == ({"eligible"} if missing == 2 else {"released"})


def test_without_acceptance_a_met_condition_is_only_eligible() -> None:
    decision = decide(1, but(NOTHING_YET, captured_minor=200_00))
    assert decision.state == "eligible"
    assert decision.reason == "Waits for the vendor to accept the purchase order."


@pytest.mark.parametrize("po_state", ["declined", "cancelled"])
@pytest.mark.parametrize("number", range(1, 7))
def test_nothing_is_paid_on_a_declined_or_cancelled_purchase_order(
    number: int, po_state: str
) -> None:
    assert decide(number, but(ALL_DONE, po_state=po_state)).state == "held"


@pytest.mark.parametrize("number", [5, 6])
def test_without_installation_or_warranty_the_part_falls_due_with_the_delivery(number: int) -> None:
    plain = but(ALL_DONE, installable=0, installed=0, approved=0, warranted=0, registered=0)
    assert decide(number, plain).state == "released"
    assert "Falls due with the delivery" in decide(number, plain).reason
    assert decide(number, but(plain, verified=0)).state == "waiting"


def test_of_a_split_purchase_order_every_parcel_must_have_the_fact() -> None:
    two = but(ALL_DONE, living=2, dispatched=1, delivered=1, verified=1)
    assert decide(3, two).reason == "Waits for the courier's pickup scan (1 of 2 parcels)."
    assert decide(4, two).state == "waiting"
    assert not two.received
    assert decide(5, two).state == "released"  # one of the two is to be installed, and it is


def test_an_open_detour_holds_its_tranches_and_an_ended_delivery_all() -> None:
    dispute = decide(3, but(ALL_DONE, holding={"dispute": 1}))
    assert (dispute.state, dispute.reason) == ("held", "Held while this is open: dispute.")
    serial = but(ALL_DONE, holding={"serial_differs": 4})
    assert [decide(n, serial).state for n in range(1, 7)] == ["released"] * 3 + ["held"] * 3
    part = decide(3, but(ALL_DONE, living=1, ended_as=("returned",)))
    assert part.state == "held"
    ended = decide(3, but(ALL_DONE, living=0, ended_as=("returned",)))
    assert ended.state == "held" and "returned" in ended.reason


def test_goods_that_came_back_hold_everything_until_a_person_decides() -> None:
    back = but(ALL_DONE, came_back=True)
    assert {decide(n, back).state for n in range(1, 7)} == {"held"}
    assert "come back" in decide(1, back).reason
    decided = but(back, rest_decided=True)
    assert {decide(n, decided).state for n in range(1, 7)} == {"released"}


@given(st.integers(0, 10**9), st.data())
def test_what_is_claimed_grows_with_what_is_released_up_to_what_came_back(
    total: int, data: st.DataObject
) -> None:
    back = data.draw(st.integers(0, total))
    less, more = sorted(data.draw(st.tuples(st.integers(0, total), st.integers(0, total))))
    assert 0 <= for_gone(less, total, back) <= for_gone(more, total, back) <= min(more, back)
    assert for_gone(total, total, back) == back


@given(st.integers(1, 10**9), st.permutations(range(6)), st.data())
def test_whatever_is_gone_when_the_vendor_has_in_the_end_what_the_rest_costs(
    total: int, turns: list[int], data: st.DataObject
) -> None:
    """Releases in any order, goods that go at any moment between them."""
    percentages = data.draw(st.sampled_from([(20, 20, 20, 20, 10, 10), (1, 0, 33, 33, 32, 1)]))
    shares = amounts(total, percentages)
    lost = sorted(data.draw(st.lists(st.integers(0, total), min_size=6, max_size=6)))
    released = paid = kept = claimed = 0
    for turn, gone in zip(turns, lost, strict=True):
        owed = for_gone(released, total, gone) - kept
        assert claimed <= owed <= paid, "a claim only grows, and never beyond what is paid"
        claimed = owed
        mine = withheld(shares[turn], released, total, gone)
        assert 0 <= mine <= shares[turn]
        assert abs(mine * total - shares[turn] * gone) < total, "its part, to the minor unit"
        released, paid, kept = released + shares[turn], paid + shares[turn] - mine, kept + mine
        assert for_gone(released, total, gone) == kept + claimed
    assert paid - claimed == total - lost[-1]


def test_a_wrong_handover_code_holds_what_is_paid_for_the_delivery() -> None:
    wrong = but(ALL_DONE, pod_holds=("the handover code was wrong",))
    assert [decide(n, wrong).state for n in range(1, 7)].count("held") == 1
    assert decide(4, wrong).state == "held"
    assert decide(6, but(wrong, warranted=0, registered=0)).state == "held"


def test_v6_does_not_keep_1017_open() -> None:
    assert settled([1, 2, 3, 4, 5]) and settled([1, 2, 3, 4, 5, 6])
    assert not settled([1, 2, 3, 4, 6])


# --- The customer's payment -----------------------------------------------------------------------

TERMS = Terms(
    currency="AED", total_minor=100_00, cod_limit_minor=500_00, phone_verified=True, refused_lately=0
)  # fmt: skip


def paid(**changed: Any) -> Line:
    return Line(**{"due": "now", "amount_minor": 100_00, "captured_minor": 100_00} | changed)


@pytest.mark.parametrize(
    ("line", "terms", "state"),
    [
        (paid(), {}, "verified"),
        (paid(captured_minor=0), {}, "waiting"),
        (paid(captured_minor=0, failed=True), {}, "failed"),
        (paid(captured_minor=99_99), {}, "held"),
        (paid(over_minor=1), {}, "held"),
        (paid(), {"total_minor": 100_01}, "held"),
        (paid(due="at_door", captured_minor=0), {}, "verified"),
        (paid(due="at_door", captured_minor=0), {"cod_limit_minor": 99_99}, "approval_waiting"),
        (paid(due="at_door", captured_minor=0), {"phone_verified": False}, "approval_waiting"),
        (paid(due="at_door", captured_minor=0), {"refused_lately": 1}, "approval_waiting"),
        (
            paid(due="at_door", captured_minor=0),
            {"phone_verified": False, "approved": True},
            "verified",
        ),
        (paid(captured_minor=0), {"approved": True}, "waiting"),
    ],
)
def test_goods_go_when_what_is_due_now_is_captured_and_the_rest_is_good_for_cod(
    line: Line, terms: dict[str, Any], state: str
) -> None:
    assert decide_payment([line], msgspec.structs.replace(TERMS, **terms)).state == state


@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 500), st.integers(0, 200)),
        min_size=1, max_size=4,
    ),
    st.data(),
)  # fmt: skip
def test_a_refund_is_taken_whole_from_what_is_too_much_first(
    lines: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    said = {
        UUID(int=n): Told(amount_minor=asked, gateway_minor=taken, refunded_minor=back)
        for n, (asked, taken, back) in enumerate(lines)
    }
    amount = data.draw(st.integers(0, sum(told.kept_minor for told in said.values())))
    shares = spread_refund(said, amount)
    assert sum(shares.values()) == amount
    assert all(0 < share <= said[n].kept_minor for n, share in shares.items())
    over = sum(told.over_minor for told in said.values())
    from_over = sum(min(share, said[n].over_minor) for n, share in shares.items())
    assert from_over == min(amount, over)


def test_shop_and_gateway_tell_of_the_same_money() -> None:
    both = Told(amount_minor=100, shop_minor=100, gateway_minor=100)
    assert (both.captured_minor, both.over_minor, both.state) == (100, 0, "captured")
    twice = Told(amount_minor=100, gateway_minor=200)
    assert (twice.captured_minor, twice.over_minor) == (100, 100)
    assert Told(amount_minor=100, gateway_minor=200, refunded_minor=100).over_minor == 0
    assert Told(amount_minor=100, last_word="authorised").captured_minor == 0


# --- The bank's words -----------------------------------------------------------------------------


def heard(words: tuple[tuple[str, str], ...]) -> str:
    state: Any = "sending"
    for said, raw in words:
        state = payouts.next_state(state, said, raw)
    return str(state)


@pytest.mark.parametrize(
    ("words", "ends"),
    [
        ((("processing", ""), ("paid", "processed")), "paid"),
        ((("processing", ""), ("failed", "failed")), "failed"),
        ((("paid", "processed"), ("failed", "reversed")), "reversed"),
        ((("paid", "processed"), ("failed", "reversed"), ("processing", "")), "reversed"),
        ((("failed", "failed"), ("failed", "reversed"), ("paid", "processed")), "reversed"),
    ],
)
def test_every_order_of_the_banks_words_ends_the_same(
    words: tuple[tuple[str, str], ...], ends: str
) -> None:
    assert {heard(order) for order in permutations(words * 2)} == {ends}


def test_no_answer_is_unknown_and_a_later_one_counts() -> None:
    assert payouts.next_state("sending", "unknown") == "unknown"
    assert payouts.next_state("unknown", "processing") == "sending"
    assert payouts.next_state("paid", "unknown") == "paid"


def test_a_changed_account_cools_before_money_goes_to_it() -> None:
    moment = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert payouts.not_before(moment, None) == moment
    changed = moment - timedelta(hours=1)
    assert payouts.not_before(moment, changed) == changed + payouts.COOLING
