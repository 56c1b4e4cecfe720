"""When the people of a country work."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.working_time import ROUND_THE_CLOCK, Calendar, NobodyWorks
from doorstep.modules.helpdesk import sql
from doorstep.modules.helpdesk.refusals import CalendarNotUsable

Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
Clock = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Spans = Annotated[list[tuple[Clock, Clock]], Meta(max_length=6)]
Weekday = Literal["1", "2", "3", "4", "5", "6", "7"]
Name = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]*$")]


class CalendarData(Struct, kw_only=True, forbid_unknown_fields=True):
    """A country's clock, its open hours by ISO weekday (Monday is 1), its holidays by date."""

    zone: Annotated[str, Meta(pattern="^[A-Za-z0-9_+/-]{1,64}$")]
    working_hours: dict[Weekday, Spans]
    holidays: Annotated[dict[date, Name], Meta(max_length=400)] = {}


async def calendar_of(country: str | None) -> Calendar:
    """Read when a country works; round the clock for none, and for one without a calendar."""
    found = await db.row(sql.CALENDAR, country) if country else None
    if found is None:
        return ROUND_THE_CLOCK
    return Calendar(found["zone"], found["working_hours"], frozenset(found["holidays"]))


async def list_calendars() -> list[dict[str, Any]]:
    """Read every country's calendar."""
    return await db.rows(sql.CALENDARS)


@db.transactional
async def save_calendar(country: str, data: CalendarData) -> None:
    """Set when a country works; escalations that are still to come are planned anew.

    A deadline that was told to somebody stays as it is.

    Raises: CalendarNotUsable.
    """
    _check(data)
    days = sorted(data.holidays)
    await db.execute(sql.SAVE_CALENDAR, country, data.zone, data.working_hours)
    await db.execute(sql.DROP_HOLIDAYS, country, days)
    await db.execute(sql.SAVE_HOLIDAYS, country, days, [data.holidays[day] for day in days])
    await outbox.add("helpdesk.replan_escalations", {})


def _check(data: CalendarData) -> None:
    if any(opens >= closes for spans in data.working_hours.values() for opens, closes in spans):
        raise CalendarNotUsable("A span must close after it opens.")
    hours = {str(day): spans for day, spans in data.working_hours.items()}
    calendar = Calendar(data.zone, hours, frozenset(data.holidays))
    try:
        # A year of holidays leaves no hour either.
        calendar.after(now(), timedelta(minutes=1))
    except NobodyWorks as never:
        raise CalendarNotUsable("There is no working hour in it.") from never
    except (ValueError, LookupError, OSError) as unknown:
        raise CalendarNotUsable(f"No zone is called {data.zone}.") from unknown
