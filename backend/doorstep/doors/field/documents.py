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
    said,
    shift,
    shifts,
    stock,
    visits,
    waiting,
    warehouse,
    work_day,
)
from doorstep.doors.field.document_kinds import (
    ArrivalDocument,
    Cargo,
    CargoDocument,
    CountDocument,
    DayDocument,
    Document,
    EarnedDayDocument,
    EarningRates,
    EarningRatesDocument,
    FormDocument,
    ManifestDocument,
    ManualDocument,
    MyPlaceDocument,
    OfferDocument,
    PickListDocument,
    PriceList,
    PriceListDocument,
    ProofDocument,
    RunDocument,
    RunTour,
    ShiftChecklistDocument,
    ShiftDocument,
    StopDocument,
    VanOutDocument,
    VanParts,
    VanPartsDocument,
    VisitDocument,
    WaitingDocument,
    WordDocument,
    WorkDay,
    WorkDayDocument,
)
from doorstep.modules.tms.refusals import ShiftMissing


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


def _of_work_day(found: list[work_day.WorkDone], actor: Actor) -> list[Document]:
    if actor.person_id is None or not found:
        return []
    return [WorkDayDocument(actor.person_id, WorkDay(found))]


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
    Source(work_day.list_work_done, _of_work_day),
    Source(said.list_own_words, _each(WordDocument)),
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
