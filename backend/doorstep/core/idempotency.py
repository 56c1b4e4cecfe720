"""Idempotency-Key: a request that is sent again gets the first one's answer, byte for byte.

Owns the table `idempotency_key`. The answer is stored in the transaction of what it tells about:
a crash leaves both or neither. A refusal stores nothing, so the request may be tried again.
A statement of its own (order intake) calls the SQL functions `idempotency_begin` and
`idempotency_store` inside its round trip and passes the row that came back to `settle`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from litestar import Response
from litestar.params import HeaderParameter

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import Refusal
from doorstep.core.failpoints import failpoint

_PRINTABLE = re.compile(r"[!-~]{8,128}")

IdempotencyKey = Annotated[
    str,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=f"^{_PRINTABLE.pattern}$",
        description="Chosen by the client; the same request again gets the same answer.",
    ),
]
"""The type of a handler's argument that takes the header; without it the answer is 400."""


class IdempotencyKeyUnusable(Refusal):
    """The header is missing, or is not 8 to 128 printable characters."""

    status = 400
    title = "This request needs an Idempotency-Key of 8 to 128 printable characters."


class IdempotencyKeyReused(Refusal):
    """The key was used for another route or another body."""

    status = 422
    title = "This Idempotency-Key was used for another request."


class RequestInFlight(Refusal):
    """The same request is being worked on right now."""

    status = 409
    title = "The same request is still under way. Please ask again in a second."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """An HTTP answer as it is kept; `replayed` is true when an earlier request had made it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False

    def response(self) -> Response[bytes]:
        """Make it the answer of a handler."""
        headers = {**self.headers, **({"Idempotent-Replay": "true"} if self.replayed else {})}
        media_type = headers.pop("content-type", "application/json")
        return Response(self.body, status_code=self.status, headers=headers, media_type=media_type)


def scope_of(actor: Actor) -> str:
    """Name whose keys these are: nobody meets another's key."""
    if actor.person_id is not None:
        return f"person:{actor.person_id}"
    if actor.order_id is not None:
        return f"order:{actor.order_id}"
    return f"{actor.role}:{actor.name or actor.source}"


def settle(begun: Mapping[str, Any]) -> StoredAnswer | None:
    """Read what `idempotency_begin` said: None means go on, an answer means give it again.

    Raises: IdempotencyKeyReused; RequestInFlight.
    """
    match begun["outcome"]:
        case "new":
            return None
        case "replay":
            return StoredAnswer(
                status=begun["status"],
                headers=begun["headers"],
                body=begun["answer"],
                replayed=True,
            )
        case "other":
            raise IdempotencyKeyReused
        case _:
            raise RequestInFlight


@db.transactional
async def run(
    actor: Actor,
    key: str,
    route: str,
    body: bytes,
    use_case: Callable[[], Awaitable[StoredAnswer]],
) -> StoredAnswer:
    """Run the use-case once per key, in one transaction with its stored answer.

    `route` is the handler's operation id and `body` the raw bytes: both must be the same again.

    Raises: IdempotencyKeyUnusable; IdempotencyKeyReused; RequestInFlight; what the use-case raises.
    """
    if not _PRINTABLE.fullmatch(key):
        raise IdempotencyKeyUnusable
    request = (scope_of(actor), key, route, hashlib.sha256(body).digest())
    begun = await db.one("SELECT * FROM idempotency_begin($1, $2, $3, $4)", *request)
    stored = settle(begun)
    if stored is not None:
        return stored
    answer = await use_case()
    failpoint("idempotency.before_store")
    await db.execute(
        "SELECT idempotency_store($1, $2, $3, $4, $5, $6, $7)",
        *request, answer.status, dict(answer.headers), answer.body,
    )  # fmt: skip
    return replace(answer, replayed=False)
