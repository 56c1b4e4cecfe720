"""The one middleware: request id, security headers, metrics and the log line of every request.

Plain ASGI around the whole application, so that answers which never reach a route have them too.
"""

from __future__ import annotations

import logging
import re
import time
from typing import Any

import structlog
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from doorstep.core import metrics
from doorstep.core.http.problems import MEDIA_TYPE, MalformedRequest, body_of
from doorstep.core.ids import uuid7
from doorstep.core.logging import REQUEST_ID

log = structlog.get_logger("doorstep.http")

Headers = list[tuple[bytes, bytes]]

_WELL_FORMED_ID = re.compile(rb"[A-Za-z0-9_.-]{8,64}")

PAGE_POLICY = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    b"connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
DATA_POLICY = b"default-src 'none'; frame-ancestors 'none'"

COMMON: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
    ),
]
HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
NO_STORE = (b"cache-control", b"no-store")

SERVER_ERROR, CLIENT_ERROR, NOT_MODIFIED = 500, 400, 304

QUIET = frozenset({"readLiveness", "readReadiness", "readMetrics"})
"""Machines ask these every few seconds: no line in the log unless they fail."""


class Edge:
    """Wraps the application; costs one closure and some list work per request."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._common = [*COMMON, HSTS] if secure else COMMON

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; anything but HTTP passes through untouched."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope["headers"])
        token = REQUEST_ID.set(request_id)
        began = time.perf_counter()
        status = SERVER_ERROR

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._complete(message, request_id)
            await send(message)

        try:
            if b"%00" in scope["query_string"] or "\x00" in scope["path"]:
                await _refuse_nul(send_with_headers)
            else:
                await self._app(scope, receive, send_with_headers)
        finally:
            _record(scope, status, time.perf_counter() - began)
            REQUEST_ID.reset(token)

    def _complete(self, message: Any, request_id: str) -> None:
        # A list of its own: Litestar may hand over one that it keeps.
        headers: Headers = list(message["headers"])
        given = {name.lower(): value for name, value in headers}
        headers += [header for header in self._common if header[0] not in given]
        if b"content-security-policy" not in given:
            page = given.get(b"content-type", b"").startswith(b"text/html")
            headers.append((b"content-security-policy", PAGE_POLICY if page else DATA_POLICY))
        if b"cache-control" not in given:
            headers.append(NO_STORE)
        headers.append((b"x-request-id", request_id.encode()))
        message["headers"] = headers


def _request_id(headers: Any) -> str:
    """Take over a well-formed id of the caller, so that its log and ours can be joined."""
    for name, value in headers:
        if name == b"x-request-id" and _WELL_FORMED_ID.fullmatch(value):
            return str(value, "ascii")
    return str(uuid7())


def _level(status: int) -> int:
    if status >= SERVER_ERROR:
        return logging.ERROR
    # Nothing has happened, and pages that stay open ask all the time: counted, written on demand.
    return logging.DEBUG if status == NOT_MODIFIED else logging.INFO


async def _refuse_nul(send: Send) -> None:
    body = body_of(MalformedRequest("The address must not hold the character U+0000."))
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _record(scope: Scope, status: int, seconds: float) -> None:
    handler = scope.get("route_handler")
    # Only names that the code gives become labels: paths would be without number.
    operation = str(getattr(handler, "operation_id", None) or "none")
    metrics.request_answered(operation, status, seconds)
    if operation in QUIET and status < CLIENT_ERROR:
        return
    log.log(
        _level(status),
        "http.answered",
        operation=operation,
        method=scope.get("method"),
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )
