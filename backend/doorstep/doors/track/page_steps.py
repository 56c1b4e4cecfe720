"""What the pages behind the order's page share: who may open them, and how they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from litestar import Request, Response
from litestar.datastructures import Cookie, UploadFile
from litestar.params import PathParameter

from doorstep.core import limits
from doorstep.core.actor import Actor
from doorstep.core.auth.guard import client_of
from doorstep.core.errors import NotFound, Refusal
from doorstep.core.http.origin import refuse_other_origins
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.track import links, page_words
from doorstep.doors.track.page_answers import go_on, html, wanted_language
from doorstep.doors.track.page_schemas import Link
from doorstep.doors.track.page_words import Words
from doorstep.flows import customer_reports
from doorstep.settings import settings

Number = Annotated[str, PathParameter()]
ParcelPart = Annotated[int, PathParameter(ge=1, le=999)]
Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Time:
    """A time that can be chosen."""

    value: str
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The times of one day."""

    words: str
    times: list[Time]


@dataclass(frozen=True, slots=True)
class Where:
    """The page that a step is behind: its address, and what it is called."""

    path: str
    words: str


async def signed_in(request: Asked, number: str) -> Link:
    """Find the order of this address for somebody who has typed the code.

    Raises: LinkNotValid, TooManyRequests, CodeNeeded.
    """
    link = await links.by_cookie(request, number)
    if not link.signed_in:
        raise links.CodeNeeded(language=link.language)
    return link


async def own(request: Asked, number: str) -> Link:
    """Find the order of a form's address, for a form of ours.

    Raises: SentFromElsewhere, LinkNotValid, TooManyRequests.
    """
    refuse_other_origins(request)
    return await links.by_cookie(request, number)


async def own_signed_in(request: Asked, number: str) -> Link:
    """Find the order of a form of ours, for somebody who has typed the code.

    Raises: SentFromElsewhere, LinkNotValid, TooManyRequests, CodeNeeded.
    """
    refuse_other_origins(request)
    return await signed_in(request, number)


def customer(link: Link) -> Actor:
    """Act as the holder of a link."""
    return Actor(
        role="customer", source="person", order_id=link.order_id, request_id=REQUEST_ID.get()
    )


def words_for(request: Asked, link: Link) -> tuple[Words, ZoneInfo]:
    """Speak as the address wants, or as the order's customer is written to, on his clock."""
    language = wanted_language(request) or link.language
    return Words(language, link.zone), ZoneInfo(link.zone)


def page(
    template: str,
    link: Link,
    words: Words,
    *,
    refusal: Refusal | None = None,
    notice: str | None = None,
    **facts: Any,
) -> Response[Any]:
    """Answer with a page behind the order's; what was refused is said at its top, or by `notice`."""
    where = Where(links.order_path(link.number), words("order", number=link.number))
    return page_behind(where, template, words, refusal=refusal, notice=notice, **facts)


def page_behind(
    where: Where,
    template: str,
    words: Words,
    *,
    refusal: Refusal | None = None,
    notice: str | None = None,
    **facts: Any,
) -> Response[Any]:
    """Answer with a page behind another one, to which it leads back."""
    said = words.refusal(refusal.problem_type()) if refusal else ""
    text = page_words.render(
        template,
        words=words,
        here=where.path,
        above=where.words,
        company=settings().company_name,
        notice=said if notice is None else notice,
        **facts,
    )
    return html(text, status=refusal.status if refusal else 200)


def back(request: Asked, link: Link, word: str, *cookies: Cookie, part: str = "") -> Response[Any]:
    """Send the browser to the order's page, down to its `part`, which says once what was done."""
    path, said = links.order_path(link.number), links.say(link.number, word)
    return go_on(request, path, said, *cookies, part=part)


async def refusal_of(doing: Awaitable[Any]) -> Refusal | None:
    """Do it, and tell why it was refused, so that the form's page can say so.

    Raises: NotFound, which is a page of its own.
    """
    try:
        await doing
    except NotFound:
        raise
    except Refusal as refusal:
        return refusal
    return None


async def count_code(request: Asked, token_hash: bytes) -> None:
    """Let nobody flood a phone with codes, by one link or by many. Raises: TooManyRequests."""
    await limits.take("otp", token_hash.hex())
    await limits.take("otp", client_of(request.scope))


async def keep_photos(token_hash: bytes, photos: Sequence[UploadFile]) -> list[str]:
    """Keep the photos of a form behind the link of this hash; return theirs.

    Raises: TooManyPhotos, before any is read; TooManyRequests; those of `customer_reports.keep_photo`.
    """
    # Pictures are decoded one by one: nobody has it done for him by the dozen.
    await limits.take("heavy", token_hash.hex())
    if len(photos) > customer_reports.MOST_PHOTOS:
        raise customer_reports.TooManyPhotos
    return [await customer_reports.keep_photo(await photo.read()) for photo in photos]


def days_of(
    times: Sequence[tuple[datetime, str]],
    words: Words,
    zone: ZoneInfo,
    chosen: datetime | None = None,
) -> list[Day]:
    """Put times and their words under the days of a place."""
    by_day = groupby(times, key=lambda one: one[0].astimezone(zone).date())
    return [
        Day(words.day(day), [Time(at.isoformat(), said, at == chosen) for at, said in those])
        for day, those in by_day
    ]
