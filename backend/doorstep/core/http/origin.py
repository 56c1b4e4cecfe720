"""Refusing forms that a page of somebody else has sent with our visitor's cookie (CSRF)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from doorstep.core.errors import NotAllowed
from doorstep.settings import settings

OPAQUE = "null"
"""What browsers say of a form on a page with `no-referrer`, our own ones too."""


class SentFromElsewhere(NotAllowed):
    """The form was not sent by a page of this address."""

    title = "This was sent from another page. Please open your link again."


def refuse_other_origins(request: Request[Any, Any, Any]) -> None:
    """Let a form pass that a page of ours has sent, or no browser at all.

    `Sec-Fetch-Site` says it where a browser sends it (since 2023 all do, to secure addresses). Before
    that the origin does; where it is opaque the cookie's SameSite=Lax keeps other pages out.

    Raises: SentFromElsewhere.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise SentFromElsewhere
        return
    origin = request.headers.get("origin")
    if origin in (None, OPAQUE):
        return
    ours = urlsplit(settings().public_url)
    # The port decides too: another program on the same host is somebody else.
    if origin != f"{ours.scheme}://{ours.netloc}":
        raise SentFromElsewhere
