"""Whether a certificate is genuine: what its QR code opens, for a browser and for a program.

A browser can have a new link sent from there, to whoever has the warranty.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import PathParameter

from doorstep.core import limits
from doorstep.core.auth.guard import client_of
from doorstep.core.auth.permissions import public
from doorstep.core.http.origin import refuse_other_origins
from doorstep.core.http.problems import problems
from doorstep.core.limits import TooManyRequests
from doorstep.doors.track import page_words
from doorstep.doors.track.links import count_miss
from doorstep.doors.track.page_answers import html, message_page, words_of
from doorstep.doors.track.page_routes import takes
from doorstep.doors.track.schemas import Certificate
from doorstep.flows import new_links
from doorstep.modules.crm import service as crm
from doorstep.settings import settings

HTML = "text/html"


@get(
    "/verify/{number:str}",
    operation_id="verifyCertificate",
    opt=public(limit="link"),
    responses=problems(crm.CertificateMissing, TooManyRequests),
    tags=["track"],
)
async def verify_certificate(
    request: Request[Any, Any, Any], number: Annotated[str, PathParameter()]
) -> Response[Certificate]:
    """Tell whether a certificate is genuine and until when it holds; the QR code leads here.

    A browser gets a page of the same; nobody is named on either.
    """
    reads_pages = HTML in request.headers.get("accept", "")
    try:
        found = msgspec.convert(await crm.verify_certificate(number), Certificate)
    except crm.CertificateMissing as missing:
        await count_miss(request)
        if not reads_pages:
            raise
        words = words_of(request)
        answer: Response[Any] = message_page(
            words, words("verify"), words("verify_missing"), status=missing.status
        )
    else:
        answer = _page(request, found) if reads_pages else Response(found)
    # One address, two answers: a cache must ask which.
    answer.headers["Vary"] = "Accept, Accept-Language"
    return answer


def _page(request: Request[Any, Any, Any], found: Certificate) -> Response[Any]:
    text = page_words.render(
        "certificate.html",
        words=words_of(request),
        found=found,
        here=f"/verify/{found.number}",
        company=settings().company_name,
    )
    return html(text)


@takes("/t/certificates/{number:str}/link", "sendNewLink")
async def send_new_link(
    request: Request[Any, Any, Any], number: Annotated[str, PathParameter()]
) -> Response[str]:
    """Have a new link sent to whoever has the warranty; the answer is the same whether one goes or not."""
    refuse_other_origins(request)
    # Nobody floods a phone by one certificate, or tries many.
    await limits.take("otp", client_of(request.scope))
    await limits.take("otp", f"certificate:{number}")
    await new_links.send_new_link(number)
    words = words_of(request)
    return message_page(words, words("new_link"), words("new_link_sent"), status=200)


handlers = [verify_certificate, send_new_link]
"""The check of certificates, and a new link for who has lost his."""
