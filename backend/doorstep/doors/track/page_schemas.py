"""What the customer's page reads, and what its forms send."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar.datastructures import UploadFile
from msgspec import Meta, Struct

from doorstep.core.errors import Invalid
from doorstep.doors.track.schemas import Facts, Rating
from doorstep.journey import Quantity

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


class Paper(Struct, frozen=True, kw_only=True):
    """A certificate, by its number and by what it is for."""

    number: str
    goods: str


class Attempt(Struct, frozen=True, kw_only=True):
    """What was reported of the delivery that failed last, and what the customer has said to it."""

    reason: str
    at: datetime
    said: Literal["true", "was_here"] | None


class ParcelMore(Struct, frozen=True, kw_only=True):
    """What is told of a parcel beside its timeline."""

    parcel: int
    standing_hours: int
    carrier: str | None
    window: SpanFacts | None
    visit: SpanFacts | None
    attempt: Attempt | None
    papers: list[Paper]
    """The certificates of what is the customer's still."""

    repairs: list[SpanFacts]
    """When somebody comes for what was claimed under a warranty."""

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
    proofs: list[int]
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
    portrait: str
    """The hash of his portrait, or an empty text."""


class Technician(Struct, frozen=True, kw_only=True):
    """Who comes to install."""

    parcel: int
    first_name: str
    portrait: str


class Link(Struct, frozen=True, kw_only=True):
    """An order behind its link, what a page of it goes by, and whether a code was typed."""

    token_hash: bytes
    order_id: UUID
    number: str
    language: str
    zone: str
    version: str
    signed_in: bool


# --- Forms ----------------------------------------------------------------------------------------


class Photos(Struct, kw_only=True, forbid_unknown_fields=True):
    """A form with photos."""

    photos: Any = None
    """One file, several, or the empty text that a browser sends where none was chosen."""

    @property
    def files(self) -> list[UploadFile]:
        """List the photos that were chosen."""
        sent = self.photos if isinstance(self.photos, list) else [self.photos]
        return [one for one in sent if isinstance(one, UploadFile)]


class RateForm(Photos, kw_only=True, forbid_unknown_fields=True):
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


Code = Annotated[str, Meta(min_length=6, max_length=20, pattern=r"^[0-9 \-]*$")]


class SignInForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """The code that came to the phone."""

    code: Code

    @property
    def digits(self) -> str:
        """Leave out what people type between digits."""
        return self.code.replace(" ", "").replace("-", "")


class ChoiceForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """A time that the page has offered."""

    event_id: UUID
    start: Annotated[datetime, Meta(tz=True)]


class AttemptForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether it was as reported."""

    event_id: UUID
    said: Literal["true", "was_here"]
    words: Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")] = ""


class ReportForm(Photos, kw_only=True, forbid_unknown_fields=True):
    """What is damaged or missing, with photos."""

    event_id: UUID
    kind: Literal["hidden_damage", "part_missing"]
    words: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]


PIECE = "^[A-Z0-9-]{1,40}$"
Piece = Annotated[str, Meta(min_length=1, max_length=40, pattern=PIECE)]
"""The number of a certificate."""


class ClaimForm(Photos, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with which piece, with photos; `start` is an offered time, or `call` for none."""

    event_id: UUID
    piece: Piece
    words: Annotated[str, Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
    start: Annotated[str, Meta(max_length=40, pattern=r"^(call|[0-9T:+.Z-]{16,40})$")]

    @property
    def starts_at(self) -> datetime | None:
        """Read the time that was chosen.

        Raises: Invalid for what is no moment of any place.
        """
        if self.start == "call":
            return None
        try:
            moment = datetime.fromisoformat(self.start)
        except ValueError as wrong:
            raise Invalid from wrong
        if moment.tzinfo is None:
            raise Invalid
        return moment


class OwnerClaimForm(ClaimForm, kw_only=True, forbid_unknown_fields=True):
    """A claim of a new owner, who says where the goods are now."""

    place: Annotated[str, Meta(min_length=5, max_length=300, pattern=r"^[^\x00]*$")]

    @property
    def one_line_place(self) -> str:
        """Write the place as an address stands on a card."""
        return ", ".join(line.strip() for line in self.place.splitlines() if line.strip())[:300]


class TransferForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who shall have the warranty of which piece."""

    piece: Piece
    name: Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*[^\x00-\x20]$")]
    phone: Annotated[str, Meta(min_length=4, max_length=20, pattern=r"^[0-9+() .-]*$")]


class TransferCodeForm(SignInForm, kw_only=True, forbid_unknown_fields=True):
    """The code that came to the new owner's phone."""

    piece: Piece


Door = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f]*$")]


class AddressForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer says of the door; the first three only where the shop has sent none."""

    line1: Annotated[str, Meta(max_length=240, pattern=r"^[^\x00-\x1f]*$")] = ""
    city: Door = ""
    postcode: Annotated[str, Meta(max_length=20, pattern=r"^[^\x00-\x1f]*$")] = ""
    building: Door = ""
    floor: Door = ""
    flat: Door = ""
    lift: Literal["yes", "no", ""] = ""
    instructions: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    place: Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")] = ""
    """Coordinates, or a link copied from a map; empty leaves the pin where it is."""


class LookForm(AddressForm, kw_only=True, forbid_unknown_fields=True):
    """The same, to be looked at and not kept."""

    move: Literal[
        "", "north 20", "north 100", "south 20", "south 100", "east 20", "east 100", "west 20",
        "west 100",
    ] = ""  # fmt: skip
    """Where a press moves the pin to, and by how many metres."""
    around: Annotated[int, Meta(ge=0, le=100_000)] = 0
    """How far the phone that told its place may be wrong, in metres; 0 for a place that was typed."""


class HelpForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer wants to know."""

    event_id: UUID
    words: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


LineChoice = Annotated[
    str, Meta(pattern=r"^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]{1,5})?$")
]


class ReturnForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer wants to give back, why and how; a line is `id:pieces`, empty for none of it."""

    event_id: UUID
    lines: LineChoice | list[LineChoice] = ""
    reason: Literal["changed_mind", "damaged", "not_as_described", "other"]
    how: Literal["home", "store"]
    words: Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")] = ""

    @property
    def quantities(self) -> list[Quantity]:
        """List the pieces that are named."""
        # A form of one line sends a text, one of several sends a list.
        lines = self.lines if isinstance(self.lines, list) else [self.lines]
        # A pattern's end lets a line break stand behind it.
        named = [line.partition(":") for line in lines if line.strip()]
        return [
            Quantity(fulfilment_line_id=UUID(line_id), quantity=int(pieces))
            for line_id, _, pieces in named
        ]


class ErasureForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """That the customer is sure, and whether he gives up the warranties that still run."""

    sure: Literal["yes"]
    gives_up: Literal["yes"] | None = None


class WishesForm(Struct, kw_only=True, forbid_unknown_fields=True):
    """By which ways the customer wants to be written to; a box that is not ticked is not sent."""

    sms: Literal["yes"] | None = None
    whatsapp: Literal["yes"] | None = None
    email: Literal["yes"] | None = None
