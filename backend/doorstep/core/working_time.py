"""Time that counts only while somebody works: weekly hours on a wall clock, less the holidays."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

WorkingHours = Mapping[str, Sequence[Sequence[str]]]
"""{"1": [["09:00", "18:00"]], …}: ISO weekday, Monday is 1, to the open spans of that day."""

_HORIZON_DAYS = 400


class NobodyWorks(ValueError):
    """The working hours hold no span that time could pass in: the calendar's data are wrong."""


class Calendar(NamedTuple):
    """When a country, or a vendor, works."""

    zone: str
    working_hours: WorkingHours
    holidays: Collection[date] = frozenset()

    def after(self, start: datetime, span: timedelta) -> datetime:
        """Tell when `span` of working time has passed since `start`, in UTC.

        Raises: NobodyWorks.
        """
        return add_working_hours(start, span, self.zone, self.working_hours, self.holidays)


ROUND_THE_CLOCK = Calendar("UTC", {str(day): [("00:00", "24:00")] for day in range(1, 8)})
"""For what belongs to no country: nothing may wait for ever because a calendar is missing."""


def add_working_hours(
    start: datetime,
    span: timedelta,
    zone: str,
    working_hours: WorkingHours,
    holidays: Collection[date] = frozenset(),
) -> datetime:
    """Tell when `span` of working time has passed since `start`, in UTC.

    Spans are told on the wall clock of the zone; time is added on the real one, so a change to
    summer time inside a working day neither gives nor takes an hour of it. A holiday is a day of
    that zone on which nothing passes.

    Raises: NobodyWorks.
    """
    left = span
    for opens, closes in _spans(start, ZoneInfo(zone), working_hours, holidays):
        begins = max(opens, start)
        if closes <= begins:
            continue
        if closes - begins >= left:
            return begins + left
        left -= closes - begins
    raise NobodyWorks(f"no working time within {_HORIZON_DAYS} days")


def _spans(
    start: datetime, zone: ZoneInfo, working_hours: WorkingHours, holidays: Collection[date]
) -> Iterator[tuple[datetime, datetime]]:
    # The day before may have a span that is still open at `start` in another zone.
    first = start.astimezone(zone).date() - timedelta(days=1)
    for offset in range(_HORIZON_DAYS):
        day = first + timedelta(days=offset)
        if day in holidays:
            continue
        for opens, closes in sorted(map(tuple, working_hours.get(str(day.isoweekday()), ()))):
            yield _instant(day, opens, zone), _instant(day, closes, zone)


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        return _instant(day + timedelta(days=1), "00:00", zone)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
