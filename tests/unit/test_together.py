"""Questions that are asked at the same time share a call, and none is answered by an older one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

import pytest

from doorstep.core.together import MOST, Together


class Desk:
    """Doubles numbers, one call at a time; a call lasts until it is let go."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def double(self, numbers: Sequence[int]) -> Sequence[int]:
        self.calls.append(list(numbers))
        await self.open.wait()
        if -13 in numbers:
            raise LookupError("no thirteen below zero")
        return [2 * number for number in numbers]


async def test_what_is_asked_at_once_is_one_call_and_each_gets_his_own() -> None:
    desk = Desk()
    together = Together(desk.double)
    assert await asyncio.gather(*(together.ask(n) for n in (3, 1, 3, 2))) == [6, 2, 6, 4]
    assert desk.calls == [[3, 1, 3, 2]]


async def test_whoever_asks_during_a_call_is_answered_by_the_next_one() -> None:
    """An answer that was on its way when he asked could be older than his question."""
    desk = Desk()
    desk.open.clear()
    together = Together(desk.double)
    first = asyncio.create_task(together.ask(1))
    await asyncio.sleep(0.01)
    later = [asyncio.create_task(together.ask(n)) for n in (1, 2)]
    await asyncio.sleep(0.01)
    assert desk.calls == [[1]]
    desk.open.set()
    assert [await one for one in (first, *later)] == [2, 2, 4]
    assert desk.calls == [[1], [1, 2]]


async def test_a_failure_is_told_to_those_whom_it_concerns_and_the_next_are_answered() -> None:
    desk = Desk()
    together = Together(desk.double)
    told = await asyncio.gather(together.ask(1), together.ask(-13), return_exceptions=True)
    assert [type(one) for one in told] == [LookupError, LookupError]
    assert await together.ask(1) == 2


async def test_whoever_gives_up_takes_nobody_with_him() -> None:
    desk = Desk()
    desk.open.clear()
    together = Together(desk.double)
    asked = [asyncio.create_task(together.ask(n)) for n in (1, 2)]
    await asyncio.sleep(0.01)
    asked[0].cancel()
    await asyncio.sleep(0.01)
    desk.open.set()
    assert await asked[1] == 4
    assert asked[0].cancelled()
    assert await together.ask(5) == 10


async def test_a_call_is_of_bounded_size() -> None:
    desk = Desk()
    together = Together(desk.double)
    count = 2 * MOST + 1
    answers = await asyncio.gather(*(together.ask(n) for n in range(count)))
    assert answers == [2 * n for n in range(count)]
    assert [len(call) for call in desk.calls] == [MOST, MOST, 1]


async def test_a_call_is_in_nothing_that_its_first_asker_is_in() -> None:
    inside: ContextVar[str] = ContextVar("inside", default="nothing")

    async def tell(numbers: Sequence[int]) -> Sequence[str]:
        return [inside.get() for _ in numbers]

    inside.set("a transaction")
    assert await Together(tell).ask(1) == "nothing"


def test_each_event_loop_has_its_own_calls() -> None:
    """One that ended in the middle of a call leaves nothing behind in which others would wait."""
    desk = Desk()
    together = Together(desk.double)

    async def leave() -> None:
        desk.open.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await together.ask(1)

    async def come() -> int:
        desk.open = asyncio.Event()
        desk.open.set()
        return await together.ask(2)

    asyncio.run(leave())
    assert asyncio.run(come()) == 4
