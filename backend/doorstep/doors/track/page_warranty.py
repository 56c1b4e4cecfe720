"""The customer claims under a warranty: what is wrong, with photos, and when somebody may come.

A page behind the order's page, for whoever has typed the code.
"""

from __future__ import annotations

from typing import Any

from litestar import Response
from litestar.params import MultipartBody

from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import page_steps
from doorstep.doors.track.page_reading import parcel_of
from doorstep.doors.track.page_routes import PHOTOS_LIMIT, reads, takes
from doorstep.doors.track.page_schemas import ClaimForm, Link
from doorstep.doors.track.page_steps import (
    Asked,
    Number,
    ParcelPart,
    customer,
    days_of,
    keep_photos,
)
from doorstep.doors.track.page_words import Words
from doorstep.flows import warranty_claims
from doorstep.modules.crm.claims import WarrantyOver


@reads("/t/orders/{number:str}/parcels/{parcel:int}/warranty", "readWarrantyForm")
async def read_warranty(request: Asked, number: Number, parcel: ParcelPart) -> Response[Any]:
    """Show what is under warranty, and until when; ask what is wrong."""
    link = await page_steps.signed_in(request, number)
    return await _page(request, link, parcel)


@takes(
    "/t/orders/{number:str}/parcels/{parcel:int}/warranty", "claimUnderWarranty", limit=PHOTOS_LIMIT
)
async def claim(
    request: Asked, number: Number, parcel: ParcelPart, data: MultipartBody[ClaimForm]
) -> Response[Any]:
    """Claim for one piece: support gets the words, a technician the visit."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)

    async def do() -> None:
        photos = await keep_photos(link.token_hash, data.files)
        await warranty_claims.claim(
            parcel_id,
            data.event_id,
            data.piece,
            words=data.words,
            photos=photos,
            starts_at=data.starts_at,
            actor=customer(link),
        )

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _page(request, link, parcel, refusal, data.words)
    return page_steps.back(request, link, "claimed" if data.starts_at else "claimed_call")


async def _page(
    request: Asked, link: Link, parcel: int, refusal: Refusal | None = None, typed: str = ""
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, zone = page_steps.words_for(request, link)
    pieces = await warranty_claims.covered(parcel_id, actor=customer(link), language=words.language)
    starts: list[Any] = []
    if any(not one.over and not one.claim_open for one in pieces):
        starts = await warranty_claims.free_starts(parcel_id, actor=customer(link))
    return page_steps.page(
        "warranty.html",
        link,
        words,
        refusal=refusal,
        notice=ended(refusal, pieces, words),
        action=f"parcels/{parcel}/warranty",
        move=f"parcels/{parcel}/repairs",
        give=f"parcels/{parcel}/transfer",
        event_id=str(uuid7()),
        pieces=[(one, stands(one, words)) for one in pieces],
        days=days_of([(start, words.clock(start)) for start in starts], words, zone),
        typed=typed,
    )


def ended(
    refusal: Refusal | None, pieces: list[warranty_claims.Covered], words: Words
) -> str | None:
    """Say on which day the warranty ended that somebody wanted to claim by."""
    if not isinstance(refusal, WarrantyOver):
        return None
    ended = next(one for one in pieces if one.ends_on.isoformat() == refusal.facts["ends_on"])
    return words("claim_over", day=words.date(ended.ends_on))


def stands(piece: warranty_claims.Covered, words: Words) -> str:
    """Say how it stands with the warranty of a piece."""
    if piece.claim_open:
        if piece.starts_at is None:
            return words("claim_open")
        return words("claim_open_at", when=words.when(piece.starts_at))
    return words("claim_over" if piece.over else "claim_until", day=words.date(piece.ends_on))


handlers = [read_warranty, claim]
"""The pages of this file."""
