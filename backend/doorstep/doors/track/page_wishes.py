"""What a customer asks of us: to take goods back, and by which ways to write to him.

Pages behind the order's page, for whoever has typed the code.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import URLEncodedBody

from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import page_steps
from doorstep.doors.track.page_reading import parcel_of
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import Link, ReturnForm, WishesForm
from doorstep.doors.track.page_steps import Asked, Number, ParcelPart, customer
from doorstep.flows import contact_wishes, returns
from doorstep.modules.messages.rules import CHANNELS

# --- Returns --------------------------------------------------------------------------------------


@reads("/t/orders/{number:str}/parcels/{parcel:int}/return", "readReturnForm")
async def read_return(request: Asked, number: Number, parcel: ParcelPart) -> Response[Any]:
    """Show what may be given back, and until when."""
    link = await page_steps.signed_in(request, number)
    return await _return(request, link, parcel)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/return", "askForReturn")
async def ask_for_return(
    request: Asked, number: Number, parcel: ParcelPart, data: URLEncodedBody[ReturnForm]
) -> Response[Any]:
    """Ask for goods to be taken back, at home or in a store (C13, C17)."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)

    async def do() -> None:
        if not data.quantities:
            raise returns.NotWithCustomer
        await returns.request_return(
            parcel_id,
            data.event_id,
            reason=data.reason,
            words=data.words,
            lines=data.quantities,
            how=data.how,
            actor=customer(link),
        )

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _return(request, link, parcel, refusal, data.words)
    return page_steps.back(request, link, f"return_{data.how}")


async def _return(
    request: Asked, link: Link, parcel: int, refusal: Refusal | None = None, typed: str = ""
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, zone = page_steps.words_for(request, link)
    goods = await returns.returnable(parcel_id, words.language, actor=customer(link))
    return page_steps.page(
        "return.html",
        link,
        words,
        refusal=refusal,
        action=f"parcels/{parcel}/return",
        event_id=str(uuid7()),
        goods=goods,
        until=[words.day(one.until.astimezone(zone).date()) for one in goods],
        typed=typed,
    )


# --- Messages -------------------------------------------------------------------------------------


@reads("/t/orders/{number:str}/messages", "readContactWishes")
async def read_wishes(request: Asked, number: Number) -> Response[Any]:
    """Show by which ways the customer is written to."""
    link = await page_steps.signed_in(request, number)
    words, _ = page_steps.words_for(request, link)
    wishes = await contact_wishes.read(link.order_id, actor=customer(link))
    return page_steps.page("messages.html", link, words, action="messages", wishes=wishes)


@takes("/t/orders/{number:str}/messages", "keepContactWishes")
async def keep_wishes(
    request: Asked, number: Number, data: URLEncodedBody[WishesForm]
) -> Response[Any]:
    """Write by these ways from now on, and by no other."""
    link = await page_steps.own_signed_in(request, number)
    wanted = [channel for channel in CHANNELS if getattr(data, channel) == "yes"]
    await contact_wishes.keep(link.order_id, wanted, actor=customer(link))
    return page_steps.back(request, link, "wishes_kept")


handlers = [read_return, ask_for_return, read_wishes, keep_wishes]
"""The pages of this file."""
