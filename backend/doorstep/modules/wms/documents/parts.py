"""Values that several papers of the warehouse share."""

from __future__ import annotations

from typing import Literal

import msgspec

Language = Literal["en", "hi", "ar"]


class Place(msgspec.Struct, kw_only=True, frozen=True):
    """Who and where: `lines` from the flat down to the country, as they are to be printed."""

    name: str
    lines: list[str]
    phone: str = ""


def kilograms(weight_g: int) -> str:
    """Write grams as kilograms with at most three decimals: 61500 → `61.5`."""
    return f"{weight_g / 1000:.3f}".rstrip("0").rstrip(".")


def centimetres(millimetres: int) -> str:
    """Write millimetres as centimetres: 605 → `60.5`."""
    return f"{millimetres / 10:.1f}".removesuffix(".0")
