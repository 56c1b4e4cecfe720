"""What a customer does on the page: plain forms, answered by the page again.

Each acts on the order in its own address, and none of them is taken from another site.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.params import MultipartBody, URLEncodedBody

from doorstep.core.errors import Refusal
from doorstep.doors.track import links, page_steps
from doorstep.doors.track.page_answers import go_on, order_page, wanted_language
from doorstep.doors.track.page_reading import NoSuchPaper, parcel_of, read_page
from doorstep.doors.track.page_routes import PHOTOS_LIMIT, takes
from doorstep.doors.track.page_schemas import (
    CancelForm,
    DateForm,
    Link,
    ParcelForm,
    RateForm,
    SignInForm,
)
from doorstep.doors.track.page_steps import Asked, Number, customer
from doorstep.flows import care, expected_dates, link_access
from doorstep.modules.crm import service as crm
from doorstep.modules.crm import sign_in as crm_sign_in


@takes("/t/orders/{number:str}/rating", "rateOnPage", limit=PHOTOS_LIMIT)
async def rate(request: Asked, number: Number, data: MultipartBody[RateForm]) -> Response[Any]:
    """Rate one parcel, once, with words and photos (1016)."""
    link = await page_steps.own(request, number)
    feedback = crm.Feedback(
        event_id=data.event_id,
        delivery_rating=data.delivery_rating,
        installation_rating=data.installation_rating,
        words=data.words,
    )

    async def do() -> None:
        parcel = await parcel_of(link, data.parcel)
        photos: list[str] = []
        if data.files and await care.awaits_rating(parcel, data.event_id):
            photos = await page_steps.keep_photos(link.token_hash, data.files)
        shown = msgspec.structs.replace(feedback, photos=photos)
        await care.give_feedback(parcel, shown, actor=customer(link))

    typed = {
        "delivery_rating": str(data.delivery_rating),
        "installation_rating": str(data.installation_rating or ""),
        "words": data.words,
    }
    content = feedback.lowest > care.NOT_CONTENT
    return await _done(request, link, do, "rated" if content else "rated_low", typed)


@takes("/t/orders/{number:str}/date", "acceptDateOnPage")
async def accept_date(
    request: Asked, number: Number, data: URLEncodedBody[DateForm]
) -> Response[Any]:
    """Say yes to the date by which short goods are expected; they go on waiting."""
    link = await page_steps.own(request, number)

    async def do() -> None:
        parcel = await parcel_of(link, data.parcel)
        await expected_dates.accept_date(
            data.event_id, parcel, data.expected_on, actor=customer(link)
        )

    return await _done(request, link, do, "accepted")


@takes("/t/orders/{number:str}/cancel", "cancelOnPage")
async def cancel(request: Asked, number: Number, data: URLEncodedBody[CancelForm]) -> Response[Any]:
    """Cancel a parcel whose goods are short; what is paid for them is owed back."""
    link = await page_steps.own(request, number)

    async def do() -> None:
        parcel = await parcel_of(link, data.parcel)
        await expected_dates.cancel_short(data.event_id, parcel, actor=customer(link))

    return await _done(request, link, do, "cancelled")


@takes("/t/orders/{number:str}/handover-code", "sendHandoverCodeAgain")
async def send_handover_code(
    request: Asked, number: Number, data: URLEncodedBody[ParcelForm]
) -> Response[Any]:
    """Send the code for the door once more to the order's phone, for one who has signed in."""
    link = await page_steps.own(request, number)
    if not link.signed_in:
        raise NoSuchPaper

    async def do() -> None:
        parcel = await parcel_of(link, data.parcel)
        await link_access.send_handover_code(parcel, actor=customer(link))

    return await _done(request, link, do, "handover_sent")


@takes("/t/orders/{number:str}/sign-in-code", "sendSignInCode")
async def send_sign_in_code(request: Asked, number: Number) -> Response[Any]:
    """Send a code to the order's phone; the answer is the same whether there is one or not."""
    link = await page_steps.own(request, number)

    async def do() -> None:
        await _count_codes(request, link)
        await link_access.send_sign_in_code(link.order_id, link.token_hash)

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _again(request, link, refusal)
    step, said = links.wanted(request, number), links.say(number, "code_sent")
    return go_on(request, "/".join(filter(None, (links.order_path(number), step))), said)


@takes("/t/orders/{number:str}/sign-in", "signInOnPage")
async def sign_in(
    request: Asked, number: Number, data: URLEncodedBody[SignInForm]
) -> Response[Any]:
    """Open a session of a day with the code from the phone."""
    link = await page_steps.own(request, number)
    try:
        token = await crm_sign_in.sign_in(link.token_hash, data.digits)
    except crm_sign_in.SignInCodeWrong as wrong:
        return await _again(request, link, wrong, asked=True)
    remembered = links.remember_session(number, token)
    step = links.wanted(request, number)
    if step:
        path = f"{links.order_path(number)}/{step}"
        return go_on(request, path, remembered, links.want_no_more(number))
    # What it has opened stands at the end of the page.
    return page_steps.back(request, link, "signed_in", remembered, part="mine")


@takes("/t/orders/{number:str}/sign-out", "signOutOnPage")
async def sign_out(request: Asked, number: Number) -> Response[Any]:
    """End the session, here and wherever its cookie may have gone."""
    link = await page_steps.own(request, number)
    await crm_sign_in.sign_out(link.token_hash, links.session_of(request, number))
    return page_steps.back(request, link, "signed_out", links.forget_session(number))


# --- What they share ------------------------------------------------------------------------------


async def _count_codes(request: Asked, link: Link) -> None:
    """Let nobody flood a phone, by one link or by many."""
    await page_steps.count_code(request, link.token_hash)


async def _done(
    request: Asked,
    link: Link,
    do: Callable[[], Awaitable[None]],
    word: str,
    typed: Mapping[str, str] | None = None,
) -> Response[Any]:
    """Do it and show the page anew; what is refused is said on the page, with what was typed."""
    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _again(request, link, refusal, typed)
    return page_steps.back(request, link, word)


async def _again(
    request: Asked,
    link: Link,
    refusal: Refusal,
    typed: Mapping[str, str] | None = None,
    *,
    asked: bool = False,
) -> Response[str]:
    page, words = await read_page(link, wanted_language(request))
    return order_page(
        page,
        words,
        notice=words.refusal(refusal.problem_type()),
        refused=True,
        asked=asked,
        typed=typed,
        status=refusal.status,
    )


handlers = [
    rate,
    accept_date,
    cancel,
    send_handover_code,
    send_sign_in_code,
    sign_in,
    sign_out,
]
"""The forms of this door."""
