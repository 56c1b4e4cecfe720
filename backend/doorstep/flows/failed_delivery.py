"""Nobody took the goods: the attempt ends, the visit moves, another attempt or the way back follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep import journey
from doorstep.core import db, previews
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import EventIdReused
from doorstep.flows import earnings, install
from doorstep.flows.deliver import own_stop
from doorstep.modules.tms import service as tms
from doorstep.modules.tms.schemas import FailedAttempt

AT_THE_DOOR = frozenset({"wrong_model", "broken_seal"})
"""Reasons not to hand over: other goods are sent, and there is no further attempt with these."""

NO_FURTHER = frozenset({"refused"})
"""Reasons after which nobody drives there again."""

LIMIT = """
SELECT c.delivery_attempts, c.zone FROM fulfilment f JOIN channel c ON c.id = f.channel_id
 WHERE f.id = $1
"""


@db.transactional
async def record_failed_attempt(
    stop_id: UUID, told: FailedAttempt, *, actor: Actor
) -> journey.Answer:
    """Keep an attempt that failed at the door, and open what it means for the journey.

    The capture is kept whatever the journey says to it. The same event id gets its first answer.

    Raises: StopMissing; EventIdReused; the engine's refusals for a person at a screen.
    """
    stop = await own_stop(stop_id, actor)
    fulfilment = await journey.lock(stop["fulfilment_id"])
    kind = "wrong_goods" if told.reason in AT_THE_DOOR else "delivery_failed"
    known = await tms.known_attempt(told.event_id)
    if known is not None and (known["stop_id"], known["kind"]) != (stop_id, kind):
        raise EventIdReused(str(told.event_id))
    answer = await journey.open_detour(
        told.event_id,
        stop["fulfilment_id"],
        kind,
        actor=actor,
        reason=told.reason,
        detail=_words(told),
        evidence=[journey.Evidence("photo", p.slot, p.sha256) for p in told.photos],
        captured_at=told.captured_at,
    )
    if known is None:
        await previews.name(told.photos, actor=actor)
        await tms.keep_attempt(actor, stop, fulfilment["attempt"], kind, told, answer.verdict.value)
        await earnings.settle(stop["fulfilment_id"])
    return answer


def _words(told: FailedAttempt) -> str:
    """Say for the desks what the crew did at the door."""
    minutes, _ = divmod(told.dwell_seconds, 60)
    said = [told.words] if told.words else []
    said.append(f"Waited {minutes} min, {'called' if told.called else 'did not call'}.")
    if told.wished_on:
        said.append(f"The customer asks for {told.wished_on:%Y-%m-%d}.")
    return " ".join(said)


async def end_attempt(fact: journey.Fact) -> None:
    """Close the attempt's stop and move the visit that waits for the goods.

    The handover code is void with the attempt: the next one has its own.
    """
    await tms.fail_stop(fact.fulfilment_id)
    tomorrow = await _next_day(fact.fulfilment_id)
    await install.postpone(fact.fulfilment_id, tomorrow, actor=fact.actor)


async def _next_day(fulfilment_id: UUID) -> datetime:
    """Tell when the next day begins on the channel's clock: nobody drives there again today."""
    zone = ZoneInfo((await db.one(LIMIT, fulfilment_id))["zone"])
    local: date = now().astimezone(zone).date()
    return datetime.combine(local + timedelta(days=1), time(), zone).astimezone(UTC)


async def goes_back(fact: journey.Fact) -> bool:
    """Tell whether a detour is a failed delivery after which there is no further attempt."""
    if fact.data["kind"] != "delivery_failed":
        return False
    limit = (await db.one(LIMIT, fact.fulfilment_id))["delivery_attempts"]
    refused = fact.data["reason"] in NO_FURTHER
    return refused or await tms.failed_attempts(fact.fulfilment_id) >= limit


async def send_back_after_last_attempt(fact: journey.Fact) -> None:
    """Send the goods back when nobody will take them: refused, or the last attempt has failed.

    A failure that is heard of after the delivery sends nothing back, but the way back on which the
    goods have been is kept as overtaken: it is known in whatever order the carrier tells.
    """
    if not await goes_back(fact):
        return
    refused = fact.data["reason"] in NO_FURTHER
    limit = (await db.one(LIMIT, fact.fulfilment_id))["delivery_attempts"]
    await journey.open_detour(
        journey.derived_id(fact.fulfilment_id, "return_to_origin"),
        fact.fulfilment_id,
        "return_to_origin",
        actor=Actor.system("failed_delivery", request_id=fact.actor.request_id),
        detail="The customer refused the goods." if refused else f"{limit} attempts have failed.",
    )


async def call_back(fact: journey.Fact) -> None:
    """Take the goods off runs and calendars: they are on their way back."""
    await tms.drop_stop(fact.fulfilment_id)
    await install.call_off(fact.fulfilment_id)
