"""Which exception becomes which problem."""

from __future__ import annotations

from typing import Any, cast

import asyncpg
import structlog
from asyncpg.exceptions._base import DataError as ArgumentError
from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    InternalServerException,
    MethodNotAllowedException,
    ValidationException,
)
from litestar.exceptions.http_exceptions import NotFoundException, RequestEntityTooLarge
from litestar.types import ExceptionHandlersMap

from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import EventIdReused, Invalid, Refusal
from doorstep.core.http.problems import (
    BodyTooLarge,
    FieldError,
    MalformedRequest,
    MethodNotAllowed,
    NoSuchAddress,
    UnexpectedError,
    answer,
)

log = structlog.get_logger(__name__)

AnyRequest = Request[Any, Any, Any]

SERVER_ERROR = 500


class ValueOutOfRange(Invalid):
    """A value fits its type but not the column it would go to (2^70, U+0000)."""

    title = "A value is too large, too long or not storable."


def refused(_request: AnyRequest, refusal: Refusal) -> Response[bytes]:
    """Answer a refusal as it is."""
    return answer(refusal)


def not_valid(_request: AnyRequest, exception: ValidationException) -> Response[bytes]:
    """Answer content that breaks the declared schema with 422, naming the fields."""
    errors = [_field_error(found) for found in exception.extra or ()]
    return answer(Invalid(), errors)


def _field_error(found: Any) -> FieldError:
    if not isinstance(found, dict):
        return FieldError(field="", message=str(found), source="")
    return FieldError(
        field=str(found.get("key", "")),
        message=str(found.get("message", "")),
        source=str(getattr(found.get("source"), "value", found.get("source", ""))),
    )


def too_deep(_request: AnyRequest, _exception: RecursionError) -> Response[bytes]:
    """Answer JSON that is nested deeper than the parser goes."""
    return answer(MalformedRequest("The content is nested too deeply."))


def broken_text(_request: AnyRequest, _exception: UnicodeError) -> Response[bytes]:
    """Answer bytes that are no UTF-8."""
    return answer(MalformedRequest("The text is not valid UTF-8."))


def not_storable(request: AnyRequest, exception: Exception) -> Response[bytes]:
    """Answer a value that PostgreSQL refused; logged, because a schema should have caught it."""
    log.warning("http.value_not_storable", operation=_operation(request), exc_info=exception)
    return answer(ValueOutOfRange())


def not_unique(request: AnyRequest, exception: asyncpg.UniqueViolationError) -> Response[bytes]:
    """Answer an event id that stands for something else; any other clash is a mistake of ours.

    Constraints on ids that clients make are called …event_unique or …event_id_unique.
    """
    if str(exception.constraint_name).endswith(("event_unique", "event_id_unique")):
        return answer(EventIdReused())
    return unexpected(request, exception)


def method_not_allowed(request: AnyRequest, _exception: HTTPException) -> Response[bytes]:
    """Answer 405 with the methods that this path does have."""
    router = request.app.asgi_router
    # Every path answers OPTIONS, so routing with it finds the path's template.
    try:
        template = router.handle_routing(path=request.scope["path"], method="OPTIONS")[4]
    except NotFoundException:
        # The method is looked at before the id in the path, which is none: nothing is here.
        return answer(NoSuchAddress())
    methods = {
        method
        for route in request.app.routes
        if route.path_format == template or route.path == template
        for method in getattr(route, "methods", ())
    }
    return answer(MethodNotAllowed(headers={"Allow": ", ".join(sorted(methods))}))


def of_the_framework(request: AnyRequest, exception: HTTPException) -> Response[bytes]:
    """Answer what Litestar refuses by itself; its own words are kept for broken requests only."""
    refusal: Refusal
    if isinstance(exception, NotFoundException):
        refusal = NoSuchAddress()
    elif isinstance(exception, RequestEntityTooLarge):
        refusal = BodyTooLarge()
    elif isinstance(exception, InternalServerException) and "disconnected" in exception.detail:
        refusal = MalformedRequest("The connection was closed before the request was complete.")
    elif exception.status_code >= SERVER_ERROR:
        return unexpected(request, exception)
    else:
        refusal = MalformedRequest(exception.detail)
    return answer(refusal)


def unexpected(request: AnyRequest, exception: Exception) -> Response[bytes]:
    """Answer a mistake of ours with 500 and the request id; the log has the rest."""
    log.error("http.unexpected", operation=_operation(request), exc_info=exception)
    return answer(UnexpectedError())


def _operation(request: AnyRequest) -> str:
    handler = request.scope.get("route_handler")
    return str(getattr(handler, "operation_id", None) or "")


HANDLERS: ExceptionHandlersMap = cast(
    "ExceptionHandlersMap",
    {
        Refusal: refused,
        DatabaseUnavailable: refused,
        ValidationException: not_valid,
        MethodNotAllowedException: method_not_allowed,
        HTTPException: of_the_framework,
        RecursionError: too_deep,
        UnicodeError: broken_text,
        ArgumentError: not_storable,
        asyncpg.DataError: not_storable,
        asyncpg.UniqueViolationError: not_unique,
        asyncpg.ProgramLimitExceededError: not_storable,
        Exception: unexpected,
    },
)
"""Looked up by the class of the exception, the nearest ancestor wins."""
