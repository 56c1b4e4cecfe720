"""The load: eight connections that send prepared requests as fast as they are answered.

A process of its own, and raw sockets, so that it takes as little as possible of the machine that
it measures. Run as `python -m tests.bench.client PORT CONNECTIONS FILE`; prints a `Load` as JSON.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop

HOST = "127.0.0.1"
CONTENT_LENGTH = b"content-length: "
LONGEST_WAIT = 60.0


class Load(msgspec.Struct):
    """What became of the requests; latencies and CPU in milliseconds and seconds."""

    answered: int
    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / self.seconds


def write_requests(file: Path, requests: Sequence[bytes]) -> None:
    """Keep raw requests for the client."""
    file.write_bytes(msgspec.msgpack.encode(list(requests)))


def request(method: str, path: str, token: str = "", body: bytes = b"", **headers: str) -> bytes:
    """Write one raw request; `idempotency_key` becomes the header `Idempotency-Key`."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the one before is answered."""

    def __init__(self, requests: Iterator[bytes], times: list[float], statuses: Counter[str]):
        self._requests = requests
        self._times = times
        self._statuses = statuses
        self._buffer = b""
        self._began = 0.0
        self._transport: asyncio.Transport
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def go_on(self) -> None:
        """Send one more request, or leave when there is none."""
        following = next(self._requests, None)
        if following is None:
            self._transport.close()
            return
        self._began = time.perf_counter()
        self._transport.write(following)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _body_length(self._buffer[:end]):
            return
        self._times.append(time.perf_counter() - self._began)
        self._statuses[self._buffer[9:12].decode()] += 1
        self._buffer = b""
        self.go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _body_length(head: bytes) -> int:
    if head[9:12] == b"304":
        return 0
    at = head.lower().find(CONTENT_LENGTH)
    if at < 0:
        raise RuntimeError(f"an answer without a length: {head!r}")
    return int(head[at + len(CONTENT_LENGTH) :].split(b"\r\n", 1)[0])


async def run(port: int, connections: int, requests: Sequence[bytes]) -> Load:
    """Send all requests over so many connections."""
    times: list[float] = []
    statuses: Counter[str] = Counter()
    waiting = iter(requests)
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: Connection(waiting, times, statuses), HOST, port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    for connection in opened:
        connection.go_on()
    async with asyncio.timeout(LONGEST_WAIT):
        await asyncio.gather(*(connection.ended for connection in opened))
    seconds = time.perf_counter() - began
    if len(times) != len(requests):
        raise RuntimeError(f"{len(requests) - len(times)} requests were not answered")
    times.sort()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Load(
        answered=len(times),
        seconds=seconds,
        statuses=dict(statuses),
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        cpu_seconds=used.ru_utime + used.ru_stime,
    )


def main() -> None:
    """Run one load and print what became of it."""
    port, connections, file = sys.argv[1:]
    requests = msgspec.msgpack.decode(Path(file).read_bytes(), type=list[bytes])
    load = uvloop.run(run(int(port), int(connections), requests))
    sys.stdout.write(msgspec.json.encode(load).decode())


if __name__ == "__main__":
    main()
