"""Dispatchers: where goods lie within a place, so that pickers walk its shelves in order (SPEC J1005)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, put
from msgspec import Meta, Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.flows import announce, bins

TAGS = ["warehouse"]
PLAN = needs("wms:bin:plan")
MOST = 1_000

AT_LOCATION = """
SELECT p.sku, p.name, b.code AS bin FROM bin b JOIN product p ON p.id = b.product_id
 WHERE b.location_id = $1 ORDER BY bin_order(b.code), p.sku
"""


class BinIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A SKU and what is written on its shelf; nothing where it has none any more."""

    sku: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    bin: Annotated[
        str,
        Meta(
            max_length=20,
            pattern=r"^(?:[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?)?$",
        ),
    ]


class BinsIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """The SKUs that change; each at most once."""

    bins: Annotated[list[BinIn], Meta(min_length=1, max_length=MOST)]


class BinRow(Struct):
    """Where a SKU lies."""

    sku: str
    name: str
    bin: str


@get(
    "/console/locations/{location_id:uuid}/bins",
    operation_id="listBins",
    opt=PLAN,
    responses=problems(announce.LocationMissing),
    tags=TAGS,
)
async def list_bins(location_id: UUID, actor: Actor) -> list[BinRow]:
    """List what lies where at a place, in the order in which pickers walk."""
    await announce.shelf_location(location_id, actor)
    return await _listed(location_id)


@put(
    "/console/locations/{location_id:uuid}/bins",
    operation_id="saveBins",
    opt=PLAN,
    responses=problems(announce.LocationMissing, announce.ProductUnknown, bins.BinsRepeat),
    tags=TAGS,
)
async def save_bins(location_id: UUID, data: BinsIn, actor: Actor) -> list[BinRow]:
    """Say where SKUs lie; those that are not named stay where they are. Answers with the whole list."""
    told = [(one.sku, one.bin) for one in data.bins]
    await bins.save(location_id, told, actor=actor)
    return await _listed(location_id)


async def _listed(location_id: UUID) -> list[BinRow]:
    return msgspec.convert(await db.rows(AT_LOCATION, location_id), list[BinRow])


handlers = [list_bins, save_bins]
"""The routes of this door."""
