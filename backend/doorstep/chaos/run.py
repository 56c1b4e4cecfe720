"""One run: orders are played, faults strike, everything is counted."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from doorstep import play
from doorstep.chaos import faults
from doorstep.chaos.arena import Arena, arena
from doorstep.chaos.faults import Strike
from doorstep.chaos.reckoning import Reckoning, reckon

Say = Callable[[str], None]

HEAL_SECONDS = 60.0
"""How long, after the last order has ended, the outbox may take to be empty."""

# There is always a next tick of what runs again and again; one that died waits for it.
_OPEN = """
SELECT count(*) AS n FROM outbox o LEFT JOIN recurring_job r ON r.name = o.kind
 WHERE o.done_at IS NULL AND CASE WHEN r.name IS NULL
       THEN o.dead_at IS NULL AND o.next_at < now() + interval '1 minute'
       ELSE o.dead_at IS NOT NULL END
"""


class ChaosResult(NamedTuple):
    """Whether nothing was lost or doubled, and what the run consisted of."""

    wrong: list[str]
    struck: Counter[str]
    payouts: int
    messages: int
    seconds: float
    summary: str
    """All this in one line, with the seed."""

    @property
    def ok(self) -> bool:
        """Whether everything was as it must be."""
        return not self.wrong


async def run(
    folder: Path, *, seed: int, orders: int, strikes: int, secret_key: str, say: Say
) -> ChaosResult:
    """Play the orders of a seed on a stack of its own under `folder` while its faults strike.

    This process's settings must have the same `secret_key`. A seed plans the same orders and
    faults each time; how they meet is up to the machine.

    Raises: EmbeddedFailed; ServiceFailed; ArenaFailed.
    """
    planned = faults.plan(strikes, seed)
    say(f"seed {seed}: {orders} orders, {strikes} faults")
    for number, one in enumerate(planned, start=1):
        say(f"  {number:3} {one}")
    async with arena(folder, fsync=True, secret_key=secret_key, proxied=True) as stack:
        began = time.monotonic()
        struck: Counter[str] = Counter()
        wrong = await _play(stack, planned, struck, seed=seed, orders=orders, say=say)
        seconds = time.monotonic() - began
        reckoning = Reckoning([], 0, 0)
        if not wrong:
            await _healed(stack)
            reckoning = await reckon(stack, orders)
        wrong = [*wrong, *reckoning.wrong]
    summary = (
        f"chaos seed {seed}: {orders} orders, {struck.total()} faults of {len(struck)} kinds in"
        f" {seconds:.0f} s, {reckoning.payouts} payouts, {reckoning.messages} messages:"
        f" {len(wrong)} violations"
    )
    say(summary)
    return ChaosResult(wrong, struck, reckoning.payouts, reckoning.messages, seconds, summary)


PATIENCE = 3.0
"""A run that dies is done again when its lease is over, and several may die on one order's way."""


async def _play(
    stack: Arena, planned: list[Strike], struck: Counter[str], *, seed: int, orders: int, say: Say
) -> list[str]:
    """Play and strike at the same time; tell what went wrong with the play."""
    playing = asyncio.create_task(
        play.simulate(
            base_url=stack.base_url,
            sandbox_url=stack.sandbox_url,
            orders=orders,
            seed=seed,
            patience=PATIENCE,
        )
    )
    striking = asyncio.create_task(_strike(stack, planned, struck, say))
    watching = asyncio.create_task(stack.running.forever())
    try:
        await asyncio.wait({playing, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            return [f"The stack could not be kept running: {watching.exception()!r}"]
        wrong = [f"An order was not played to its end: {one}" for one in playing.result().failures]
        if striking.done():
            striking.result()
        elif not wrong:
            wrong.append(f"All orders had ended when only {struck.total()} faults had struck.")
        return wrong
    finally:
        for task in (playing, striking, watching):
            task.cancel()
        await asyncio.gather(playing, striking, watching, return_exceptions=True)


async def _strike(stack: Arena, planned: list[Strike], struck: Counter[str], say: Say) -> None:
    began = time.monotonic()
    for one in planned:
        await asyncio.sleep(one.calm)
        at = time.monotonic() - began
        what = await faults.strike(stack, one)
        struck[one.kind] += 1
        say(f"{at:6.1f} s: {what}")


async def _healed(stack: Arena) -> None:
    """Wait until everything that is due is done, so that it can be counted."""
    end = time.monotonic() + HEAL_SECONDS
    while True:
        [still] = await stack.rows(_OPEN)
        if not still["n"] or time.monotonic() > end:
            return
        await asyncio.sleep(0.2)
