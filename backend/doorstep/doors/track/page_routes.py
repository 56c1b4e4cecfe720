"""How a page of the customer's side is declared: open to whoever has its link, and in no description.

What is refused is a page to be read (`page_answers.REFUSALS`), not a problem document.
"""

from __future__ import annotations

from collections.abc import Callable

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.types import AnyCallable

from doorstep.core.auth.permissions import public
from doorstep.doors.track.page_answers import REFUSALS

FORM_LIMIT = 32 * 1024
"""Bytes of a form: two thousand letters of any script, each in nine bytes."""

PHOTOS_LIMIT = 40 << 20
"""Bytes of a form with six photos as phones take them."""


def reads(path: str, operation_id: str) -> Callable[[AnyCallable], HTTPRouteHandler]:
    """Declare a page that is read; it changes nothing."""
    return get(
        path,
        operation_id=operation_id,
        opt=public(),
        include_in_schema=False,
        exception_handlers=REFUSALS,
    )


def takes(
    path: str, operation_id: str, *, limit: int = FORM_LIMIT, status_code: int | None = None
) -> Callable[[AnyCallable], HTTPRouteHandler]:
    """Declare a page that takes a form of at most `limit` bytes."""
    return post(
        path,
        operation_id=operation_id,
        opt=public(),
        include_in_schema=False,
        exception_handlers=REFUSALS,
        request_max_body_size=limit,
        status_code=status_code,
    )
