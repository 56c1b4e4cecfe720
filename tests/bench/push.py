"""How many pushes one core encrypts and sends; beside it, the ways that the library's pages show.

The push service is a process of its own that reads and says 201, so that only the sender is measured:
messages per second of this process's CPU time, the three by turns.
"""

from __future__ import annotations

import asyncio
import base64
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest import mock

import aiohttp
from pywebpush import webpush, webpush_async

from doorstep import settings
from doorstep.adapters import web_push
from doorstep.adapters.web_push import WebPush
from doorstep.core.ids import uuid7
from doorstep.modules.push import rules
from doorstep.ports import PushAddress, PushNotice
from tests.bench.report import Figure
from tests.factories.phones import SUBJECT, VAPID_KEY, an_address

ROUNDS = 5
AT_ONCE = 20
SHARES = {"naive": 0.15, "session": 0.6, "ours": 1.0}
"""How many messages each way gets in a round, so that all take about as long."""

PER_SECOND = 500
SERVICE = """
import asyncio, sys

class Service(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\\r\\n\\r\\n")) >= 0:
            at = self.buffer.lower().find(b"content-length: ") + 16
            length = int(self.buffer[at : self.buffer.find(b"\\r\\n", at)])
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(b"HTTP/1.1 201 Created\\r\\nContent-Length: 0\\r\\n\\r\\n")

async def main():
    server = await asyncio.get_running_loop().create_server(Service, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


async def measure(seconds: float) -> Figure:
    """Send by all three ways to the same phones, and tell how much the last one is faster."""
    messages = int(seconds * PER_SECOND)
    async with _service() as url:
        with mock.patch.dict("os.environ", {"ALLOWED_ORIGINS": url}):
            settings.reload()
            try:
                rates = await _measured(url, messages)
            finally:
                await web_push.close()
        settings.reload()
    return Figure(
        name="push",
        value=rates["ours"],
        unit="messages/s/core",
        facts={
            "webpush()": rates["naive"],
            "webpush_async, one session": rates["session"],
            "times webpush()": rates["ours"] / rates["naive"],
            "times webpush_async": rates["ours"] / rates["session"],
            "bytes": float(len(_notice().body)),
        },
    )


async def _measured(url: str, messages: int) -> dict[str, float]:
    pusher = WebPush(VAPID_KEY, SUBJECT)
    phones = [an_address(f"{url}/push/{n}") for n in range(50)]
    notice = _notice()
    async with aiohttp.ClientSession() as session:

        async def naive(phone: PushAddress) -> None:
            webpush(
                _subscription(phone), notice.body, vapid_private_key=VAPID_KEY,
                vapid_claims={"sub": SUBJECT}, ttl=notice.ttl_seconds, timeout=10,
            )  # fmt: skip

        async def shared(phone: PushAddress) -> None:
            await webpush_async(
                _subscription(phone), notice.body, vapid_private_key=VAPID_KEY,
                vapid_claims={"sub": SUBJECT}, ttl=notice.ttl_seconds, aiohttp_session=session,
                timeout=aiohttp.ClientTimeout(total=10),
            )  # fmt: skip

        async def ours(phone: PushAddress) -> None:
            await pusher.send(phone, notice)

        ways = {"naive": naive, "session": shared, "ours": ours}
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, send in ways.items():
                found[name].append(
                    await _rate(send, phones, int(messages * SHARES[name]) // ROUNDS)
                )
    return {name: statistics.median(rates) for name, rates in found.items()}


async def _rate(
    send: Callable[[PushAddress], Awaitable[None]], phones: list[PushAddress], count: int
) -> float:
    waiting = iter(range(count))

    async def sender() -> None:
        for n in waiting:
            await send(phones[n % len(phones)])

    began = time.process_time()
    await asyncio.gather(*(sender() for _ in range(AT_ONCE)))
    return count / (time.process_time() - began)


def _notice() -> PushNotice:
    lane = f"run:{uuid7()}"
    body = rules.payload(uuid7(), "run_changed", lane, "hi", base_url="https://door.example")
    return PushNotice(body=body, ttl_seconds=3600, topic=rules.topic(lane), urgency="high")


def _subscription(phone: PushAddress) -> dict[str, Any]:
    def text(key: bytes) -> str:
        return base64.urlsafe_b64encode(key).decode()

    keys = {"p256dh": text(phone.p256dh), "auth": text(phone.auth)}
    return {"endpoint": phone.endpoint, "keys": keys}


@asynccontextmanager
async def _service() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVICE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()
