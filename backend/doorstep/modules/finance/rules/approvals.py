"""Which orders approve themselves, and which wait for a person (SPEC P5, P8, O8).

Two questions about each order: may its goods be reserved for good (before 1003), and may its
payment let them go (before 1002). Both answers give all their reasons in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from doorstep.core.money import Money, exponent
from doorstep.modules.finance.rules.payments import REFUSED_DAYS, Terms, against_cod

Kind = Literal["reservation", "payment"]

Amount = Annotated[int, Meta(ge=0, le=10**13)]
Count = Annotated[int, Meta(ge=0, le=10_000)]


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a channel lets pass by itself. Amounts in the channel's minor units.

    The limit of paying at the door is the channel's own (`channel.cod_limit_minor`).
    """

    reservation_amount_minor: Amount
    """An order above it waits before its goods are reserved for good."""
    address_complete_above_minor: Amount
    """Above it the address must name the door: building, floor, flat, postcode as the country has it."""
    cancelled_allowed: Count
    """Orders that the customer cancelled within 90 days; one more waits."""
    refused_allowed: Count
    """Deliveries that the customer refused within 90 days; one more waits."""
    quantity_per_sku: Annotated[int, Meta(ge=1, le=10_000)]
    scarce_units: Count
    """A SKU with at most so many free units in the channel is scarce."""
    scarce_share_percent: Annotated[int, Meta(ge=0, le=100)]
    """Several units of a scarce SKU may be at most this share of what was free."""
    payment_amount_minor: Amount
    """A payment above it waits, however it is made."""
    first_order_amount_minor: Amount
    """The same for a customer who has not received any order yet."""
    phone_verified_above_minor: Amount
    """Above it the customer's phone number must be verified."""


class LineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A SKU of the order, with what it takes from the channel's free stock."""

    sku: str
    quantity: int
    taken: int
    free_left: int

    @property
    def free_before(self) -> int:
        """What was free in the channel before this order came."""
        return self.taken + self.free_left


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What an order is judged on. "Lately" is the last 90 days; other orders are this customer's."""

    currency: str
    total_minor: int
    at_door_minor: int
    """What is still to be paid at the door."""
    cod_limit_minor: int
    phone_verified: bool
    address_missing: tuple[str, ...]
    orders_before: int
    orders_completed: int
    cancelled_lately: int
    refused_lately: int
    refused_at_door_lately: int
    """Of the refused deliveries those that were to be paid at the door."""
    lines: tuple[LineFacts, ...]


class Judgement(msgspec.Struct, frozen=True):
    """Approved because of every reason, or waiting because of each of them."""

    approved: bool
    reasons: tuple[str, ...]


_LARGE = {
    "AED": 20_000, "QAR": 20_000, "SAR": 20_000, "INR": 450_000, "USD": 5_000, "EUR": 5_000,
    "KWD": 1_700, "BHD": 2_000, "OMR": 2_000, "JPY": 750_000,
}  # fmt: skip
"""Currency → whole units of an order that a person looks at where nobody has said otherwise."""


_ASKED_LATER = frozenset({"lift", "pin"})
"""What no shop asks for: the crew needs it, but it says nothing about whether the place is real."""


def default_policy(currency: str) -> Policy:
    """Make the policy of a channel that has set none.

    Raises: UnknownCurrency.
    """
    decimals = exponent(currency)
    large: int = _LARGE[currency] * 10**decimals
    return Policy(
        reservation_amount_minor=large * 3 // 2,
        address_complete_above_minor=large,
        cancelled_allowed=3,
        refused_allowed=2,
        quantity_per_sku=10,
        scarce_units=5,
        scarce_share_percent=50,
        payment_amount_minor=large,
        first_order_amount_minor=large * 3 // 4,
        phone_verified_above_minor=large * 3 // 4,
    )


def decide(kind: Kind, policy: Policy, facts: Facts) -> Judgement:
    """Judge an order's reservation (P5) or payment (P8)."""
    checks = _reservation if kind == "reservation" else _payment
    against: list[str] = []
    speaks_for: list[str] = []
    for good, words in checks(policy, facts):
        (speaks_for if good else against).append(words)
    return Judgement(not against, tuple(against or speaks_for))


def _reservation(policy: Policy, facts: Facts) -> Iterator[tuple[bool, str]]:
    yield _within("The order of", facts, policy.reservation_amount_minor)
    lacking = [part for part in facts.address_missing if part not in _ASKED_LATER]
    if facts.total_minor > policy.address_complete_above_minor and lacking:
        yield False, f"The address of an order this large lacks: {', '.join(lacking)}."
    yield (
        facts.cancelled_lately <= policy.cancelled_allowed,
        f"The customer cancelled {_orders(facts.cancelled_lately)} within the last"
        f" {REFUSED_DAYS} days; {policy.cancelled_allowed} may pass.",
    )
    yield (
        facts.refused_lately <= policy.refused_allowed,
        f"The customer refused {facts.refused_lately} deliveries within the last"
        f" {REFUSED_DAYS} days; {policy.refused_allowed} may pass.",
    )
    for line in facts.lines:
        yield (
            line.quantity <= policy.quantity_per_sku,
            f"{line.quantity} of {line.sku}; {policy.quantity_per_sku} of a SKU may pass.",
        )
        yield _share(policy, line)


def _share(policy: Policy, line: LineFacts) -> tuple[bool, str]:
    """A single piece is never too much: somebody has to buy the last one."""
    words = f"It takes {line.taken} of {line.free_before} free {line.sku}"
    if line.free_before > policy.scarce_units or line.taken <= 1:
        return True, f"{words}."
    allowed = policy.scarce_share_percent
    return (
        line.taken * 100 <= allowed * line.free_before,
        f"{words}, which is scarce; {allowed} % may pass.",
    )


def _payment(policy: Policy, facts: Facts) -> Iterator[tuple[bool, str]]:
    yield _within("The payment of", facts, policy.payment_amount_minor)
    if facts.orders_completed == 0:
        yield _within(
            "The customer has not received an order yet;", facts, policy.first_order_amount_minor
        )
    else:
        yield True, f"The customer has received {_orders(facts.orders_completed)}."
    if facts.total_minor > policy.phone_verified_above_minor:
        limit = Money(policy.phone_verified_above_minor, facts.currency)
        words = "is verified" if facts.phone_verified else "is not verified"
        yield facts.phone_verified, f"Above {limit} the phone number counts: it {words}."
    if facts.at_door_minor > 0:
        against = against_cod(facts.at_door_minor, _terms(facts))
        at_door = Money(facts.at_door_minor, facts.currency)
        yield not against, against or f"{at_door} may be paid at the door."
    else:
        yield True, "Nothing is left to be paid at the door."


def _terms(facts: Facts) -> Terms:
    return Terms(
        currency=facts.currency,
        total_minor=facts.total_minor,
        cod_limit_minor=facts.cod_limit_minor,
        phone_verified=facts.phone_verified,
        refused_lately=facts.refused_at_door_lately,
    )


def _within(what: str, facts: Facts, limit_minor: int) -> tuple[bool, str]:
    amount, limit = Money(facts.total_minor, facts.currency), Money(limit_minor, facts.currency)
    good = facts.total_minor <= limit_minor
    return good, f"{what} {amount} is {'within' if good else 'above'} {limit}."


def _orders(count: int) -> str:
    return f"{count} order" if count == 1 else f"{count} orders"
