"""An answer that is bytes already, for what is asked so often that making one costs too much."""

from __future__ import annotations

from collections.abc import Sequence

from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send


class Ready(ASGIResponse):
    """Sends headers and a body of JSON as they are given; one without a body is a 304."""

    __slots__ = ("_given", "_sent")

    def __init__(self, headers: Sequence[tuple[bytes, bytes]], body: bytes | None) -> None:
        # What the framework prepares here is a twentieth of a 304, and none of it is needed.
        self._given = headers
        self._sent = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers, body = list(self._given), self._sent
        if body is not None:
            headers.append((b"content-type", b"application/json"))
            headers.append((b"content-length", b"%d" % len(body)))
        await send(
            {
                "type": "http.response.start",
                "status": 304 if body is None else 200,
                "headers": headers,
            }
        )
        await send({"type": "http.response.body", "body": body or b"", "more_body": False})
