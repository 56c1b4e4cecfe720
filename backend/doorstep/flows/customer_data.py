"""What is kept of a customer, as he may have it: one file in plain keys, of his orders and nobody else's."""

from __future__ import annotations

import base64
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import blobs, db
from doorstep.core.actor import Actor
from doorstep.core.auth.scope import scope
from doorstep.core.clock import now
from doorstep.flows import customer_data_sql as sql


class Whose(NamedTuple):
    """Of whom is told: the orders, and the customer's contacts where the phone is known to be his."""

    order_ids: list[UUID]
    customer_id: UUID | None
    contacts: list[str]


async def export(order_id: UUID, *, actor: Actor) -> bytes:
    """Write down all that is kept of an order's customer, as one JSON document.

    With all his orders in the channel if the code of the link goes to his own phone; where it goes to the
    phone of the address, of this order alone, and nothing of who has ordered. Moments are UTC, money is
    whole minor units; photos that he has handed in, and those that our people took at his door, stand in
    it as base64, at most a hundred.

    Raises: NotFound.
    """
    await scope(actor).require_order(order_id)
    async with db.snapshot():
        whose = await _whose(order_id)
        told = await _told(whose)
        photos = await db.rows(sql.PHOTOS, whose.order_ids)
    told["photos"] = [await _shown(photo) for photo in photos]
    return msgspec.json.format(msgspec.json.encode(told), indent=1)


async def _whose(order_id: UUID) -> Whose:
    order = await db.one(sql.ORDERS, order_id)
    if not order["own_phone"]:
        return Whose([order_id], None, [])
    orders = await db.rows(sql.ALL_ORDERS, order["customer_id"])
    contacts = [contact for contact in (order["phone"], order["email"]) if contact]
    return Whose([row["id"] for row in orders], order["customer_id"], contacts)


async def _told(whose: Whose) -> dict[str, Any]:
    told: dict[str, Any] = {"written_at": now()}
    if whose.customer_id is not None:
        told["person"] = await db.one(sql.PERSON, whose.customer_id)
    known = whose.order_ids, whose.contacts
    for name, query in sql.PARTS.items():
        told[name] = await db.rows(query, *known[: 2 if "$2" in query else 1])
    return told


async def _shown(photo: dict[str, Any]) -> dict[str, Any]:
    """Put the picture itself where its hash stood; null where its time in the store is over."""
    try:
        picture = await blobs.get(photo.pop("sha256"))
    except blobs.BlobMissing:
        return photo | {"jpeg_base64": None}
    return photo | {"jpeg_base64": base64.b64encode(picture).decode()}
