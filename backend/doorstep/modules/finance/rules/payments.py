"""When an order's payment lets its goods go (SPEC J1002, O2 and the reading "Payment lines").

Authorised is not paid. The shop's own record and the gateway's events tell of the same money and
are counted once: the larger of the two, never their sum.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from doorstep.core.money import Money

LineState = Literal["pending", "authorised", "captured", "failed"]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was said about one payment line, as sums; their order has left no trace."""

    amount_minor: int
    shop_minor: int = 0
    gateway_minor: int = 0
    """Captured by the gateway, or counted in cash."""
    refunded_minor: int = 0
    last_word: str = ""
    """The latest of `authorised`, `failed` and `hold` by the provider's clock, or empty."""

    @property
    def counted_minor(self) -> int:
        """The money that was taken, counted once."""
        return max(self.shop_minor, self.gateway_minor)

    @property
    def kept_minor(self) -> int:
        """What of the money that was taken we have now."""
        return max(0, self.counted_minor - self.refunded_minor)

    @property
    def over_minor(self) -> int:
        return max(0, self.kept_minor - self.amount_minor)

    @property
    def captured_minor(self) -> int:
        """What of the line's amount we have now."""
        return min(self.kept_minor, self.amount_minor)

    @property
    def state(self) -> LineState:
        if self.counted_minor > 0:
            return "captured"
        return {"authorised": "authorised", "failed": "failed"}.get(self.last_word, "pending")  # type: ignore[return-value]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A payment line as the decision needs it."""

    due: Literal["now", "at_door"]
    amount_minor: int
    captured_minor: int
    over_minor: int = 0
    failed: bool = False


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the channel and the customer's history say about paying at the door."""

    currency: str
    total_minor: int
    cod_limit_minor: int
    phone_verified: bool
    refused_lately: int
    """Refused deliveries of goods to be paid at the door, in the last 90 days."""
    approved: bool = False
    """A person has let this order go on."""
    credited_minor: int = 0
    """What the order costs less since: it is asked for no more, and may have been given back."""


class PaymentDecision(msgspec.Struct, frozen=True):
    """`verified` passes 1002; `waiting` needs nobody; the others open a problem."""

    state: Literal["verified", "waiting", "failed", "held", "approval_waiting"]
    reason: str


REFUSED_DAYS = 90


def decide(lines: Sequence[Line], terms: Terms) -> PaymentDecision:
    """Judge the payment of an order: all that is due now captured, the rest good for COD."""
    odd = _odd(lines, terms)
    if odd:
        return PaymentDecision("held", odd)
    open_now = [line for line in lines if line.due == "now" and _open(line)]
    owed_now = _owed_now(lines, terms)
    if owed_now:
        owed = Money(owed_now, terms.currency)
        if any(line.failed for line in open_now):
            return PaymentDecision("failed", f"The payment of {owed} failed.")
        return PaymentDecision("waiting", f"Waits for {owed} to be captured.")
    at_door = sum(_open(line) for line in lines if line.due == "at_door")
    against = against_cod(at_door, terms)
    if against and not terms.approved:
        return PaymentDecision("approval_waiting", against)
    return PaymentDecision("verified", "What is due now is captured.")


def _odd(lines: Sequence[Line], terms: Terms) -> str:
    asked = sum(line.amount_minor for line in lines)
    if asked != terms.total_minor:
        return (
            f"The payment lines ask for {Money(asked, terms.currency)}, "
            f"the order is {Money(terms.total_minor, terms.currency)}."
        )
    over = sum(line.over_minor for line in lines)
    if over:
        return f"{Money(over, terms.currency)} more was captured than asked for."
    short = _owed_now(lines, terms)
    in_part = any(
        line.due == "now" and 0 < line.captured_minor < line.amount_minor for line in lines
    )
    if short and in_part:
        return f"Only a part was captured: {Money(short, terms.currency)} is missing."
    return ""


def _owed_now(lines: Sequence[Line], terms: Terms) -> int:
    missing = sum(_open(line) for line in lines if line.due == "now")
    return max(0, missing - terms.credited_minor)


def _open(line: Line) -> int:
    return line.amount_minor - line.captured_minor


def against_cod(at_door_minor: int, terms: Terms) -> str:
    """Say what speaks against paying so much at the door, or nothing (SPEC J, "Payment lines")."""
    if at_door_minor <= 0:
        return ""
    if at_door_minor > terms.cod_limit_minor:
        limit = Money(terms.cod_limit_minor, terms.currency)
        return f"{Money(at_door_minor, terms.currency)} at the door is above the limit of {limit}."
    if not terms.phone_verified:
        return "The customer's phone number is not verified."
    if terms.refused_lately:
        return f"The customer refused to pay at the door within the last {REFUSED_DAYS} days."
    return ""


def spread_refund(said: Mapping[UUID, Told], amount_minor: int) -> dict[UUID, int]:
    """Share a refund among payment lines: first what they have too much, then what they have.

    The caller has seen that so much was kept.
    """
    shares: dict[UUID, int] = defaultdict(int)
    left = amount_minor
    for part in ("over_minor", "kept_minor"):
        for line_id, told in said.items():
            share = min(left, getattr(told, part) - shares[line_id])
            if share > 0:
                shares[line_id] += share
                left -= share
    return {line_id: share for line_id, share in shares.items() if share}
