"""The bytes that a phone signs: an event without `sig`, as RFC 8785 writes JSON.

Phones write it in `pwa/src/shared/sync/canonical.ts`: keys sorted by UTF-16 units, nothing spaced,
numbers and texts as JavaScript writes them, in UTF-8. JavaScript also writes what RFC 8785 leaves
out (half a character, whole numbers beyond 2^53), and so does this.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

EXACT_DIGITS = 15
"""Whole numbers of so many digits are the same in Python and in JavaScript."""

LONGEST_PLAIN, SMALLEST_PLAIN = 21, -6
"""JavaScript writes an exponent for numbers of more digits, or that begin further behind the point."""


class NotCanonical(ValueError):
    """No JavaScript can have written this: broken JSON, no object, or a number without an end."""


def signed_bytes(event: bytes) -> bytes:
    """Return what the signature of an event covers, from the event as it was sent.

    Raises: NotCanonical.
    """
    try:
        read = json.loads(event.decode(), parse_int=_whole, parse_constant=_refuse)
        if not isinstance(read, dict):
            raise NotCanonical("An event is an object.")
        read.pop("sig", None)
        # Half a character stays the escape that JavaScript writes for it.
        return _text(read).encode("utf-8", "backslashreplace")
    except (ValueError, RecursionError) as wrong:
        raise NotCanonical(str(wrong)) from wrong


def _text(value: Any) -> str:
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        names = sorted(value, key=_units)
        return "{" + ",".join([f"{encode_basestring(n)}:{_text(value[n])}" for n in names]) + "}"
    if isinstance(value, list):
        return "[" + ",".join([_text(one) for one in value]) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _number(value)


def _units(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= EXACT_DIGITS else float(digits)


def _refuse(name: str) -> float:
    raise NotCanonical(f"{name} is no number of JSON.")


def _number(value: float) -> str:
    """Write a number as ECMAScript's Number::toString does: the shortest digits that are it."""
    if not math.isfinite(value):
        raise NotCanonical("A number is too large.")
    if value == 0:
        return "0"
    # Python's shortest digits are the same; only where it sets the point differs.
    sign, places, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits, point = "".join(map(str, places)), len(places) + int(exponent)
    if len(digits) <= point <= LONGEST_PLAIN:
        written = digits.ljust(point, "0")
    elif 0 < point <= LONGEST_PLAIN:
        written = f"{digits[:point]}.{digits[point:]}"
    elif SMALLEST_PLAIN < point <= 0:
        written = f"0.{digits.rjust(len(digits) - point, '0')}"
    else:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        written = f"{digits[0]}{fraction}e{point - 1:+d}"
    return "-" + written if sign else written
