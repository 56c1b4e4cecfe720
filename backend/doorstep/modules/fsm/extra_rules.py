"""Pure decisions about extras: what they cost, and what a person must look at before they are billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from doorstep.core.money import Money
from doorstep.modules.fsm.schemas import ExtrasPaid, VisitExtras


class Price(NamedTuple):
    """A version of a price; `held_since` is when a later one took its place, if one had by then."""

    code: str
    price_minor: int
    tax_basis_points: int
    product_id: UUID | None
    held_since: datetime | None
    ended: bool


class Cost(NamedTuple):
    """What a line costs, in minor units."""

    net: int
    tax: int


class Judged(NamedTuple):
    """The cost of each line in its order, and what does not agree, in words."""

    costs: list[Cost]
    disagreements: list[str]

    @property
    def total(self) -> int:
        return sum(cost.net + cost.tax for cost in self.costs)


def cost(quantity: int, price_minor: int, tax_basis_points: int) -> Cost:
    """Work out a line: tax is rounded once per line, half up, as the phone does it."""
    net = quantity * price_minor
    return Cost(net, (net * tax_basis_points + 5_000) // 10_000)


def judge(told: VisitExtras, prices: Mapping[UUID, Price], currency: str) -> Judged:
    """Price extras by the versions that the customer was shown; `prices` are those of the channel."""
    costs: list[Cost] = []
    odd: list[str] = []
    for line in told.lines:
        price = prices.get(line.price_id)
        if price is None:
            costs.append(Cost(0, 0))
            odd.append(f"{line.quantity} of {line.price_id}, which is no price of this channel.")
            continue
        costs.append(cost(line.quantity, price.price_minor, price.tax_basis_points))
        if price.held_since is not None:
            was = Money(price.price_minor, currency)
            odd.append(
                f"{price.code}: shown at {was}, another holds since {price.held_since:%Y-%m-%d %H:%M}."
            )
        elif price.ended:
            odd.append(f"{price.code} was not sold any more.")
    judged = Judged(costs, odd)
    if judged.total != told.shown_minor:
        shown, right = Money(told.shown_minor, currency), Money(judged.total, currency)
        odd.append(f"The screen showed {shown}, the prices make {right}.")
    if told.sign_off is None or not told.sign_off.name.strip():
        odd.append("The customer has not signed.")
    return judged


class Account(NamedTuple):
    """What a customer owes for the extras of a visit, before a payment."""

    extra_ids: list[UUID]
    billed_minor: int
    paid_minor: int

    @property
    def open_minor(self) -> int:
        return self.billed_minor - self.paid_minor


class Tender(NamedTuple):
    """Money in minor units, and how it was paid."""

    method: str
    amount_minor: int
    reference: str


class Payment(NamedTuple):
    """What was paid at once, wherever; `shown_minor` is what stood as open before whoever took it."""

    event_id: UUID
    captured_at: datetime
    shown_minor: int
    tenders: list[Tender]
    bill_later: bool

    @property
    def paid_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.tenders)


def payment_of(told: ExtrasPaid) -> Payment:
    """Read what a technician's phone has captured."""
    tenders = [Tender(one.method, one.amount_minor, one.reference.strip()) for one in told.tenders]
    return Payment(told.event_id, told.captured_at, told.shown_minor, tenders, told.bill_later)


def receipt_number(order_number: str, event_id: UUID) -> str:
    """Number a receipt as the phone does it, which shows it before anybody has heard of it."""
    return f"{order_number}-R{event_id.hex[-8:].upper()}"


def judge_payment(told: Payment, account: Account, currency: str) -> list[str]:
    """Say what a person must look at; an empty list: what is not paid is to be billed, as was said."""
    odd: list[str] = []
    paid = told.paid_minor
    open_minor = max(0, account.open_minor)
    if told.shown_minor != open_minor:
        shown = Money(told.shown_minor, currency)
        odd.append(f"The screen showed {shown} as open, it is {Money(open_minor, currency)}.")
    if paid > open_minor:
        odd.append(f"{Money(paid - open_minor, currency)} too much was taken.")
    elif paid < open_minor and not told.bill_later:
        odd.append(
            f"{Money(open_minor - paid, currency)} is missing, and nobody has promised a bill."
        )
    for tender in told.tenders:
        taken = Money(tender.amount_minor, currency)
        if tender.method == "upi" and currency != "INR":
            odd.append(f"{taken} by UPI, which moves rupees alone.")
        if tender.method != "cash" and not tender.reference:
            odd.append(f"{taken} by {tender.method}, without a reference.")
    return odd
