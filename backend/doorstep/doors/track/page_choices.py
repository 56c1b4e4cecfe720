"""The customer chooses when it comes: the delivery, the visit and a repair, from what is free.

Pages of their own behind the order's page, for whoever has typed the code: a link that was passed on
moves nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response
from litestar.params import PathParameter, URLEncodedBody

from doorstep.core import db
from doorstep.core.errors import Refusal
from doorstep.core.ids import uuid7
from doorstep.doors.track import page_steps
from doorstep.doors.track.page_reading import parcel_of
from doorstep.doors.track.page_routes import reads, takes
from doorstep.doors.track.page_schemas import PIECE, ChoiceForm, Link
from doorstep.doors.track.page_steps import Number, ParcelPart, customer
from doorstep.doors.track.page_words import Words
from doorstep.flows import delivery_slots, repair_choice, visit_choice

Asked = Request[Any, Any, Any]
PieceOf = Annotated[str, PathParameter(pattern=PIECE)]
Which = Annotated[str, PathParameter(pattern=r"^(delivery|visit)$")]

# What holds now, shown above the choice.
CHOSEN = """
SELECT (SELECT from_at FROM delivery_window WHERE fulfilment_id = $1 ORDER BY n DESC LIMIT 1) AS delivery,
       (SELECT lower(during) FROM visit WHERE fulfilment_id = $1
          AND purpose = 'installation' AND state = 'booked') AS visit
"""


@reads("/t/orders/{number:str}/parcels/{parcel:int}/times/{which:str}", "readFreeTimes")
async def read_times(
    request: Asked, number: Number, parcel: ParcelPart, which: Which
) -> Response[Any]:
    """Show when the delivery, or the technician, may come."""
    link = await page_steps.signed_in(request, number)
    return await _page(request, link, parcel, which)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/times/{which:str}", "chooseTime")
async def choose_time(
    request: Asked,
    number: Number,
    parcel: ParcelPart,
    which: Which,
    data: URLEncodedBody[ChoiceForm],
) -> Response[Any]:
    """Take a time that is free; of two who want the last one, one is shown what is left."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)

    async def do() -> None:
        if which == "delivery":
            await delivery_slots.choose(parcel_id, data.event_id, data.start, actor=customer(link))
        else:
            await visit_choice.choose(parcel_id, data.start, actor=customer(link))

    refusal = await page_steps.refusal_of(do())
    if refusal is not None:
        return await _page(request, link, parcel, which, refusal)
    return page_steps.back(request, link, f"{which}_chosen")


async def _page(
    request: Asked, link: Link, parcel: int, which: str, refusal: Refusal | None = None
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, zone = page_steps.words_for(request, link)
    chosen = (await db.one(CHOSEN, parcel_id))[which]
    days = page_steps.days_of(await _times(parcel_id, which, link, words), words, zone, chosen)
    return _choice(link, words, f"parcels/{parcel}/times/{which}", which, days, refusal)


def _choice(
    link: Link,
    words: Words,
    action: str,
    which: str,
    days: list[page_steps.Day],
    refusal: Refusal | None,
) -> Response[Any]:
    """Show the times of which one is to be taken."""
    return page_steps.page(
        "choose.html",
        link,
        words,
        refusal=refusal,
        action=action,
        which=which,
        event_id=str(uuid7()),
        days=days,
    )


async def _times(
    parcel_id: UUID, which: str, link: Link, words: Words
) -> list[tuple[datetime, str]]:
    """List what is free, and what is chosen already among it."""
    if which == "delivery":
        slots = await delivery_slots.free_slots(parcel_id, actor=customer(link))
        return [(one.start, f"{words.clock(one.start)}–{words.clock(one.end)}") for one in slots]
    starts = await visit_choice.free_starts(parcel_id, actor=customer(link))
    return [(start, words.clock(start)) for start in starts]


# --- The visit that answers a warranty claim ------------------------------------------------------


@reads("/t/orders/{number:str}/parcels/{parcel:int}/repairs/{piece:str}", "readFreeRepairTimes")
async def read_repair_times(
    request: Asked, number: Number, parcel: ParcelPart, piece: PieceOf
) -> Response[Any]:
    """Show to when the visit for a claimed piece may be moved."""
    link = await page_steps.signed_in(request, number)
    return await _repair(request, link, parcel, piece)


@takes("/t/orders/{number:str}/parcels/{parcel:int}/repairs/{piece:str}", "moveRepair")
async def move_repair(
    request: Asked,
    number: Number,
    parcel: ParcelPart,
    piece: PieceOf,
    data: URLEncodedBody[ChoiceForm],
) -> Response[Any]:
    """Move the visit for a claimed piece to a time that is free."""
    link = await page_steps.own_signed_in(request, number)
    parcel_id = await parcel_of(link, parcel)
    refusal = await page_steps.refusal_of(
        repair_choice.choose(parcel_id, piece, data.start, actor=customer(link))
    )
    if refusal is not None:
        return await _repair(request, link, parcel, piece, refusal)
    return page_steps.back(request, link, "visit_chosen")


async def _repair(
    request: Asked, link: Link, parcel: int, piece: str, refusal: Refusal | None = None
) -> Response[Any]:
    parcel_id = await parcel_of(link, parcel)
    words, zone = page_steps.words_for(request, link)
    offered = await repair_choice.offered(parcel_id, piece, actor=customer(link))
    times = [(start, words.clock(start)) for start in offered.free]
    days = page_steps.days_of(times, words, zone, offered.starts_at)
    which = repair_heading(offered)
    return _choice(link, words, f"parcels/{parcel}/repairs/{piece}", which, days, refusal)


def repair_heading(offered: repair_choice.Offered) -> str:
    """Name the choice: another time, or the first one."""
    return "first_repair" if offered.starts_at is None else "repair"


handlers = [read_times, choose_time, read_repair_times, move_repair]
"""The pages of this file."""
