"""Use-cases of messages: write what is to be told, record what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from doorstep.core import db, outbox
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.messages import rules, sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to tell, by which addresses; an empty one is a channel he cannot be told on."""

    language: str
    phone: str | None = None
    email: str | None = None

    def address(self, channel: rules.Channel) -> str:
        """Give the address on a channel, or an empty text."""
        return (self.phone if channel == "sms" else self.email) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a message is about; with event, channel and recipient it makes the message unique."""

    order_id: UUID | None = None
    fulfilment_id: UUID | None = None
    po_id: UUID | None = None
    problem_id: UUID | None = None
    visit_id: UUID | None = None
    attempt: int = 1


@db.transactional
async def write(
    event: str,
    about: About,
    recipient: Recipient,
    facts: Mapping[str, str],
    *,
    secret: str | None = None,
) -> list[UUID]:
    """Store one message per channel of the event and let a job deliver each.

    A message that exists for the same order, parcel, event, attempt, channel and recipient is not
    written again (IQ3). `secret` goes where a text has `{secret}` and is forgotten once sent.
    """
    told = rules.event(event)
    channels = [channel for channel in told.channels if recipient.address(channel)]
    texts = [rules.render(event, channel, recipient.language, facts) for channel in channels]
    if not texts:
        return []
    written = await db.rows(
        sql.INSERT,
        about.order_id,
        None if told.about == "order" else about.fulfilment_id,
        about.po_id,
        about.problem_id,
        about.visit_id,
        event,
        about.attempt,
        recipient.language,
        now(),
        [uuid7() for _ in texts],
        channels,
        [recipient.address(channel) for channel in channels],
        [text.version for text in texts],
        [text.subject for text in texts],
        [text.body for text in texts],
        [secret if rules.SECRET in text.body else None for text in texts],
    )
    ids = [row["id"] for row in written]
    await outbox.add_many(
        [
            outbox.Addition("messages.deliver", {"message_id": message_id}, about.order_id)
            for message_id in ids
        ]
    )
    return ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as the messenger gets it."""

    channel: str
    to: str
    subject: str
    body: str
    language: str


async def to_send(message_id: UUID) -> Outgoing | None:
    """Read a message that still waits, its secret put in; None when it is sent or given up."""
    found = await db.row(sql.TO_SEND, message_id)
    if found is None:
        return None
    body = found["body"].replace(rules.SECRET, found["secret"] or "")
    return Outgoing(
        channel=found["channel"],
        to=found["recipient"],
        subject=found["subject"],
        body=body,
        language=found["language"],
    )


@db.transactional
async def mark_sent(message_id: UUID, provider_id: str) -> None:
    """Record that the messenger has taken the message, and forget its secret."""
    await db.execute(sql.MARK_SENT, message_id, provider_id, now())
    await outbox.done()


@db.transactional
async def give_up(message_id: UUID, reason: str) -> None:
    """Record that the messenger refuses the message for good, and ask a person to look.

    One to our own people about a problem opens none: it would be escalated, refused, and so on.
    """
    failed = await db.row(sql.MARK_FAILED, message_id, reason)
    if failed is not None and (failed["problem_id"] is None or failed["order_id"]):
        await _ask_support(message_id, reason, failed["order_id"])
    await outbox.done()


async def _ask_support(message_id: UUID, reason: str, order_id: UUID | None) -> None:
    payload = {
        "kind": "message_refused",
        "title": "A message could not be delivered",
        "detail": reason,
        "ref": str(message_id),
        "order_id": str(order_id) if order_id else None,
        "owner_role": "support",
    }
    await outbox.add("helpdesk.open_problem", payload, order_id=order_id)
