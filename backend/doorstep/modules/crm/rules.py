"""Pure decisions about people: contact data, addresses, links, warranty dates (SPEC P1, P2)."""

from __future__ import annotations

import calendar
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from doorstep.core.errors import Invalid
from doorstep.core.geo import metres_between

LANGUAGES = ("en", "hi", "ar")
"""Languages that customers are served in; the first one stands in for any other."""

TOKEN_BYTES = 18
"""144 random bits make the 24 characters of an order link (at least 128, reliability §5.4)."""

_NUMBER_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: nothing that is misread aloud.
_NUMBER_LENGTH = 12


class PhoneUnusable(Invalid):
    """The phone number cannot belong to anybody."""

    title = "This phone number cannot be reached."


class EmailUnusable(Invalid):
    """The e-mail address is not written like one."""

    title = "This e-mail address is not valid."


class ContactMissing(Invalid):
    """Neither phone nor e-mail: the customer could never be told anything."""

    title = "A phone number or an e-mail address is needed."


class AddressUnusable(Invalid):
    """No street or no city: nobody could drive there."""

    title = "The address lacks its street or its city."


class PinNotThere(Invalid):
    """The pin lies far from where the order goes: somebody has pointed to another town."""

    title = "The pin is too far from the address of the order."


class PlaceIsAsSold(Invalid):
    """Street, town and postcode lead elsewhere than the order was sold to: that is another order."""

    title = "Street, town and postcode stay as they were ordered."


class PhoneIsAsSold(Invalid):
    """Codes and messages go to the number that the order came with; nobody writes another over it."""

    title = "The order has a phone number, and it stays as it was ordered."


class NothingWasInstalled(Invalid):
    """The parcel had no installation, so none can be rated."""

    title = "Nothing was installed with this parcel."


class Contact(NamedTuple):
    """Contact data as it is stored: E.164 or None, an address or empty; `missing` is unusable."""

    phone: str | None
    email: str
    missing: tuple[str, ...]


class AddressText(msgspec.Struct, kw_only=True, frozen=True):
    """Where the goods go, as far as it is judged; `lift` is None while nobody has asked."""

    line1: str
    building: str = ""
    floor: str = ""
    flat: str = ""
    lift: bool | None = None
    city: str
    postcode: str = ""
    lat: float | None = None


_DOOR_PARTS = ("line1", "city", "building", "floor", "flat", "lift", "pin")
_REQUIRED_PARTS: Mapping[str, tuple[str, ...]] = {
    # The Gulf has no postcodes that lead to a door: the pin does. India's PIN code routes carriers.
    "AE": _DOOR_PARTS,
    "QA": _DOOR_PARTS,
    "KW": _DOOR_PARTS,
    "IN": (*_DOOR_PARTS, "postcode"),
}


ADDRESS_PARTS = (*_DOOR_PARTS, "postcode")
"""What `missing_parts` may name."""

ASKED_BY_DESK = (*ADDRESS_PARTS, "phone")
"""What a desk asks for: without a number the customer gets no message, and no code for his page."""

PLACE_PARTS = ("line1", "city", "postcode")
"""What says where the goods are routed to: told where the shop has sent none, and never changed."""

PIN_REACH_M = 20_000
"""So far a pin may be moved: across a town, not to another one."""


def check_pin(from_lat: float | None, from_lng: float | None, lat: float, lng: float) -> None:
    """Refuse a pin that lies too far from the one before; without one any place will do.

    Raises: PinNotThere.
    """
    if from_lat is None or from_lng is None:
        return
    if metres_between(from_lat, from_lng, lat, lng) > PIN_REACH_M:
        raise PinNotThere


def check_place(known: Mapping[str, Any], told: Mapping[str, Any]) -> None:
    """Refuse another street, town or postcode than the order came with; one that it lacked is welcome.

    Raises: PlaceIsAsSold.
    """
    for part in PLACE_PARTS:
        if part in told and known[part].strip() not in ("", told[part].strip()):
            raise PlaceIsAsSold(part=part)


def normalise_phone(raw: str, country: str) -> str:
    """Write a number as E.164 (`050 123 4567`, AE → `+971501234567`).

    `country` is the ISO code that a number without prefix belongs to.

    Raises: PhoneUnusable.
    """
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException as wrong:
        raise PhoneUnusable from wrong
    if not phonenumbers.is_valid_number(number):
        raise PhoneUnusable
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def only_phone(known: str | None, told: str, country: str) -> str:
    """Take a number for an order that has none; the one it has may be said again.

    Raises: PhoneUnusable; PhoneIsAsSold.
    """
    phone = normalise_phone(told, country)
    if known not in (None, phone):
        raise PhoneIsAsSold
    return phone


def normalise_email(raw: str) -> str:
    """Write an address the one way it is stored; the domain is not looked up.

    Raises: EmailUnusable.
    """
    try:
        return validate_email(raw.strip(), check_deliverability=False).normalized
    except EmailNotValidError as wrong:
        raise EmailUnusable from wrong


