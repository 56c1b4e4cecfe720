"""Pure decisions of field service: which slots are free, what a report lacks, whether it agrees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from doorstep.modules.fsm.refusals import ChecklistNotMade
from doorstep.modules.fsm.schemas import Checklist, InstalledUnit, VisitCompleted

STEP = timedelta(minutes=30)
"""Visits begin on the half hour."""

DEFAULT_MINUTES = 90
LONGEST_MINUTES = 720
DEFAULT_PHOTO_SLOTS = ("before", "after")
"""What holds for goods that nobody has written a checklist for."""

Hours = Mapping[str, Sequence[tuple[str, str]]]
"""ISO weekday "1" to "7" → spans like ("09:00", "13:00") on the channel's clock."""


class Span(NamedTuple):
    """A stretch of time, its end not included."""

    start: datetime
    end: datetime


def working_spans(hours: Hours, day: date, zone: ZoneInfo) -> Iterator[Span]:
    """Give the working spans of a day, as moments."""
    for opens, closes in hours.get(str(day.isoweekday()), ()):
        start = datetime.combine(day, time.fromisoformat(opens), zone)
        end = datetime.combine(day, time.fromisoformat(closes), zone)
        if start < end:
            yield Span(start, end)


def within_hours(hours: Hours, zone: ZoneInfo, wanted: Span) -> bool:
    """Tell whether a visit lies wholly in one working span."""
    day = wanted.start.astimezone(zone).date()
    return any(
        span.start <= wanted.start and wanted.end <= span.end
        for span in working_spans(hours, day, zone)
    )


def open_slots(
    hours: Hours, zone: ZoneInfo, busy: Iterable[Span], window: Span, length: timedelta
) -> Iterator[Span]:
    """Give every slot of this length, on the half hour, that lies in the window, hours and gaps."""
    taken = sorted(busy)
    day = window.start.astimezone(zone).date()
    while datetime.combine(day, time(), zone) < window.end:
        for span in working_spans(hours, day, zone):
            yield from _slots_in(span, taken, window, length)
        day += timedelta(days=1)


def _slots_in(span: Span, taken: Sequence[Span], window: Span, length: timedelta) -> Iterator[Span]:
    # Arithmetic is done in UTC: an hour that a clock change adds or takes is then a real hour.
    utc = ZoneInfo("UTC")
    start, last = span.start.astimezone(utc), min(span.end, window.end).astimezone(utc)
    while start + length <= last:
        slot = Span(start, start + length)
        if start >= window.start and not any(overlap(slot, other) for other in taken):
            yield slot
        start += STEP


def overlap(one: Span, other: Span) -> bool:
    """Tell whether two spans share a moment; one may begin when the other ends."""
    return one.start < other.end and other.start < one.end


def hours_are_sound(hours: Mapping[str, Sequence[Sequence[str]]]) -> bool:
    """Tell whether working hours can be read: weekdays "1" to "7", each span forward."""
    try:
        return all(
            day in "1234567" and len(day) == 1 and time.fromisoformat(a) < time.fromisoformat(b)
            for day, spans in hours.items()
            for a, b in spans
        )
    except ValueError:
        return False


def earliest_start(there_at: datetime | None, standing_hours: int, present: datetime) -> datetime:
    """Tell from when on the goods may be installed: they stand first, once they are there.

    Where neither a delivery nor a promise of it says when that is, only the present counts; the
    booking is moved if the goods come too late.
    """
    if there_at is None:
        return present
    return max(present, there_at + timedelta(hours=standing_hours))


def booking_holds(starts_at: datetime, delivered_at: datetime, standing_hours: int) -> bool:
    """Tell whether a booked visit is still late enough now that the goods have come."""
    return starts_at >= delivered_at + timedelta(hours=standing_hours)


def check_checklist(checklist: Checklist) -> None:
    """Refuse a checklist that names an item, a topic or a picture twice.

    Raises: ChecklistNotMade.
    """
    for names in (
        [item.id for item in checklist.items],
        [topic.id for topic in checklist.demo_topics],
        checklist.photo_slots,
    ):
        if len(names) != len(set(names)):
            raise ChecklistNotMade("An id stands twice.", ids=names)


class Line(NamedTuple):
    """Goods of one line that are to be installed; `serials` are those that were delivered."""

    id: UUID
    product_id: UUID
    name: str
    quantity: int
    serialised: bool
    serials: tuple[str, ...]
    has_checklist: bool


