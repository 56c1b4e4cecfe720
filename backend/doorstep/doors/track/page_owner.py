"""The page of a warranty that was given on: its new owner fetches the certificate and claims."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import MultipartBody, URLEncodedBody

from doorstep.core import blobs
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import links, owner_links, page_steps, page_words
from doorstep.doors.track.links import owner_path
from doorstep.doors.track.owner_links import OwnerLink
from doorstep.doors.track.page_answers import go_on, html, pdf, wanted_language
from doorstep.doors.track.page_routes import PHOTOS_LIMIT, reads, takes
from doorstep.doors.track.page_schemas import OwnerClaimForm, SignInForm
from doorstep.doors.track.page_steps import Asked, Number
from doorstep.doors.track.page_warranty import ended, stands
from doorstep.doors.track.page_words import Words
from doorstep.flows import link_access, warranty_claims
from doorstep.modules.crm import sign_in
from doorstep.settings import settings

SAID = frozenset(
    {"owner_code", "signed_in", "signed_out", "claimed", "claimed_call", "visit_chosen"}
)
"""What the page says once after a form."""


@reads("/t/warranties/{token:str}", "openOwnersLink")
async def open_owners_link(request: Asked, token: Number) -> Response[Any]:
    """Send the browser on to the warranty's own address, with the link's secret in a cookie."""
    link = await owner_links.by_token(request, token)
    return _to_page(request, link, links.remember_link(link.number, token))


@reads("/t/owners/{number:str}", "readOwnersPage")
async def read_owners_page(request: Asked, number: Number) -> Response[Any]:
    """Show a warranty to its owner; who has typed the code can claim under it."""
    link = await owner_links.by_cookie(request, number)
    return await _page(request, link)


@reads("/t/owners/{number:str}/certificate", "readOwnersCertificate")
async def read_owners_certificate(request: Asked, number: Number) -> Response[Any]:
    """Hand out the certificate of a warranty to its new owner; it names him by initials."""
    link = await owner_links.by_cookie(request, number)
    return pdf(await blobs.get(link.certificate_sha256), link.number)


@takes("/t/owners/{number:str}/sign-in-code", "sendOwnersCode")
async def send_owners_code(request: Asked, number: Number) -> Response[Any]:
    """Send a code to the owner's phone."""
    link = await owner_links.own(request, number)

    async def do() -> None:
        await page_steps.count_code(request, link.token_hash)
        await link_access.send_owners_code(link.order_id, link.owner_n, link.token_hash)

    return await _done(request, link, await page_steps.refusal_of(do()), "owner_code")


@takes("/t/owners/{number:str}/sign-in", "signInAsOwner")
async def sign_in_as_owner(
    request: Asked, number: Number, data: URLEncodedBody[SignInForm]
) -> Response[Any]:
    """Open a session of a day with the code from the phone."""
    link = await owner_links.own(request, number)
    try:
        session = await sign_in.sign_in(link.token_hash, data.digits)
    except sign_in.SignInCodeWrong as wrong:
        return await _page(request, link, wrong)
    said = links.say(link.number, "signed_in")
    return _to_page(request, link, said, links.remember_session(link.number, session))


@takes("/t/owners/{number:str}/sign-out", "signOutAsOwner")
async def sign_out_as_owner(request: Asked, number: Number) -> Response[Any]:
    """End the session of this browser."""
    link = await owner_links.own(request, number)
    await sign_in.sign_out(link.token_hash, links.session_of(request, number))
    said = links.say(link.number, "signed_out")
    return _to_page(request, link, said, links.forget_session(link.number))


@takes("/t/owners/{number:str}/claim", "claimAsOwner", limit=PHOTOS_LIMIT)
async def claim_as_owner(
    request: Asked, number: Number, data: MultipartBody[OwnerClaimForm]
) -> Response[Any]:
    """Claim under the warranty: support gets the words, a technician the visit at the owner's place."""
    link = await owner_links.own_signed_in(request, number)

    async def do() -> None:
        photos = await page_steps.keep_photos(link.token_hash, data.files)
        await warranty_claims.claim(
            link.fulfilment_id,
            data.event_id,
            data.piece,
            words=data.words,
            photos=photos,
            starts_at=data.starts_at,
            actor=owner_links.owner(link),
            owner_n=link.owner_n,
            place=data.one_line_place,
        )

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _page(request, link, refusal, typed=data.words, place=data.place)
    return await _done(request, link, None, "claimed" if data.starts_at else "claimed_call")


async def _done(
    request: Asked, link: OwnerLink, refusal: Refusal | None, word: str
) -> Response[Any]:
    if refusal is not None:
        return await _page(request, link, refusal)
    return _to_page(request, link, links.say(link.number, word))


def _to_page(request: Asked, link: OwnerLink, *cookies: Any) -> Response[Any]:
    return go_on(request, owner_path(link.number), *cookies)


async def _page(
    request: Asked,
    link: OwnerLink,
    refusal: Refusal | None = None,
    *,
    typed: str = "",
    place: str = "",
) -> Response[Any]:
    words = Words(wanted_language(request) or link.language, link.zone)
    actor, owner_n = owner_links.owner(link), link.owner_n
    pieces = await warranty_claims.covered(
        link.fulfilment_id, actor=actor, owner_n=owner_n, language=words.language
    )
    piece = next(one for one in pieces if one.number == link.number)
    open_to_claims = link.signed_in and not piece.over and not piece.claim_open
    starts = (
        await warranty_claims.free_starts(link.fulfilment_id, actor=actor, owner_n=owner_n)
        if open_to_claims
        else []
    )
    word = links.said(request, link.number)
    times = [(start, words.clock(start)) for start in starts]
    text = page_words.render(
        "owner.html",
        words=words,
        here=owner_path(link.number),
        company=settings().company_name,
        number=link.number,
        piece=piece,
        stands=stands(piece, words),
        signed_in=link.signed_in,
        open_to_claims=open_to_claims,
        asked=word == "owner_code" or isinstance(refusal, sign_in.SignInCodeWrong),
        refused=refusal is not None,
        notice=_notice(refusal, pieces, word, words),
        event_id=str(uuid7()),
        days=page_steps.days_of(times, words, ZoneInfo(link.zone)),
        typed=typed,
        place=place,
    )
    told = [links.have_said(link.number)] if word else []
    return html(text, status=refusal.status if refusal else 200, cookies=told)


def _notice(
    refusal: Refusal | None, pieces: list[warranty_claims.Covered], word: str, words: Words
) -> str:
    if refusal is not None:
        return ended(refusal, pieces, words) or words.refusal(refusal.problem_type())
    return words(f"said_{word}") if word in SAID else ""


handlers = [
    open_owners_link,
    read_owners_page,
    read_owners_certificate,
    send_owners_code,
    sign_in_as_owner,
    sign_out_as_owner,
    claim_as_owner,
]
"""The pages of this file."""
