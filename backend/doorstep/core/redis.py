"""How this process talks to Redis. Redis is disposable: nothing in it is the only copy.

A request waits at most `REDIS_TIMEOUT`; a worker, which has nothing better to do, waits longer
and tries again.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from doorstep.settings import settings

LOST: tuple[type[Exception], ...] = (RedisError, OSError)
"""What a call raises when Redis is down, stalled, restarting or full."""

WORKER_TIMEOUT = 5.0
"""Seconds a worker waits for an answer; its blocking reads end well before."""

_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, Redis] = WeakKeyDictionary()


def client() -> Redis:
    """Give the client that this event loop shares for short calls; it connects when first used."""
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        timeout = settings().redis_timeout
        _clients[loop] = Redis.from_url(
            settings().redis_url, socket_timeout=timeout, socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1), retry_on_error=[RedisConnectionError],
        )  # fmt: skip
    return _clients[loop]


def worker_options() -> dict[str, Any]:
    """Give the connection settings of a worker: it outlives a restart of Redis."""
    return {
        "socket_timeout": WORKER_TIMEOUT,
        "socket_connect_timeout": WORKER_TIMEOUT,
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
        "retry_on_error": [RedisConnectionError, RedisTimeoutError],
        "health_check_interval": 30,
    }


async def wait_for_bell(asked: Redis, bell: str, seconds: float) -> None:
    """Wait until somebody pushes to the list `bell`, or so long at most.

    Raises: RedisError, OSError.
    """
    # The stubs know neither fractions of a second nor that this client is asynchronous.
    answer: Any = asked.blpop([bell], timeout=seconds)  # type: ignore[arg-type]
    await answer


async def stop() -> None:
    """Close the shared client of this event loop; nothing happens when there is none."""
    shared = _clients.pop(asyncio.get_running_loop(), None)
    if shared is not None:
        await shared.aclose()
