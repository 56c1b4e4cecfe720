"""The days of a play: when all that can be done now is done, time passes for everybody at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from datetime import timedelta

Turn = Callable[[timedelta], Awaitable[None]]
"""Lets so much time pass at once, for the play and for everything that it plays on."""

AN_HOUR_LATER = timedelta(hours=1)
"""The hold of unpaid goods has run out, the grace time after it has not."""

DAYS_LATER = timedelta(days=6)
"""Nothing that was to be answered, paid or delivered within days is still in time."""


class Calendar:
    """Lets plays go on side by side, so many at once, and those that wait for time meet it together."""

    def __init__(self, at_once: int, turn: Turn | None = None) -> None:
        self._gate = asyncio.Semaphore(at_once)
        self._turn = turn
        self._passed = timedelta()
        self._waiting: defaultdict[timedelta, list[asyncio.Event]] = defaultdict(list)
        self._changed = asyncio.Event()

    async def play(self, plays: Iterable[Coroutine[None, None, None]]) -> None:
        """Play everything to its end."""
        tasks = [asyncio.create_task(self._one(play)) for play in plays]
        try:
            while pending := [task for task in tasks if not task.done()]:
                self._changed.clear()
                if sum(map(len, self._waiting.values())) == len(pending):
                    await self._turn_to(min(self._waiting))
                else:
                    await self._changed.wait()
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def wait_until(self, after: timedelta) -> None:
        """Wait until so much time has passed since the beginning; another play goes on meanwhile."""
        if after <= self._passed:
            return
        come = asyncio.Event()
        self._waiting[after].append(come)
        self._gate.release()
        self._changed.set()
        await come.wait()
        await self._gate.acquire()

    async def _one(self, play: Coroutine[None, None, None]) -> None:
        try:
            async with self._gate:
                await play
        finally:
            self._changed.set()

    async def _turn_to(self, after: timedelta) -> None:
        if self._turn is None:
            raise RuntimeError("Time does not pass in this play.")
        await self._turn(after - self._passed)
        self._passed = after
        for come in self._waiting.pop(after):
            come.set()
