"""Use-cases of earnings: set a rate, write what finished work earns, tell it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused, NotAllowed
from doorstep.core.ids import uuid7
from doorstep.modules.earnings import rules, sql
from doorstep.modules.earnings.refusals import RateBeginsTooEarly
from doorstep.modules.earnings.schemas import DecisionIn, RateIn


@db.transactional
async def save_rate(rate: RateIn, set_by: UUID | None) -> UUID:
    """Write a new version of a rate; return its id. What holds already makes no new one.

    What was earned stays: only the first rate of a kind may begin before now. The caller has looked
    whether the channel is the actor's.

    Raises: RateBeginsTooEarly.
    """
    key = f"earning_rate:{rate.channel_id}:{rate.kind}"
    await db.value("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", key)
    moment = now()
    begins = rate.valid_from or moment
    last = await db.row(
        "SELECT id, version, amount_minor, valid_from FROM earning_rate"
        " WHERE channel_id = $1 AND kind = $2 ORDER BY version DESC LIMIT 1",
        rate.channel_id,
        rate.kind,
    )
    if last and last["valid_from"] <= begins and last["amount_minor"] == rate.amount_minor:
        same: UUID = last["id"]
        return same
    if begins < (moment if last else moment - rules.LOOKS_BACK):
        raise RateBeginsTooEarly
    new_id = uuid7()
    await db.execute(
        sql.ADD_RATE,
        new_id,
        rate.channel_id,
        rate.kind,
        last["version"] + 1 if last else 1,
        rate.amount_minor,
        begins,
        rate.reason.strip(),
        set_by,
        moment,
    )
    return new_id


async def holding(channel_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """List the rates that hold now in these channels; a kind that earns nothing is left out."""
    rows = await db.rows(sql.HOLDING, list(channel_ids), now())
    return [row for row in rows if row["amount_minor"] > 0]


async def versions(channel_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """List every version of the rates of these channels, the newest of each kind first."""
    return await db.rows(sql.VERSIONS, list(channel_ids))


@db.transactional
async def write(found: Iterable[rules.Work]) -> None:
    """Write the line that follows for each piece of work, where one does; each is written once."""
    moment = now()
    for work in found:
        line = rules.next_line(work)
        if line is not None:
            await db.execute(
                sql.ADD_LINE,
                work.event_id,
                work.kind,
                work.person_id,
                line.n,
                work.channel_id,
                line.rate_id,
                work.order_id,
                work.number,
                work.minutes,
                work.currency,
                line.amount_minor,
                line.reason,
                work.words,
                work.worked_at,
                work.worked_on,
                moment,
            )


@db.transactional
async def keep_decision(decision: DecisionIn, *, actor: Actor) -> bool:
    """Keep a desk's word on a piece of work; False when this very word is kept already.

    Raises: EventIdReused; NotAllowed for somebody who is no person.
    """
    if actor.person_id is None:
        raise NotAllowed("A person decides, and is named.")
    known = await db.row(
        "SELECT event_id, earns FROM earning_decision WHERE id = $1", decision.event_id
    )
    if known is not None:
        if (known["event_id"], known["earns"]) != (decision.work_id, decision.earns):
            raise EventIdReused(str(decision.event_id))
        return False
    await db.execute(
        sql.ADD_DECISION,
        decision.event_id,
        decision.work_id,
        decision.earns,
        decision.reason.strip(),
        actor.person_id,
        now(),
    )
    return True


async def lines_of(person_id: UUID, since: date) -> list[dict[str, Any]]:
    """List what a person's work since a day has earned, and what was taken away of it, by day."""
    return await db.rows(sql.OWN_LINES, person_id, since)


async def lines(
    first: date, last: date, person_id: UUID | None, *, actor: Actor
) -> list[dict[str, Any]]:
    """List the lines of these days in the actor's channels, person by person."""
    condition, arguments = scope(actor).channels("l.channel_id", first=4)
    return await db.rows(sql.LINES.format(scope=condition), first, last, person_id, *arguments)


async def sums(first: date, last: date, *, actor: Actor) -> list[dict[str, Any]]:
    """Tell what each person has earned on these days in the actor's channels."""
    condition, arguments = scope(actor).channels("l.channel_id", first=3)
    return await db.rows(sql.SUMS.format(scope=condition), first, last, *arguments)
