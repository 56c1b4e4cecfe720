"""What the QR code of the return form opens: a new link to the order's page, where goods are given back."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from doorstep.core import limits
from doorstep.core.actor import Actor
from doorstep.core.auth.guard import client_of
from doorstep.core.http.origin import refuse_other_origins
from doorstep.core.logging import REQUEST_ID
from doorstep.doors.track import page_words
from doorstep.doors.track.links import LinkNotValid, is_number
from doorstep.doors.track.page_answers import html, message_page, words_of
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_steps import Number
from doorstep.flows import new_links
from doorstep.settings import settings


@reads("/t/returns/{number:str}", "openReturnForm")
async def open_return_form(request: Request[Any, Any, Any], number: Number) -> Response[Any]:
    """Offer to send the order's link; nothing is looked up, so nobody learns which orders there are."""
    if not is_number(number):
        raise LinkNotValid
    text = page_words.render(
        "returns.html",
        words=words_of(request),
        number=number,
        here=f"/t/returns/{number}",
        company=settings().company_name,
    )
    return html(text)


@takes("/t/returns/{number:str}/link", "sendLinkForReturn")
async def send_link_for_return(request: Request[Any, Any, Any], number: Number) -> Response[str]:
    """Have a link sent to the customer of the order; the answer is the same whether one goes or not."""
    refuse_other_origins(request)
    # Numbers can be guessed: nobody floods a phone by one, or tries many.
    await limits.take("otp", client_of(request.scope))
    await limits.take("otp", f"return_form:{number}")
    if is_number(number):
        system = Actor.system("track.link_for_return", request_id=REQUEST_ID.get())
        await new_links.send_link_for_return(number, actor=system)
    words = words_of(request)
    return message_page(words, words("return"), words("return_form_sent"), status=200)


handlers = [open_return_form, send_link_for_return]
"""From the paper in the box to the order's page."""
