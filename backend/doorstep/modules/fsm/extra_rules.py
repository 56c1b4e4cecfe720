"""Pure decisions about extras: what they cost, and what a person must look at before they are billed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from doorstep.core.money import Money
from doorstep.modules.fsm.schemas import VisitExtras


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
