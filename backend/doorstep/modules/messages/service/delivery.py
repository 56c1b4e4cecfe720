"""Carries one message: whether it may still go out, that it is on its way, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from doorstep import ports
from doorstep.core import clock, db, outbox
from doorstep.modules.messages import rules, sql
from doorstep.modules.messages.delivery_rules import Quiet, Standing, quiet_until
from doorstep.modules.messages.delivery_rules import follow_up as decide
from doorstep.modules.messages.service import chains, preferences
from doorstep.modules.messages.service.chains import Locked, Row

UNKNOWN_MINUTES = 10
"""How long a report may take that tells whether a message was taken."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that is on its way from now on; `keyed` means that a repeat does no harm."""

    letter: ports.Letter
    keyed: bool


@dataclass(frozen=True, slots=True)
class Later:
    """A message that must wait until then."""

    when: datetime


@db.transactional
async def begin(message_id: UUID) -> Outgoing | Later | None:
    """Put a message on its way, if it may still go out; None when it may not, or has.

    Nothing goes out behind an opt-out: whoever opts out holds the lock of the address meanwhile.
    """
    where = await db.row(sql.ADDRESS, message_id)
    if where is None:
        return None
    wanted = await preferences.wants(where["channel"], where["recipient"])
    locked = await chains.lock(message_id)
    if locked is None or locked.message["state"] not in ("queued", "sending"):
        return None
    message, moment = locked.message, locked.moment
    route = ports.messenger().route(message["channel"], message["recipient"])
    if message["state"] == "sending" and not route.keyed:
        # Whoever began it died before he could say how it ended.
        await _mark_unknown(locked)
        return None
    if message["valid_until"] <= moment:
        await _skip(locked, "It is no news any more.", chain=False)
        return None
    if not (wanted or message["asked_for"]):
        await _skip(locked, "The reader has opted out.", chain=True)
        return None
    ends = _quiet_until(message, moment)
    if ends is not None:
        await db.execute(sql.POSTPONE, message_id, ends)
        return Later(clock.now() + (ends - moment))
    await db.execute(sql.BEGIN, message_id, moment, route.provider)
    return Outgoing(_letter(message), route.keyed)


def _quiet_until(message: Row, moment: datetime) -> datetime | None:
    if message["quiet_zone"] is None:
        return None
    quiet = Quiet(message["quiet_zone"], message["quiet_from"], message["quiet_until"])
    return quiet_until(moment, quiet)


def _letter(message: Row) -> ports.Letter:
    secret = message["secret"] or ""
    return ports.Letter(
        id=str(message["id"]),
        channel=message["channel"],
        to=message["recipient"],
        subject=message["subject"],
        body=message["body"].replace(rules.SECRET, secret),
        language=message["language"],
        template=message["provider_template"],
        parameters=[one.replace(rules.SECRET, secret) for one in message["parameters"]],
        reply=message["reply_to"] is not None,
    )


async def _skip(locked: Locked, why: str, *, chain: bool) -> None:
    await chains.end(locked, "skipped", why)
    if not (chain and await chains.use_next(locked)):
        await chains.close_behind(locked, why)
    await outbox.done()


@db.transactional
async def mark_sent(message_id: UUID, provider_id: str) -> None:
    """Record that the provider has taken the message, and apply what he has said of it already."""
    provider = await db.value("SELECT provider FROM message WHERE id = $1", message_id)
    # A report that arrives now finds the number, or is found by it here.
    await db.value("SELECT inbox_lock($1)", f"message:{provider}:{provider_id}")
    locked = await chains.lock(message_id)
    if locked is not None:
        await chains.hear(locked, "sent", provider, provider_id, "")
        for report in await db.rows(sql.REPORTS_OF, provider, provider_id):
            await chains.hear(locked, report["means"], provider, provider_id, report["reason"])
    await outbox.done()


@db.transactional
async def put_back(message_id: UUID, *, perhaps_taken: bool) -> None:
    """Let a message wait for its next attempt; one that was surely not taken has used up none."""
    await db.execute(sql.PUT_BACK, message_id, perhaps_taken)


@db.transactional
async def mark_unknown(message_id: UUID) -> None:
    """Record that nobody can say whether the provider has taken the message; a report may tell."""
    locked = await chains.lock(message_id)
    if locked is not None and locked.message["state"] == "sending":
        await _mark_unknown(locked)
    else:
        await outbox.done()


async def _mark_unknown(locked: Locked) -> None:
    message = locked.message
    await db.execute(sql.UNKNOWN, message["id"])
    key = f"follow_up:{message['id']}:{message['sends']}"
    run_at = clock.now() + _patience({**message, "state": "sent_unknown"})
    await outbox.add(
        "messages.follow_up", {"message_id": message["id"]}, order_id=message["order_id"],
        key=key, run_at=run_at,
    )  # fmt: skip
    await outbox.done()


@db.transactional
async def give_up(message_id: UUID, reason: str, *, stops: str | None = None) -> None:
    """Record that the provider refuses the message for good; the next channel, or a person, takes over.

    `stops` says why nobody is to be written to at this address any more.
    """
    if stops is not None:
        where = await db.one(sql.ADDRESS, message_id)
        channel, address = where["channel"], where["recipient"]
        # What never was an address needs no word that it is not wanted.
        if preferences.is_address(channel, address):
            await preferences.set_preference(
                channel, address, wanted=False, why=stops, detail=reason
            )
    locked = await chains.lock(message_id)
    if locked is not None and locked.message["state"] in ("queued", "sending"):
        await _fail(locked, reason)
    await outbox.done()


async def _fail(locked: Locked, reason: str) -> None:
    await chains.end(locked, "failed", reason[:1500])
    if not (locked.followed or await chains.use_next(locked)):
        await chains.ask_support(locked.message, reason)


@db.transactional
async def follow_up(message_id: UUID) -> Later | None:
    """Go on by the next channel if a message has not arrived in time; None when all is decided."""
    locked = await chains.lock(message_id)
    if locked is None:
        return None
    message, moment = locked.message, locked.moment
    due = _since(message) + _patience(message)
    standing = Standing(
        state=message["state"],
        overdue=moment >= due,
        has_next=bool(locked.behind),
        followed=locked.followed,
        may_repeat=message["no_loss"] or message["channel"] == "email",
        sends=message["sends"],
    )
    step = decide(standing)
    if step == "wait":
        wait = max(due - moment, timedelta(seconds=30))
        return Later(clock.now() + wait)
    if step == "next":
        if message["state"] == "queued":
            await chains.end(locked, "failed", "No provider took it in time.")
        await chains.use_next(locked)
    elif step == "again":
        await db.execute(sql.QUEUE, message_id, moment)
        payload = {"message_id": message_id}
        await outbox.add("messages.deliver", payload, order_id=message["order_id"])
    elif step == "give_up":
        await _fail(locked, "Nobody can say whether it was sent.")
    await outbox.done()
    return None


def _since(message: Row) -> datetime:
    """Tell from when a message waits for its next word."""
    by_state = {"sent": "sent_at", "sent_unknown": "sending_at", "sending": "sending_at"}
    since: datetime = message[by_state.get(message["state"], "send_at")]
    return since


def _patience(message: Row) -> timedelta:
    minutes: int = message["receipt_minutes"]
    return timedelta(
        minutes=min(minutes, UNKNOWN_MINUTES) if message["state"] == "sent_unknown" else minutes
    )
