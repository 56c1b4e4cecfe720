"""Money: whole minor units with a currency and its exponent. Never a float."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from doorstep.core.errors import Invalid

EXPONENTS = {
    "AED": 2,
    "QAR": 2,
    "INR": 2,
    "SAR": 2,
    "USD": 2,
    "EUR": 2,
    "KWD": 3,
    "BHD": 3,
    "OMR": 3,
    "JPY": 0,
}
"""Decimals of each currency we deal in (ISO 4217)."""


class UnknownCurrency(Invalid):
    title = "This currency is not one that Doorstep deals in."


class NotAMinorUnit(Invalid):
    title = "The amount is finer than the currency's smallest unit."


class Money(NamedTuple):
    """An amount in minor units (fils, paise) of a currency."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return f"{format_minor(self.minor, self.currency)} {self.currency}"


def exponent(currency: str) -> int:
    """Tell how many decimals a currency has.

    Raises: UnknownCurrency.
    """
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise UnknownCurrency(f"{currency!r} is not known.", currency=currency) from None


def to_minor(amount: Decimal | str, currency: str) -> int:
    """Turn `1000.01` AED into 100001.

    Raises: NotAMinorUnit for a finer fraction, UnknownCurrency.
    """
    scaled = Decimal(amount).scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        raise NotAMinorUnit(f"{amount} {currency}", amount=str(amount), currency=currency)
    return int(scaled)


def round_to_minor(amount: Decimal | str, currency: str) -> int:
    """Turn a shop's four-decimal figure into minor units, halves to even.

    For derived figures such as a tax share; amounts that are owed go through `to_minor`.
    """
    return int(Decimal(amount).scaleb(exponent(currency)).to_integral_value())


def format_minor(minor: int, currency: str) -> str:
    """Write 100001 AED as `1000.01`, with exactly the currency's decimals."""
    decimals = exponent(currency)
    return f"{Decimal(minor).scaleb(-decimals):.{decimals}f}"


def split(total_minor: int, weights: Sequence[int]) -> list[int]:
    """Share an amount by weights so that the parts add to it to the minor unit.

    Largest remainder; ties go to the lowest number (SPEC V readings): 0.07 by 20/20/20/20/10/10
    is .02 .01 .01 .01 .01 .01.
    """
    whole = sum(weights)
    parts = [total_minor * weight // whole for weight in weights]
    remainders = [total_minor * weight % whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-remainders[i], i))
    for i in by_remainder[: total_minor - sum(parts)]:
        parts[i] += 1
    return parts
