"""Admins: who is asked next when something waits too long, and when people work (A4)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from litestar import get, put
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.refusals import CalendarNotUsable, RuleNotUsable
from doorstep.modules.helpdesk.service import CalendarData, RuleData

TAGS = ["helpdesk"]
MANAGING = needs("helpdesk:escalation:manage")


class RuleOut(Struct, kw_only=True):
    """A rule; `kind` or `country` null means any, without `owner_role` it stays in its queue."""

    level: int
    after_minutes: int
    counted_from: Literal["opened", "due"]
    owner_role: str | None
    tells: list[str]
    kind: str | None
    country: str | None


class RulesIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Every rule that is to count from now on."""

    rules: Annotated[list[RuleData], Meta(max_length=300)]


class CalendarOut(Struct, kw_only=True):
    """When a country works; without a calendar, a country works round the clock."""

    country: str
    zone: str
    working_hours: dict[str, list[list[str]]]
    holidays: dict[date, str]


@get(
    "/console/escalation-rules",
    operation_id="listEscalationRules",
    opt=MANAGING,
    tags=TAGS,
)
async def list_rules() -> list[RuleOut]:
    """List every escalation rule, those for all kinds and countries first."""
    return msgspec.convert(await helpdesk.list_rules(), list[RuleOut])


@put(
    "/console/escalation-rules",
    operation_id="saveEscalationRules",
    opt=MANAGING,
    responses=problems(RuleNotUsable),
    tags=TAGS,
)
async def save_rules(data: JSONBody[RulesIn]) -> list[RuleOut]:
    """Put these rules in the place of all others; open problems are planned by them."""
    await helpdesk.save_rules(data.rules)
    return msgspec.convert(await helpdesk.list_rules(), list[RuleOut])


@get(
    "/console/business-calendars",
    operation_id="listBusinessCalendars",
    opt=MANAGING,
    tags=TAGS,
)
async def list_calendars() -> list[CalendarOut]:
    """List when each country works."""
    return msgspec.convert(await helpdesk.list_calendars(), list[CalendarOut], strict=False)


@put(
    "/console/business-calendars/{country:str}",
    operation_id="saveBusinessCalendar",
    opt=MANAGING,
    responses=problems(CalendarNotUsable),
    tags=TAGS,
)
async def save_calendar(
    country: Annotated[str, PathParameter(pattern="^[A-Z]{2}$")], data: JSONBody[CalendarData]
) -> list[CalendarOut]:
    """Set when a country works; deadlines that were told stay, escalations are planned anew."""
    await helpdesk.save_calendar(country, data)
    return msgspec.convert(await helpdesk.list_calendars(), list[CalendarOut], strict=False)


handlers = [list_rules, save_rules, list_calendars, save_calendar]
"""The routes of this door."""
