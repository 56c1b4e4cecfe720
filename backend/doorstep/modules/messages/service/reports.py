"""What providers say: reports of messages, kept once each and applied, and what people write to us."""

from __future__ import annotations

from uuid import UUID

from doorstep import ports
from doorstep.core import clock, db
from doorstep.core.ids import uuid7
from doorstep.modules.messages import sql
from doorstep.modules.messages.service import chains, preferences


@db.transactional
async def keep_report(provider: str, report: ports.MessageReport, *, named: str = "") -> bool:
    """Keep what a provider says of a message and apply it; tell whether it is new.

    `named` is our own number of the message where the webhook's address held it. A report that stops
    its reader holds for every further message to that address.

    One whose message has not yet told its number waits here: `mark_sent` finds it.
    """
    await db.value("SELECT inbox_lock($1)", f"message:{provider}:{report.provider_id}")
    ours = _uuid(report.message_id or named)
    message_id: UUID | None = await db.value(
        sql.MESSAGE_OF_REPORT, provider, report.provider_id, ours
    )
    kept = await db.value(
        sql.KEEP_REPORT,
        uuid7(), provider, report.provider_id, message_id, report.status, report.means,
        report.reason[:500], report.at, dict(report.raw), clock.offset(),
    )  # fmt: skip
    if kept is None:
        return False
    if message_id and report.stops:
        where = await db.one(sql.ADDRESS, message_id)
        await preferences.set_preference(
            where["channel"],
            where["recipient"],
            wanted=False,
            why=report.stops,
            detail=report.reason,
        )
    locked = await chains.lock(message_id) if message_id else None
    if locked is not None:
        await chains.hear(locked, report.means, provider, report.provider_id, report.reason)
    return True


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def keep_inbound(provider: str, inbound: ports.InboundMessage, taken_as: str) -> UUID | None:
    """Keep what somebody wrote to us; its id, or None when it had come before."""
    kept: UUID | None = await db.value(
        sql.KEEP_INBOUND,
        uuid7(), provider, inbound.provider_id, inbound.channel, inbound.sender,
        inbound.body[:4000], taken_as, inbound.at, clock.offset(),
    )  # fmt: skip
    return kept
