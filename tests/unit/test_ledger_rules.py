"""Every posting balances, and together they end where the money is."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.ids import uuid7
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.rules.postings import Entry, Line, Origin, balanced

ORIGIN = Origin(currency="KWD", occurred_at=datetime(2026, 11, 23, tzinfo=UTC))
ID = uuid7()
amounts = st.integers(1, 10**14)


def balances(entries: Sequence[Entry]) -> dict[str, int]:
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        for line in entry.lines:
            sums[line.account] += line.debit_minor - line.credit_minor
    return {account: amount for account, amount in sums.items() if amount}


@given(amounts)
def test_every_posting_balances(amount: int) -> None:
    entries = [
        postings.captured(ID, amount, ORIGIN),
        postings.refunded(ID, "checkout", amount, ORIGIN),
        postings.refunded(ID, "cash", amount, ORIGIN),
        postings.tender_taken(ID, 1, amount, ORIGIN),
        postings.released(ID, 1, amount, ORIGIN, received=False),
        postings.released(ID, 4, amount, ORIGIN, received=True),
        postings.goods_received(ID, 1, amount, ORIGIN),
        postings.payout_paid(ID, amount, ORIGIN),
        postings.payout_reversed(ID, amount, ORIGIN),
    ]
    assert all(balanced(entry) for entry in entries)


@given(amounts, st.integers(0, 10**14))
def test_a_cash_count_balances_whatever_is_in_the_bag(expected: int, counted: int) -> None:
    assert balanced(postings.cash_counted(ID, expected, counted, ORIGIN))


def test_an_advance_becomes_a_cost_when_the_customer_has_the_goods() -> None:
    advance = postings.released(ID, 1, 200, ORIGIN, received=False)
    assert balances([advance]) == {"vendor_advance": 200, "vendor_payable": -200}
    paid = postings.payout_paid(ID, 200, ORIGIN)
    assert balances([advance, paid]) == {"vendor_advance": 200, "bank": -200}
    received = postings.goods_received(ID, 1, 200, ORIGIN)
    assert balances([advance, paid, received]) == {"cost_of_goods": 200, "bank": -200}


def test_what_the_bank_takes_back_is_owed_again() -> None:
    entries = [
        postings.released(ID, 4, 200, ORIGIN, received=True),
        postings.payout_paid(ID, 200, ORIGIN),
        postings.payout_reversed(ID, 200, ORIGIN),
    ]
    assert balances(entries) == {"cost_of_goods": 200, "vendor_payable": -200}


@pytest.mark.parametrize(("counted", "difference"), [(100, 0), (90, 10), (105, -5), (0, 100)])
def test_counted_cash_leaves_the_courier_with_nothing(counted: int, difference: int) -> None:
    entries = [
        postings.tender_taken(ID, 1, 100, ORIGIN),
        postings.cash_counted(ID, 100, counted, ORIGIN),
    ]
    wanted = {"customer_deposit": -100, "cash_desk": counted, "cash_difference": difference}
    assert balances(entries) == {account: amount for account, amount in wanted.items() if amount}


def test_extras_are_owed_until_they_are_paid_and_their_tax_is_the_states() -> None:
    agreed = postings.extras_agreed(ID, 200, 10, ORIGIN)
    free_of_tax = postings.extras_agreed(ID, 200, 0, ORIGIN)
    assert balanced(agreed) and balanced(free_of_tax)
    paid = [
        postings.extras_paid(ID, 1, "cash", 150, ORIGIN),
        postings.extras_paid(ID, 2, "upi", 60, ORIGIN),
    ]
    assert balances([agreed, *paid]) == {
        "extras_sales": -200, "sales_tax": -10, "courier_cash": 150, "terminal_clearing": 60
    }  # fmt: skip


def test_an_entry_with_an_empty_or_two_sided_line_does_not_balance() -> None:
    for lines in (
        (),
        (Line("bank", "AED", 0, 0),),
        (Line("bank", "AED", 5, 5),),
        (Line("bank", "AED", 5, 0), Line("vendor_payable", "KWD", 0, 5)),
    ):
        entry = Entry(key="k", memo="m", occurred_at=ORIGIN.occurred_at, lines=lines)
        assert not balanced(entry)
