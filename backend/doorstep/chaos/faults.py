"""What can strike, and the plan that a seed makes of it."""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import asyncpg
from redis.asyncio import Redis

from doorstep.chaos.arena import Arena
from doorstep.core.failpoints import ON
from doorstep.stack.supervisor import Service

CALM = (0.6, 2.4)
"""Seconds between two faults: never enough to heal wholly."""

PATIENCE = 4.0
"""Seconds that a process has to come by its failpoint; then it is killed where it stands."""

BIRTH = 30.0
"""Seconds that a process may take, on a busy machine, until it has read its environment."""

API_POINTS = (
    "db.before_commit",
    "db.after_commit",
    "db.after_callbacks",
    "idempotency.before_store",
    "inbox.after_store",
    "uploads.before_assembly",
    "blobs.after_write",
)
WORKER_POINTS = (
    "outbox.after_claim",
    "outbox.after_enqueue",
    "outbox.before_done",
    "jobs.before_run",
    "jobs.after_run",
    "inbox.before_done",
    "bank.before_pay",
    "bank.after_pay",
    "messenger.after_send",
    "shop.after_fetch",
    "shop.after_ship",
    "blobs.after_write",
    "db.before_commit",
    "db.after_commit",
)

SKEWS = (-3600, -90, 90, 3600)
"""Seconds by which a clock is wrong."""

Dice = random.Random


@dataclass(frozen=True)
class Strike:
    """One fault of a plan: after so many seconds of calm, this, as its own dice decide."""

    calm: float
    kind: str
    dice: str

    def __str__(self) -> str:
        return f"{self.calm:.1f} s calm, then {self.kind}"


Fault = Callable[[Arena, Dice], Awaitable[str]]
"""Strikes, waits until it is over and tells in words what it did."""


def plan(faults: int, seed: int) -> list[Strike]:
    """Plan so many strikes; every kind strikes before any strikes again."""
    dice = Dice(f"faults/{seed}")
    rounds = (dice.sample(sorted(FAULTS), len(FAULTS)) for _ in range(faults))
    kinds = list(chain.from_iterable(rounds))[:faults]
    return [
        Strike(dice.uniform(*CALM), kind, f"{seed}/{number}/{kind}")
        for number, kind in enumerate(kinds)
    ]


async def strike(arena: Arena, planned: Strike) -> str:
    """Let one planned fault happen, once the servers of this stack run; tell what it did."""
    await until(
        lambda: (
            arena.embedded.redis.process is not None and arena.embedded.postgres.process is not None
        )
    )
    return await FAULTS[planned.kind](arena, Dice(planned.dice))


# --- Processes ------------------------------------------------------------------------------------


async def until(true: Callable[[], bool], seconds: float = math.inf) -> bool:
    """Wait until it is so, or so long at most; tell whether it is."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        if true():
            return True
        if asyncio.get_running_loop().time() > end:
            return False
        await asyncio.sleep(0.02)


async def _pid(service: Service, other_than: int = 0) -> int:
    """Tell the number of a process, once it runs (again)."""
    await until(lambda: service.pid not in (None, other_than))
    return service.pid or 0


async def _kill(service: Service) -> None:
    """End a process as the kernel's out-of-memory killer does; its supervisor starts it again."""
    os.kill(await _pid(service), signal.SIGKILL)


def _killing(name: str) -> Fault:
    async def fault(arena: Arena, _dice: Dice) -> str:
        await _kill(arena.service(name))
        return f"{name} killed"

    return fault


def _pausing(name: str, longest: float) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        seconds = dice.uniform(1.0, longest)
        await _pause(await _pid(arena.service(name)), seconds)
        return f"{name} stood still for {seconds:.1f} s"

    return fault


