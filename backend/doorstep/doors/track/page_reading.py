"""Reading what the customer's page shows, under the role that sees this one order only."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db, tenant
from doorstep.core.clock import now
from doorstep.core.errors import NotFound
from doorstep.doors.track import page_sql
from doorstep.doors.track.page_schemas import Link, PageFacts, Stop, Technician
from doorstep.doors.track.page_view import Page, page_of
from doorstep.doors.track.page_words import Words
from doorstep.modules.tms import service as tms

_facts = msgspec.json.Decoder(PageFacts).decode
_stops = msgspec.json.Decoder(list[Stop]).decode
_technicians = msgspec.json.Decoder(list[Technician]).decode


class NoSuchPaper(NotFound):
    """The order has no such paper, or its holder has not signed in: both look the same."""

    title = "There is no such paper behind this link."


async def read_page(link: Link, language: str | None) -> tuple[Page, Words]:
    """Read an order as the holder of its link may see it, in a language or the order's own."""
    road = await db.one(page_sql.ROAD, link.order_id)
    async with tenant.customer(link.order_id, signed_in=link.signed_in):
        raw = await db.value(page_sql.PAGE, link.order_id, language)
    facts = _facts(raw)
    codes = await _codes(link.order_id) if link.signed_in else {}
    words = Words(facts.order.language, facts.zone)
    page = page_of(
        facts,
        _stops(road["stops"]),
        _technicians(road["technicians"]),
        words,
        codes=codes,
        version=link.version,
        support_phone=road["support_phone"],
        signed_in=link.signed_in,
        present=now(),
    )
    return page, words


async def _codes(order_id: UUID) -> dict[int, str]:
    """Tell the codes for the door, by parcel; none where it was made by a key that is no more in use."""
    return {
        row["parcel"]: code
        for row in await db.rows(page_sql.CODES, order_id)
        if (code := tms.read_code(row["id"], row["attempt"], row["code_hash"]))
    }


async def read_own(link: Link, statement: str, wanted: object) -> Any:
    """Read one value of the order under the customer's role.

    Raises: NoSuchPaper when there is none.
    """
    async with tenant.customer(link.order_id, signed_in=link.signed_in):
        found = await db.value(statement, link.order_id, wanted)
    if found is None:
        raise NoSuchPaper
    return found


async def parcel_of(link: Link, number: int) -> UUID:
    """Find a parcel of the order by its number.

    Raises: NoSuchPaper.
    """
    found: UUID = await read_own(link, page_sql.PARCEL, number)
    return found
