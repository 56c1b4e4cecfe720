"""Money: minor units by currency, and shares that add up to the last of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.core.money import NotAMinorUnit, UnknownCurrency, format_minor, split, to_minor
from doorstep.modules.finance.rules.tranches import PERCENTAGES, amounts

amounts_of_money = st.integers(0, 10**14)


@pytest.mark.parametrize(
    ("total", "currency", "parts"),
    [
        ("1000.01", "AED", "200.01 200.00 200.00 200.00 100.00 100.00"),
        ("333.333", "KWD", "66.667 66.667 66.667 66.666 33.333 33.333"),
        ("0.07", "AED", "0.02 0.01 0.01 0.01 0.01 0.01"),
        ("0.00", "AED", "0.00 0.00 0.00 0.00 0.00 0.00"),
    ],
)
def test_a_purchase_order_is_split_to_the_minor_unit(total: str, currency: str, parts: str) -> None:
    shares = amounts(to_minor(total, currency), PERCENTAGES)
    assert " ".join(format_minor(share, currency) for share in shares) == parts


@given(amounts_of_money, st.lists(st.integers(0, 100), min_size=1, max_size=9).filter(any))
def test_shares_always_add_up_and_none_is_off_by_a_whole_unit(
    total: int, weights: list[int]
) -> None:
    shares = split(total, weights)
    assert sum(shares) == total
    assert all(
        abs(share * sum(weights) - total * weight) < sum(weights)
        for share, weight in zip(shares, weights, strict=True)
    )


@given(amounts_of_money, st.sampled_from(["AED", "KWD", "JPY", "INR"]))
def test_an_amount_that_is_written_and_read_again_is_the_same(minor: int, currency: str) -> None:
    assert to_minor(format_minor(minor, currency), currency) == minor


def test_nothing_is_rounded_away_in_silence() -> None:
    with pytest.raises(NotAMinorUnit):
        to_minor(Decimal("1.001"), "AED")
    with pytest.raises(UnknownCurrency):
        to_minor("1", "ZZZ")
