"""Jobs of messages: carry each one to its reader, and go on by another channel if it does not arrive."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep import ports
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import RetryAt, job
from doorstep.modules.messages import service


@job("messages.deliver", queue="messages", timeout=20)
async def deliver(payload: dict[str, Any]) -> None:
    """Hand one message to the messenger, and record its number of it.

    Raises: OutsideUnavailable when it surely was not taken, and is then tried again; RetryAt in the
    reader's quiet hours. A message that may have been taken is not sent again before a report could
    have told.
    """
    message_id = UUID(payload["message_id"])
    message = await service.begin(message_id)
    if message is None:
        return
    if isinstance(message, service.Later):
        raise RetryAt(message.when, "The reader is left in peace until then.")
    failpoint("messenger.before_send")
    try:
        provider_id = await ports.messenger().send(message.letter)
    except ports.OutcomeUnknown:
        if message.keyed:
            await service.put_back(message_id, perhaps_taken=True)
            raise
        await service.mark_unknown(message_id)
        return
    except ports.OutsideUnavailable:
        await service.put_back(message_id, perhaps_taken=False)
        raise
    except ports.OutsideRefused as refused:
        reason = f"{refused.facts.get('system')}: {refused.detail}"
        await service.give_up(message_id, reason, stops=_stops(refused))
        return
    failpoint("messenger.after_send")
    await service.mark_sent(message_id, provider_id)


def _stops(refused: ports.OutsideRefused) -> str | None:
    if isinstance(refused, ports.AddressDead):
        return "hard_bounce"
    return "provider" if isinstance(refused, ports.RecipientStopped) else None


@job("messages.follow_up", queue="messages", timeout=15)
async def follow_up(payload: dict[str, Any]) -> None:
    """Look whether a message has arrived; if not in time, use the next channel.

    Raises: RetryAt while there is time.
    """
    later = await service.follow_up(UUID(payload["message_id"]))
    if later is not None:
        raise RetryAt(later.when, "A receipt may still come.")
