"""What the customer's door takes and gives; nothing here names a person or another order."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.journey.timeline import Milestone, Parcel, Reached

Rating = Annotated[int, Meta(ge=1, le=5)]


class GiveFeedback(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rating of one parcel; `event_id` is made by the page, so that sending twice is once."""

    event_id: UUID
    parcel: Annotated[int, Meta(ge=1, le=999)] = 1
    delivery_rating: Rating
    installation_rating: Rating | None = None
    words: Annotated[str, Meta(max_length=2000)] = ""


class FeedbackTaken(Struct, kw_only=True):
    """What became of the rating, and how far the parcel is now."""

    verdict: str
    progress: int


class AcceptDate(Struct, kw_only=True, forbid_unknown_fields=True):
    """Yes to the date that the page has shown; `event_id` is made by the page."""

    event_id: UUID
    parcel: Annotated[int, Meta(ge=1, le=999)] = 1
    expected_on: date


class CancelGoods(Struct, kw_only=True, forbid_unknown_fields=True):
    """A parcel that is not waited for any longer; `event_id` is made by the page."""

    event_id: UUID
    parcel: Annotated[int, Meta(ge=1, le=999)] = 1


class AnswerTaken(Struct, kw_only=True):
    """What became of the customer's answer."""

    verdict: str


class Line(Struct, kw_only=True):
    """Goods of a parcel, named in the language of the answer."""

    name: str
    quantity: int


class Detour(Struct, kw_only=True):
    """What keeps a parcel from going on, in the customer's words; it leads the timeline.

    `expected_on`: by when it is expected to be over; `accepted`: the customer has said yes to that.
    """

    kind: str
    sentence: str
    since: datetime
    expected_on: date | None
    accepted: bool


class TrackedParcel(Struct, kw_only=True):
    """One parcel with its timeline; `ended_as` when it will not travel on (cancelled, lost …).

    Under a detour the progress stands still. While goods are short they `may_cancel`, and
    `may_accept` the date that their detour tells.
    """

    parcel: int
    progress: int
    detours: list[Detour]
    ended_as: str | None
    awb: str | None
    lines: list[Line]
    milestones: list[Milestone]
    may_rate: bool
    rated: bool
    may_accept: bool
    may_cancel: bool
    certificates: list[str]


class Tracking(Struct, kw_only=True):
    """An order as its customer sees it: `progress` is that of the least advanced parcel."""

    order_number: str
    placed_at: datetime
    language: str
    progress: int
    delivered: int
    total: int
    words: str
    parcels: list[TrackedParcel]


class Certificate(Struct, kw_only=True):
    """What a certificate's number proves; `valid` until the end of its last day."""

    number: str
    valid: bool
    product: str
    quantity: int
    starts_on: date
    ends_on: date


class DetourFacts(Struct, frozen=True, kw_only=True):
    """A detour as the database tells it: open, or the end itself."""

    kind: str
    progress: int
    at: datetime
    expected_on: date | None
    accepted: bool


class ParcelFacts(Parcel, frozen=True, kw_only=True):
    """A parcel as the database tells it; what the order owes is filled in by the order."""

    parcel: int
    progress: int
    ended_as: str | None
    awb: str | None
    reached: list[Reached]
    detours: list[DetourFacts]
    lines: list[Line]
    certificates: list[str]


class Facts(Struct, kw_only=True, frozen=True):
    """An order as the database tells it."""

    order_number: str
    placed_at: datetime
    language: str
    currency: str
    at_door_minor: int
    paid_minor: int
    parcels: list[ParcelFacts]
