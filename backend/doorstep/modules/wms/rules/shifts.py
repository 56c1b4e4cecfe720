"""Decisions of the end of a shift: what each role looks at before it goes (SPEC P20). No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Item(NamedTuple):
    """One thing to look at."""

    code: str
    words: str


class Answer(NamedTuple):
    """What somebody said about a thing."""

    code: str
    ok: bool
    words: str


_LABELS = Item("labels", "Enough labels for tomorrow")
_RIBBON = Item("ribbon", "Printer ribbon for tomorrow")
_SCANNERS = Item("scanners", "All scanners are back and work")
_CHARGERS = Item("chargers", "Phones and scanners are on their chargers")
_FLOAT = Item("cash_float", "Cash float is complete")
_VAN = Item("van_stock", "Van is empty, or what is in it is written down")
_TOOLS = Item("tool_kit", "Tool kit is complete")

_FLOOR = (_LABELS, _RIBBON, _SCANNERS, _CHARGERS)
_ROAD = (_VAN, _SCANNERS, _CHARGERS, _FLOAT)

USUAL_ITEMS: Mapping[str, Sequence[Item]] = {
    "warehouse": _FLOOR,
    "store": (*_FLOOR, _FLOAT),
    "vendor_store": _FLOOR,
    "courier": _ROAD,
    "delivery": _ROAD,
    "technician": (_TOOLS, _VAN, _CHARGERS),
}
"""Role → its list, where the location has none of its own."""


def is_usual(role: str, item: Item) -> bool:
    """Tell whether an item is one of ours, which a phone says in its person's own language."""
    return item in USUAL_ITEMS.get(role, ())


def not_answered(items: Sequence[Item], answers: Sequence[Answer]) -> list[str]:
    """List what a checklist asks and the answers leave out."""
    given = {answer.code for answer in answers}
    return [item.code for item in items if item.code not in given]


def not_asked(items: Sequence[Item], answers: Sequence[Answer]) -> list[str]:
    """List what the answers say and nobody asked; a code that is answered twice is one of them."""
    left = {item.code for item in items}
    strange = []
    for answer in answers:
        if answer.code in left:
            left.remove(answer.code)
        else:
            strange.append(answer.code)
    return strange
