"""Technicians: who installs what, and when they work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.modules.fsm import rules
from doorstep.modules.fsm.refusals import OutsideHours


class Technician(NamedTuple):
    """Somebody who may take a visit: who, name, and working hours on the channel's clock."""

    person_id: UUID
    name: str
    hours: rules.Hours


@db.transactional
async def create_technician(
    person_id: UUID,
    channel_id: UUID,
    skills: Sequence[str],
    hours: Mapping[str, Sequence[tuple[str, str]]],
) -> None:
    """Let a person take visits of a channel, or change skills and hours of one who does.

    `hours`: ISO weekday "1" to "7" → spans like ("09:00", "13:00").

    Raises: OutsideHours when the hours cannot be read.
    """
    if not rules.hours_are_sound(hours):
        raise OutsideHours("The working hours cannot be read.")
    await db.execute(
        "INSERT INTO technician (person_id, channel_id, skills, hours) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (person_id) DO UPDATE SET channel_id = excluded.channel_id,"
        " skills = excluded.skills, hours = excluded.hours, active = true",
        person_id,
        channel_id,
        sorted(set(skills)),
        msgspec.to_builtins(hours),
    )


async def technicians_for(channel_id: UUID, skills: Collection[str]) -> list[Technician]:
    """List who works in the channel and has every one of the skills."""
    found = await db.rows(
        "SELECT t.person_id, p.name, t.hours FROM technician t JOIN person p ON p.id = t.person_id"
        " WHERE t.channel_id = $1 AND t.active AND p.active AND t.skills @> $2"
        " ORDER BY t.person_id",
        channel_id,
        list(skills),
    )
    return [Technician(**row) for row in found]