def check_contact(phone: str, email: str, country: str) -> Contact:
    """Refuse contact data of our own API that nobody could be reached under.

    Raises: PhoneUnusable, EmailUnusable for one that is given but wrong; ContactMissing for none.
    """
    if not phone.strip() and not email.strip():
        raise ContactMissing
    return Contact(
        phone=normalise_phone(phone, country) if phone.strip() else None,
        email=normalise_email(email) if email.strip() else "",
        missing=(),
    )


def keep_contact(phone: str, email: str, country: str) -> Contact:
    """Take contact data of an order that the shop has already sold: never refused.

    What is unusable is left out and named in `missing`, so that a person asks before dispatch.
    """
    missing: list[str] = []
    try:
        kept_phone: str | None = normalise_phone(phone, country)
    except PhoneUnusable:
        kept_phone = None
        missing.append("phone")
    try:
        kept_email = normalise_email(email) if email.strip() else ""
    except EmailUnusable:
        kept_email = ""
        missing.append("email")
    return Contact(kept_phone, kept_email, tuple(missing))


def missing_parts(address: AddressText, country: str) -> list[str]:
    """Name what the crew would have to ask at the kerb, in a fixed order (SPEC P2).

    A missing part is a task before dispatch, not a refusal. On the ground floor no lift is asked.
    """
    given = {
        "line1": bool(address.line1.strip()),
        "city": bool(address.city.strip()),
        "building": bool(address.building.strip()),
        "floor": bool(address.floor.strip()),
        "flat": bool(address.flat.strip()),
        "lift": address.lift is not None or _is_ground(address.floor),
        "pin": address.lat is not None,
        "postcode": bool(address.postcode.strip()),
    }
    return [part for part in _REQUIRED_PARTS.get(country, _DOOR_PARTS) if not given[part]]


def check_address(address: AddressText, country: str) -> list[str]:
    """Refuse an address of our own API without street or city; name what else is missing.

    Raises: AddressUnusable.
    """
    missing = missing_parts(address, country)
    unusable = [part for part in ("line1", "city") if part in missing]
    if unusable:
        raise AddressUnusable(missing=unusable)
    return missing


def _is_ground(floor: str) -> bool:
    return floor.strip().lower() in {"0", "g", "gf", "ground", "ground floor"}


def choose_language(wanted: str | None) -> str:
    """Pick the language for `hi-IN,en;q=0.8` or `ar_AE`: the first one we serve, else English."""
    for part in (wanted or "").split(","):
        code = part.split(";")[0].strip().replace("_", "-").split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]


def new_token() -> tuple[str, bytes]:
    """Make the secret of an order link and the hash to store; the secret itself is kept nowhere."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return token, hash_token(token)


def hash_token(token: str) -> bytes:
    """Hash a link's secret as it is stored; 144 random bits need no salt."""
    return hashlib.sha256(token.encode()).digest()


def new_warranty_number() -> str:
    """Make a certificate number that cannot be guessed from another (60 random bits)."""
    return "WR-" + "".join(secrets.choice(_NUMBER_ALPHABET) for _ in range(_NUMBER_LENGTH))


def warranty_end(starts_on: date, months: int) -> date:
    """Tell the last day of a warranty: 31 January and one month is 28 or 29 February."""
    years, month_index = divmod(starts_on.month - 1 + months, 12)
    year, month = starts_on.year + years, month_index + 1
    return date(year, month, min(starts_on.day, calendar.monthrange(year, month)[1]))


def initials(name: str) -> str:
    """Shorten a name to what a link may show of it: `Aisha Rahman` → `A. R.` (reliability IA1)."""
    return " ".join(f"{part[0]}." for part in name.split()[:3])


class Line(msgspec.Struct, frozen=True):
    """A line of a parcel with the units that were scanned for it: {serial: unit id}."""

    fulfilment_line_id: UUID
    product_id: UUID
    quantity: int
    warranty_months: int
    units: dict[str, UUID]


class Coverage(NamedTuple):
    """One warranty that a parcel brings: of a serial, or of a quantity without serials."""

    fulfilment_line_id: UUID
    product_id: UUID
    unit_id: UUID | None
    serial: str | None
    quantity: int
    months: int


def coverages(lines: Sequence[Line]) -> list[Coverage]:
    """Turn a parcel's lines into warranties: one per serial, else one per line.

    Pieces of a line whose serials were not all scanned share one warranty by quantity.
    """
    found: list[Coverage] = []
    for line in lines:
        if not line.warranty_months:
            continue
        found += [
            Coverage(
                line.fulfilment_line_id, line.product_id, unit_id, serial, 1, line.warranty_months
            )
            for serial, unit_id in sorted(line.units.items())
        ]
        unscanned = line.quantity - len(line.units)
        if unscanned > 0:
            found.append(
                Coverage(
                    line.fulfilment_line_id,
                    line.product_id,
                    None,
                    None,
                    unscanned,
                    line.warranty_months,
                )
            )
    return found


def check_ratings(installation_rating: int | None, *, needs_install: bool) -> None:
    """Refuse a rating of something that did not happen.

    Raises: NothingWasInstalled.
    """
    if installation_rating is not None and not needs_install:
        raise NothingWasInstalled
