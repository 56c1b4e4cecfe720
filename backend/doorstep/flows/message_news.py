"""What providers of messages tell us: reports go to their messages; STOP, START and HELP are answered at
once, everything else that people write becomes a ticket."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import ports
from doorstep.core import db, inbox
from doorstep.core.actor import Actor
from doorstep.flows import tickets as ticket_flow
from doorstep.modules.helpdesk.service import tickets
from doorstep.modules.messages import service as messages
from doorstep.modules.messages.reply_rules import TakenAs, taken_as
from doorstep.modules.messages.service import About, Recipient
from doorstep.modules.messages.service.preferences import is_address
from doorstep.settings import settings

OUR_NUMBER = "doorstep-message"
"""Kept with a webhook whose address named our own number of the message."""

TITLE_LENGTH = 80
WORDS_LENGTH = 4000

# Who writes: the newest order of the number, else a channel of the company.
WRITER = """
SELECT o.id AS order_id, o.channel_id, o.language
  FROM customer c JOIN customer_order o ON o.customer_id = c.id
 WHERE c.phone = $1 ORDER BY o.placed_at DESC LIMIT 1
"""
ANY_CHANNEL = "SELECT id FROM channel WHERE active ORDER BY code LIMIT 1"

# What this number wrote before, if its ticket can still be answered on.
OPEN_TICKET = """
SELECT t.id FROM message_inbound i JOIN ticket t ON t.id = i.id
 WHERE i.sender = $1 AND t.state <> 'closed' AND i.received_at > now() - interval '14 days'
 ORDER BY i.received_at DESC LIMIT 1
"""

ANSWERS: dict[TakenAs, str] = {
    "stop": "stop_confirmed",
    "start": "start_confirmed",
    "help": "help_asked",
}


@inbox.handler("whatsapp")
async def handle_whatsapp(message: inbox.Message) -> None:
    """Take a call of WhatsApp's webhooks."""
    await _take("whatsapp", message)


@inbox.handler("twilio")
async def handle_twilio(message: inbox.Message) -> None:
    """Take a call of Twilio's webhooks."""
    await _take("twilio", message)


@inbox.handler("msg91")
async def handle_msg91(message: inbox.Message) -> None:
    """Take a call of MSG91's webhooks."""
    await _take("msg91", message)


@inbox.handler("smtp")
async def handle_email(message: inbox.Message) -> None:
    """Take a bounce or a complaint about an e-mail."""
    await _take("smtp", message)


async def _take(provider: str, message: inbox.Message) -> None:
    news = ports.message_hook(provider).read(message.body)
    ours = message.headers.get(OUR_NUMBER, "")
    # In one order, so that two calls about the same messages never wait for one another.
    for report in sorted(news.reports, key=lambda one: one.provider_id):
        await messages.keep_report(provider, report, named=ours)
    for inbound in news.inbound:
        await hear(provider, inbound)


@db.transactional
async def hear(provider: str, inbound: ports.InboundMessage) -> None:
    """Do what somebody asks who wrote to one of our numbers; the same message again changes nothing."""
    # What a short code or a sender's name writes is for a person: nobody is written to there.
    meant = taken_as(inbound.body) if is_address(inbound.channel, inbound.sender) else "words"
    inbound_id = await messages.keep_inbound(provider, inbound, meant)
    if inbound_id is None:
        return
    writer = await db.row(WRITER, inbound.sender) or {}
    if meant == "words":
        await _to_a_person(inbound_id, inbound, writer)
        return
    if meant != "help":
        changed = await messages.set_preference(
            inbound.channel,
            inbound.sender,
            wanted=meant == "start",
            why=meant,
            detail=f"{provider} {inbound.provider_id}",
        )
        if not changed:
            return  # He has had his answer.
    await messages.write(
        ANSWERS[meant],
        About(reply_to=inbound_id),
        Recipient(language=writer.get("language", "en"), phone=inbound.sender),
        {"company": settings().company_name},
        answers_on=inbound.channel,
    )


async def _to_a_person(
    inbound_id: UUID, inbound: ports.InboundMessage, writer: dict[str, Any]
) -> None:
    actor = Actor.system("flows.message_news", source="webhook")
    words = inbound.body.replace("\x00", "").strip()[:WORDS_LENGTH] or "–"
    known: UUID | None = await db.value(OPEN_TICKET, inbound.sender)
    if known is not None:
        await tickets.add_message(known, inbound_id, "customer", words, actor=actor)
        return
    channel_id = writer.get("channel_id") or await db.value(ANY_CHANNEL)
    await ticket_flow.open_ticket(
        "question",
        f"{inbound.channel} of {inbound.sender}: {' '.join(words.split())}"[:TITLE_LENGTH],
        words,
        actor=actor,
        event_id=inbound_id,
        order_id=writer.get("order_id"),
        channel_id=channel_id,
    )
