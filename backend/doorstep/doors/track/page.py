"""The customer's page: opened by a link, read without JavaScript, in the customer's language.

Opening a link changes nothing: messengers open links for previews.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import PathParameter

from doorstep.core import blobs, limits
from doorstep.core.auth.guard import client_of
from doorstep.doors.track import links, page_sql
from doorstep.doors.track.page_answers import (
    go_on,
    jpeg,
    order_page,
    pdf,
    wanted_language,
)
from doorstep.doors.track.page_reading import NoSuchPaper, read_own, read_page
from doorstep.doors.track.page_routes import reads
from doorstep.doors.track.page_schemas import Link
from doorstep.doors.track.page_steps import ParcelPart
from doorstep.flows import pod_paper, receipt_paper

Token = Annotated[str, PathParameter()]
SAID = frozenset(
    {
        "accepted", "address_kept", "asked", "attempt_true", "attempt_was_here", "cancelled",
        "claimed", "claimed_call", "code_sent", "delivery_chosen", "erasure_asked",
        "erasure_withdrawn",
        "handover_sent", "rated", "rated_low", "reported", "return_home", "return_store", "signed_in",
        "signed_out", "transferred", "visit_chosen", "wishes_kept",
    }
)  # fmt: skip
"""What a page says once after a form."""


@reads("/t/{token:str}", "openTrackingLink")
async def open_link(request: Request[Any, Any, Any], token: Token) -> Response[Any]:
    """Send the browser on to the order's own address, with the link's secret in a cookie.

    The secret leaves the address bar, the history and whatever is copied from them.
    """
    link = await links.by_token(request, token)
    return go_on(request, links.order_path(link.number), links.remember_link(link.number, token))


@reads("/t/orders/{number:str}", "readOrderPage")
async def read_order_page(request: Request[Any, Any, Any], number: Token) -> Response[str]:
    """Show the order of this address to a browser that has opened its link."""
    link = await links.by_cookie(request, number)
    page, words = await read_page(link, wanted_language(request))
    word = links.said(request, number)
    known = word if word in SAID else ""
    return order_page(
        page,
        words,
        notice=words(f"said_{known}") if known else "",
        asked=known == "code_sent",
        cookies=[
            *([links.have_said(number)] if word else []),
            *([links.want_no_more(number)] if links.wanted(request, number) else []),
        ],
    )


@reads("/t/orders/{number:str}/certificates/{paper:str}", "readOwnCertificate")
async def read_certificate(
    request: Request[Any, Any, Any], number: Token, paper: Token
) -> Response[Any]:
    """Hand out a warranty certificate of the order; it names nobody but by initials."""
    link = await links.by_cookie(request, number)
    sha256 = await read_own(link, page_sql.CERTIFICATE, paper)
    # The number is one of ours here: it was found.
    return pdf(await blobs.get(sha256), paper)


@reads("/t/orders/{number:str}/invoice", "readOwnInvoice")
async def read_invoice(request: Request[Any, Any, Any], number: Token) -> Response[Any]:
    """Hand out the order's invoice to a customer who has signed in."""
    link = await _signed_in(request, number)
    language = wanted_language(request) or link.language
    sha256 = await read_own(link, page_sql.INVOICE, language)
    return pdf(await blobs.get(sha256), f"{link.number}-invoice")


@reads("/t/orders/{number:str}/receipts/{paper:str}", "readOwnReceipt")
async def read_receipt(
    request: Request[Any, Any, Any], number: Token, paper: Token
) -> Response[Any]:
    """Print the receipt of what was paid at a visit, for a customer who has signed in."""
    link = await _signed_in(request, number)
    receipt_id = await read_own(link, page_sql.RECEIPT, paper)
    # Drawing takes its time: one customer does not draw for all of them.
    await limits.take("heavy", client_of(request.scope))
    receipt = await receipt_paper.read(receipt_id)
    return pdf(await asyncio.to_thread(receipt_paper.draw, receipt), f"{link.number}-receipt")


@reads("/t/orders/{number:str}/parcels/{parcel:int}/proof", "readOwnProof")
async def read_proof(
    request: Request[Any, Any, Any], number: Token, parcel: ParcelPart
) -> Response[Any]:
    """Print the proof of a parcel's delivery, for a customer who has signed in."""
    link = await _signed_in(request, number)
    pod_id = await read_own(link, page_sql.POD, parcel)
    await limits.take("heavy", client_of(request.scope))
    paper = await pod_paper.draw(await pod_paper.read(pod_id))
    return pdf(paper, f"{link.number}-{parcel}-proof")


@reads("/t/orders/{number:str}/parcels/{parcel:int}/who", "readPortrait")
async def read_portrait(
    request: Request[Any, Any, Any], number: Token, parcel: ParcelPart
) -> Response[Any]:
    """Show what the one looks like who is on the way with a parcel, or comes to install it."""
    link = await _signed_in(request, number)
    # The page itself says who comes, so that the picture is there exactly as long as the name.
    page, _ = await read_page(link, None)
    wanted = next((card.portrait for card in page.parcels if card.n == parcel), "")
    sha256 = await read_own(link, page_sql.PORTRAIT, wanted)
    return jpeg(await blobs.get(sha256))


async def _signed_in(request: Request[Any, Any, Any], number: str) -> Link:
    link = await links.by_cookie(request, number)
    if not link.signed_in:
        raise NoSuchPaper
    return link


handlers = [
    open_link,
    read_order_page,
    read_certificate,
    read_invoice,
    read_receipt,
    read_proof,
    read_portrait,
]
"""The pages and papers of this door."""
