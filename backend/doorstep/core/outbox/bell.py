"""The bell: news through Redis that the outbox has rows, so that nobody waits for the next poll."""

from __future__ import annotations

import asyncio

import structlog

from doorstep.core import redis
from doorstep.settings import settings

BELL = "doorstep:outbox:bell"
"""A list that holds one token at most; every relay waits for it with BLPOP."""

log = structlog.get_logger(__name__)


class _Ringer:
    """Rings once for all that was committed while the last ring was under way."""

    def __init__(self) -> None:
        self._wanted = False
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        self._wanted = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._send())

    async def rest(self) -> None:
        if self._task is not None and not self._task.done():
            await self._task

    async def _send(self) -> None:
        while self._wanted:
            self._wanted = False
            try:
                async with redis.client().pipeline(transaction=False) as pipe:
                    pipe.lpush(BELL, "1")
                    pipe.ltrim(BELL, 0, 0)
                    await pipe.execute()
            except redis.LOST as lost:
                # The relays poll too: without the bell, a job starts half a second later.
                log.warning("outbox.bell_silent", reason=str(lost))


_ringer = _Ringer()


def wake() -> None:
    """Tell a relay to look now. Returns at once, and never fails: Redis may be down.

    Call it after the commit: `db.after_commit(outbox.wake)`.
    """
    if settings().redis_url:
        _ringer.ring()


async def rest() -> None:
    """Wait for a ring that is under way, so that Redis can be closed behind it."""
    await _ringer.rest()
