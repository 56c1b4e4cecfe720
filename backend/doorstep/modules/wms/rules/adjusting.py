"""Decisions of stock adjustments: which one approves itself, and why (SPEC C3). No I/O."""

from __future__ import annotations

from typing import Literal, NamedTuple

ShelfGrade = Literal["sellable", "open_box", "vendor_return"]
"""Grades that goods on a shelf can have; scrap lies on none."""

AdjustmentReason = Literal["damaged", "lost", "found", "expired", "miscount", "other"]


class Policy(NamedTuple):
    """What one person may adjust within a day without a second one, in pieces and minor units."""

    max_units: int
    max_value_minor: int


USUAL_POLICY = Policy(3, 100_000)
"""For a channel that has said nothing else."""


class Weight(NamedTuple):
    """How much adjustments are: pieces, and what they cost where that is known."""

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
