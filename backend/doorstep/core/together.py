"""Many who ask at the same time are answered by one call: a round trip is shared, nothing is kept.

Every question is put after it was asked, so an answer is never older than its question; that is the
difference to a cache. A lone question waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

Q = TypeVar("Q")
A = TypeVar("A")

MOST = 100
"""So many questions in one call; the others are put by the next one."""

Waiting = list[tuple[Q, "asyncio.Future[A]"]]


class Together(Generic[Q, A]):
    """Gathers questions while a call is under way, and puts all of them by the next call.

    `answer` gets the questions and gives as many answers, in their order. What it raises is raised
    to everybody whose question it was.
    """

    def __init__(self, answer: Callable[[Sequence[Q]], Awaitable[Sequence[A]]]) -> None:
        self._answer = answer
        self._waiting: WeakKeyDictionary[asyncio.AbstractEventLoop, Waiting[Q, A]] = (
            WeakKeyDictionary()
        )
        self._calls: set[asyncio.Task[None]] = set()

    async def ask(self, question: Q) -> A:
        """Put a question, together with those of others, and wait for its answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[A] = loop.create_future()
        waiting = self._waiting.get(loop)
        if waiting is None:
            self._waiting[loop] = [(question, future)]
            # In a context of its own: it is in no transaction of whoever happens to ask first.
            call = loop.create_task(self._call(loop), context=Context())
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        else:
            waiting.append((question, future))
        return await future

    async def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call until nobody waits; whoever asks meanwhile finds the list and joins it."""
        waiting = self._waiting[loop]
        try:
            while waiting:
                # One turn of the loop: whose request lies here already comes along.
                await asyncio.sleep(0)
                asked = waiting[:MOST]
                del waiting[:MOST]
                await self._settle(asked)
        finally:
            del self._waiting[loop]
            for _question, future in waiting:
                future.cancel()

    async def _settle(self, asked: Waiting[Q, A]) -> None:
        try:
            answers = await self._answer([question for question, _future in asked])
            for (_question, future), answer in zip(asked, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
        except Exception as error:
            for _question, future in asked:
                if not future.done():
                    future.set_exception(error)
        finally:
            # Only a call that was cancelled, with its loop, has left anybody without an answer.
            for _question, future in asked:
                future.cancel()
