"""What a customer tells us: of an attempt that failed, of damage; asks for help or a return.

Each is a page behind the order's. What binds money or a driver asks for the code first.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import MultipartBody, URLEncodedBody

from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import links, page_steps, page_view
from doorstep.doors.track.page_reading import parcel_of
from doorstep.doors.track.page_routes import PHOTOS_LIMIT, reads, takes
from doorstep.doors.track.page_schemas import (
    Attempt,
    AttemptForm,
    HelpForm,
    Link,
    ReportForm,
)
from doorstep.doors.track.page_steps import Asked, Number, ParcelPart, customer, keep_photos
from doorstep.flows import attempt_answers, customer_reports
from doorstep.flows.tickets import open_ticket

# --- An attempt that failed -----------------------------------------------------------------------


@reads("/t/orders/{number:str}/parcels/{parcel:int}/attempt", "readFailedAttempt")
async def read_attempt(request: Asked, number: Number, parcel: ParcelPart) -> Response[Any]:
    """Show what was reported of the last attempt, and ask whether it was so."""
    link = await links.by_cookie(request, number)
    return await _attempt(request, link, parcel)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/attempt", "answerFailedAttempt")
async def answer_attempt(
    request: Asked, number: Number, parcel: ParcelPart, data: URLEncodedBody[AttemptForm]
) -> Response[Any]:
    """Say that it was so, or that somebody was there: then a desk looks at once."""
    link = await page_steps.own(request, number)
    parcel_id = await parcel_of(link, parcel)
    refusal = await page_steps.refusal_of(
        attempt_answers.answer(
            parcel_id, data.event_id, data.said, data.words, actor=customer(link)
        )
    )
    if refusal is not None:
        return await _attempt(request, link, parcel, refusal)
    return page_steps.back(request, link, f"attempt_{data.said}")


async def _attempt(
    request: Asked, link: Link, parcel: int, refusal: Refusal | None = None
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, _ = page_steps.words_for(request, link)
    failed = await attempt_answers.last_failed(parcel_id)
    told: list[str] = []
    if failed is not None:
        attempt = Attempt(reason=failed["reason"], at=failed["happened_at"], said=failed["said"])
        told = page_view.attempt_words(attempt, words)
    return page_steps.page(
        "attempt.html",
        link,
        words,
        refusal=refusal,
        action=f"parcels/{parcel}/attempt",
        event_id=str(uuid7()),
        told=told,
        answered=len(told) > 1,
    )


# --- Damage and missing parts ---------------------------------------------------------------------


@reads("/t/orders/{number:str}/parcels/{parcel:int}/problem", "readReportForm")
async def read_report(request: Asked, number: Number, parcel: ParcelPart) -> Response[Any]:
    """Ask what is damaged or missing."""
    link = await page_steps.signed_in(request, number)
    return await _report(request, link, parcel)


@takes(
    "/t/orders/{number:str}/parcels/{parcel:int}/problem", "reportProblemOnPage", limit=PHOTOS_LIMIT
)
async def report(
    request: Asked, number: Number, parcel: ParcelPart, data: MultipartBody[ReportForm]
) -> Response[Any]:
    """Report damage or a missing part, with photos."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)

    async def do() -> None:
        photos = await keep_photos(link.token_hash, data.files)
        await customer_reports.report(
            parcel_id,
            data.event_id,
            data.kind,
            words=data.words,
            photos=photos,
            actor=customer(link),
        )

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _report(request, link, parcel, refusal, data.words)
    return page_steps.back(request, link, "reported")


async def _report(
    request: Asked, link: Link, parcel: int, refusal: Refusal | None = None, typed: str = ""
) -> Response[Any]:
    await parcel_of(link, parcel)
    words, _ = page_steps.words_for(request, link)
    return page_steps.page(
        "report.html",
        link,
        words,
        refusal=refusal,
        action=f"parcels/{parcel}/problem",
        event_id=str(uuid7()),
        typed=typed,
    )


# --- Help -----------------------------------------------------------------------------------------


@reads("/t/orders/{number:str}/help", "readHelpForm")
async def read_help(request: Asked, number: Number) -> Response[Any]:
    """Ask what the customer wants to know."""
    link = await links.by_cookie(request, number)
    return await _help(request, link)


@takes("/t/orders/{number:str}/help", "askForHelp")
async def ask_for_help(
    request: Asked, number: Number, data: URLEncodedBody[HelpForm]
) -> Response[Any]:
    """Open a ticket with the customer's words; what support writes goes to him by e-mail."""
    link = await page_steps.own(request, number)
    refusal = await page_steps.refusal_of(
        open_ticket(
            "question",
            "The customer asks",
            data.words,
            actor=customer(link),
            event_id=data.event_id,
            order_id=link.order_id,
        )
    )
    if refusal is not None:
        return await _help(request, link, refusal, data.words)
    return page_steps.back(request, link, "asked")


async def _help(
    request: Asked, link: Link, refusal: Refusal | None = None, typed: str = ""
) -> Response[Any]:
    words, _ = page_steps.words_for(request, link)
    return page_steps.page(
        "help.html", link, words, refusal=refusal, action="help", event_id=str(uuid7()), typed=typed
    )


handlers = [
    read_attempt,
    answer_attempt,
    read_report,
    report,
    read_help,
    ask_for_help,
]
"""The pages of this file."""
