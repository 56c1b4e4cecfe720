"""Desks, calendars and rules, for tests of what waits for a person."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.helpdesk import service as helpdesk
from doorstep.modules.helpdesk.service import CalendarData, RuleData
from doorstep.modules.oms import service as oms
from doorstep.modules.oms.schemas import ChannelData

EMIRATES = "12345"
GULF = "71234"


def utc(text: str) -> datetime:
    """Read a moment."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def make_calendar(country: str, zone: str, days: str, *holidays: date) -> None:
    """Let a country work from nine to six on these ISO weekdays."""
    await helpdesk.save_calendar(
        country,
        CalendarData(
            zone=zone,
            working_hours={day: [("09:00", "18:00")] for day in days},  # type: ignore[misc]
            holidays=dict.fromkeys(holidays, "a holiday"),
        ),
    )


async def make_channel(code: str, zone: str, currency: str = "AED") -> UUID:
    """Make a sales channel in the country of that code."""
    return await oms.save_channel(
        ChannelData(
            code=code, name=code, country=code, currency=currency, zone=zone, languages=["en"],
            working_week=[1, 2, 3, 4, 5], tax_basis_points=0, cod_limit_minor=1,
        )
    )  # fmt: skip


async def make_desk(role: str, *channels: UUID, login: str | None = None) -> UUID:
    """Add somebody of a desk who is written to at an address."""
    person_id = uuid7()
    await db.execute(
        "INSERT INTO person (id, role, name, login, password_hash, channel_ids, created_at)"
        " VALUES ($1, $2, $3, $4, 'none', $5, $6)",
        person_id,
        role,
        f"A {role}",
        login or f"{role}-{person_id.hex[-6:]}@example.com",
        list(channels),
        now(),
    )
    return person_id


def rule(level: int, minutes: int, **given: Any) -> RuleData:
    """Write a rule, counted from the deadline for everything unless it is said otherwise."""
    return RuleData(**{"level": level, "after_minutes": minutes, "counted_from": "due"} | given)


async def the_problem(problem_id: UUID) -> dict[str, Any]:
    """Read a problem."""
    return await db.one("SELECT * FROM problem WHERE id = $1", problem_id)
