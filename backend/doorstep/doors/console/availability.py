"""Desks: what can be sold where, and what must be bought in (P3)."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import QueryParameter

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.flows import availability
from doorstep.flows.availability import Availability

Code = Annotated[str | None, QueryParameter(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]


@get(
    "/console/availability",
    operation_id="listAvailability",
    opt=needs("wms:stock:read"),
    tags=["console"],
)
async def list_availability(
    actor: Actor, channel: Code = None, sku: Code = None
) -> list[Availability]:
    """Tell what of each SKU can be sold in each region, what waits, and what to restock and why."""
    return await availability.by_region(channel=channel, skus=[sku] if sku else [], actor=actor)


handlers = [list_availability]
"""The routes of this door."""
