"""What each document of a pull is: its kind, its id and what it tells."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct

from doorstep.doors.field import (
    cargo,
    day,
    earnings,
    extras,
    manuals,
    offers,
    places,
    pods,
    receiving,
    returning,
    runs,
    said,
    shift,
    shifts,
    stock,
    visits,
    waiting,
    warehouse,
    work_day,
)
from doorstep.doors.field.form_shapes import Form


class RunTour(runs.RunHead):
    """A tour; `stop_ids` stand in the order of driving, each stop is a document of its own."""

    stop_ids: list[UUID]


class RunDocument(Struct, tag_field="kind", tag="run"):
    """A tour of the person, or of the person's shift."""

    id: UUID
    body: RunTour


class StopDocument(Struct, tag_field="kind", tag="stop"):
    """A delivery of one of these tours."""

    id: UUID
    body: runs.StopOut


class OfferDocument(Struct, tag_field="kind", tag="offer"):
    """A delivery that is offered to the person while on the road."""

    id: UUID
    body: offers.WorkOfferOut


class ManifestDocument(Struct, tag_field="kind", tag="manifest"):
    """Pieces that wait for the person at a location."""

    id: UUID
    body: runs.ManifestOut


class Cargo(Struct):
    """What is in a courier's hands."""

    pieces: list[cargo.CargoPiece]


class CargoDocument(Struct, tag_field="kind", tag="cargo"):
    """The boxes in the person's hands between pickup and hub; its id is the person's."""

    id: UUID
    body: Cargo


class VisitDocument(Struct, tag_field="kind", tag="visit"):
    """An installation to do."""

    id: UUID
    body: visits.VisitCard


class PickListDocument(Struct, tag_field="kind", tag="pick_list"):
    """A parcel to pick, check and pack at the person's location."""

    id: UUID
    body: warehouse.PickListOut


class WaitingDocument(Struct, tag_field="kind", tag="waiting"):
    """A packed parcel at the person's location that waits for its pickup."""

    id: UUID
    body: waiting.WaitingParcel


class VanOutDocument(Struct, tag_field="kind", tag="van_out"):
    """A van under way with boxes of the person's location, to scan back what returns."""

    id: UUID
    body: returning.VanOut


class ArrivalDocument(Struct, tag_field="kind", tag="arrival"):
    """Goods that are to come in at the person's location."""

    id: UUID
    body: receiving.ExpectedArrivalOut


class CountDocument(Struct, tag_field="kind", tag="count"):
    """Shelves to count at the person's location."""

    id: UUID
    body: stock.OpenCountOut


class ShiftDocument(Struct, tag_field="kind", tag="shift"):
    """The person's shift, what is to be loaded and what it holds."""

    id: UUID
    body: shifts.ShiftOut


class ShiftChecklistDocument(Struct, tag_field="kind", tag="shift_checklist"):
    """What to look at before the shift ends; its id is the person's."""

    id: UUID
    body: shift.ShiftChecklistOut


class ProofDocument(Struct, tag_field="kind", tag="proof"):
    """What the check of a proof of the last day has found."""

    id: UUID
    body: pods.PodCheckOut


class MyPlaceDocument(Struct, tag_field="kind", tag="my_place"):
    """What was recorded of the person's place, and who looked; its id is the person's."""

    id: UUID
    body: places.MyPlaces


class DayDocument(Struct, tag_field="kind", tag="day"):
    """What the office has of the person's day, and the cash it expects; its id is the person's."""

    id: UUID
    body: day.OwnDay


class WorkDay(Struct):
    """What a person has finished today beside doors and visits."""

    done: list[work_day.WorkDone]


class WorkDayDocument(Struct, tag_field="kind", tag="work_day"):
    """The person's day beside doors and visits; its id is the person's."""

    id: UUID
    body: WorkDay


class WordDocument(Struct, tag_field="kind", tag="word"):
    """Something that the person has said beside a job, or on none."""

    id: UUID
    body: said.OwnWord


class EarningRates(Struct):
    """What the work of the person's role earns now."""

    rates: list[earnings.HoldingRate]


class EarningRatesDocument(Struct, tag_field="kind", tag="earning_rates"):
    """The rates that hold for the person's work; its id is the person's."""

    id: UUID
    body: EarningRates


class EarnedDayDocument(Struct, tag_field="kind", tag="earned_day"):
    """What a day has earned the person, so that only a day that changes is sent again."""

    id: UUID
    body: earnings.EarnedDay


class PriceList(Struct):
    """What may be sold beside an order."""

    prices: list[extras.ExtraPrice]


class PriceListDocument(Struct, tag_field="kind", tag="price_list"):
    """The prices of extras that hold for a technician; its id is the person's."""

    id: UUID
    body: PriceList


class ManualDocument(Struct, tag_field="kind", tag="manual"):
    """How a product of one of the visits is installed; its id is the product's."""

    id: UUID
    body: manuals.OwnManual


class VanParts(Struct):
    """What lies on a technician's van beside the goods of his orders."""

    parts: list[extras.VanPart]


class VanPartsDocument(Struct, tag_field="kind", tag="van_parts"):
    """The parts on the person's van; its id is the person's."""

    id: UUID
    body: VanParts


class FormDocument(Struct, tag_field="kind", tag="form"):
    """How a piece of work on a job is captured."""

    id: UUID
    body: Form


Document = (
    RunDocument
    | StopDocument
    | OfferDocument
    | ManifestDocument
    | CargoDocument
    | VisitDocument
    | PickListDocument
    | WaitingDocument
    | VanOutDocument
    | ArrivalDocument
    | CountDocument
    | ShiftDocument
    | ShiftChecklistDocument
    | ProofDocument
    | MyPlaceDocument
    | DayDocument
    | WorkDayDocument
    | WordDocument
    | EarningRatesDocument
    | EarnedDayDocument
    | ManualDocument
    | PriceListDocument
    | VanPartsDocument
    | FormDocument
)


def kind_of(document: Document) -> str:
    """Tell the kind as it stands in the answer."""
    return str(type(document).__struct_config__.tag)
