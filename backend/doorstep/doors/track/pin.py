"""Reading the place of a door out of what people copy from the maps of their phones: pure, no network."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, unquote, urlsplit

from doorstep.core.errors import Invalid
from doorstep.modules.crm.addresses import AddressPin

_DEGREES = r"(-?\d{1,3}(?:\.\d{1,16})?)"
_PAIR = re.compile(rf"{_DEGREES}\s*,\s*{_DEGREES}")
# The place itself, where a link also says what the map shows around it.
_OF_PLACE = re.compile(rf"!3d{_DEGREES}!4d{_DEGREES}")
_IN_PATH = re.compile(rf"/@{_DEGREES},{_DEGREES}(?=,|/|$)")

HOSTS = re.compile(
    r"(?:www\.|maps\.)?google\.[a-z]{2,3}(?:\.[a-z]{2})?|maps\.apple\.com|(?:www\.)?openstreetmap\.org"
)
"""Whose links say the place in themselves; short links do not."""

NAMED = ("q", "query", "ll", "sll", "center", "coordinate", "destination", "daddr")
"""Parameters of such links that may hold a place, the surest first."""


class PlaceUnreadable(Invalid):
    """What was pasted holds no place that can be read without asking another server."""

    title = "No place can be read from this. Please paste the coordinates, such as 24.45, 54.37."


def read_place(text: str) -> AddressPin:
    """Read `24.45, 54.37`, a `geo:` address or the long link of a common map, in any digits.

    Raises: PlaceUnreadable, for places that are not on Earth too.
    """
    said = _in_ascii_digits(text.strip())
    scheme, _, rest = said.partition(":")
    if scheme.lower() == "geo":
        return _pin(_PAIR.match(rest))
    if scheme.lower() in ("http", "https"):
        return _of_link(said)
    return _pin(_PAIR.fullmatch(said))


def _in_ascii_digits(text: str) -> str:
    digits = (str(unicodedata.decimal(one, one)) for one in text)
    return "".join(digits).replace("\u066b", ".").replace("\u060c", ",")


def _of_link(link: str) -> AddressPin:
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
        asked = parse_qs(parts.query, max_num_fields=40)
    except ValueError as wrong:
        raise PlaceUnreadable from wrong
    if HOSTS.fullmatch(host) is None:
        raise PlaceUnreadable
    path = unquote(parts.path)
    if found := _OF_PLACE.search(path):
        return _pin(found)
    for name in NAMED:
        for value in asked.get(name, ()):
            if found := _PAIR.fullmatch(value.strip().removeprefix("loc:")):
                return _pin(found)
    if "mlat" in asked and "mlon" in asked:
        return _pin(_PAIR.fullmatch(f"{asked['mlat'][0]},{asked['mlon'][0]}"))
    return _pin(_IN_PATH.search(path))


def _pin(found: re.Match[str] | None) -> AddressPin:
    if found is None:
        raise PlaceUnreadable
    lat, lng = float(found[1]), float(found[2])
    if not (-90 <= lat <= 90 and -180 <= lng <= 180):
        raise PlaceUnreadable
    return AddressPin(lat=lat, lng=lng)
