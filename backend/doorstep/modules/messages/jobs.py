"""Jobs of messages: carry each one to its reader."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import ports
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import job
from doorstep.modules.messages import service


@job("messages.deliver", queue="messages", timeout=20)
async def deliver(payload: dict[str, Any]) -> None:
    """Hand one message to the messenger, once per message id, and record its number of it.

    Raises: OutsideUnavailable, and is then tried again: the id keeps it from arriving twice.
    """
    message_id = UUID(payload["message_id"])
    message = await service.to_send(message_id)
    if message is None:
        return
    failpoint("messenger.before_send")
    try:
        provider_id = await ports.messenger().send(
            str(message_id),
            message.channel,
            message.to,
            message.subject,
            message.body,
            message.language,
        )
    except ports.OutsideRefused as refused:
        await service.give_up(message_id, f"{refused.facts.get('system')}: {refused.title}")
        return
    failpoint("messenger.after_send")
    await service.mark_sent(message_id, provider_id)
