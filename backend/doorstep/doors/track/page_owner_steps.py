"""What the new owner of a warranty does beside claiming: move the visit, and give the warranty on."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Response
from litestar.params import URLEncodedBody

from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import links, owner_links, page_steps
from doorstep.doors.track.links import owner_path
from doorstep.doors.track.owner_links import OwnerLink, owner
from doorstep.doors.track.page_answers import go_on, message_page, wanted_language
from doorstep.doors.track.page_choices import repair_heading
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import ChoiceForm, TransferCodeForm, TransferForm
from doorstep.doors.track.page_steps import Asked, Number, Where
from doorstep.doors.track.page_words import Words
from doorstep.flows import repair_choice, warranty_claims, warranty_transfers


@reads("/t/owners/{number:str}/repair", "readOwnersRepairTimes")
async def read_repair_times(request: Asked, number: Number) -> Response[Any]:
    """Show to when the visit for what he has claimed may be moved."""
    return await _repair(request, await owner_links.signed_in(request, number))


@takes("/t/owners/{number:str}/repair", "moveOwnersRepair")
async def move_repair(
    request: Asked, number: Number, data: URLEncodedBody[ChoiceForm]
) -> Response[Any]:
    """Move the visit to a time that is free."""
    link = await owner_links.own_signed_in(request, number)
    refusal = await page_steps.refusal_of(
        repair_choice.choose(
            link.fulfilment_id,
            link.number,
            data.start,
            actor=owner(link),
            owner_n=link.owner_n,
        )
    )
    if refusal is not None:
        return await _repair(request, link, refusal)
    return go_on(request, owner_path(link.number), links.say(link.number, "visit_chosen"))


async def _repair(request: Asked, link: OwnerLink, refusal: Refusal | None = None) -> Response[Any]:
    words = _words(request, link)
    offered = await repair_choice.offered(
        link.fulfilment_id, link.number, actor=owner(link), owner_n=link.owner_n
    )
    times = [(start, words.clock(start)) for start in offered.free]
    return page_steps.page_behind(
        _where(link, words),
        "choose.html",
        words,
        refusal=refusal,
        action="repair",
        which=repair_heading(offered),
        event_id=str(uuid7()),
        days=page_steps.days_of(times, words, ZoneInfo(link.zone), offered.starts_at),
    )


@reads("/t/owners/{number:str}/transfer", "readOwnersTransferForm")
async def read_transfer(request: Asked, number: Number) -> Response[Any]:
    """Ask to whom the goods go."""
    return await _transfer(request, await owner_links.signed_in(request, number))


@takes("/t/owners/{number:str}/transfer", "askNextOwner")
async def ask_next_owner(
    request: Asked, number: Number, data: URLEncodedBody[TransferForm]
) -> Response[Any]:
    """Send the code to the next owner's phone; he tells it to whoever stands before this page."""
    link = await owner_links.own_signed_in(request, number)
    await page_steps.count_code(request, link.token_hash)
    asking = warranty_transfers.ask(
        link.fulfilment_id,
        data.piece,
        name=data.name,
        phone=data.phone,
        actor=owner(link),
        owner_n=link.owner_n,
    )
    refusal = await page_steps.refusal_of(asking)
    asked = "" if refusal else data.piece
    return await _transfer(request, link, refusal, asked=asked, typed=data)


@takes("/t/owners/{number:str}/transfer/code", "confirmNextOwner")
async def confirm_next_owner(
    request: Asked, number: Number, data: URLEncodedBody[TransferCodeForm]
) -> Response[Any]:
    """Give the warranty to whoever has told the code; from then on this link opens nothing."""
    link = await owner_links.own_signed_in(request, number)
    refusal = await page_steps.refusal_of(
        warranty_transfers.confirm(
            link.fulfilment_id, data.piece, data.digits, actor=owner(link), owner_n=link.owner_n
        )
    )
    if refusal is not None:
        return await _transfer(request, link, refusal, asked=data.piece)
    words = _words(request, link)
    return message_page(words, words("transfer"), words("said_transferred"), status=200)


async def _transfer(
    request: Asked,
    link: OwnerLink,
    refusal: Refusal | None = None,
    *,
    asked: str = "",
    typed: TransferForm | None = None,
) -> Response[Any]:
    words = _words(request, link)
    pieces = await warranty_claims.covered(
        link.fulfilment_id, actor=owner(link), owner_n=link.owner_n, language=words.language
    )
    return page_steps.page_behind(
        _where(link, words),
        "transfer.html",
        words,
        refusal=refusal,
        action="transfer",
        pieces=[one for one in pieces if not one.over and not one.claim_open],
        asked=asked,
        typed=typed,
    )


def _words(request: Asked, link: OwnerLink) -> Words:
    return Words(wanted_language(request) or link.language, link.zone)


def _where(link: OwnerLink, words: Words) -> Where:
    return Where(owner_path(link.number), link.names.get(words.language, link.goods))


handlers = [
    read_repair_times,
    move_repair,
    read_transfer,
    ask_next_owner,
    confirm_next_owner,
]
"""The pages of this file."""
