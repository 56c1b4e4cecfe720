"""How the customer's page answers: what every answer carries, and refusals as pages to be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException, ValidationException
from litestar.response import Redirect
from litestar.types import ExceptionHandlersMap
from markupsafe import Markup, escape

from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.errors import Invalid, Refusal
from doorstep.core.http import errors as http_errors
from doorstep.doors.track import links, page_files, page_words
from doorstep.doors.track.links import LinkNotValid, order_path, owner_path
from doorstep.doors.track.page_reading import NoSuchPaper
from doorstep.doors.track.page_view import Page
from doorstep.doors.track.page_words import LANGUAGES, Words
from doorstep.modules.crm.rules import choose_language
from doorstep.settings import settings

PRIVATE = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": page_words.POLICY,
}
"""No search engine, no cache, no other site learns of an order's page."""

NOT_FOUND = 404


def wanted_language(request: Request[Any, Any, Any]) -> str | None:
    """Give the language that the address asks for, if it is one of ours."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else None


def words_of(request: Request[Any, Any, Any], own: str = "") -> Words:
    """Speak as the address wants, as the order's `own` customer is written to, or as the browser wants."""
    browser = choose_language(request.headers.get("accept-language", ""))
    return Words(wanted_language(request) or own or browser)


def html(
    text: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[Cookie] = (),
) -> Response[str]:
    """Answer with a page."""
    return Response(
        text,
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers=PRIVATE | dict(headers or {}),
        cookies=list(cookies),
    )


def order_page(
    page: Page,
    words: Words,
    *,
    notice: str = "",
    refused: bool = False,
    asked: bool = False,
    typed: Mapping[str, str] | None = None,
    status: int = 200,
    cookies: Sequence[Cookie] = (),
) -> Response[str]:
    """Answer with an order's page; `typed` is what a form had that was not taken."""
    text = page_words.render(
        "order.html",
        words=words,
        page=page,
        here=order_path(page.number),
        company=settings().company_name,
        script=page_files.script_path(),
        notice=notice,
        refused=refused,
        asked=asked,
        typed=typed or {},
    )
    faces = any(card.portrait for card in page.parcels)
    policy = {"Content-Security-Policy": page_words.POLICY_WITH_FACES} if faces else {}
    return html(text, status=status, headers=policy, cookies=cookies)


def message_page(
    words: Words,
    title: str,
    text: str,
    *,
    status: int,
    back: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """Answer with a page that says one thing."""
    written = page_words.render(
        "message.html",
        words=words,
        title=title,
        text=text,
        back=back,
        here="",
        company=settings().company_name,
    )
    return html(written, status=status, headers=headers)


def pdf(content: bytes, name: str) -> Response[Any]:
    """Answer with a paper; `name` is one of ours, without its ending."""
    return Response(
        content,
        media_type="application/pdf",
        headers=PRIVATE | {"Content-Disposition": f'inline; filename="{name}.pdf"'},
    )


def jpeg(content: bytes) -> Response[Any]:
    """Answer with a picture of ours."""
    return Response(content, media_type="image/jpeg", headers=PRIVATE)


def go_to(path: str, *cookies: Cookie) -> Response[Any]:
    """Send the browser to a page of ours, by GET."""
    return Redirect(path, status_code=303, headers=PRIVATE, cookies=list(cookies))


def go_on(
    request: Request[Any, Any, Any], path: str, *cookies: Cookie, part: str = ""
) -> Response[Any]:
    """Send the browser to a page of ours in the language that it reads now, down to its `part`."""
    language = wanted_language(request)
    query = f"?lang={language}" if language else ""
    return go_to(path + query + (f"#{part}" if part else ""), *cookies)


def kept(text: str) -> Markup:
    """Escape what a visitor has typed, and keep its lines as they are."""
    return Markup(escape(text).replace("\r\n", "\n").replace("\n", Markup("&#10;")))  # noqa: S704


page_words.add_filter("kept", kept)


# --- Refusals -------------------------------------------------------------------------------------


def _missing(request: Request[Any, Any, Any]) -> Response[str]:
    words = words_of(request)
    return message_page(words, words("missing"), words("missing_why"), status=NOT_FOUND)


def _refused(request: Request[Any, Any, Any], refusal: Refusal) -> Response[str]:
    if isinstance(refusal, LinkNotValid | NoSuchPaper) or refusal.status == NOT_FOUND:
        return _missing(request)
    words = words_of(request, refusal.facts.get("language", ""))
    text = words.refusal(refusal.problem_type())
    if isinstance(refusal, links.CodeNeeded) and request.url.path.startswith("/t/orders/"):
        return _sign_in_first(request, words, text)
    return message_page(
        words,
        words("not_done"),
        text,
        status=refusal.status,
        back=_back(request),
        headers=refusal.headers,
    )


def _sign_in_first(request: Request[Any, Any, Any], words: Words, why: str) -> Response[str]:
    """Let somebody sign in where it is needed; what he wanted to see follows by itself."""
    number = request.path_params["number"]
    here = order_path(number)
    word = links.said(request, number)
    step = request.url.path.removeprefix(f"{here}/") if request.method == "GET" else ""
    text = page_words.render(
        "sign_in_first.html",
        words=words,
        here=here,
        action=step,
        above=words("order", number=number),
        company=settings().company_name,
        why=why,
        asked=word == "code_sent",
        notice="",
        sent=words("said_code_sent"),
    )
    cookies = [links.have_said(number)] if word else []
    if step:
        cookies.append(links.want(number, step))
    return html(text, status=links.CodeNeeded.status, cookies=cookies)


def _not_valid(request: Request[Any, Any, Any], _exception: ValidationException) -> Response[str]:
    words = words_of(request)
    text = words.refusal("invalid")
    return message_page(words, words("not_done"), text, status=Invalid.status, back=_back(request))


def _of_the_framework(request: Request[Any, Any, Any], exception: HTTPException) -> Response[Any]:
    if exception.status_code == NOT_FOUND:
        return _missing(request)
    return http_errors.of_the_framework(request, exception)


def _back(request: Request[Any, Any, Any]) -> str:
    number = request.path_params.get("number")
    if not isinstance(number, str) or not number.replace("-", "").isalnum():
        return ""
    if request.url.path.startswith("/t/owners/"):
        return owner_path(number)
    if request.url.path.startswith("/t/certificates/"):
        return f"/verify/{number}"
    return order_path(number)


def nothing_here(request: Request[Any, Any, Any], exception: HTTPException) -> Response[Any]:
    """Answer a path that no route has: beside the pages with a page, elsewhere with a problem."""
    if request.scope["path"].startswith(("/t/", "/verify/")):
        return _missing(request)
    return http_errors.of_the_framework(request, exception)


REFUSALS: ExceptionHandlersMap = cast(
    "ExceptionHandlersMap",
    {
        Refusal: _refused,
        DatabaseUnavailable: _refused,
        ValidationException: _not_valid,
        HTTPException: _of_the_framework,
    },
)
"""What the routes of the page answer to people instead of problem documents."""
