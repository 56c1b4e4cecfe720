"""A bad line: a Unix socket in front of a server, whose connections can be cut, stalled or slowed."""

from __future__ import annotations

import asyncio
from pathlib import Path

SLOW_STEP = 0.04
"""Seconds for which a slow line carries nothing before it carries for a moment."""


class Proxy:
    """Carries bytes between `listens` and `upstream` until it is told otherwise."""

    def __init__(self, listens: Path, upstream: Path) -> None:
        self.listens = listens
        self.upstream = upstream
        self.carried = 0
        self.dropped = 0
        """How many connections were cut on purpose."""
        self._ends: set[_End] = set()
        self._still = False
        self._budget: int | None = None
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Accept connections."""
        self.listens.unlink(missing_ok=True)
        self._server = await asyncio.get_running_loop().create_unix_server(
            lambda: _End(self), self.listens
        )

    async def stop(self) -> None:
        """End everything that goes through here."""
        if self._server is not None:
            self._server.close()
        self.cut()
        self.listens.unlink(missing_ok=True)

    def cut(self) -> None:
        """Reset every connection at once; new ones work."""
        self._budget = None
        for end in list(self._ends):
            if end.transport is not None:
                end.transport.abort()
                self.dropped += 1

    def cut_after(self, count: int) -> None:
        """Carry so many bytes more, in the middle of a message perhaps, then cut everything."""
        self._budget = count

    async def blackhole(self, seconds: float) -> None:
        """Carry nothing for so long, and tell nobody; what was sent meanwhile then arrives."""
        self._stand(still=True)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._stand(still=False)

    async def slow(self, seconds: float) -> None:
        """Carry in spurts for so long."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await self.blackhole(SLOW_STEP)
            await asyncio.sleep(SLOW_STEP / 8)

    def _stand(self, *, still: bool) -> None:
        self._still = still
        for end in self._ends:
            end.listen()

    def _carry(self, end: _End, data: bytes) -> None:
        self.carried += len(data)
        if self._budget is not None:
            data, self._budget = data[: self._budget], self._budget - len(data)
        if end.peer is not None and end.peer.transport is not None:
            end.peer.transport.write(data)
        if self._budget is not None and self._budget <= 0:
            self.cut()

    @property
    def still(self) -> bool:
        """Whether nothing is carried at present."""
        return self._still


class _End(asyncio.Protocol):
    """One end of a carried connection: the client's, which then opens the server's."""

    def __init__(self, proxy: Proxy, peer: _End | None = None) -> None:
        self.proxy = proxy
        self.peer = peer
        self.ended = False
        self.transport: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of a stream, always
        self.transport = transport
        self.proxy._ends.add(self)
        loop = asyncio.get_running_loop()
        # Not at once: until Python 3.11.5 a transport begins to read after this, whatever is said here.
        loop.call_soon(self.listen)
        if self.peer is None:
            self._opening = loop.create_task(self._open())

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, self.peer = await loop.create_unix_connection(
                lambda: _End(self.proxy, self), str(self.proxy.upstream)
            )
        except OSError:
            if self.transport is not None:
                self.transport.abort()
            return
        self.listen()

    def listen(self) -> None:
        """Read from this end, or not, as the line is; nothing before there is an end to carry it to."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.proxy.still or self.peer is None:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self.proxy._carry(self, data)

    def eof_received(self) -> bool:
        """Hand on that nothing more comes from here; what comes from there still arrives."""
        self.ended = True
        if self.peer is None or self.peer.ended or self.peer.transport is None:
            return False
        self.peer.transport.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.proxy._ends.discard(self)
        self.transport = None
        if self.peer is not None and self.peer.transport is not None:
            # What was sent before the end still arrives.
            self.peer.transport.close()
