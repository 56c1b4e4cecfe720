"""Is this process alive, and can it do its work: two answers for whoever supervises it.

Not ready (503) means that requests would fail: the database or the file store is broken. Without
Redis, or with a queue that stands still, requests still succeed and the work waits in the outbox:
that is ready, but `degraded`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import msgspec
import structlog
from litestar import Response, get

from doorstep.core import blobs, db, limits
from doorstep.core.auth.permissions import public
from doorstep.settings import settings

log = structlog.get_logger(__name__)

CHECK_SECONDS = 5.0
FRESH_SECONDS = 1.0
"""Asked more often than this, the last answer is given again: the check writes a file."""

SLOWEST_QUEUE_SECONDS = 120.0

OLDEST_DUE = """
SELECT coalesce(extract(epoch FROM now() - min(next_at)), 0)::float8 FROM outbox
WHERE done_at IS NULL AND dead_at IS NULL AND next_at <= now()
"""

State = Literal["ok", "failed"]
T = TypeVar("T")


class Liveness(msgspec.Struct):
    """The process answers."""

    status: Literal["live"]


class Readiness(msgspec.Struct):
    """What works, part by part; `queue_lag_seconds` is the age of the oldest due outbox row.

    Without a VAPID key `push` is off: phones only pull, and nothing fails.
    """

    status: Literal["ready", "degraded", "not_ready"]
    database: State
    blobs: State
    redis: State
    queue: State
    queue_lag_seconds: float | None
    push: Literal["on", "off"]


@get("/health/live", operation_id="readLiveness", opt=public(), tags=["health"])
async def read_liveness() -> Liveness:
    """Tell that the process answers; nothing else is asked."""
    return Liveness("live")


@get("/health/ready", operation_id="readReadiness", opt=public(), tags=["health"])
async def read_readiness() -> Response[Readiness]:
    """Tell whether this process can do its work: 503 when the database or the file store cannot."""
    found = await _readiness.read()
    return Response(found, status_code=503 if found.status == "not_ready" else 200)


class _Cached:
    """One check at a time; whoever asks meanwhile gets its answer."""

    def __init__(self) -> None:
        self._found: Readiness | None = None
        self._checked_at = 0.0
        self._running: asyncio.Task[Readiness] | None = None

    async def read(self) -> Readiness:
        """Return an answer that is at most `FRESH_SECONDS` old."""
        if self._found is not None and time.monotonic() - self._checked_at < FRESH_SECONDS:
            return self._found
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(check())
        # Somebody who hangs up must not stop the check for the others.
        self._found = await asyncio.shield(self._running)
        self._checked_at = time.monotonic()
        return self._found

    def forget(self) -> None:
        """Check anew at the next question."""
        self._found = self._running = None


_readiness = _Cached()


def forget_last_check() -> None:
    """Check anew at the next question (after a part was restarted, and in tests)."""
    _readiness.forget()


async def check() -> Readiness:
    """Try every part now, each for 5 s at most."""
    lag, (store, _), (redis, _) = await asyncio.gather(
        _tried("queue", _queue_lag), _tried("blobs", blobs.self_test), _tried("redis", _ping)
    )
    database, seconds = lag
    slow = seconds is None or seconds > SLOWEST_QUEUE_SECONDS
    return Readiness(
        status=_status(broken="failed" in (database, store), weak=slow or redis == "failed"),
        database=database,
        blobs=store,
        redis=redis,
        queue="failed" if slow else "ok",
        queue_lag_seconds=seconds,
        push="on" if settings().vapid_private_key else "off",
    )


def _status(*, broken: bool, weak: bool) -> Literal["ready", "degraded", "not_ready"]:
    if broken:
        return "not_ready"
    return "degraded" if weak else "ready"


async def _queue_lag() -> float:
    return float(await db.value(OLDEST_DUE))


async def _ping() -> None:
    if not await limits.ping():
        raise ConnectionError


async def _tried(part: str, attempt: Callable[[], Awaitable[T]]) -> tuple[State, T | None]:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return "ok", await attempt()
    except Exception as failure:
        log.warning("health.part_failed", part=part, error=repr(failure))
        return "failed", None


handlers = [read_liveness, read_readiness]
