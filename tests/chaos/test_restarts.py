"""Everything is killed, emptied and restarted while orders run: none is lost, nothing is doubled.

`CHAOS_SEED` chooses the moments and the faults; the orders are the same every time.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest
from redis.asyncio import Redis

from doorstep.play import simulate
from tests.support import reckoning
from tests.support.whole_stack import WholeStack, whole_stack

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("CHAOS_SEED") or 7)
ORDERS_SEED = 7

SHORTEST_CALM = 2.0
"""Seconds before the first fault; between two there may be more, but never time to heal wholly."""


class Size(NamedTuple):
    """How many orders run, how often something strikes, with which pauses; `seconds` to end."""

    orders: int
    faults: int
    longest_calm: float
    seconds: float


async def kill_service(stack: WholeStack, name: str) -> None:
    """End a process as the kernel's out-of-memory killer does; its supervisor starts it again."""
    while (number := stack.service(name).pid) is None:
        await asyncio.sleep(0.05)  # It is just being started again.
    os.kill(number, signal.SIGKILL)


async def kill_api(stack: WholeStack) -> None:
    await kill_service(stack, "api")


async def kill_worker(stack: WholeStack) -> None:
    await kill_service(stack, "worker")


async def empty_redis(stack: WholeStack) -> None:
    async with Redis(unix_socket_path=str(stack.embedded.redis.socket)) as client:
        await client.flushall()


async def kill_redis(stack: WholeStack) -> None:
    """End Redis; it keeps nothing on disk, so the one that is started again is empty."""
    process = stack.embedded.redis.process
    assert process is not None
    process.send_signal(signal.SIGKILL)


async def stop_postgres(stack: WholeStack) -> None:
    """Stop PostgreSQL at once, without a checkpoint: it recovers from its log when it starts."""
    process = stack.embedded.postgres.process
    assert process is not None
    process.send_signal(signal.SIGQUIT)


Fault = Callable[[WholeStack], Awaitable[None]]

FAULTS: tuple[Fault, ...] = (kill_api, kill_worker, empty_redis, kill_redis, stop_postgres)


def plan(size: Size, seed: int) -> list[tuple[float, Fault]]:
    """Plan the faults and the calm before each; every kind strikes before any strikes again."""
    dice = random.Random(seed)
    rounds = (dice.sample(FAULTS, len(FAULTS)) for _ in range(size.faults))
    kinds = list(chain.from_iterable(rounds))[: size.faults]
    calms = [dice.uniform(SHORTEST_CALM, size.longest_calm) for _ in kinds]
    calms[0] = SHORTEST_CALM
    return list(zip(calms, kinds, strict=True))


async def strike(stack: WholeStack, size: Size, struck: Counter[str]) -> None:
    """Let the planned faults happen, one after another."""
    began = time.monotonic()
    for calm, fault in plan(size, SEED):
        await asyncio.sleep(calm)
        await _servers_up(stack)
        await fault(stack)
        struck[fault.__name__] += 1
        print(f"{time.monotonic() - began:5.1f} s: {fault.__name__}", flush=True)


async def _servers_up(stack: WholeStack) -> None:
    while stack.embedded.redis.process is None or stack.embedded.postgres.process is None:
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "size",
    [Size(20, 6, 6, 200), pytest.param(Size(100, 15, 12, 900), marks=pytest.mark.soak)],
    ids=lambda size: f"{size.orders} orders, {size.faults} faults",
)
async def test_no_order_is_lost_and_nothing_is_doubled(tmp_path: Path, size: Size) -> None:
    # The long run has a limit of its own, instead of the one for a test that hangs.
    faulthandler.cancel_dump_traceback_later()
    print(f"CHAOS_SEED={SEED}: {size.orders} orders, {size.faults} faults")
    struck: Counter[str] = Counter()
    async with whole_stack(tmp_path / "whole", fsync=True) as stack:
        striking = asyncio.create_task(strike(stack, size, struck))
        try:
            began = time.monotonic()
            async with asyncio.timeout(size.seconds):
                result = await simulate(stack.base_url, stack.sandbox_url, size.orders, ORDERS_SEED)
            seconds = time.monotonic() - began
            assert result.ok, f"{result.failures}\n{stack.logs()}"
            assert striking.done(), f"Only {struck} struck before all orders had arrived."
            await striking
        finally:
            striking.cancel()
        await reckoning.check_orders(stack, size.orders)
        payouts = await reckoning.check_money(stack)
        await reckoning.check_goods(stack)
        messages = await reckoning.check_messages(stack)
        await reckoning.check_doctor(stack)
    print(
        f"{dict(struck)} in {seconds:.0f} s: 0 lost, 0 doubled;"
        f" {payouts} payouts, {messages} messages"
    )
