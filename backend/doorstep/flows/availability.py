"""What can be sold in each region, and where stock must be bought in (SPEC P3).

A region is a channel: an order leaves from the warehouses and stores of its country (C9).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.flows.announce import SHELVES
from doorstep.flows.restock import COVER_DAYS, HISTORY_DAYS, demand_of, demands
from doorstep.modules.wms.rules.restocking import propose

PLACES = """
SELECT l.id, l.code, c.id AS channel_id, c.code AS channel, c.country
  FROM location l JOIN channel c ON c.id = l.channel_id
 WHERE l.active AND l.kind = ANY ($1) AND ($2::text IS NULL OR c.code = $2) AND {scope}
 ORDER BY c.code, l.code
"""


class PlaceStock(msgspec.Struct, kw_only=True):
    """A SKU at one location, in pieces; `why` says where `restock` comes from."""

    location: str
    free: int
    restock: int
    why: str


class Availability(msgspec.Struct, kw_only=True):
    """A SKU in one region, in pieces.

    `free` can be promised to the next order; `promised` stands there for orders that are placed;
    `backordered` is sold and nowhere in stock; `restock` is what should be bought in now.
    """

    channel_id: UUID
    channel: str
    country: str
    sku: str
    name: str
    on_hand: int
    promised: int
    free: int
    incoming: int
    backordered: int
    restock: int
    places: list[PlaceStock]


async def by_region(
    *, channel: str | None, skus: Sequence[str], actor: Actor
) -> list[Availability]:
    """Tell what can be sold of each SKU in each region that the actor sees, scarcest first.

    No `skus` means all that a region holds or owes. A SKU in several owners' hands is one row.
    """
    condition, arguments = scope(actor).channels("l.channel_id", first=3)
    rows = await db.rows(PLACES.format(scope=condition), list(SHELVES), channel, *arguments)
    places = {row["id"]: row for row in rows}
    shelves: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in await demands(list(places)):
        if not skus or row["sku"] in skus:
            place = places[row["location_id"]]
            shelves[place["channel"], row["sku"]].append(place | row)
    found = [_region(rows) for rows in shelves.values()]
    return sorted(found, key=lambda one: (-one.restock, one.free, one.sku, one.channel))


def _region(shelves: Sequence[dict[str, Any]]) -> Availability:
    first = shelves[0]
    places = [_at_place(list(rows)) for _, rows in groupby(shelves, itemgetter("location_id"))]
    return Availability(
        **{name: first[name] for name in ("channel_id", "channel", "country", "sku", "name")},
        **{name: sum(row[name] for row in shelves) for name in _SUMS},
        restock=sum(place.restock for place in places),
        places=places,
    )


_SUMS = ("on_hand", "promised", "free", "incoming", "backordered")


def _at_place(shelves: Sequence[dict[str, Any]]) -> PlaceStock:
    proposed = [
        propose(demand_of(row), history_days=HISTORY_DAYS, cover_days=COVER_DAYS) for row in shelves
    ]
    words = [
        f"{row['owner_name'] or 'Our own'}: {one.why}"
        for row, one in zip(shelves, proposed, strict=True)
    ]
    return PlaceStock(
        location=shelves[0]["code"],
        free=sum(row["free"] for row in shelves),
        restock=sum(one.quantity for one in proposed),
        why=" ".join(words),
    )
