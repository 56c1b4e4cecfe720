"""Desks: see what the address of an order lacks, and write down what the customer says on the phone (P2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.flows import customer_address
from doorstep.flows.customer_address import NothingIsComing
from doorstep.modules.crm import addresses
from doorstep.modules.crm.addresses import AddressCompletion
from doorstep.modules.crm.rules import PhoneIsAsSold, PhoneUnusable, PinNotThere, PlaceIsAsSold

TAGS = ["orders"]
COMPLETE = needs("crm:address:complete")


class AddressByPhone(AddressCompletion, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a customer has said to a desk.

    `phone` is told only where the order has no number that can be used: what is sent goes there.
    """

    phone: Annotated[str, Meta(min_length=4, max_length=30, pattern=r"^[0-9+() .-]*$")] | None = (
        None
    )


class OrderAddress(Struct, kw_only=True):
    """Where an order goes; `missing` names what has still to be asked, `phone` is its customer's.

    `completed_by` is the person of ours who has written it down; None where the customer did himself,
    or nobody yet (`completed_at` is None too).
    """

    number: str
    name: str
    phone: str | None
    line1: str
    building: str
    floor: str
    flat: str
    lift: bool | None
    city: str
    region: str
    postcode: str
    country: str
    lat: float | None
    lng: float | None
    instructions: str
    missing: list[str]
    completed_by: UUID | None
    completed_at: datetime | None


@get(
    "/console/orders/{order_id:uuid}/address",
    operation_id="readOrderAddress",
    opt=COMPLETE,
    responses=problems(NotFound),
    tags=TAGS,
)
async def read_order_address(order_id: UUID, actor: Actor) -> OrderAddress:
    """Show where an order goes, and what of that has still to be asked."""
    await scope(actor).require_order(order_id)
    return msgspec.convert(await addresses.read(order_id), OrderAddress)


@post(
    "/console/orders/{order_id:uuid}/address",
    operation_id="completeOrderAddress",
    opt=COMPLETE,
    status_code=200,
    responses=problems(
        NotFound, NothingIsComing, PinNotThere, PlaceIsAsSold, PhoneUnusable, PhoneIsAsSold
    ),
    tags=TAGS,
)
async def complete_order_address(
    order_id: UUID, data: AddressByPhone, actor: Actor
) -> OrderAddress:
    """Write down what the customer has said of his door; whoever drives there sees it.

    What is left out stays. When nothing is missing any more the task is over.
    """
    await customer_address.complete(order_id, data, actor=actor, phone=data.phone)
    return msgspec.convert(await addresses.read(order_id), OrderAddress)


handlers = [read_order_address, complete_order_address]
"""The routes of this door."""
