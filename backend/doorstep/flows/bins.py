"""A desk says where goods lie within a place: SKUs are the catalogue's, bins are wms's."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.errors import Invalid
from doorstep.flows.announce import products_of, shelf_location
from doorstep.modules.wms.service.bins import save_bins


class BinsRepeat(Invalid):
    title = "A SKU is named twice."


@db.transactional
async def save(location_id: UUID, told: Sequence[tuple[str, str]], *, actor: Actor) -> None:
    """Keep (sku, bin) of a place; an empty bin means none.

    Raises: LocationMissing, ProductUnknown, BinsRepeat.
    """
    await shelf_location(location_id, actor)
    codes = dict(told)
    if len(codes) < len(told):
        raise BinsRepeat
    products = await products_of(list(codes))
    by_product = {products[sku]: code for sku, code in codes.items()}
    await save_bins(location_id, by_product, actor.person_id)
