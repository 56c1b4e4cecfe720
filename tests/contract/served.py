"""A real HTTP server inside the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import uvicorn


class _Quiet(uvicorn.Server):
    """A server that leaves the signals to pytest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any, *, lifespan: Literal["auto", "off"] = "auto") -> AsyncIterator[str]:
    """Serve the application on a free port of 127.0.0.1; gives its base URL.

    `off` leaves it to the test to open what the application needs.
    """
    server = _Quiet(
        uvicorn.Config(
            app,
            port=0,
            log_level="critical",
            ws="none",
            timeout_graceful_shutdown=1,
            lifespan=lifespan,
        )
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@dataclass
class Received:
    """What came in at the receiver, in its order."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An ASGI application that takes webhooks; `statuses` are the answers to give before 200."""

    got: list[Received] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        status = self.statuses.pop(0) if self.statuses else 200
        if status < 300:
            headers = {name.decode(): value.decode() for name, value in scope["headers"]}
            self.got.append(Received(scope["path"], headers, body))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def wait_for(self, count: int, seconds: float = 5.0) -> list[Received]:
        """Wait until so many webhooks have come."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                await asyncio.sleep(0.01)
        return self.got
