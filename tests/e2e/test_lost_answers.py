"""Answers get lost on their way back: everybody sends again, and nothing happens twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from doorstep.play import simulate
from tests.support import reckoning
from tests.support.whole_stack import WholeStack

ORDERS = 6
SEED = 11
LOST_SHARE = 0.15


class LossyLink:
    """A connection to the API that breaks when an answer has begun to come: the step is done."""

    def __init__(self, base_url: str, seed: int) -> None:
        address = urlsplit(base_url)
        self._upstream = (address.hostname or "", address.port or 0)
        self._dice = random.Random(seed)
        self.lost = 0
        self._carrying: set[asyncio.Task[None]] = set()

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin to carry one client's requests and those answers that get through."""
        carrying = asyncio.create_task(self._serve(reader, writer))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    async def end(self) -> None:
        """Break what is still connected."""
        for carrying in self._carrying:
            carrying.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        api_reader, api_writer = await asyncio.open_connection(*self._upstream)
        asked = asyncio.Event()
        upward = asyncio.create_task(_carry(reader, api_writer, asked))
        try:
            while chunk := await api_reader.read(65536):
                if asked.is_set() and self._dice.random() < LOST_SHARE:
                    self.lost += 1
                    break
                asked.clear()
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass  # The client has left: nobody waits for the rest.
        finally:
            upward.cancel()
            await asyncio.gather(upward, return_exceptions=True)
            writer.transport.abort()
            api_writer.transport.abort()


async def _carry(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: asyncio.Event
) -> None:
    while chunk := await reader.read(65536):
        asked.set()
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()


@asynccontextmanager
async def lossy(base_url: str) -> AsyncIterator[tuple[str, LossyLink]]:
    """Open an address that loses answers of the API; give it with the count of what it lost."""
    link = LossyLink(base_url, SEED)
    server = await asyncio.start_server(link.accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}", link
        finally:
            await link.end()


async def test_a_step_whose_answer_is_lost_is_sent_again_and_counts_once(stack: WholeStack) -> None:
    (before,) = await stack.rows("SELECT count(*) AS n FROM customer_order")
    async with lossy(stack.base_url) as (address, link):
        result = await simulate(address, stack.sandbox_url, ORDERS, SEED)
    print(f"{link.lost} answers were lost")
    assert result.ok, f"{result.failures}\n{stack.logs()}"
    assert link.lost > 5 * ORDERS
    await reckoning.check_orders(stack, before["n"] + ORDERS)
    await reckoning.check_money(stack)
    await reckoning.check_goods(stack)
    await reckoning.check_messages(stack)
    await reckoning.check_doctor(stack)
