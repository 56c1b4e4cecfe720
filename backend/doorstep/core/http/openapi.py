"""What OpenAPI says of every route beside its own declaration: problems, and the bearer token."""

from __future__ import annotations

from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import EventIdReused, Invalid, NotAllowed, NotFound
from doorstep.core.http.problems import (
    BodyTooLarge,
    MalformedRequest,
    NotSignedIn,
    UnexpectedError,
    WrongContentType,
    problems,
)
from doorstep.core.limits import LimitsUnavailable, TooManyRequests

BEARER = "bearer"


def config(version: str) -> OpenAPIConfig:
    """Describe the API as OpenAPI 3.1; no page of the library is served with it."""
    return OpenAPIConfig(
        title="Doorstep",
        version=version,
        description="From the paid order to the installed product: every step a fact with proof.",
        render_plugins=[],
        components=Components(
            security_schemes={BEARER: SecurityScheme(type="http", scheme="bearer")}
        ),
    )


def declare_common(handler: HTTPRouteHandler, *, path: str) -> None:
    """Add to the handler's declaration what every route of its kind may answer."""
    refusals: list[Any] = [MalformedRequest, Invalid, UnexpectedError, DatabaseUnavailable]
    if not handler.opt.get("public"):
        refusals += [NotSignedIn, NotAllowed]
        handler.security = [{BEARER: []}]
    if "{" in path:
        refusals.append(NotFound)
    if "data" in handler.parsed_fn_signature.parameters:
        refusals += [BodyTooLarge, WrongContentType, EventIdReused]
    if handler.opt.get("limit"):
        refusals += [TooManyRequests, LimitsUnavailable]
    own = handler.responses or {}
    handler.responses = {**problems(*refusals), **own}
