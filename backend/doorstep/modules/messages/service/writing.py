"""Writes what is to be told: one row per channel, the first of a chain to be sent, the others standing by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import clock, db, outbox
from doorstep.core.ids import uuid7
from doorstep.modules.messages import rules, sql
from doorstep.modules.messages.delivery_rules import Quiet, quiet_until
from doorstep.modules.messages.rules import Channel
from doorstep.modules.messages.service import templates
from doorstep.settings import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to tell, by which addresses; an empty one is a channel he cannot be told on."""

    language: str
    phone: str | None = None
    email: str | None = None
    quiet: Quiet | None = None
    """The hours at which he is left in peace; None for our own people and vendors."""

    def address(self, channel: rules.Channel) -> str:
        """Give the address on a channel, or an empty text."""
        if channel == "email":
            return self.email or ""
        return re.sub(r"[^\d+]", "", self.phone or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a message is about; with event, channel and recipient it makes the message unique."""

    order_id: UUID | None = None
    fulfilment_id: UUID | None = None
    po_id: UUID | None = None
    problem_id: UUID | None = None
    visit_id: UUID | None = None
    reply_to: UUID | None = None
    attempt: int = 1


class _Row(NamedTuple):
    """One message of those that are written together."""

    channel: Channel
    address: str
    text: rules.Rendered
    chain_id: UUID | None
    place: int
    state: str
    failure: str | None


def preference_address(channel: str, address: str) -> str:
    """Write an address as preferences know it: e-mail addresses in small letters."""
    return address.lower() if channel == "email" else address


def possible(channels: Sequence[Channel], recipient: Recipient) -> list[Channel]:
    """List those of the channels on which somebody could be told here."""
    connected = bool(settings().whatsapp_phone_number_id)
    return [one for one in channels if recipient.address(one) and (one != "whatsapp" or connected)]


@db.transactional
async def write(
    event: str,
    about: About,
    recipient: Recipient,
    facts: Mapping[str, str],
    *,
    secret: str | None = None,
    answers_on: Channel | None = None,
) -> list[UUID]:
    """Store one message per channel of the event and let a job deliver each.

    Of the event's chain the first channel is sent and the others stand by. A message that exists for
    the same order, parcel, event, attempt, channel and recipient is not written again (IQ3). On a
    channel that the reader has opted out of it is kept as skipped. `secret` goes where a text has
    `{secret}` and is forgotten once sent.
    """
    told = rules.event(event)
    beside = possible([answers_on] if answers_on else told.channels, recipient)
    chain = possible(told.chain, recipient)
    if not (chain or beside):
        return []
    addresses = {channel: recipient.address(channel) for channel in (*chain, *beside)}
    context = await db.one(
        sql.CONTEXT,
        clock.offset(),
        list(addresses),
        [preference_address(channel, address) for channel, address in addresses.items()],
    )
    own = await templates.own_words(context["newest_words"])
    texts = {
        channel: rules.render(
            *templates.choose(own, told.template, channel, recipient.language), facts
        )
        for channel in addresses
    }
    refused = frozenset[str]() if told.asked_for else frozenset(context["refused"])
    rows = list(_rows(chain, beside, addresses, texts, refused))
    return await _store(event, about, recipient, rows, secret, context["moment"])


def _rows(
    chain: Sequence[Channel],
    beside: Sequence[Channel],
    addresses: Mapping[Channel, str],
    texts: Mapping[Channel, rules.Rendered],
    refused: frozenset[str],
) -> Iterator[_Row]:
    chain_id, chosen = uuid7() if len(chain) > 1 else None, False
    for place, channel in enumerate(chain):
        state = "standby" if chosen else "queued"
        if channel in refused:
            state = "skipped"
        chosen = chosen or state == "queued"
        why = "The reader has opted out." if state == "skipped" else None
        yield _Row(channel, addresses[channel], texts[channel], chain_id, place, state, why)
    for channel in beside:
        state = "skipped" if channel in refused else "queued"
        why = "The reader has opted out." if state == "skipped" else None
        yield _Row(channel, addresses[channel], texts[channel], None, 0, state, why)


async def _store(
    event: str,
    about: About,
    recipient: Recipient,
    rows: Sequence[_Row],
    secret: str | None,
    moment: datetime,
) -> list[UUID]:
    told = rules.event(event)
    quiet = recipient.quiet if told.quiet else None
    send_at = (quiet_until(moment, quiet) if quiet else None) or moment
    written = await db.rows(
        sql.INSERT,
        about.order_id, None if told.about == "order" else about.fulfilment_id,
        about.po_id, about.problem_id, about.visit_id, about.reply_to, event, about.attempt,
        recipient.language, moment, moment + timedelta(minutes=told.valid_minutes), send_at,
        told.receipt_minutes, told.asked_for, told.no_loss,
        quiet.zone if quiet else None, quiet.since if quiet else None, quiet.until if quiet else None,
        [uuid7() for _ in rows],
        [row.channel for row in rows],
        [row.address for row in rows],
        [row.text.version for row in rows],
        [row.text.subject for row in rows],
        [row.text.body for row in rows],
        [row.text.provider_template for row in rows],
        [msgspec.json.encode(row.text.parameters).decode() for row in rows],
        [secret if rules.SECRET in row.text.body and row.state != "skipped" else None for row in rows],
        [row.chain_id for row in rows],
        [row.place for row in rows],
        [row.state for row in rows],
        [row.failure for row in rows],
    )  # fmt: skip
    queued = [row for row in written if row["state"] == "queued"]
    await outbox.add_many(
        [one for row in queued for one in _jobs(row, about, told, moment, send_at)]
    )
    return [row["id"] for row in written]


def _jobs(
    row: Mapping[str, Any], about: About, told: rules.Event, moment: datetime, send_at: datetime
) -> Iterator[outbox.Addition]:
    # The relay's clock is the database's, as is `moment`; a time is said as a wait from now.
    starts = clock.now() + (send_at - moment)
    payload = {"message_id": row["id"]}
    yield outbox.Addition(
        "messages.deliver", payload, about.order_id, run_at=starts if send_at > moment else None
    )
    if row["chain_id"] is not None:
        yield outbox.Addition(
            "messages.follow_up", payload, about.order_id, f"follow_up:{row['id']}",
            starts + timedelta(minutes=told.receipt_minutes),
        )  # fmt: skip
