"""What finished work earns: a line with the fact, taken back and given again by what is said of it.

Level-triggered: `settle` reads which work of a parcel, a pickup or a shift is finished and counts now,
and writes the line that follows. It runs in the transaction of each fact that can change that.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.core.errors import NotAllowed, NotFound
from doorstep.core.jobs import job
from doorstep.flows import earnings_sql, extras, places
from doorstep.modules.earnings import rules, service
from doorstep.modules.earnings.refusals import WorkMissing
from doorstep.modules.earnings.schemas import DecisionIn, RateIn

AT_ONCE = 200
"""So many parcels, pickups and shifts are gone through by one run of the job."""

ONCE_MORE = timedelta(minutes=2)
"""Work that was being recorded while its first rate was set is seen by neither; then it is."""

FIRST_REF = UUID(int=0)


async def settle(ref_id: UUID) -> None:
    """Write what the finished work of a parcel, a manifest or a shift earns now; its lock is held.

    The same again changes nothing.
    """
    await service.write(rules.Work(**row) for row in await db.rows(earnings_sql.OF_REF, ref_id))


async def earn(fact: journey.Fact) -> None:
    """Settle the work on a parcel after a fact about one of its proofs."""
    await settle(fact.fulfilment_id)


# Where somebody works: the channel of a location or of a technician, else every one that is named.
CHANNELS_OF = """
SELECT coalesce(
         (SELECT ARRAY[l.channel_id] FROM location l WHERE l.id = p.location_id),
         (SELECT ARRAY[t.channel_id] FROM technician t WHERE t.person_id = p.id),
         p.channel_ids)
  FROM person p WHERE p.id = $1
"""

# Two desks decide about the same shift or pickup one after the other.
ONE_DECIDES = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"

NAMES = "SELECT id, code FROM channel WHERE id = ANY ($1)"


async def own(actor: Actor) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tell somebody in the field the rates that hold for the work of the role, and the own lines.

    Lines are those since the Monday before the last one, by the clock of where the person works.

    Raises: NotAllowed for somebody who is no person.
    """
    if actor.person_id is None:
        raise NotAllowed
    channels = await db.value(CHANNELS_OF, actor.person_id)
    names = {row["id"]: row["code"] for row in await db.rows(NAMES, channels)}
    kinds = rules.KINDS_OF.get(actor.role, ())
    rates = [
        {
            "kind": rate["kind"],
            "channel": names[rate["channel_id"]],
            "amount_minor": rate["amount_minor"],
            "currency": rate["currency"],
        }
        for rate in await service.holding(channels)
        if rate["kind"] in kinds
    ]
    zone = ZoneInfo(await places.zone_of(actor.person_id))
    since = rules.told_since(now().astimezone(zone).date())
    return rates, await service.lines_of(actor.person_id, since)


@db.transactional
async def set_rate(rate: RateIn, *, actor: Actor) -> UUID:
    """Write a new version of a rate in a channel of the actor's; earlier work by it is settled soon.

    Raises: NotFound; RateBeginsTooEarly.
    """
    if rate.channel_id not in await extras.channels_of(actor):
        raise NotFound
    rate_id = await service.save_rate(rate, actor.person_id)
    if rate.valid_from is not None and rate.valid_from < now():
        for run_at in (None, now() + ONCE_MORE):
            await _look_back(rate.channel_id, rate.valid_from, FIRST_REF, run_at)
    return rate_id


async def _look_back(
    channel_id: UUID, since: datetime, after: UUID, run_at: datetime | None = None
) -> None:
    payload = {"channel_id": channel_id, "since": since, "after": after}
    await outbox.add("flows.settle_earnings", payload, run_at=run_at)


@job("flows.settle_earnings", queue="default", timeout=60)
async def settle_earnings(payload: dict[str, Any]) -> None:
    """Settle the work of {channel_id} since {since}, some at a time, each in a transaction of its own."""
    channel_id, since = UUID(payload["channel_id"]), datetime.fromisoformat(payload["since"])
    after = UUID(payload["after"])
    found = await db.rows(earnings_sql.REFS_SINCE, channel_id, since, after, AT_ONCE)
    for one in found:
        await _settle_locked(one["ref_id"], parcel=one["parcel"])
    if len(found) == AT_ONCE:
        await _look_back(channel_id, since, found[-1]["ref_id"])


@db.transactional
async def _settle_locked(ref_id: UUID, *, parcel: bool) -> None:
    if parcel:
        await journey.lock(ref_id)
    await settle(ref_id)


@db.transactional
async def decide(decision: DecisionIn, *, actor: Actor) -> None:
    """Let a piece of work earn or not on a desk's word, whatever follows from its captures.

    So what a person has amended away is taken back. The same word again changes nothing.

    Raises: WorkMissing (also outside the actor's channels); EventIdReused.
    """
    condition, arguments = scope(actor).channels("k.channel_id", first=2)
    found = await db.row(earnings_sql.REF_OF.format(scope=condition), decision.work_id, *arguments)
    if found is None:
        raise WorkMissing
    if found["parcel"]:
        await journey.lock(found["ref_id"])
    else:
        await db.value(ONE_DECIDES, f"earning:{found['ref_id']}")
    if await service.keep_decision(decision, actor=actor):
        await settle(found["ref_id"])
