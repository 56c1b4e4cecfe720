"""What a person needs in the field without a signal: all that the GET routes of this door tell.

Each document is read by the very handler of its route, under that route's permission; nothing is
here that its person could not read there. A run is one document and each of its stops another, so
that a stop that changes is not sent with fifty-nine that do not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import may
from doorstep.doors.field import (
    cargo,
    day,
    earnings,
    extras,
    forms,
    manuals,
    offers,
    places,
    pods,
    receiving,
    returning,
    runs,
    shift,
    shifts,
    stock,
    visits,
    waiting,
    warehouse,
)
from doorstep.doors.field.form_shapes import Form
from doorstep.modules.tms.refusals import ShiftMissing


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


def _of_runs(found: list[runs.RunOut], _actor: Actor) -> Iterator[Document]:
    for run in found:
        head = {name: getattr(run, name) for name in runs.RunHead.__struct_fields__}
        yield RunDocument(run.id, RunTour(**head, stop_ids=[stop.id for stop in run.stops]))
        yield from (StopDocument(stop.id, stop) for stop in run.stops)


def _each(make: Callable[[UUID, Any], Document]) -> Callable[[Any, Actor], Iterator[Document]]:
    return lambda found, _actor: (
        make(getattr(one, "pod_id", None) or one.id, one) for one in found
    )


def _of_shift(found: shifts.ShiftOut, _actor: Actor) -> list[Document]:
    return [ShiftDocument(found.id, found)]


def _of_checklist(found: shift.ShiftChecklistOut, actor: Actor) -> list[Document]:
    return [] if actor.person_id is None else [ShiftChecklistDocument(actor.person_id, found)]


def _of_cargo(found: list[cargo.CargoPiece], actor: Actor) -> list[Document]:
    if actor.person_id is None or not found:
        return []
    return [CargoDocument(actor.person_id, Cargo(found))]


def _of_places(found: places.MyPlaces, actor: Actor) -> list[Document]:
    """Nothing recorded and nobody looked is no document."""
    if actor.person_id is None or not (found.days or found.looks):
        return []
    return [MyPlaceDocument(actor.person_id, found)]


def _of_day(found: day.OwnDay, actor: Actor) -> list[Document]:
    """Nothing done and nothing to hand in is no document."""
    if actor.person_id is None or not (found.done or found.cash):
        return []
    return [DayDocument(actor.person_id, found)]


def _of_earnings(found: earnings.OwnEarnings, actor: Actor) -> list[Document]:
    """Where the office has set no rates and nothing was earned, there is no document."""
    if actor.person_id is None:
        return []
    made: list[Document] = [
        EarnedDayDocument(uuid5(actor.person_id, one.day.isoformat()), one) for one in found.days
    ]
    if found.rates:
        made.append(EarningRatesDocument(actor.person_id, EarningRates(found.rates)))
    return made


def _of_prices(found: list[extras.ExtraPrice], actor: Actor) -> list[Document]:
    if actor.person_id is None or not found:
        return []
    return [PriceListDocument(actor.person_id, PriceList(found))]


def _of_parts(found: list[extras.VanPart], actor: Actor) -> list[Document]:
    if actor.person_id is None or not found:
        return []
    return [VanPartsDocument(actor.person_id, VanParts(found))]


@dataclass(frozen=True)
class Source:
    """A route of this door, and the documents that its answer makes.

    `read` stands in for the route's handler where that tells one thing at a time.
    """

    route: HTTPRouteHandler
    split: Callable[[Any, Actor], Iterable[Document]]
    read: Callable[[Actor], Awaitable[Any]] | None = None

    async def documents(self, actor: Actor) -> list[Document]:
        """Read what the actor would be told there."""
        if not may(actor.role, self.route.opt["permission"]):
            return []
        read: Callable[..., Awaitable[Any]] = self.read or self.route.fn
        try:
            return [*self.split(await read(actor=actor), actor)]
        except ShiftMissing:
            return []


SOURCES = (
    Source(shifts.read_own_shift, _of_shift),
    Source(shift.read_checklist, _of_checklist),
    Source(runs.list_own_runs, _of_runs),
    Source(offers.list_own_offers, _each(OfferDocument)),
    Source(runs.list_own_manifests, _each(ManifestDocument)),
    Source(cargo.list_cargo, _of_cargo),
    Source(pods.read_pod, _each(ProofDocument), read=pods.recent_pods),
    Source(visits.list_own_visits, _each(VisitDocument)),
    Source(manuals.list_own_manuals, _each(ManualDocument)),
    Source(extras.list_prices, _of_prices),
    Source(extras.list_parts, _of_parts),
    Source(warehouse.list_pick_lists, _each(PickListDocument)),
    Source(waiting.list_waiting_parcels, _each(WaitingDocument)),
    Source(returning.list_vans_out, _each(VanOutDocument)),
    Source(receiving.list_arrivals, _each(ArrivalDocument)),
    Source(stock.list_open_counts, _each(CountDocument)),
    Source(day.read_own_day, _of_day),
    Source(earnings.read_own_earnings, _of_earnings),
    Source(places.read_my_places, _of_places),
)
"""Everything that a phone holds for its person."""


async def documents_of(actor: Actor) -> list[Document]:
    """Read all documents of a person, as they stood at one moment.

    As many statements for sixty stops as for one.
    """
    found: list[Document] = [FormDocument(*one) for one in forms.forms_for(actor)]
    async with db.snapshot():
        for source in SOURCES:
            found += await source.documents(actor)
    return found
