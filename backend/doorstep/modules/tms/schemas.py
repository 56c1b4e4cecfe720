"""What field workers send to transport; every text and number is bounded."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.core.captures import Captured, Moment, Photo, Sha256

LabelNo = Annotated[str, Meta(min_length=1, max_length=48)]
SerialNo = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]+$")]

ScanKind = Literal[
    "pickup", "departure", "hub_in", "hub_out", "load", "transfer", "handover", "custody"
]
Relation = Literal[
    "customer", "family", "colleague", "reception", "guard", "maid", "neighbour", "other"
]
TenderMethod = Literal["cash", "credit_card", "debit_card", "upi", "payment_link"]

Coordinate = Annotated[float, Meta(ge=-100_000, le=100_000)]
Millisecond = Annotated[int, Meta(ge=0, le=86_400_000)]
Stroke = Annotated[list[tuple[Coordinate, Coordinate, Millisecond]], Meta(max_length=2000)]
Signature = Annotated[list[Stroke], Meta(min_length=1, max_length=100)]
"""Pen strokes as points (x, y, milliseconds since the first one)."""


class Window(Struct, kw_only=True, forbid_unknown_fields=True):
    """From when until when somebody may expect a delivery."""

    from_at: Annotated[datetime, Meta(tz=True)]
    until_at: Annotated[datetime, Meta(tz=True)]


class Place(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the phone thinks it is."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)]


class Scan(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """One label that was seen. `scan_uid` is made by the scanner and makes a repeat harmless."""

    scan_uid: UUID
    label_no: LabelNo
    kind: ScanKind
    captured_at: Moment
    place: Place | None = None
    location_id: UUID | None = None


class Receiver(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who took the goods."""

    name: Annotated[str, Meta(max_length=120)]
    relation: Relation


class FailedAttempt(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the goods were not handed over. `event_id` is made by the phone, once per capture.

    `called`: the customer was rung; `dwell_seconds`: how long the crew waited at the door.
    """

    event_id: UUID
    captured_at: Moment
    reason: Literal[
        "not_home",
        "refused",
        "address",
        "unreachable",
        "no_access",
        "cash_not_ready",
        "other",
        "wrong_model",
        "broken_seal",
    ]
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    photos: Annotated[list[Photo], Meta(max_length=10)] = []
    called: bool = False
    dwell_seconds: Annotated[int, Meta(ge=0, le=86_400)] = 0
    place: Place | None = None
    wished_on: date | None = None


class Tender(Struct, kw_only=True, forbid_unknown_fields=True):
    """Money taken at the door, in minor units of the order's currency."""

    method: TenderMethod
    amount_minor: Annotated[int, Meta(gt=0, le=10**14)]
    reference: Annotated[str, Meta(max_length=80)] = ""


PieceReportKind = Literal["damaged", "missing"]


class PieceReport(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Boxes that are damaged, or that are not found. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    labels: Annotated[list[LabelNo], Meta(min_length=1, max_length=200)]
    kind: PieceReportKind
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    photos: Annotated[list[Photo], Meta(max_length=10)] = []


KeptBackAs = Literal["left_behind", "refused", "damaged"]


class KeptBack(Struct, kw_only=True, forbid_unknown_fields=True):
    """Pieces of a line that were not handed over, and why; serials where they have some."""

    fulfilment_line_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    serials: Annotated[list[SerialNo], Meta(max_length=200)] = []
    reason: KeptBackAs


class ProofOfDelivery(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """What a courier captured at the door. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    receiver: Receiver
    photos: Annotated[list[Photo], Meta(max_length=12)] = []
    signature: Signature | None = None
    handover_code: Annotated[str, Meta(max_length=12)] | None = None
    place: Place | None = None
    scanned_labels: Annotated[list[LabelNo], Meta(max_length=200)] = []
    tenders: Annotated[list[Tender], Meta(max_length=8)] = []
    serials: Annotated[list[SerialNo], Meta(max_length=200)] = []
    """Serials read off the units; another one than was picked is handed over and looked at."""
    kept_back: Annotated[list[KeptBack], Meta(max_length=100)] = []
    """A part delivery: what the customer did not get."""
    shown_minor: Annotated[int, Meta(ge=0, le=10**14)] | None = None
    """What the phone showed as due, of which it may not have heard that it was edited."""


ExplainedAs = Literal["left_at_customer", "lost", "damaged", "at_hub", "other"]


class Explanation(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a piece is (`label_no`), or a whole parcel (`fulfilment_id`), that was not returned."""

    label_no: LabelNo | None = None
    fulfilment_id: UUID | None = None
    reason: ExplainedAs
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    photo: Sha256 | None = None


DeclinedAs = Literal["too_far", "vehicle_full", "end_of_shift", "other"]
"""Why somebody does not take work that is offered on the road."""
