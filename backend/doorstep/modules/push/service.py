"""Use-cases of push: subscriptions of phones, what they are told, and what they say they showed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import structlog

from doorstep import ports
from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.http.problems import NotSignedIn
from doorstep.modules.push import rules, sql
from doorstep.settings import settings

log = structlog.get_logger(__name__)

FORGET_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """What a phone says of a message; `at` is by its own clock."""

    id: UUID
    what: Literal["shown", "tapped"]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message that is to be sent now."""

    device_id: UUID
    address: ports.PushAddress
    notice: ports.PushNotice


# --- Subscriptions --------------------------------------------------------------------------------


@db.transactional
async def subscribe(
    device_id: UUID, address: ports.PushAddress, expires_at: datetime | None = None
) -> None:
    """Reach a phone there from now on, instead of where it was reached before.

    Another phone that had the endpoint (somebody else at the same browser) is not reached any more.

    Raises: PushIsOff, PushServiceUnknown, PushKeysNotValid; NotSignedIn if it was just signed out.
    """
    ports.pusher().check(address)
    if not await db.rows(sql.SIGNED_IN, device_id):
        raise NotSignedIn
    await db.execute(sql.ONE_AT_A_TIME, address.endpoint)
    await db.execute(sql.TAKE_OVER, device_id, address.endpoint)
    await db.execute(
        sql.SUBSCRIBE,
        device_id,
        address.endpoint,
        address.p256dh,
        address.auth,
        expires_at,
        now(),
    )


async def unsubscribe(device_id: UUID) -> None:
    """Tell a phone nothing any more; a second call changes nothing."""
    await db.execute(sql.UNSUBSCRIBE, device_id)


# --- Telling --------------------------------------------------------------------------------------


async def tell(person_ids: Collection[UUID], kind: str, lane: str, *, key: str) -> int:
    """Have the phones of these people say that there is news in a lane; return how many.

    In the transaction of the fact, which `key` names: a phone is told once of it. Who has no phone
    that takes pushes is not told: the news come by pull.

    Raises: UnknownKind.
    """
    return await _tell(list(person_ids), [], kind, lane, key)


async def tell_device(device_id: UUID, kind: str, lane: str, *, key: str) -> int:
    """Have one phone say so: about what it captured itself, or a command for it. See `tell`."""
    return await _tell([], [device_id], kind, lane, key)


@db.transactional
async def _tell(
    person_ids: list[UUID], device_ids: list[UUID], kind: str, lane: str, key: str
) -> int:
    moment = now()
    until = moment + timedelta(minutes=rules.kind(kind).ttl_minutes)
    told = await db.rows(sql.TELL, person_ids, device_ids, kind, lane, key, moment, until)
    await outbox.add_many([outbox.Addition("push.send", {"message_id": row["id"]}) for row in told])
    return len(told)


async def to_send(message_id: UUID) -> Outgoing | None:
    """Read a message that still waits; one that is no news any more is ended, and None returned."""
    moment = now()
    found = await db.row(sql.TO_SEND, message_id, moment)
    if found is None:
        return None
    if found["acked"]:
        await mark_sent(message_id)  # Our push service's answer was lost; the phone has it.
    elif found["overtaken"]:
        await end(message_id, "overtaken")
    elif found["expires_at"] <= moment:
        await end(message_id, "expired")
    elif found["endpoint"] is None or found["subscription_over"]:
        await end(message_id, "gone", "The phone has no subscription any more.")
    else:
        return _outgoing(message_id, found, moment)
    return None


def _outgoing(message_id: UUID, found: dict[str, Any], moment: datetime) -> Outgoing:
    language = rules.language_of(found["languages"])
    body = rules.payload(
        message_id, found["kind"], found["lane"], language, base_url=settings().public_url
    )
    address = ports.PushAddress(
        endpoint=found["endpoint"], p256dh=found["p256dh"], auth=found["auth"]
    )
    notice = ports.PushNotice(
        body=body,
        ttl_seconds=max(1, int((found["expires_at"] - moment).total_seconds())),
        topic=rules.topic(found["lane"]),
        urgency=rules.kind(found["kind"]).urgency,
    )
    return Outgoing(device_id=found["device_id"], address=address, notice=notice)


@db.transactional
async def mark_sent(message_id: UUID) -> None:
    """Record that the push service has taken a message."""
    await db.execute(sql.SENT, message_id, now())
    await outbox.done()


@db.transactional
async def end(
    message_id: UUID,
    state: Literal["overtaken", "expired", "gone", "refused"],
    reason: str | None = None,
) -> None:
    """Record that a message is not sent, and why."""
    await db.execute(sql.END, message_id, state, reason)
    await outbox.done()


@db.transactional
async def end_subscription(message_id: UUID, device_id: UUID, endpoint: str, reason: str) -> None:
    """Forget an endpoint that its push service does not know any more; a renewed one stays."""
    await db.execute(sql.FORGET_ENDPOINT, device_id, endpoint)
    await end(message_id, "gone", reason)
    log.info("push.endpoint_gone", device_id=str(device_id), reason=reason)


# --- What phones say ------------------------------------------------------------------------------


async def acknowledge(device_id: UUID, acks: Sequence[Ack]) -> None:
    """Record what a phone has shown and what was tapped; the first word counts, others' are nobody's."""
    await db.execute(
        sql.ACKNOWLEDGE,
        device_id,
        [ack.id for ack in acks],
        [ack.what for ack in acks],
        now(),
        [ack.at for ack in acks],
    )


async def reach(person_ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Tell of the phones of these people whether they hear us, for dispatch.

    Each is (device_id, person_id, subscribed, last_push_acked_at, unacked, reachable). `unacked`
    counts what was sent since the phone last said something.
    """
    return await db.rows(sql.REACH, list(person_ids), now() - rules.SILENT_FOR)


async def forget(before: datetime) -> None:
    """Delete what phones were told before then, some at a time."""
    while await db.execute(sql.FORGET, before, FORGET_AT_ONCE) == FORGET_AT_ONCE:
        pass
