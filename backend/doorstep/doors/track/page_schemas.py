"""What the customer's page reads, and what its forms send."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.doors.track.schemas import Facts, Rating

ParcelNumber = Annotated[int, Meta(ge=1, le=999)]
Words = Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]


class SpanFacts(Struct, frozen=True, kw_only=True):
    """From when until when; a window without times was taken back."""

    from_at: datetime | None
    until_at: datetime | None


class Scan(Struct, frozen=True, kw_only=True):
    """That a parcel was seen: `what` is the stage it proves, or the kind of our own scan."""

    at: datetime
    place: str | None
    what: str


class ParcelMore(Struct, frozen=True, kw_only=True):
    """What is told of a parcel beside its timeline."""

    parcel: int
    standing_hours: int
    carrier: str | None
    window: SpanFacts | None
    visit: SpanFacts | None
    scans: list[Scan]


class Address(Struct, frozen=True, kw_only=True):
    """Where the goods go; only after signing in."""

    name: str
    line1: str
    building: str
    floor: str
    flat: str
    area: str
    city: str
    region: str
    postcode: str
    instructions: str


class PageFacts(Struct, frozen=True, kw_only=True):
    """An order as the database shows it to the holder of its link."""

    order: Facts
    zone: str
    address: Address | None
    invoices: list[str]
    receipts: list[str]
    parcels: list[ParcelMore]


class Stop(Struct, frozen=True, kw_only=True):
    """Where a parcel stands on its run, and who drives it."""

    parcel: int
    on_the_road: bool
    planned_on: date
    stops_before: int
    accepted_at: datetime | None
    closed: list[datetime]
    first_name: str


class Technician(Struct, frozen=True, kw_only=True):
    """Who comes to install."""

    parcel: int
    first_name: str


class Link(Struct, frozen=True, kw_only=True):
    """An order behind its link, what a page of it goes by, and whether a code was typed."""

    token_hash: bytes
    order_id: UUID
    number: str
    version: str
    signed_in: bool


# --- Forms ----------------------------------------------------------------------------------------


class RateForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """How it went; `event_id` was made with the page, so that a second tap is the same rating."""

    event_id: UUID
    parcel: ParcelNumber
    delivery_rating: Rating
    installation_rating: Rating | None = None
    words: Words = ""


class DateForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Yes to the date that the page has shown."""

    event_id: UUID
    parcel: ParcelNumber
    expected_on: date


class CancelForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Goods that are short and not waited for; only with the box ticked."""

    event_id: UUID
    parcel: ParcelNumber
    sure: Annotated[str, Meta(pattern=r"^yes$")]


class ParcelForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A parcel, and nothing else to say."""

    parcel: ParcelNumber


class SignInForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """The code that came to the phone; spaces are what people type between digits."""

    code: Annotated[str, Meta(min_length=6, max_length=20, pattern=r"^[0-9 \-]*$")]