async def _pause(number: int, seconds: float) -> None:
    os.kill(number, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        with suppress(ProcessLookupError):  # It may have ended while it stood.
            os.kill(number, signal.SIGCONT)


def _dying(name: str, points: tuple[str, ...]) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        rule = f"{dice.choice(points)}=exit@{dice.randint(1, 4)}"
        died = await _reborn(arena.service(name), {"DOORSTEP_FAILPOINTS": rule}, PATIENCE)
        return f"{name} {'ended' if died else 'never came to'} {rule}"

    return fault


def _skewing(name: str) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        skew, seconds = dice.choice(SKEWS), dice.uniform(2.0, 5.0)
        await _reborn(
            arena.service(name),
            {"DOORSTEP_FAILPOINTS": ON, "DOORSTEP_CLOCK_SKEW": str(skew)},
            seconds,
        )
        return f"{name}'s clock was {skew:+} s wrong for {seconds:.1f} s"

    return fault


async def _reborn(service: Service, armed: dict[str, str], seconds: float) -> bool:
    """Let a process live with these variables, then as before; tell whether it ended by itself."""
    sane, said = service.env, _log_of(service)
    service.env = {**sane, **armed}
    try:
        before = await _pid(service)
        os.kill(before, signal.SIGKILL)
        number = await _pid(service, other_than=before)
        await until(lambda: service.pid != number or _ARMED in _log_of(service)[len(said) :], BIRTH)
        ended = await until(lambda: service.pid != number, seconds)
    finally:
        service.env = sane
    if not ended:
        await _kill(service)
    return ended


_ARMED = b"failpoints.armed"


def _log_of(service: Service) -> bytes:
    return service.log.read_bytes() if service.log and service.log.exists() else b""


# --- Servers --------------------------------------------------------------------------------------


async def _stop_postgres(arena: Arena, _dice: Dice) -> str:
    """Stop PostgreSQL at once, without a checkpoint: it recovers from its log when it starts."""
    if process := arena.embedded.postgres.process:
        process.send_signal(signal.SIGQUIT)
    return "PostgreSQL stopped at once"


async def _end_backends(arena: Arena, _dice: Dice) -> str:
    try:
        connection = await asyncpg.connect(arena.embedded.postgres.url(user="postgres"), timeout=5)
    except (OSError, asyncpg.PostgresError) as lost:
        return f"PostgreSQL had not come back yet: {lost}"
    try:
        ended = await connection.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE usename = 'doorstep'"
        )
    finally:
        await connection.close()
    return f"{ended} backends terminated"


async def _kill_redis(arena: Arena, _dice: Dice) -> str:
    """End Redis; it keeps nothing on disk, so the one that is started again is empty."""
    if process := arena.embedded.redis.process:
        process.send_signal(signal.SIGKILL)
    return "Redis killed"


async def _empty_redis(arena: Arena, _dice: Dice) -> str:
    async with Redis(unix_socket_path=str(arena.embedded.redis.socket)) as client:
        await client.flushall()
    return "Redis emptied"


async def _pause_redis(arena: Arena, dice: Dice) -> str:
    seconds = dice.uniform(1.0, 5.0)
    if process := arena.embedded.redis.process:
        await _pause(process.pid, seconds)
    return f"Redis stood still for {seconds:.1f} s"


# --- Lines ----------------------------------------------------------------------------------------


def _cutting(name: str) -> Fault:
    async def fault(arena: Arena, _dice: Dice) -> str:
        before = arena.lines[name].dropped
        arena.lines[name].cut()
        return f"{arena.lines[name].dropped - before} ends of connections to {name} cut"

    return fault


def _cutting_later(name: str) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        count = dice.randint(1, 60_000)
        arena.lines[name].cut_after(count)
        return f"connections to {name} cut after {count} bytes more"

    return fault


def _blackholing(name: str, longest: float) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        seconds = dice.uniform(2.0, longest)
        await arena.lines[name].blackhole(seconds)
        return f"nothing came through to {name} for {seconds:.1f} s"

    return fault


def _slowing(name: str) -> Fault:
    async def fault(arena: Arena, dice: Dice) -> str:
        seconds = dice.uniform(1.5, 4.0)
        await arena.lines[name].slow(seconds)
        return f"the line to {name} was slow for {seconds:.1f} s"

    return fault


FAULTS: dict[str, Fault] = {
    "kill the API": _killing("api"),
    "kill the worker": _killing("worker"),
    "stop the API for a while": _pausing("api", 5.0),
    "stop the worker for a while": _pausing("worker", 8.0),
    "stop the outside world for a while": _pausing("sandbox", 6.0),
    "end the API at a failpoint": _dying("api", API_POINTS),
    "end the worker at a failpoint": _dying("worker", WORKER_POINTS),
    "put the API's clock wrong": _skewing("api"),
    "put the worker's clock wrong": _skewing("worker"),
    "stop PostgreSQL at once": _stop_postgres,
    "terminate all backends": _end_backends,
    "kill Redis": _kill_redis,
    "empty Redis": _empty_redis,
    "stop Redis for a while": _pause_redis,
    "cut PostgreSQL's connections": _cutting("postgres"),
    "cut PostgreSQL in mid-message": _cutting_later("postgres"),
    "blackhole PostgreSQL": _blackholing("postgres", 7.0),
    "slow PostgreSQL": _slowing("postgres"),
    "cut Redis in mid-message": _cutting_later("redis"),
    "blackhole Redis": _blackholing("redis", 7.0),
}
"""Every kind of fault, by the name it has in a plan."""
