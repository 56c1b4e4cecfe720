"""Things that desks create: the same Idempotency-Key again gets the stored answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.params import HeaderParameter

from doorstep.core import idempotency
from doorstep.core.actor import Actor

CREATED = 201

OptionalKey = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=8,
        max_length=128,
        description="Chosen by the client; with it, the same request again gets the same answer.",
    ),
]
"""The type of a handler's argument; a desk that loses an answer may ask again with its key."""

REFUSALS = (
    idempotency.IdempotencyKeyUnusable,
    idempotency.IdempotencyKeyReused,
    idempotency.RequestInFlight,
)
"""What a key adds to a handler's problems."""


async def once(
    request: Request[Any, Any, Any],
    actor: Actor,
    key: str | None,
    create: Callable[[], Awaitable[msgspec.Struct]],
) -> Response[Any]:
    """Create a thing and answer 201; under a key only once, with its answer stored beside it.

    Raises: IdempotencyKeyUnusable, IdempotencyKeyReused, RequestInFlight; what `create` raises.
    """
    if key is None:
        return Response(await create(), status_code=CREATED)

    async def answer() -> idempotency.StoredAnswer:
        return idempotency.StoredAnswer(status=CREATED, body=msgspec.json.encode(await create()))

    route = f"{request.method} {request.scope['path']}"
    stored = await idempotency.run(actor, key, route, await request.body(), answer)
    return stored.response()
