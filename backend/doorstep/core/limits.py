"""Rate limits that hold across processes: one token bucket per (class, identity) in Redis.

One Lua round trip takes the tokens of all who ask at the same time. Without Redis, the classes that
guard secrets refuse with 503, all others let everybody through; a breaker keeps a stalled Redis from
costing its time-out on each request.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from doorstep.core import metrics, redis
from doorstep.core.errors import Refusal, Unavailable
from doorstep.core.together import Together
from doorstep.settings import settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many at once, so many per minute after that."""

    burst: int
    per_minute: float
    guards_secret: bool = False
    """Whoever could try without being counted could guess: without Redis, nobody may try."""


CLASSES: dict[str, Bucket] = {
    # One office or depot comes from one address: wide enough for its morning.
    "sign_in": Bucket(burst=60, per_minute=60, guards_secret=True),
    "login": Bucket(burst=10, per_minute=5, guards_secret=True),
    "device_pin": Bucket(burst=10, per_minute=5, guards_secret=True),
    "enrol": Bucket(burst=20, per_minute=20, guards_secret=True),
    "otp": Bucket(burst=5, per_minute=1, guards_secret=True),
    # A hundred captures each; a phone hands in what it has, a replay or a guess is worth nothing.
    "surrender": Bucket(burst=60, per_minute=60),
    "surrender_device": Bucket(burst=30, per_minute=30),
    # Its pictures in chunks of 32 kB, of several phones behind one address.
    "surrender_picture": Bucket(burst=600, per_minute=1800),
    "surrender_picture_device": Bucket(burst=200, per_minute=600),
    "refresh": Bucket(burst=120, per_minute=120),
    "link": Bucket(burst=30, per_minute=30),
    "link_miss": Bucket(burst=10, per_minute=10),
    # All that is kept of somebody in one file: nobody needs it often.
    "own_data": Bucket(burst=3, per_minute=0.1),
    "hook": Bucket(burst=1000, per_minute=6000),
    "upload": Bucket(burst=2000, per_minute=6000),
    "probe": Bucket(burst=120, per_minute=240),
    "heavy": Bucket(burst=20, per_minute=30),
}
"""Names that a route gives as `limit`; each has counters of its own (reliability.md 4c)."""


class TooManyRequests(Refusal):
    """This identity has used up its share for the moment; nothing was done."""

    status = 429
    title = "Too many requests. Please wait a moment."


class LimitsUnavailable(Unavailable):
    """Attempts cannot be counted now, so none is made."""

    title = "Signing in is not possible for a moment. Please try again."


# For each key a burst and a rate. Time is Redis's own, so the clocks of the processes need not agree.
# Answers the milliseconds each has to wait, 0 when a token was taken. A bucket that would be full
# again is forgotten.
_TAKE = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local waits = {}
for i, key in ipairs(KEYS) do
  local burst, rate = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local held = redis.call('HMGET', key, 'tokens', 'at')
  local tokens = tonumber(held[1]) or burst
  local at = tonumber(held[2]) or now
  tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
  waits[i] = 0
  if tokens >= 1 then tokens = tokens - 1 else waits[i] = math.ceil((1 - tokens) / rate) end
  redis.call('HSET', key, 'tokens', tostring(tokens), 'at', now)
  redis.call('PEXPIRE', key, math.ceil((burst - tokens) / rate) + 1000)
end
return waits
"""
_TAKE_SHA = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


class _Breaker:
    """After a failure nobody asks for a while, then one does; the pause doubles up to a limit."""

    FIRST_PAUSE = 0.5
    LONGEST_PAUSE = 5.0

    def __init__(self) -> None:
        self._pause = 0.0
        self._closed_until = 0.0

    def may_ask(self) -> bool:
        """Tell whether to try; the one that tries after a pause keeps the others waiting for it."""
        moment = time.monotonic()
        if moment < self._closed_until:
            return False
        if self._pause:
            self._closed_until = moment + self._pause
        return True

    def answered(self) -> None:
        self._pause = self._closed_until = 0.0

    def failed(self) -> None:
        self._pause = min(self.LONGEST_PAUSE, self._pause * 2 or self.FIRST_PAUSE)
        self._closed_until = time.monotonic() + self._pause


class _Wanted(NamedTuple):
    """One token that somebody wants, of a bucket that may hold `burst` of them."""

    key: str
    burst: int
    per_millisecond: float


class Limiter:
    """The buckets, and what this process knows about the Redis they lie in.

    Whoever wants tokens at the same time shares a round trip.
    """

    def __init__(self, client: Callable[[], Redis] = redis.client) -> None:
        self._client = client
        self._breaker = _Breaker()
        self._waits = Together(self._take_all)

    async def take(self, name: str, identity: str) -> None:
        """Take one token of `identity` from the class `name`.

        Raises: TooManyRequests with Retry-After; LimitsUnavailable if Redis is out of reach and
        the class guards a secret.
        """
        bucket = CLASSES[name]
        # Identities are logins and addresses: Redis learns neither.
        key = f"limit:{name}:{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
        wait = await self._waits.ask(_Wanted(key, bucket.burst, bucket.per_minute / 60_000))
        if wait is None:
            metrics.LIMITS_BLIND.labels(name).inc()
            if bucket.guards_secret:
                raise LimitsUnavailable(retry_after=2)
        elif wait > 0:
            metrics.REFUSED_BY_LIMIT.labels(name).inc()
            raise TooManyRequests(headers={"Retry-After": str(-(-wait // 1000))})

    async def _take_all(self, wanted: Sequence[_Wanted]) -> Sequence[int | None]:
        """Take what each wants; tell the milliseconds to wait, or None where nobody knows."""
        blind: Sequence[int | None] = [None] * len(wanted)
        if not self._breaker.may_ask():
            return blind
        try:
            async with asyncio.timeout(settings().redis_timeout):
                waits: Sequence[int] = await self._run(wanted)
        except redis.LOST as lost:
            self._breaker.failed()
            log.warning("limits.redis_out_of_reach", error=type(lost).__name__)
            return blind
        self._breaker.answered()
        return waits

    def forget_outage(self) -> None:
        """Ask Redis again at once, as a new process would."""
        self._breaker.answered()

    async def _run(self, wanted: Sequence[_Wanted]) -> Any:
        client = self._client()
        keys = [one.key for one in wanted]
        buckets = [value for one in wanted for value in (one.burst, one.per_millisecond)]
        arguments = (len(keys), *keys, *buckets)
        try:
            return await client.execute_command("EVALSHA", _TAKE_SHA, *arguments)  # type: ignore[no-untyped-call]
        except NoScriptError:
            return await client.execute_command("EVAL", _TAKE, *arguments)  # type: ignore[no-untyped-call]

    async def ping(self) -> bool:
        """Tell whether Redis answers now, whatever the breaker thinks."""
        try:
            async with asyncio.timeout(settings().redis_timeout):
                return bool(await self._client().ping())
        except redis.LOST:
            return False


_limiter = Limiter()


async def take(name: str, identity: str) -> None:
    """Take one token of `identity` from the class `name` (see `Limiter.take`).

    Raises: TooManyRequests; LimitsUnavailable.
    """
    await _limiter.take(name, identity)


async def ping() -> bool:
    """Tell whether Redis answers."""
    return await _limiter.ping()


def forget_outage() -> None:
    """Ask Redis again at once, as a new process would (tests)."""
    _limiter.forget_outage()
