"""Reading a body: JSON by its media type, and nothing that PostgreSQL cannot store."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request
from litestar.datastructures import State

from doorstep.core.actor import Actor
from doorstep.core.http.problems import MalformedRequest, WrongContentType

JSON_TYPES = re.compile(rb"application/(?:[\w.+-]+\+)?json\s*(?:;|$)", re.IGNORECASE)

# An even number of backslashes before it would make it the text `\u0000`, which is harmless.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

JSON_BODY_LIMIT = 256 * 1024
"""Bytes of a JSON body, unless the route says otherwise (`request_max_body_size`)."""


class DoorstepRequest(Request[Actor, Any, State]):
    """A request whose JSON is refused when it is not declared as JSON or holds a NUL."""

    async def json(self) -> Any:
        """Read the body as JSON.

        Raises: WrongContentType; MalformedRequest.
        """
        content_type = next(
            (value for name, value in self.scope["headers"] if name == b"content-type"), b""
        )
        if not JSON_TYPES.match(content_type):
            raise WrongContentType("Send the content as application/json.")
        refuse_nul(await self.body())
        return await super().json()


def refuse_nul(body: bytes) -> None:
    """Let JSON pass that holds no U+0000, which PostgreSQL stores in no text.

    Raises: MalformedRequest.
    """
    if b"\\u0000" in body and _NUL.search(body):
        raise MalformedRequest("Text must not hold the character U+0000.")
