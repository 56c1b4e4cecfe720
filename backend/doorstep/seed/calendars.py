"""When people of the sample company's countries work, with the public holidays of 2026 and 2027.

Days that follow the moon are those announced or expected; an admin corrects them at the desk.
"""

from __future__ import annotations

from datetime import date, time, timedelta

from doorstep.modules.helpdesk.service import CalendarData


def _days(name: str, first: date, count: int = 1) -> dict[date, str]:
    return {first + timedelta(days=n): name for n in range(count)}


def _calendar(zone: str, days: str, *holidays: dict[date, str]) -> CalendarData:
    kept: dict[date, str] = {}
    for some in holidays:
        kept |= some
    # Monday is 1; the text names the working days.
    hours = {day: [("09:00", "18:00")] for day in days}
    return CalendarData(zone=zone, working_hours=hours, holidays=kept)  # type: ignore[arg-type]


_EIDS = (
    _days("Eid al-Fitr", date(2026, 3, 20), 3),
    _days("Arafat Day", date(2026, 5, 26)),
    _days("Eid al-Adha", date(2026, 5, 27), 3),
    _days("Eid al-Fitr", date(2027, 3, 10), 3),
    _days("Arafat Day", date(2027, 5, 15)),
    _days("Eid al-Adha", date(2027, 5, 16), 3),
)

CALENDARS = {
    "AE": _calendar(
        "Asia/Dubai",
        "12345",
        *_EIDS,
        *(_days("New Year", date(year, 1, 1)) for year in (2026, 2027)),
        *(_days("National Day", date(year, 12, 2), 2) for year in (2026, 2027)),
    ),
    "QA": _calendar(
        "Asia/Qatar",
        "71234",
        *_EIDS,
        _days("National Sport Day", date(2026, 2, 10)),
        _days("National Sport Day", date(2027, 2, 9)),
        *(_days("National Day", date(year, 12, 18)) for year in (2026, 2027)),
    ),
    "IN": _calendar(
        "Asia/Kolkata",
        "123456",
        *(_days("Republic Day", date(year, 1, 26)) for year in (2026, 2027)),
        *(_days("Independence Day", date(year, 8, 15)) for year in (2026, 2027)),
        *(_days("Gandhi Jayanti", date(year, 10, 2)) for year in (2026, 2027)),
        _days("Diwali", date(2026, 11, 8)),
        _days("Diwali", date(2027, 10, 29)),
    ),
    "KW": _calendar(
        "Asia/Kuwait",
        "71234",
        *_EIDS,
        *(_days("New Year", date(year, 1, 1)) for year in (2026, 2027)),
        *(_days("National Day", date(year, 2, 25)) for year in (2026, 2027)),
        *(_days("Liberation Day", date(year, 2, 26)) for year in (2026, 2027)),
    ),
}
"""Country → its calendar; the working days are those of its channel."""

DELIVERY_TIMES = ((time(9), time(13)), (time(13), time(17)), (time(17), time(21)))
DELIVERY_CAPACITY = 20
DELIVERY_LEAD_MINUTES = 180
"""When customers of the sample company may have it brought, on its working days."""
