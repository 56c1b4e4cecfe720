"""Telling open pages that there is news: one statement every two seconds for all of a process.

A page is told the version of what is committed, and fetches the rest itself; so it is never ahead. It
resumes by the version that it has. Streams end with the process, at once.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, Any

import asyncpg
import structlog
from litestar import Request, Response, get
from litestar.params import PathParameter
from litestar.response import Stream

from doorstep.core import db
from doorstep.core.auth.permissions import public
from doorstep.core.clock import now
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.limits import TooManyRequests
from doorstep.doors.track import links, page_sql
from doorstep.doors.track.page_answers import PRIVATE, REFUSALS

log = structlog.get_logger(__name__)

EVERY_S = 2.0
BEAT_S = 15.0
"""A proxy between us closes what is silent for a minute."""

LIFE_S = 600.0
"""Then the browser asks anew, and the link is counted and looked at as for everybody."""

MOST = 4
"""Pages of one link that are told at once, by each process."""

RETRY_MS = 3000

AWAY = (DatabaseUnavailable, asyncpg.PostgresError, TimeoutError)
"""Of a database that is away or too busy nothing new is known; the pages wait, and are told later."""


class Open:
    """One page that is told: the newest version known, or that its link opens nothing any more."""

    def __init__(self, version: str) -> None:
        self.version: str | None = version
        self.changed = asyncio.Event()
        self.changed.set()

    def tell(self, version: str | None) -> None:
        """Let the page know what is newest; in between nothing is missed."""
        if version != self.version:
            self.version = version
            self.changed.set()


class Watch:
    """All pages that this process tells, and the one task that asks for them."""

    def __init__(self) -> None:
        self._open: dict[bytes, set[Open]] = {}
        self._asking: asyncio.Task[None] | None = None
        self.ended = False

    def add(self, token_hash: bytes, version: str) -> Open:
        """Begin to tell a page.

        Raises: TooManyRequests when the link has enough of them.
        """
        pages = self._open.setdefault(token_hash, set())
        if len(pages) >= MOST:
            raise TooManyRequests(headers={"Retry-After": "60"})
        page = Open(version)
        pages.add(page)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        return page

    def remove(self, token_hash: bytes, page: Open) -> None:
        """Stop telling a page."""
        pages = self._open.get(token_hash, set())
        pages.discard(page)
        if not pages:
            self._open.pop(token_hash, None)

    def end(self) -> None:
        """Let every stream come to its end now."""
        self.ended = True
        for pages in self._open.values():
            for page in pages:
                page.changed.set()

    async def _ask(self) -> None:
        while self._open and not self.ended:
            await asyncio.sleep(EVERY_S)
            if not self._open:
                return
            hashes = list(self._open)
            try:
                found = await db.rows(page_sql.VERSIONS, hashes, now())
            except AWAY as away:
                log.warning("track.versions_not_read", error=type(away).__name__)
                continue
            versions = {row["token_hash"]: row["version"] for row in found}
            for token_hash in hashes:
                for page in self._open.get(token_hash, ()):
                    page.tell(versions.get(token_hash))


_watch = Watch()


def begin_anew() -> None:
    """Tell pages again, as a new process does."""
    _watch.ended = False


@contextmanager
def ending_with_the_process() -> Iterator[None]:
    """Let streams end as soon as the process is told to stop: the server waits for them.

    It learns of that by a signal, which it gets as before.
    """
    begin_anew()
    loop = asyncio.get_running_loop()
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(_watch.end)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    chained = [one for one, handler in before.items() if callable(handler)]
    if threading.current_thread() is not threading.main_thread():
        chained = []
    for one in chained:
        signal.signal(one, told)
    try:
        yield
    finally:
        _watch.end()
        for one in chained:
            signal.signal(one, before[one])


@get(
    "/t/orders/{number:str}/events",
    operation_id="followOrder",
    opt=public() | {"uncompressed": True},
    include_in_schema=False,
    exception_handlers=REFUSALS,
)
async def follow(
    request: Request[Any, Any, Any], number: Annotated[str, PathParameter()]
) -> Response[Any]:
    """Tell a page whenever there is another version of its order than the one that it has."""
    link = await links.by_cookie(request, number)
    seen = request.headers.get("last-event-id") or request.query_params.get("seen") or ""
    page = _watch.add(link.token_hash, link.version)
    headers = PRIVATE | {"X-Accel-Buffering": "no"}
    return Stream(
        _lines(link.token_hash, page, seen), media_type="text/event-stream", headers=headers
    )


async def _lines(token_hash: bytes, page: Open, seen: str) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    over = loop.time() + LIFE_S
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while not _watch.ended and loop.time() < over:
            try:
                async with asyncio.timeout(BEAT_S):
                    await page.changed.wait()
            except TimeoutError:
                yield ": here\n\n"
                continue
            page.changed.clear()
            if page.version is None:
                yield "event: gone\ndata: \n\n"
                return
            if page.version != seen:
                seen = page.version
                yield f"id: {seen}\ndata: {seen}\n\n"
    finally:
        _watch.remove(token_hash, page)


handlers = [follow]
"""The streams of this door."""
