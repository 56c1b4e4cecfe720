"""What is kept of the customer: to be read by him, and to be erased when he says so (IA7).

Pages behind the order's page, for whoever has typed the code.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import URLEncodedBody

from doorstep.core import limits
from doorstep.core.errors import Refusal
from doorstep.doors.track import page_steps
from doorstep.doors.track.page_answers import PRIVATE
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import ErasureForm, Link
from doorstep.doors.track.page_steps import Asked, Number, customer
from doorstep.flows import customer_data, erasure


@reads("/t/orders/{number:str}/data", "readOwnDataForms")
async def read_forms(request: Asked, number: Number) -> Response[Any]:
    """Offer the customer's data, and say what an erasure takes away and what stays."""
    link = await page_steps.signed_in(request, number)
    return await _forms(request, link)


@takes("/t/orders/{number:str}/data", "downloadOwnData", status_code=200)
async def download(request: Asked, number: Number) -> Response[Any]:
    """Give all that is kept of the customer, as one file."""
    link = await page_steps.own_signed_in(request, number)
    await limits.take("own_data", str(link.order_id))
    content = await customer_data.export(link.order_id, actor=customer(link))
    return Response(
        content,
        media_type="application/json",
        headers=PRIVATE | {"Content-Disposition": f'attachment; filename="{link.number}.json"'},
    )


@takes("/t/orders/{number:str}/erasure", "askForErasure")
async def ask_for_erasure(
    request: Asked, number: Number, data: URLEncodedBody[ErasureForm]
) -> Response[Any]:
    """Let the customer be forgotten as soon as nothing is open; then this page is gone too."""
    link = await page_steps.own_signed_in(request, number)
    try:
        await erasure.ask_by_link(
            link.order_id,
            link.token_hash,
            gives_up_warranty=data.gives_up == "yes",
            actor=customer(link),
        )
    except erasure.NotTheCustomersPhone as refusal:
        return await _forms(request, link, refusal)
    return page_steps.back(request, link, "erasure_asked")


@takes("/t/orders/{number:str}/erasure/withdraw", "withdrawErasure")
async def withdraw_erasure(request: Asked, number: Number) -> Response[Any]:
    """Let the customer stay after all, while his wish waits."""
    link = await page_steps.own_signed_in(request, number)
    try:
        await erasure.withdraw_by_link(link.order_id, actor=customer(link))
    except erasure.NotTheCustomersPhone as refusal:
        return await _forms(request, link, refusal)
    return page_steps.back(request, link, "erasure_withdrawn")


async def _forms(request: Asked, link: Link, refusal: Refusal | None = None) -> Response[Any]:
    words, _ = page_steps.words_for(request, link)
    asked = await erasure.read_of_order(link.order_id, actor=customer(link))
    return page_steps.page("privacy.html", link, words, refusal=refusal, action="data", asked=asked)


handlers = [read_forms, download, ask_for_erasure, withdraw_erasure]
"""The pages of this file."""
