"""Pure decisions of the customer's page: when somebody comes, what happens next, what may be told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

OUT_FOR_DELIVERY, DELIVERED, BOOKED, INSTALLED = 1012, 1013, 1014, 1015

USUAL_PACE = timedelta(minutes=15)
"""From one door to the next, while a run has shown no pace of its own."""

FASTEST, SLOWEST = timedelta(minutes=4), timedelta(minutes=60)
ENOUGH = 3
"""So many doors make a pace; the last eight count."""

LAST = 8
EARLY, LATE = 0.75, 1.5
"""Doors differ: the range reaches from so much of the pace to so much of it."""

DRIVE = 0.4
"""The share of a door's time after which the one before ours may already be left behind."""

STEP = timedelta(minutes=10)
NARROWEST = timedelta(minutes=20)

Cause = Literal["usual", "pace", "quiet"]


class Arrival(NamedTuple):
    """Between when somebody is expected, and what that is reckoned by.

    `usual`: the run is too young for a pace of its own; `pace`: by its last doors; `quiet`: it has
    told nothing for longer than a door takes.
    """

    from_at: datetime
    until_at: datetime
    cause: Cause


def expect_arrival(
    stops_before: int, accepted_at: datetime, closed: Sequence[datetime], present: datetime
) -> Arrival:
    """Reckon when a van is at our door: `stops_before` doors are still open before it."""
    told = sorted(at for at in (accepted_at, *closed) if at <= present) or [present]
    gaps = [(later - sooner).total_seconds() for sooner, later in pairwise(told)][-LAST:]
    paced = len(gaps) >= ENOUGH
    pace = min(max(timedelta(seconds=median(gaps)), FASTEST), SLOWEST) if paced else USUAL_PACE
    last = told[-1]
    earliest = last + (stops_before + DRIVE) * EARLY * pace
    latest = last + (stops_before + 1) * LATE * pace
    cause: Cause = "pace" if paced else "usual"
    if present > last + 2 * LATE * pace:
        # Nothing was heard of the next door, so nothing is known of the way since: it begins now.
        earliest, latest, cause = present, present + (stops_before + 1) * 2 * pace, "quiet"
    start = _down(max(earliest, present))
    return Arrival(start, max(_up(latest), start + NARROWEST), cause)


def _down(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 10, seconds=at.second, microseconds=at.microsecond)


def _up(at: datetime) -> datetime:
    down = _down(at)
    return down if down == at else down + STEP


class Next(NamedTuple):
    """What happens next with a parcel, and when where that is known."""

    kind: Literal[
        "arriving",
        "on_the_road",
        "late",
        "window",
        "visit",
        "visit_unplanned",
        "milestone",
        "nothing",
    ]
    from_at: datetime | None = None
    until_at: datetime | None = None
    stops_before: int = 0
    cause: Cause | None = None


class Span(NamedTuple):
    """A time that was agreed, and until when."""

    from_at: datetime
    until_at: datetime


class Road(NamedTuple):
    """The run that has a parcel on it: of other doors only how many, and when they were done."""

    on_the_road: bool
    stops_before: int
    accepted_at: datetime | None
    closed: Sequence[datetime]


def what_next(
    settled: Collection[int],
    *,
    needs_install: bool,
    ended: bool,
    held_up: bool,
    window: Span | None,
    visit: Span | None,
    road: Road | None,
    present: datetime,
) -> Next:
    """Tell what comes next; only what is known is said, and a plan that is over is none.

    `held_up` under a detour: then the next step of the ordinary way is no promise.
    """
    if ended:
        return Next("nothing")
    if DELIVERED not in settled:
        return _before_delivery(settled, held_up, window, road, present)
    if needs_install and INSTALLED not in settled:
        if visit is not None and visit.until_at > present:
            return Next("visit", visit.from_at, visit.until_at)
        return Next("visit_unplanned")
    return Next("nothing")


def _before_delivery(
    settled: Collection[int],
    held_up: bool,
    window: Span | None,
    road: Road | None,
    present: datetime,
) -> Next:
    promised = window if window is not None and window.until_at > present else None
    if OUT_FOR_DELIVERY in settled:
        if road is not None and road.on_the_road and road.accepted_at is not None:
            found = expect_arrival(road.stops_before, road.accepted_at, road.closed, present)
            start, end = found.from_at, found.until_at
            # Nobody rings before the promised time; whether he will be late is told as it is.
            if promised and start < promised.from_at:
                start, end = promised.from_at, max(end, promised.from_at + NARROWEST)
            late = window is not None and start > window.until_at
            kind: Literal["late", "arriving"] = "late" if late else "arriving"
            return Next(kind, start, end, road.stops_before, found.cause)
        if promised is None:
            return Next("on_the_road")
    if promised is not None:
        return Next("window", promised.from_at, promised.until_at)
    return Next("nothing" if held_up else "milestone")


def plug_in_after(
    delivered_at: datetime | None, standing_hours: int, present: datetime
) -> datetime | None:
    """Tell from when goods that must stand may be plugged in; None where that is over or not so."""
    if delivered_at is None or not standing_hours:
        return None
    after = delivered_at + timedelta(hours=standing_hours)
    return after if after > present else None


def is_today(at: datetime, zone: ZoneInfo, present: datetime) -> bool:
    """Tell whether a moment is today on the clock of the place."""
    return at.astimezone(zone).date() == present.astimezone(zone).date()


def comes_on(
    planned_on: date | None,
    *,
    out_for_delivery: bool,
    delivered: bool,
    zone: ZoneInfo,
    present: datetime,
) -> bool:
    """Tell whether a courier's name matters: the goods are on his van, and it is his day."""
    if delivered or not out_for_delivery or planned_on is None:
        return False
    return planned_on <= present.astimezone(zone).date()


def initial(first_name: str) -> str:
    """Shorten a name to what a link shows of it before signing in: `Karim` → `K.` (IA1)."""
    return f"{first_name[0]}." if first_name else ""
