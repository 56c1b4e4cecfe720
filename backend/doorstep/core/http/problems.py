"""Every error answer is application/problem+json (RFC 9457), and OpenAPI says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Response
from litestar.openapi import ResponseSpec

from doorstep.core.errors import Refusal
from doorstep.core.logging import REQUEST_ID

MEDIA_TYPE = "application/problem+json"

RESERVED = frozenset({"type", "title", "status", "detail", "request_id", "errors"})


class FieldError(msgspec.Struct):
    """What is wrong with one field; `field` is its path (`lines.0.quantity`)."""

    field: str
    message: str
    source: str


class Problem(msgspec.Struct):
    """Why a request was not carried out; facts of the refusal stand beside these members."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
    errors: list[FieldError] | msgspec.UnsetType = msgspec.UNSET


class MalformedRequest(Refusal):
    """The bytes are not what they claim to be: broken JSON, broken UTF-8, a NUL, too deep."""

    status = 400
    title = "The request cannot be read."


class NotSignedIn(Refusal):
    """There is no token, or it is unknown, expired or revoked."""

    status = 401
    title = "Please sign in."

    def __init__(self, detail: str = "", **facts: Any) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="doorstep"'}, **facts)


class NoSuchAddress(Refusal):
    """No route has this path."""

    status = 404
    title = "There is nothing at this address."


class MethodNotAllowed(Refusal):
    """The path exists, but not with this method."""

    status = 405
    title = "This cannot be done at this address."


class BodyTooLarge(Refusal):
    """The body is larger than this route takes."""

    status = 413
    title = "The content is too large."


class WrongContentType(Refusal):
    """The body is not of a type that this route reads."""

    status = 415
    title = "The content is of a type that is not read here."


class UnexpectedError(Refusal):
    """A mistake of ours; the log has the details under the request id."""

    status = 500
    title = "Something went wrong on our side."


def type_of(refusal: type[Refusal]) -> str:
    """Return the stable URI of a refusal: `OutOfStock` → `/problems/out-of-stock`."""
    return f"/problems/{refusal.problem_type()}"


def body_of(refusal: Refusal, errors: Iterable[FieldError] = ()) -> bytes:
    """Write the refusal down as a problem document, its facts as members."""
    content: dict[str, Any] = {
        "type": type_of(type(refusal)),
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "request_id": REQUEST_ID.get(),
    }
    content.update((name, fact) for name, fact in refusal.facts.items() if name not in RESERVED)
    if found := list(errors):
        content["errors"] = found
    return msgspec.json.encode(content, enc_hook=str)


def answer(refusal: Refusal, errors: Iterable[FieldError] = ()) -> Response[bytes]:
    """Make the HTTP answer of a refusal."""
    return Response(
        body_of(refusal, errors),
        status_code=refusal.status,
        headers=refusal.headers,
        media_type=MEDIA_TYPE,
    )


def problems(*refusals: type[Refusal]) -> dict[int, ResponseSpec]:
    """Declare to OpenAPI how a handler may refuse: `responses=problems(OutOfStock)`."""
    by_status: dict[int, list[type[Refusal]]] = {}
    for refusal in refusals:
        by_status.setdefault(refusal.status, []).append(refusal)
    return {
        status: ResponseSpec(
            data_container=Problem,
            generate_examples=False,
            description="; ".join(f"`{type_of(one)}`: {one.title}" for one in group),
            media_type=MEDIA_TYPE,
        )
        for status, group in sorted(by_status.items())
    }
