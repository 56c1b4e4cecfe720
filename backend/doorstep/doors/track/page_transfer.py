"""A warranty is given to a new owner, who confirms by a code on his phone."""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import URLEncodedBody

from doorstep.core.errors import Refusal
from doorstep.doors.track import page_steps
from doorstep.doors.track.page_reading import parcel_of
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import Link, TransferCodeForm, TransferForm
from doorstep.doors.track.page_steps import Asked, Number, ParcelPart, customer
from doorstep.flows import warranty_claims, warranty_transfers


@reads("/t/orders/{number:str}/parcels/{parcel:int}/transfer", "readTransferForm")
async def read_transfer(request: Asked, number: Number, parcel: ParcelPart) -> Response[Any]:
    """Ask to whom which piece goes."""
    link = await page_steps.signed_in(request, number)
    return await _page(request, link, parcel)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/transfer", "askNewOwner")
async def ask_new_owner(
    request: Asked, number: Number, parcel: ParcelPart, data: URLEncodedBody[TransferForm]
) -> Response[Any]:
    """Send the code to the new owner's phone; he tells it to whoever stands before this page."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)
    await page_steps.count_code(request, link.token_hash)
    asking = warranty_transfers.ask(
        parcel_id, data.piece, name=data.name, phone=data.phone, actor=customer(link)
    )
    refusal = await page_steps.refusal_of(asking)
    asked = "" if refusal else data.piece
    return await _page(request, link, parcel, refusal, asked=asked, typed=data)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/transfer/code", "confirmNewOwner")
async def confirm_new_owner(
    request: Asked, number: Number, parcel: ParcelPart, data: URLEncodedBody[TransferCodeForm]
) -> Response[Any]:
    """Give the warranty to whoever has told the code."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)
    refusal = await page_steps.refusal_of(
        warranty_transfers.confirm(parcel_id, data.piece, data.digits, actor=customer(link))
    )
    if refusal is not None:
        return await _page(request, link, parcel, refusal, asked=data.piece)
    return page_steps.back(request, link, "transferred")


async def _page(
    request: Asked,
    link: Link,
    parcel: int,
    refusal: Refusal | None = None,
    *,
    asked: str = "",
    typed: TransferForm | None = None,
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, _ = page_steps.words_for(request, link)
    pieces = await warranty_claims.covered(parcel_id, actor=customer(link), language=words.language)
    return page_steps.page(
        "transfer.html",
        link,
        words,
        refusal=refusal,
        action=f"parcels/{parcel}/transfer",
        pieces=[one for one in pieces if not one.over and not one.claim_open],
        asked=asked,
        typed=typed,
    )


handlers = [read_transfer, ask_new_owner, confirm_new_owner]
"""The pages of this file."""
