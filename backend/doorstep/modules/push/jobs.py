"""Jobs of push: bring each message to its phone, and forget old ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from doorstep import ports
from doorstep.core.clock import now
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import job, recurring
from doorstep.core.jobs.registry import RetryAt
from doorstep.modules.push import service

log = structlog.get_logger(__name__)

UNTIL_EXPIRED = 1_000
"""A message is tried for as long as it is news, a day at most; it never becomes a dead letter."""

KEPT_FOR = timedelta(days=30)


@job("push.send", queue="push", timeout=20, attempts=UNTIL_EXPIRED)
async def send(payload: dict[str, Any]) -> None:
    """Hand one message to the push service of its phone, and record what became of it.

    Sent again after a lost answer it has the same id, topic and tag: the phone shows it once.

    Raises: OutsideUnavailable, RetryAt, and is then tried again until the message expires.
    """
    message_id = UUID(payload["message_id"])
    outgoing = await service.to_send(message_id)
    if outgoing is None:
        return
    failpoint("push.before_send")
    try:
        await ports.pusher().send(outgoing.address, outgoing.notice)
    except ports.OutsideGone as gone:
        await service.end_subscription(
            message_id, outgoing.device_id, outgoing.address.endpoint, gone.detail
        )
        return
    except (ports.OutsideRefused, ports.PushIsOff) as refused:
        log.warning("push.refused", device_id=str(outgoing.device_id), reason=refused.detail)
        await service.end(message_id, "refused", refused.detail)
        return
    except ports.OutsideUnavailable as busy:
        if (wait := busy.facts.get("wait")) is not None:
            raise RetryAt(now() + timedelta(seconds=wait), busy.detail) from busy
        raise
    failpoint("push.after_send")
    await service.mark_sent(message_id)


@recurring("push.forget", every=86_400, timeout=120)
async def forget(_payload: dict[str, Any]) -> None:
    """Delete what phones were told more than 30 days ago; running twice deletes nothing more."""
    await service.forget(now() - KEPT_FOR)