class Known(NamedTuple):
    """A version of a checklist, and the product it is for (None: any that has no other)."""

    product_id: UUID | None
    checklist: Checklist


class Report(NamedTuple):
    """What is wrong with a report: what it does not bring, and what does not agree."""

    missing: list[str]
    disagreements: list[str]


class _Unit(NamedTuple):
    """A reported unit beside the line and the checklist it names, where those exist."""

    reported: InstalledUnit
    line: Line | None
    checklist: Checklist | None


def judge(
    report: VisitCompleted, lines: Sequence[Line], checklists: Mapping[UUID, Known]
) -> Report:
    """Compare a report with the goods, the checklists it names and the delivered serials (V5).

    `missing` names evidence that was not brought (a person is told at once), `disagreements` what
    a dispatcher must look at before the approval.
    """
    by_id = {line.id: line for line in lines}
    units = [_matched(unit, by_id, checklists) for unit in report.units]
    asked = [unit.checklist for unit in units if unit.checklist]
    missing = [
        *_units_missing(units, lines),
        *_answers_missing(units),
        *_photos_missing(report, asked),
        *_sign_off_missing(report, asked),
    ]
    return Report(missing, [*_serials_differ(units), *_answers_differ(units)])


def _matched(
    unit: InstalledUnit, lines: Mapping[UUID, Line], checklists: Mapping[UUID, Known]
) -> _Unit:
    line = lines.get(unit.fulfilment_line_id)
    known = checklists.get(unit.checklist_id) if unit.checklist_id else None
    fits = known and line and known.product_id in (None, line.product_id)
    return _Unit(unit, line, known.checklist if known and fits else None)


def _units_missing(units: Sequence[_Unit], lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        own = [unit for unit in units if unit.line == line]
        if len(own) < line.quantity:
            yield f"unit:{line.name}"
        if line.serialised and any(not unit.reported.serial.strip() for unit in own):
            yield f"serial:{line.name}"
        if line.has_checklist and any(unit.checklist is None for unit in own):
            yield f"checklist:{line.name}"


def _answers_missing(units: Sequence[_Unit]) -> Iterator[str]:
    for unit in units:
        for item in unit.checklist.items if unit.checklist else ():
            if unit.reported.answers.get(item.id) in (None, ""):
                yield f"answer:{item.id}"


def _photos_missing(report: VisitCompleted, asked: Sequence[Checklist]) -> Iterator[str]:
    brought = {photo.slot for photo in report.photos}
    wanted = [slot for checklist in asked for slot in checklist.photo_slots]
    for slot in dict.fromkeys(wanted or DEFAULT_PHOTO_SLOTS):
        if slot not in brought:
            yield f"photo:{slot}"


def _sign_off_missing(report: VisitCompleted, asked: Sequence[Checklist]) -> Iterator[str]:
    shown = set(report.demo_topics)
    for topic in dict.fromkeys(topic.id for checklist in asked for topic in checklist.demo_topics):
        if topic not in shown:
            yield f"demo:{topic}"
    if report.sign_off is None or not report.sign_off.name.strip():
        yield "sign_off"


def _serials_differ(units: Sequence[_Unit]) -> Iterator[str]:
    serials = [unit.reported.serial.strip() for unit in units]
    for unit, serial in zip(units, serials, strict=True):
        if unit.line is None:
            yield "A unit is reported that is not part of this delivery."
        elif unit.line.serialised and serial not in (*unit.line.serials, ""):
            yield f"{unit.line.name}: serial {serial} is not the one that was delivered."
    given = [serial for serial in serials if serial]
    if len(given) != len(set(given)):
        yield "The same serial is reported twice."


def _answers_differ(units: Sequence[_Unit]) -> Iterator[str]:
    for unit in units:
        if unit.checklist is None:
            continue
        kinds = {item.id: item.kind for item in unit.checklist.items}
        for item_id, answer in unit.reported.answers.items():
            if not _answer_fits(kinds.get(item_id), answer):
                yield f"{unit.checklist.title}: {item_id} is answered with {answer!s:.60}."


def _answer_fits(kind: str | None, answer: bool | float | str) -> bool:
    match kind:
        case "check":
            return answer is True
        case "number":
            return isinstance(answer, int | float) and not isinstance(answer, bool)
        case "text":
            return isinstance(answer, str)
    return False


def hash_strokes(strokes: Sequence[Sequence[Sequence[float]]]) -> str:
    """Hash a signature's pen strokes in the one form in which they are stored."""
    return hashlib.sha256(msgspec.json.encode(strokes)).hexdigest()
