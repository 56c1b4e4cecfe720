"""Decisions of stock adjustments: which one approves itself, and why (SPEC C3). No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from doorstep.core.money import to_minor

ShelfGrade = Literal["sellable", "open_box", "vendor_return"]
"""Grades that goods on a shelf can have; scrap lies on none."""

AdjustmentReason = Literal["damaged", "lost", "found", "expired", "miscount", "other"]


class Policy(NamedTuple):
    """What one person may adjust within a day without a second one, in pieces and minor units."""

    max_units: int
    max_value_minor: int


USUAL_UNITS = 3
USUAL_VALUE: Mapping[str, int] = {
    "AED": 1_000, "QAR": 1_000, "SAR": 1_000, "USD": 300, "EUR": 250, "INR": 25_000,
    "KWD": 80, "BHD": 100, "OMR": 100, "JPY": 40_000,
}  # fmt: skip
"""What a channel of a currency lets pass that has said nothing else, in whole units of it: about
the same worth everywhere."""


def usual_policy(currency: str) -> Policy:
    """Tell the policy of a channel that has said nothing else; it deals in `currency`.

    In a currency that the table does not name, whatever has a known cost waits for a second person.
    """
    whole = USUAL_VALUE.get(currency)
    return Policy(USUAL_UNITS, 0 if whole is None else to_minor(str(whole), currency))


class Weight(NamedTuple):
    """How much adjustments are: pieces, and what they cost where that is known, in one currency."""

    units: int
    value_minor: int


class Decision(NamedTuple):
    """Whether an adjustment approves itself, and why, in words."""

    approved: bool
    why: str


def decide(
    units: int, unit_cost_minor: int | None, today: Weight, policy: Policy, obstacle: str = ""
) -> Decision:
    """Judge an adjustment of `units` pieces beside what the same person adjusted within a day.

    Where no cost is known the pieces alone decide. `obstacle` is why it cannot be booked as things
    stand; then a person has to look.
    """
    if obstacle:
        return Decision(False, f"It cannot be booked as things stand: {obstacle}")
    pieces = today.units + units
    if pieces > policy.max_units:
        return Decision(
            False,
            f"{pieces} pieces of one person within a day are more than {policy.max_units}:"
            " a second person decides.",
        )
    if unit_cost_minor is None:
        return Decision(
            True, f"{pieces} of {policy.max_units} pieces a day; what they cost is not known."
        )
    value = today.value_minor + units * unit_cost_minor
    if value > policy.max_value_minor:
        return Decision(
            False,
            "The goods that one person adjusted within a day are worth more than the limit:"
            " a second person decides.",
        )
    return Decision(
        True, f"{pieces} of {policy.max_units} pieces a day, within the limit of value."
    )
