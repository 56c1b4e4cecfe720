"""Web Push (RFC 8030, 8291, 8292): encrypted by pywebpush, posted on one aiohttp session.

aiohttp is not our own client of outgoing calls, so the same checks are made here: no redirects, ten
seconds in all, push services that browsers use alone, and no private address (DESIGN §4). What was
sent and what came back stands on the message itself, not in the log of calls.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
from datetime import datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography.hazmat.primitives.asymmetric import ec
from pywebpush import WebPusher, WebPushException
from yarl import URL

from doorstep.adapters.client import CalledInTransaction
from doorstep.adapters.guard import (
    AddressRefused,
    further_origins,
    is_public,
    may_be_private,
    origin,
)
from doorstep.adapters.vapid import VapidSigner
from doorstep.core import db
from doorstep.core.clock import now
from doorstep.ports import OutsideGone, OutsideRefused, OutsideUnavailable
from doorstep.ports.push import PushAddress, PushKeysNotValid, PushNotice, PushServiceUnknown
from doorstep.settings import settings

HOSTS = re.compile(
    r"fcm\.googleapis\.com"
    r"|([a-z0-9-]+\.)+(push\.services\.mozilla\.com|push\.apple\.com|notify\.windows\.com)"
)
"""Of Chrome and Edge on Android, Firefox, Safari, and Windows."""

# Names and ports alone: what two parsers could take for two hosts is no address of a push service.
ENDPOINT = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[\x21-\x7e]*")

TOTAL_SECONDS = 10.0
GONE = frozenset({404, 410})
BUSY = frozenset({408, 425, 429})
SERVER_ERROR = 500
ACCEPTED = 202
MOST_SAID = 300
"""Characters of an answer that are kept, for whoever looks into it."""

LONGEST_WAIT = 3600
"""Seconds that a push service may have us wait before we ask again."""


class WebPush:
    """Sends through the push service of each browser; a `ports.Pusher`."""

    def __init__(
        self, private_key: str, subject: str, *, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        """Raises: BadVapidSettings."""
        self._signer = VapidSigner(private_key, subject)
        self._timeout = aiohttp.ClientTimeout(total=total_seconds)

    @classmethod
    def configured(cls) -> WebPush | None:
        """Take the key from the settings; None where there is none. Raises: BadVapidSettings."""
        given = settings()
        if not given.vapid_private_key:
            return None
        return cls(given.vapid_private_key, given.vapid_subject)

    @property
    def public_key(self) -> str:
        """The key that browsers subscribe with."""
        return self._signer.public_key

    def check(self, address: PushAddress) -> None:
        """Make sure that notices could be sent there. Raises: PushServiceUnknown, PushKeysNotValid."""
        _check_endpoint(address.endpoint)
        try:
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), address.p256dh)
        except ValueError as wrong:
            raise PushKeysNotValid from wrong

    async def send(self, address: PushAddress, notice: PushNotice) -> None:
        """Encrypt a notice for its phone and hand it to the push service.

        Raises: OutsideGone for 404 and 410; OutsideRefused for other answers, redirects included,
        and for an address that must not be called; OutsideUnavailable; CalledInTransaction.
        """
        if db.in_transaction():
            raise CalledInTransaction("push")
        try:
            _check_endpoint(address.endpoint)
            # Encoded: what the browser gave us is the address, byte by byte.
            url = URL(address.endpoint, encoded=True)
            async with _session().post(
                url,
                data=_encrypted(address, notice.body),
                headers={
                    "Authorization": self._signer.header(address.endpoint),
                    "Content-Encoding": "aes128gcm",
                    "Topic": notice.topic,
                    "TTL": str(notice.ttl_seconds),
                    "Urgency": notice.urgency,
                },
                allow_redirects=False,
                timeout=self._timeout,
            ) as answer:
                if answer.status > ACCEPTED:
                    raise await _refusal(answer)
        except (PushServiceUnknown, AddressRefused, WebPushException, ValueError) as refused:
            # Bad keys too (ValueError): what nobody can be reached by must not stop the others.
            raise OutsideRefused(f"push: {refused}", system="push") from refused
        except (aiohttp.ClientError, TimeoutError, OSError) as failed:
            raise OutsideUnavailable(
                f"The push service did not answer ({type(failed).__name__}).", system="push"
            ) from failed


def _check_endpoint(endpoint: str) -> None:
    if not ENDPOINT.fullmatch(endpoint):
        raise PushServiceUnknown
    try:
        target = origin(endpoint)
    except ValueError as wrong:
        raise PushServiceUnknown from wrong
    if target in further_origins():
        return
    scheme, _, rest = target.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "https" or port != "443" or not HOSTS.fullmatch(host):
        raise PushServiceUnknown


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def _encrypted(address: PushAddress, body: bytes) -> bytes:
    """Encrypt for one phone (RFC 8291). Raises: ValueError and WebPushException for bad keys."""
    keys = {"p256dh": _text(address.p256dh), "auth": _text(address.auth)}
    sealed: bytes = WebPusher({"endpoint": address.endpoint, "keys": keys}).encode(body)["body"]
    return sealed


async def _refusal(answer: aiohttp.ClientResponse) -> Exception:
    said = (await answer.content.read(MOST_SAID)).decode(errors="replace")
    words = f"HTTP {answer.status} {answer.reason or ''}: {said}".replace("\0", "")[:MOST_SAID]
    if answer.status in GONE:
        return OutsideGone(words, system="push", http_status=answer.status)
    if answer.status in BUSY or answer.status >= SERVER_ERROR:
        wait = _seconds(answer.headers.get("Retry-After"))
        return OutsideUnavailable(words, system="push", wait=wait)
    return OutsideRefused(words, system="push", http_status=answer.status)


def _seconds(retry_after: str | None) -> int | None:
    """Read Retry-After, in seconds or as a date; None where there is none that can be read."""
    if not retry_after:
        return None
    if retry_after.isdigit():
        return min(int(retry_after[:9]), LONGEST_WAIT)
    try:
        when: datetime = parsedate_to_datetime(retry_after)
        return max(0, min(int((when - now()).total_seconds()), LONGEST_WAIT))
    except (TypeError, ValueError):
        return None


# --- The session ----------------------------------------------------------------------------------


class _GuardedResolver(AbstractResolver):
    """Resolves a name once; the very addresses that were looked at are dialled."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: AddressRefused when any of them is private; OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, family=family)
        addresses = list(dict.fromkeys((entry[0], str(entry[4][0])) for entry in found))
        if not may_be_private(host, port) and not all(is_public(one) for _, one in addresses):
            raise AddressRefused(f"{host} resolves to an address that is not public.")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for kind, address in addresses
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is kept."""


_sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}


def _session() -> aiohttp.ClientSession:
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        _sessions[loop] = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_GuardedResolver(), limit=50),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Doorstep"},
        )
    return _sessions[loop]


async def close() -> None:
    """Close this loop's connections (at shutdown); the next notice opens new ones."""
    session = _sessions.pop(asyncio.get_running_loop(), None)
    if session is not None:
        await session.close()
