"""Pure decisions of procurement: deadlines in a vendor's working hours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

WorkingHours = Mapping[str, Sequence[Sequence[str]]]
"""{"1": [["09:00", "18:00"]], …}: ISO weekday, Monday is 1, to the open spans of that day."""

_HORIZON_DAYS = 400


class VendorNeverWorks(ValueError):
    """The working hours hold no span that time could pass in: the vendor's data are wrong."""


def add_working_hours(
    start: datetime, span: timedelta, zone: str, working_hours: WorkingHours
) -> datetime:
    """Tell when `span` of a vendor's working time has passed since `start`, in UTC.

    Spans are told on the vendor's wall clock; time is added on the real one, so a change to summer
    time inside a working day neither gives nor takes an hour of it.

    Raises: VendorNeverWorks.
    """
    left = span
    for opens, closes in _spans(start, ZoneInfo(zone), working_hours):
        begins = max(opens, start)
        if closes <= begins:
            continue
        if closes - begins >= left:
            return begins + left
        left -= closes - begins
    raise VendorNeverWorks(f"no working time within {_HORIZON_DAYS} days")


def _spans(
    start: datetime, zone: ZoneInfo, working_hours: WorkingHours
) -> Iterator[tuple[datetime, datetime]]:
    # The day before may have a span that is still open at `start` in another zone.
    first = start.astimezone(zone).date() - timedelta(days=1)
    for offset in range(_HORIZON_DAYS):
        day = first + timedelta(days=offset)
        for opens, closes in sorted(map(tuple, working_hours.get(str(day.isoweekday()), ()))):
            yield _instant(day, opens, zone), _instant(day, closes, zone)


def _instant(day: date, clock: str, zone: ZoneInfo) -> datetime:
    if clock == "24:00":
        return _instant(day + timedelta(days=1), "00:00", zone)
    return datetime.combine(day, time.fromisoformat(clock), zone).astimezone(UTC)
