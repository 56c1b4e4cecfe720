"""Use-cases of places: keep where somebody was, tell it, remember who asked, forget it in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import NotAllowed
from doorstep.core.ids import uuid7
from doorstep.modules.places import rules, sql

FORGET_AT_ONCE = 5_000
MOST_FIXES = 5_000
"""Of a track that is longer than that the newest are told."""

Battery = Literal["low", "middle", "high"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A place at a moment of some work."""

    id: UUID
    at: datetime
    lat: float
    lng: float
    accuracy_m: float
    speed_mps: float | None
    battery: Battery | None
    duty: rules.Duty


@dataclass(frozen=True, slots=True)
class Track:
    """The fixes of a period, oldest first, `more` if there were older ones, and the last of all."""

    fixes: list[dict[str, Any]]
    more: bool
    last: dict[str, Any] | None


@db.transactional
async def keep(person_id: UUID, device_id: UUID, zone: str, fixes: Sequence[Fix]) -> None:
    """Keep fixes, each once however often it comes."""
    await db.execute(
        sql.KEEP,
        person_id,
        device_id,
        now(),
        [fix.id for fix in fixes],
        [fix.at for fix in fixes],
        [fix.lat for fix in fixes],
        [fix.lng for fix in fixes],
        [fix.accuracy_m for fix in fixes],
        [fix.speed_mps for fix in fixes],
        [fix.battery for fix in fixes],
        [fix.duty.kind for fix in fixes],
        [fix.duty.id for fix in fixes],
        zone,
    )


@db.transactional
async def look(
    person_id: UUID, *, since: datetime, until: datetime, reason: str, actor: Actor
) -> Track:
    """Tell where somebody was, and write down who asked; the one never without the other.

    Raises: NotAllowed for somebody who is no person.
    """
    if actor.person_id is None:
        raise NotAllowed("A person looks, and is named.")
    moment = now()
    forgotten = moment - rules.KEPT_FOR
    await db.execute(
        sql.LOOKED,
        uuid7(),
        person_id,
        actor.person_id,
        actor.role,
        since,
        until,
        reason,
        moment,
        actor.request_id,
    )
    found = await db.rows(sql.TRACK, person_id, since, until, forgotten, MOST_FIXES + 1)
    last = await db.row(sql.LAST, person_id, forgotten)
    return Track(found[:MOST_FIXES][::-1], len(found) > MOST_FIXES, last)


async def days_of(person_id: UUID, zone: str) -> list[dict[str, Any]]:
    """Tell by day what was recorded of somebody in hours that are over, the newest first."""
    moment = now()
    since, until = moment - rules.KEPT_FOR, rules.told_until(moment)
    return await db.rows(sql.DAYS, person_id, since, until, zone)


async def looks_at(person_id: UUID) -> list[dict[str, Any]]:
    """Tell who looked at somebody in hours that are over, the newest first."""
    moment = now()
    return await db.rows(sql.LOOKS, person_id, moment - rules.KEPT_FOR, rules.told_until(moment))


async def forget() -> None:
    """Delete the places of more than 60 days ago, some at a time; who looked stays."""
    before = now() - rules.KEPT_FOR
    for statement in sql.FORGET:
        while await db.execute(statement, before, FORGET_AT_ONCE) == FORGET_AT_ONCE:
            pass
