"""Pure decisions about delivery slots: when they fall, and which have room left (P14)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep.modules.tms.refusals import SlotsNotUsable


class Slot(NamedTuple):
    """A window of a weekday (ISO, 1 = Monday) on the channel's clock, with room for so many parcels.

    It can be chosen until `lead_minutes` before it begins.
    """

    id: UUID
    weekday: int
    from_time: time
    until_time: time
    capacity: int
    lead_minutes: int


class Span(NamedTuple):
    """A stretch of time in UTC, its end not included."""

    start: datetime
    end: datetime


class Free(NamedTuple):
    """A slot on one day, with room for `left` more parcels."""

    slot_id: UUID
    start: datetime
    end: datetime
    left: int


def check(slots: Sequence[Slot]) -> None:
    """Refuse slots that end before they begin, or two that share a moment of one weekday.

    Raises: SlotsNotUsable.
    """
    ordered = sorted(slots, key=lambda slot: (slot.weekday, slot.from_time))
    backwards = any(slot.from_time >= slot.until_time for slot in ordered)
    meet = any(
        one.weekday == other.weekday and other.from_time < one.until_time
        for one, other in pairwise(ordered)
    )
    if backwards or meet:
        raise SlotsNotUsable


def days(zone: ZoneInfo, since: datetime, count: int) -> Iterator[date]:
    """List so many days of the channel's calendar, from the day of a moment on."""
    first = since.astimezone(zone).date()
    return (first + timedelta(days=n) for n in range(count))


def free(
    slots: Iterable[Slot],
    zone: ZoneInfo,
    wanted: Iterable[date],
    taken: Sequence[Span],
    *,
    earliest: datetime,
    present: datetime,
) -> list[Free]:
    """List the slots of these days that have room, soonest first.

    A promised window takes room in every slot that it shares a moment with. None begins before
    `earliest`, nor sooner than its lead after `present`.
    """
    found = []
    for day in wanted:
        for slot in slots:
            if slot.weekday != day.isoweekday():
                continue
            span = _on(slot, day, zone)
            soonest = max(earliest, present + timedelta(minutes=slot.lead_minutes))
            left = slot.capacity - sum(_meet(span, other) for other in taken)
            # An hour that the clocks leave out can make a window end before it begins.
            if soonest <= span.start < span.end and left > 0:
                found.append(Free(slot.id, span.start, span.end, left))
    return sorted(found, key=lambda one: one.start)


def _on(slot: Slot, day: date, zone: ZoneInfo) -> Span:
    return Span(
        datetime.combine(day, slot.from_time, zone).astimezone(UTC),
        datetime.combine(day, slot.until_time, zone).astimezone(UTC),
    )


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
