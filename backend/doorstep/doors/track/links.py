"""Who is at the customer's page: one order per cookie, each in its own address.

The cookie holds the link's own secret, so that nothing is written when a link is opened: previews of
messengers open links too.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from doorstep.core import db, limits
from doorstep.core.auth.guard import client_of
from doorstep.core.auth.tokens import hash_of, is_token
from doorstep.core.clock import now
from doorstep.core.errors import NotAllowed, NotFound
from doorstep.doors.track import page_sql
from doorstep.doors.track.page_schemas import Link
from doorstep.modules.crm.rules import hash_token
from doorstep.modules.crm.sign_in import SESSION_LIFE

OPEN_S = 180 * 24 * 3600
"""A browser keeps the link as long as one can live; whether it still opens is the server's word."""

SAID_S = 60

WANT_S = 600
"""As long as the code can be typed that came to the phone."""

_STEP = re.compile(r"[A-Za-z0-9/-]{1,80}")

_NUMBER = re.compile(r"[A-Z0-9-]{3,30}")


class LinkNotValid(NotFound):
    """The link is wrong, expired or revoked; nobody is told which."""

    title = "This link does not open an order."


class CodeNeeded(NotAllowed):
    """Whoever has only the link may look, and does not change what others rely on."""

    title = "Please sign in with the code from the order's phone first."


def is_number(number: str) -> bool:
    """Tell whether an order may have this number."""
    return _NUMBER.fullmatch(number) is not None


def order_path(number: str) -> str:
    """Give the address of an order's page; the cookie of the same number opens it."""
    return f"/t/orders/{number}"


def owner_path(number: str) -> str:
    """Give the address of the page of a warranty that was given on; its number is the certificate's."""
    return f"/t/owners/{number}"


async def counted(token: str) -> bytes:
    """Take one request from the link's share and hash its secret."""
    token_hash = hash_token(token)
    await limits.take("link", token_hash.hex())
    return token_hash


async def count_miss(request: Request[Any, Any, Any]) -> None:
    """Let nobody try many links from one address."""
    await limits.take("link_miss", client_of(request.scope))


async def by_token(request: Request[Any, Any, Any], token: str) -> Link:
    """Find the order that a link opens.

    Raises: LinkNotValid, TooManyRequests.
    """
    return Link(**await behind(request, page_sql.LINK, token))


async def by_cookie(request: Request[Any, Any, Any], number: str) -> Link:
    """Find the order of this address by the cookie of the same number, and no other.

    Raises: LinkNotValid for no cookie, or one of another order; TooManyRequests.
    """
    return Link(**await behind_cookie(request, page_sql.LINK, number))


async def behind_cookie(
    request: Request[Any, Any, Any], statement: str, number: str
) -> dict[str, Any]:
    """Find what the cookie of a number opens by a statement, which must give that `number` again.

    Raises: LinkNotValid, TooManyRequests.
    """
    known = is_number(number)
    token = request.cookies.get(_name("order", number), "") if known else ""
    session = request.cookies.get(_name("session", number), "") if known else ""
    found = await behind(request, statement, token, session)
    if found["number"] != number:
        await count_miss(request)
        raise LinkNotValid
    return found


async def behind(
    request: Request[Any, Any, Any], statement: str, token: str, session: str = ""
) -> dict[str, Any]:
    """Find what a link opens by a statement of (hash of the token, now, hash of the session or NULL).

    Raises: LinkNotValid, TooManyRequests.
    """
    token_hash = await counted(token) if token else hash_token(token)
    session_hash = hash_of(session) if is_token(session) else None
    found = await db.row(statement, token_hash, now(), session_hash)
    if found is None:
        await count_miss(request)
        raise LinkNotValid
    return found | {"token_hash": token_hash}


def remember_link(number: str, token: str) -> Cookie:
    """Let this browser open the order's page from now on."""
    return _cookie("order", number, token, OPEN_S)


def remember_session(number: str, token: str) -> Cookie:
    """Let this browser see names, address and papers for a day."""
    return _cookie("session", number, token, int(SESSION_LIFE.total_seconds()))


def session_of(request: Request[Any, Any, Any], number: str) -> str:
    """Give the session that this browser remembers for an order, or an empty text."""
    return request.cookies.get(_name("session", number), "")


def forget_session(number: str) -> Cookie:
    """Let this browser forget that somebody has signed in."""
    return _cookie("session", number, "", 0)


def say(number: str, word: str) -> Cookie:
    """Have the next page say what was done, once."""
    return _cookie("said", number, word, SAID_S)


def said(request: Request[Any, Any, Any], number: str) -> str:
    """Give what the page is to say, or an empty text."""
    return request.cookies.get(_name("said", number), "")


def have_said(number: str) -> Cookie:
    """Let it be said only once."""
    return _cookie("said", number, "", 0)


def want(number: str, step: str) -> Cookie:
    """Remember for which step of an order's page somebody is to sign in, until he has."""
    return _cookie("want", number, step, WANT_S)


def wanted(request: Request[Any, Any, Any], number: str) -> str:
    """Give the step that was wanted before the sign-in, below the order's page, or an empty text."""
    step = request.cookies.get(_name("want", number), "")
    return step if _STEP.fullmatch(step) else ""


def want_no_more(number: str) -> Cookie:
    """Forget the step that was wanted."""
    return _cookie("want", number, "", 0)


def _name(kind: str, number: str) -> str:
    # The prefix binds it to this host, the whole of it and TLS: no neighbour can set or read it.
    return f"__Host-{kind}-{number}"


def _cookie(kind: str, number: str, value: str, seconds: int) -> Cookie:
    return Cookie(
        key=_name(kind, number),
        value=value,
        path="/",
        max_age=seconds,
        secure=True,
        httponly=True,
        samesite="lax",
    )
