"""The one way out: every HTTP call to another system, with its limits, its retries and its log.

Connect within 3 s, everything (retries included) within 10 s, no redirects, no proxies from the
environment, answers of at most 16 MB, only allowed origins and public addresses (DESIGN §4).
"""

from __future__ import annotations

import asyncio
import logging
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import httpx
import msgspec
import structlog

from doorstep.adapters.guard import GuardedTransport, check_url, origin
from doorstep.adapters.redaction import redact_body, redact_url
from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.ids import uuid7
from doorstep.ports import OutsideRefused, OutsideUnavailable

log = structlog.get_logger(__name__)

# httpx tells every URL at INFO, secrets in the query included; the table tells it without them.
logging.getLogger("httpx").setLevel(logging.WARNING)

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
ANSWER_BYTES = 16 * 1024 * 1024
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class CalledInTransaction(RuntimeError):
    """A network call inside a database transaction: a programming error (DESIGN §3)."""


class RetryNotSafe(ValueError):
    """Retries were asked for on a call that could act twice: neither idempotent nor keyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a call is sent while the other side is busy or out of reach.

    `keyed` promises that the other side recognises a repeat (an idempotency key in the request).
    """

    attempts: int = 1
    first_pause: float = 0.2
    keyed: bool = False


ONCE = Retry()
THRICE = Retry(attempts=3)
THRICE_KEYED = Retry(attempts=3, keyed=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request and what the log says of it; `hide` names further JSON members to keep out."""

    purpose: str
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    order_id: UUID | None = None
    retry: Retry = ONCE
    hide: frozenset[str] = frozenset()
    record: Literal["all", "failures"] = "all"
    """`failures` is for polling: what goes well every 15 s is not worth a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: any status, with the whole body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Tell whether the status is 2xx."""
        return 200 <= self.status < 300

    @property
    def busy(self) -> bool:
        """Tell whether the same request may do better later."""
        return self.status in _BUSY

    def json(self) -> Any:
        """Decode the body. Raises: msgspec.DecodeError."""
        return msgspec.json.decode(self.body)


class AnswerTooLarge(httpx.TransportError):
    """The answer is larger than any honest one; it was not read to its end."""


_clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}


def _client() -> httpx.AsyncClient:
    loop = asyncio.get_running_loop()
    if loop not in _clients:
        _clients[loop] = httpx.AsyncClient(
            transport=GuardedTransport(),
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": "Doorstep", "Accept": "application/json"},
        )
    return _clients[loop]


async def close() -> None:
    """Close this loop's connections (at shutdown); the next call opens new ones."""
    client = _clients.pop(asyncio.get_running_loop(), None)
    if client is not None:
        await client.aclose()


class Outgoing:
    """The calls of one adapter to one system, whose origin is allowed by being configured."""

    def __init__(self, system: str, base_url: str, *, total_seconds: float = TOTAL_SECONDS) -> None:
        self.system = system
        self.base_url = base_url.rstrip("/")
        self._origin = origin(base_url)
        self._total = total_seconds

    async def send(self, call: Call) -> Answer:
        """Send the request, again by its policy, write both to the log, and return the answer.

        Any status is returned; `expect` is the stricter sister.

        Raises: OutsideUnavailable when no answer came (its `facts["sent"]` is False when surely
        nothing arrived); CalledInTransaction; RetryNotSafe.
        """
        if db.in_transaction():
            raise CalledInTransaction(f"{self.system}: {call.purpose}")
        if call.retry.attempts > 1 and call.method not in _IDEMPOTENT and not call.retry.keyed:
            raise RetryNotSafe(f"{self.system}: {call.purpose}")
        deadline = asyncio.get_running_loop().time() + self._total
        maybe_sent = False
        for attempt in range(1, call.retry.attempts + 1):
            last = attempt == call.retry.attempts
            try:
                answer = await self._attempt(call, attempt, deadline)
            except (httpx.TransportError, TimeoutError) as failed:
                maybe_sent = maybe_sent or not isinstance(
                    failed, httpx.ConnectError | httpx.ConnectTimeout
                )
                if last or not await _pause(call.retry, attempt, deadline):
                    raise OutsideUnavailable(
                        f"{self.system} did not answer ({type(failed).__name__}).",
                        system=self.system,
                        sent=maybe_sent,
                    ) from failed
                continue
            if last or not answer.busy:
                return answer
            if not await _pause(call.retry, attempt, deadline, answer.headers.get("retry-after")):
                return answer
        raise AssertionError("unreachable")

    async def expect(self, call: Call) -> Answer:
        """Send the request and insist on 2xx.

        Raises: OutsideUnavailable for no answer and for busy ones (408, 425, 429, 5xx);
        OutsideRefused for every other status.
        """
        answer = await self.send(call)
        if answer.ok:
            return answer
        if answer.busy:
            raise OutsideUnavailable(
                f"{self.system} is busy (HTTP {answer.status}).",
                retry_after=_seconds(answer.headers.get("retry-after")) or 2,
                system=self.system,
                sent=True,
            )
        raise OutsideRefused(
            f"{self.system} refused {call.purpose} (HTTP {answer.status}).",
            system=self.system,
            http_status=answer.status,
            answer=redact_body(answer.body, call.hide)[:500],
        )

    async def _attempt(self, call: Call, attempt: int, deadline: float) -> Answer:
        entry = _Entry(self.system, call, attempt)
        if call.record == "all":
            await entry.write()
        try:
            check_url(call.url, self._origin)
            async with asyncio.timeout_at(deadline):
                answer = await _exchange(call)
        except (httpx.TransportError, TimeoutError) as failed:
            await entry.close(error=f"{type(failed).__name__}: {failed}")
            raise
        if call.record == "all" or not answer.ok:
            await entry.close(answer=answer)
        return answer


async def _exchange(call: Call) -> Answer:
    headers = {"Content-Type": "application/json", **call.headers} if call.body else call.headers
    async with _client().stream(
        call.method, call.url, headers=headers, content=call.body or None
    ) as response:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > ANSWER_BYTES:
                raise AnswerTooLarge(f"more than {ANSWER_BYTES} bytes")
            chunks.append(chunk)
        return Answer(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=b"".join(chunks),
        )


def _seconds(retry_after: str | None) -> int | None:
    """Read Retry-After given in seconds; its date form is rare and counts as not given."""
    return int(retry_after) if retry_after and retry_after.isdigit() else None


async def _pause(
    retry: Retry, attempt: int, deadline: float, retry_after: str | None = None
) -> bool:
    """Wait before the next attempt; False when it would not fit into the time that is left."""
    wait = retry.first_pause * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter
    wait = max(wait, _seconds(retry_after) or 0)
    if asyncio.get_running_loop().time() + wait >= deadline:
        return False
    await asyncio.sleep(wait)
    return True


_WRITE = """
INSERT INTO outgoing_call (id, system, purpose, order_id, attempt, method, url, request_body,
                           status, answer_body, error, started_at, ended_at, duration_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (id) DO UPDATE
   SET status = excluded.status, answer_body = excluded.answer_body, error = excluded.error,
       ended_at = excluded.ended_at, duration_ms = excluded.duration_ms
"""


class _Entry:
    """One attempt's row in the log."""

    def __init__(self, system: str, call: Call, attempt: int) -> None:
        self._id = uuid7()
        self._system = system
        self._call = call
        self._attempt = attempt
        self._started_at = now()
        self._clock = asyncio.get_running_loop().time()

    async def write(
        self,
        *,
        status: int | None = None,
        answer_body: str | None = None,
        error: str | None = None,
        ended_at: datetime | None = None,
    ) -> None:
        """Insert the row, or complete it.

        Raises: DatabaseUnavailable; before the request that is a reason not to send it.
        """
        call = self._call
        elapsed = int((asyncio.get_running_loop().time() - self._clock) * 1000)
        await db.execute(
            _WRITE,
            self._id,
            self._system,
            call.purpose,
            call.order_id,
            self._attempt,
            call.method,
            redact_url(call.url),
            redact_body(call.body, call.hide),
            status,
            answer_body,
            error,
            self._started_at,
            ended_at,
            None if ended_at is None else elapsed,
        )

    async def close(self, *, answer: Answer | None = None, error: str | None = None) -> None:
        """Complete the row; an answer that is here already outweighs a log that is not."""
        try:
            await self.write(
                status=answer.status if answer else None,
                answer_body=redact_body(answer.body, self._call.hide) if answer else None,
                error=error,
                ended_at=now(),
            )
        except DatabaseUnavailable:
            log.warning("outgoing.log_lost", system=self._system, purpose=self._call.purpose)


async def forget_calls(before: datetime) -> int:
    """Delete the log of calls that started before then; return how many."""
    return await db.execute("DELETE FROM outgoing_call WHERE started_at < $1", before)
