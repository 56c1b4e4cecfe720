"""When the six parts of a purchase order are released to its vendor (SPEC V with readings).

There is no order among the parts: each is judged by its own condition, on what is true now.
Released is final; everything else is judged again after every fact, so judging twice is judging
once. The answer is always given with its reason, in words that a person reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from doorstep.core.money import Money, split

TrancheState = Literal["waiting", "eligible", "released", "held"]

PERCENTAGES = (20, 20, 20, 20, 10, 10)
"""V1 to V6 where a vendor has agreed on nothing else."""

SETTLING = (1, 2, 3, 4, 5)
"""1017 completes when these are released; V6 follows the warranty, which waits for nobody."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a purchase order and its fulfilments, read in one moment.

    The counts are of living fulfilments, those that have not ended; a part delivery leaves several.
    """

    po_state: str
    currency: str
    price_minor: int
    """The whole customer price of the order."""
    captured_minor: int
    living: int
    dispatched: int
    """Living ones picked up by the courier (1009), or handed over where nobody carries."""
    delivered: int
    verified: int
    """Delivered ones whose required pictures the server has verified byte for byte."""
    installable: int
    installed: int
    approved: int
    warranted: int
    registered: int
    ended_as: tuple[str, ...] = ()
    came_back: bool = False
    """Pieces of a living delivery have come back."""
    rest_decided: bool = False
    """Finance has let the rest go on, knowing of all that has ended or come back until now."""
    holding: dict[str, int] = {}
    """Open detours that money waits for: kind → the lowest tranche that it holds."""
    pod_holds: tuple[str, ...] = ()
    """Why a proof of delivery speaks against paying, such as a wrong handover code."""

    @property
    def received(self) -> bool:
        """The customer has the goods: from here on nothing paid is an advance."""
        return 0 < self.living <= self.delivered


class Decision(msgspec.Struct, frozen=True):
    """Where a tranche stands and why."""

    state: TrancheState
    reason: str


def amounts(total_minor: int, percentages: Sequence[int]) -> list[int]:
    """Share a purchase order's total so that the six parts add to it to the minor unit (IM3)."""
    return split(total_minor, percentages)


def decide(number: int, facts: Facts) -> Decision:
    """Judge V`number`: held by something against it, waiting, eligible, or to be released."""
    against = _against(number, facts)
    if against:
        return Decision("held", against)
    missing = _CONDITIONS[number](facts)
    if missing:
        return Decision("waiting", missing)
    if facts.po_state != "accepted":
        return Decision("eligible", _UNACCEPTED)
    return Decision("released", _grounds(number, facts))


def for_gone(shares_minor: int, total_minor: int, gone_minor: int) -> int:
    """Tell how much of some tranches' shares is for goods that did not stay, given what those cost.

    No part of the money is for certain goods, so it is the same part of each share; rounded down,
    and whole once the shares are the whole purchase order.
    """
    return gone_minor * shares_minor // total_minor if total_minor else 0


def withheld(share_minor: int, before_minor: int, total_minor: int, gone_minor: int) -> int:
    """Tell how much of a tranche's share is not released, since it is for goods that did not stay.

    `before_minor`: the shares that are released already. Of them together `for_gone` is withheld or
    claimed, so after each release vendor and goods are even to the minor unit, in whatever order the
    tranches go: in the end he has exactly what the goods that stayed cost.
    """
    even_before = for_gone(before_minor, total_minor, gone_minor)
    return for_gone(before_minor + share_minor, total_minor, gone_minor) - even_before


def settled(released: Sequence[int]) -> bool:
    """Tell whether V1 to V5 are released, which completes 1017 whatever the bank says later."""
    return set(SETTLING) <= set(released)


_UNACCEPTED = "Waits for the vendor to accept the purchase order."


def _against(number: int, facts: Facts) -> str:
    if facts.po_state in ("declined", "cancelled"):
        return f"The purchase order was {facts.po_state}; nothing is paid on it."
    # Nothing can be clawed back yet, so goods that came back or never went hold the rest.
    decided = facts.living and facts.rest_decided
    if facts.ended_as and not decided:
        return f"A delivery has ended ({_listed(facts.ended_as)}); a person decides."
    if facts.came_back and not decided:
        return "A part of the goods has come back; a person decides."
    open_detours = sorted(kind for kind, lowest in facts.holding.items() if lowest <= number)
    if open_detours:
        return f"Held while this is open: {_listed(open_detours)}."
    if facts.pod_holds and _falls_due_with_delivery(number, facts):
        return f"Held by the proof of delivery: {_listed(facts.pod_holds)}."
    return ""


def _falls_due_with_delivery(number: int, facts: Facts) -> bool:
    return (
        number == 4
        or (number == 5 and not facts.installable)
        or (number == 6 and not facts.warranted)
    )


def _price(facts: Facts) -> str:
    short = facts.price_minor - facts.captured_minor
    if short <= 0:
        return ""
    return (
        f"Waits for the whole customer price: {Money(short, facts.currency)} is not captured yet."
    )


def _acceptance(facts: Facts) -> str:
    return "" if facts.po_state == "accepted" else _UNACCEPTED


def _dispatch(facts: Facts) -> str:
    return _waits("Waits for the courier's pickup scan", facts.dispatched, facts.living)


def _delivery(facts: Facts) -> str:
    return _waits("Waits for the delivery", facts.delivered, facts.living) or _waits(
        "Waits for the photos of the proof of delivery to be verified", facts.verified, facts.living
    )


def _installation(facts: Facts) -> str:
    if not facts.installable:
        return _delivery(facts)
    return _waits("Waits for the installation", facts.installed, facts.installable) or _waits(
        "Waits for the installation to be approved", facts.approved, facts.installable
    )


def _warranty(facts: Facts) -> str:
    if not facts.warranted:
        return _delivery(facts)
    return _waits("Waits for the warranty to be registered", facts.registered, facts.warranted)


_CONDITIONS: dict[int, Callable[[Facts], str]] = {
    1: _price,
    2: _acceptance,
    3: _dispatch,
    4: _delivery,
    5: _installation,
    6: _warranty,
}


def _grounds(number: int, facts: Facts) -> str:
    if number > 4 and _falls_due_with_delivery(number, facts):
        return f"Falls due with the delivery: {_NOT_APPLICABLE[number]}."
    return _GROUNDS[number]


_GROUNDS = {
    1: "The whole customer price is captured.",
    2: "The vendor accepted the purchase order.",
    3: "The shipment is picked up by the courier.",
    4: "Delivered, and the photos of the proof of delivery are verified.",
    5: "The installation is approved.",
    6: "The warranty is registered.",
}
_NOT_APPLICABLE = {5: "nothing is to be installed", 6: "the goods carry no warranty"}


def _waits(sentence: str, have: int, want: int) -> str:
    if have >= want:
        return ""
    return f"{sentence}." if want == 1 else f"{sentence} ({have} of {want} parcels)."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ").rstrip(".") for name in names)
