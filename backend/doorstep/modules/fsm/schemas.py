"""What technicians send, and how a checklist is written; every text and number is bounded."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from doorstep.core.captures import Captured, Moment, Photo, Slot

ItemId = Annotated[str, Meta(pattern="^[a-z0-9_]{1,40}$")]
Sentence = Annotated[str, Meta(min_length=1, max_length=300)]

Coordinate = Annotated[float, Meta(ge=-100_000, le=100_000)]
Millisecond = Annotated[int, Meta(ge=0, le=86_400_000)]
Stroke = Annotated[list[tuple[Coordinate, Coordinate, Millisecond]], Meta(max_length=2000)]
Signature = Annotated[list[Stroke], Meta(min_length=1, max_length=100)]

Measure = Annotated[float, Meta(ge=-1_000_000, le=1_000_000)]
Answer = bool | Measure | Annotated[str, Meta(max_length=300)]


class Item(Struct, kw_only=True, forbid_unknown_fields=True):
    """A line of a checklist: a `check` must be true, a `number` or `text` must be given."""

    id: ItemId
    text: Sentence
    kind: Literal["check", "number", "text"]


class Topic(Struct, kw_only=True, forbid_unknown_fields=True):
    """A thing that the customer is shown."""

    id: ItemId
    text: Sentence


class Checklist(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a product is installed, what is photographed, and what is shown to the customer."""

    title: Annotated[str, Meta(min_length=1, max_length=120)]
    minutes: Annotated[int, Meta(ge=15, le=720)]
    items: Annotated[list[Item], Meta(min_length=1, max_length=60)]
    photo_slots: Annotated[list[Slot], Meta(max_length=12)]
    demo_topics: Annotated[list[Topic], Meta(max_length=30)]


class ManualIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """How a product is installed: a page of text by language, English at least, and the maker's document.

    The text goes to phones and is read without a network; the link is not. Neither takes it back.
    """

    sku: Annotated[str, Meta(min_length=1, max_length=64)]
    texts: Annotated[
        dict[
            Annotated[str, Meta(pattern="^[a-z]{2}$")],
            Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"^[^\x00]*$")],
        ],
        Meta(max_length=12),
    ]
    link: Annotated[str, Meta(max_length=500, pattern=r"^(https://[^\s<>\x00]+)?$")] = ""


class Place(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the phone thinks it is."""

    lat: Annotated[float, Meta(ge=-90, le=90)]
    lng: Annotated[float, Meta(ge=-180, le=180)]
    accuracy_m: Annotated[float, Meta(ge=0, le=100_000)]


class InstalledUnit(Struct, kw_only=True, forbid_unknown_fields=True):
    """One unit that was put to use. `checklist_id` names the version that the phone had."""

    fulfilment_line_id: UUID
    checklist_id: UUID | None
    serial: Annotated[str, Meta(max_length=80)]
    answers: Annotated[dict[ItemId, Answer], Meta(max_length=60)]


class SignOff(Struct, kw_only=True, forbid_unknown_fields=True):
    """The customer's word that the goods work and were explained."""

    name: Annotated[str, Meta(max_length=120)]
    strokes: Signature


class VisitStarted(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """The technician is there. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    place: Place | None = None


class VisitFailed(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Why the technician cannot finish. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    reason: Literal[
        "site_not_ready", "not_home", "part_needed", "unit_faulty", "demo_refused", "unsafe"
    ]
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    photos: Annotated[list[Photo], Meta(max_length=10)] = []


class VisitFinding(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """Something found at the customer's. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    kind: Literal["hidden_damage", "part_missing"]
    words: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    photos: Annotated[list[Photo], Meta(max_length=10)] = []


class PartFitted(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """A missing part is here now. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment


class VisitCompleted(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """What the technician did. `event_id` is made by the phone, once per capture."""

    event_id: UUID
    captured_at: Moment
    units: Annotated[list[InstalledUnit], Meta(max_length=40)]
    photos: Annotated[list[Photo], Meta(max_length=40)] = []
    demo_topics: Annotated[list[ItemId], Meta(max_length=60)] = []
    sign_off: SignOff | None = None
    place: Place | None = None


Unit = Literal["piece", "metre", "hour", "service"]


class PriceIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What one unit of an extra costs in a channel, before tax, from a moment on.

    `names` by language, at least those of the channel. Without `tax_basis_points` (1/100 %) the
    channel's hold; `sku` is the part that one unit uses up. A `valid_until` ends the sale.
    """

    channel_id: UUID
    code: Annotated[str, Meta(pattern="^[A-Z0-9-]{2,32}$")]
    names: Annotated[
        dict[
            Annotated[str, Meta(pattern="^[a-z]{2}$")],
            Annotated[str, Meta(min_length=1, max_length=80)],
        ],
        Meta(min_length=1, max_length=12),
    ]
    unit: Unit
    price_minor: Annotated[int, Meta(ge=1, le=1_000_000_000)]
    tax_basis_points: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    sku: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class ExtraLine(Struct, kw_only=True, forbid_unknown_fields=True):
    """So many units at the version of the price that the customer was shown."""

    price_id: UUID
    quantity: Annotated[int, Meta(ge=1, le=1000)]


class VisitExtras(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """What the customer takes beside the order. `event_id` is made by the phone, once per capture.

    `shown_minor`: the sum with tax that stood on the screen when the customer signed.
    """

    event_id: UUID
    captured_at: Moment
    lines: Annotated[list[ExtraLine], Meta(min_length=1, max_length=40)]
    shown_minor: Annotated[int, Meta(ge=0, le=100_000_000_000_000)]
    sign_off: SignOff | None = None


ExtraMethod = Literal["cash", "credit_card", "debit_card", "upi"]
"""How extras are paid at the visit; a link is the gateway's, and takes a network."""


class ExtraTender(Struct, kw_only=True, forbid_unknown_fields=True):
    """Money taken at the visit, in minor units of the order's currency."""

    method: ExtraMethod
    amount_minor: Annotated[int, Meta(gt=0, le=10**14)]
    reference: Annotated[str, Meta(max_length=80, pattern=r"^[^\x00]*$")] = ""


class ExtrasPaid(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """How the customer pays for the extras. `event_id` is made by the phone, once per capture.

    `shown_minor`: what stood on the screen as open. `bill_later`: the rest comes by a bill.
    """

    event_id: UUID
    captured_at: Moment
    shown_minor: Annotated[int, Meta(ge=0, le=100_000_000_000_000)]
    tenders: Annotated[list[ExtraTender], Meta(max_length=8)] = []
    bill_later: bool = False


class BillPaid(Struct, kw_only=True, forbid_unknown_fields=True):
    """A bill of extras that a customer has paid to a desk; the client makes `event_id`."""

    event_id: UUID
    amount_minor: Annotated[int, Meta(gt=0, le=10**14)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    method: Literal["desk_cash", "bank_transfer"]
    reference: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"^[^\x00]*$")]


class PartsMoved(Struct, kw_only=True, forbid_unknown_fields=True):
    """Parts put on a technician's van, or taken off it where `quantity` is less than nothing."""

    event_id: UUID
    sku: Annotated[str, Meta(min_length=1, max_length=64)]
    quantity: Annotated[int, Meta(ge=-10_000, le=10_000)]
    words: Annotated[str, Meta(max_length=300, pattern=r"^[^\x00]*$")] = ""
