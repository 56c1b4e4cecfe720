"""Telling open pages that there is news: by version, resumed, bounded, and over when it must be."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from doorstep.doors.track import page_events
from doorstep.modules.crm import service as crm
from tests.contract.served import served
from tests.factories.care import Travelling, place, reacting, travel
from tests.factories.company import the_app

PATIENCE_S = 20.0


@pytest.fixture
async def base(db: Any, redis: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A real server, which alone sends what is not finished yet."""
    monkeypatch.setattr(page_events, "EVERY_S", 0.05)
    page_events.begin_anew()
    # Made first: an application binds every reaction.
    app = the_app()
    with reacting():
        async with served(app, lifespan="off") as url:
            yield url
    page_events.begin_anew()


@asynccontextmanager
async def stream(base: str, order: Travelling, **headers: str) -> AsyncIterator[httpx.Response]:
    cookies = {"Cookie": f"__Host-order-{order.number}={order.token}"}
    path = f"{base}/t/orders/{order.number}/events"
    async with (
        httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http,
        http.stream("GET", path, headers=cookies | headers) as answer,
    ):
        yield answer


async def heard(answer: httpx.Response) -> AsyncIterator[str]:
    """Read the events: their ids, or their names where they have none."""
    async for line in answer.aiter_lines():
        if line.startswith(("id: ", "event: ")):
            yield line


async def next_of(events: AsyncIterator[str]) -> str:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(events)


async def test_each_version_is_told_once_and_resumed_by_its_id(base: str) -> None:
    order = await place(("KET-17", 1))
    async with stream(base, order) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        assert "content-encoding" not in answer.headers
        events = heard(answer)
        first = await next_of(events)
        await travel(order.parcels[0], 1002)
        second = await next_of(events)
        assert first != second
    # What the page has is not told again; what it has missed is, at once.
    async with stream(base, order, **{"Last-Event-ID": second.removeprefix("id: ")}) as answer:
        events = heard(answer)
        waiting = asyncio.ensure_future(next_of(events))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await travel(order.parcels[0], 1003)
        assert await waiting not in (first, second)
    async with stream(base, order, **{"Last-Event-ID": first.removeprefix("id: ")}) as answer:
        assert (await next_of(heard(answer))).startswith("id: ")


async def test_a_revoked_link_is_told_and_is_over(base: str) -> None:
    order = await place(("KET-17", 1))
    async with stream(base, order) as answer:
        events = heard(answer)
        await next_of(events)
        await crm.revoke_links(order.order_id)
        assert await next_of(events) == "event: gone"
        with pytest.raises(StopAsyncIteration):
            await next_of(events)


async def test_a_link_has_so_many_streams_and_gives_back_those_that_close(base: str) -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    async with stream(base, order), stream(base, order), stream(base, order):
        async with stream(base, order) as fourth:
            assert fourth.status_code == 200
            async with stream(base, order) as fifth:
                assert fifth.status_code == 429
            async with stream(base, other) as of_another:
                assert of_another.status_code == 200
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with stream(base, order) as again:
                    if again.status_code == 200:
                        break
                await asyncio.sleep(0.5)


async def test_nothing_is_told_without_the_link(base: str) -> None:
    order = await place(("KET-17", 1))
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"{base}/t/orders/{order.number}/events")
    assert answer.status_code == 404


async def test_streams_end_at_once_when_the_process_is_told_to_stop(base: str) -> None:
    order = await place(("KET-17", 1))
    told: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: told.append(number))
    try:
        with page_events.ending_with_the_process():
            async with stream(base, order) as answer:
                events = heard(answer)
                await next_of(events)
                os.kill(os.getpid(), signal.SIGTERM)
                with pytest.raises(StopAsyncIteration):
                    await next_of(events)
        assert told == [signal.SIGTERM], "the server hears of it as before"
        assert signal.getsignal(signal.SIGTERM) is not before
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_one_statement_asks_for_all_pages(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    asked: list[int] = []
    rows = page_events.db.rows

    async def counted(statement: str, *arguments: Any) -> Any:
        asked.append(len(arguments[0]))
        return await rows(statement, *arguments)

    async with stream(base, order), stream(base, other), stream(base, other):
        monkeypatch.setattr(page_events.db, "rows", counted)
        async with asyncio.timeout(PATIENCE_S):
            while asked.count(2) < 3:
                await asyncio.sleep(0.05)
        monkeypatch.undo()
    assert max(asked) == 2
