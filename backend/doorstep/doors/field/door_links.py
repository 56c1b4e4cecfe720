"""Couriers: a payment link for what is due at the door."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import get, post
from msgspec import Struct

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.barcodes import qr_rows
from doorstep.core.captures import Captured, Moment
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import deliver, door_links
from doorstep.modules.tms.refusals import StopMissing


class DoorLinkOut(Struct):
    """The newest payment link of a stop; `url` is empty until the gateway has made it.

    `refused` says that it makes none; `paid_minor` is what it has captured by it.
    """

    amount_minor: int
    url: str
    expires_at: datetime | None
    refused: str
    paid_minor: int
    reference: str
    qr: list[str]
    """The address as a QR code, row by row: 1 is a dark module. Empty while nobody can pay by it."""


def link_out(link: Mapping[str, Any]) -> DoorLinkOut:
    """Show a link as it is kept; only one that can be paid has its code drawn."""
    payable = link["url"] and not link["paid_minor"]
    return msgspec.convert({**link, "qr": qr_rows(link["url"]) if payable else []}, DoorLinkOut)


class LinkAsked(Captured, Struct, kw_only=True, forbid_unknown_fields=True):
    """A link is wanted; the phone makes `event_id`, so that a repeat is known."""

    event_id: UUID
    captured_at: Moment


class LinkComing(Struct):
    """The link stands at the stop as soon as the gateway has made it; `reason` says why none will."""

    event_id: UUID
    verdict: str
    reason: str


@post(
    "/field/stops/{stop_id:uuid}/payment-link",
    operation_id="askForPaymentLink",
    opt=needs("tms:run:accept"),
    status_code=200,
    responses=problems(StopMissing, EventIdReused),
    tags=["transport"],
)
async def ask_for_link(stop_id: UUID, data: LinkAsked, actor: Actor) -> LinkComing:
    """Ask for a link by which the customer pays what is due with his own phone."""
    outcome = await door_links.ask(stop_id, data.event_id, actor=actor)
    reason = "" if outcome == "asked" else "Nothing is due at this door."
    return LinkComing(data.event_id, "applied", reason)


@get(
    "/field/stops/{stop_id:uuid}/payment-link",
    operation_id="readPaymentLink",
    opt=needs("tms:run:accept"),
    responses=problems(StopMissing),
    tags=["transport"],
)
async def read_link(stop_id: UUID, actor: Actor) -> DoorLinkOut | None:
    """Tell how the stop's newest payment link stands, so that nobody takes the money once more."""
    await deliver.own_stop(stop_id, actor)
    link = await db.value("SELECT door_link_of($1)", stop_id)
    return None if link is None else link_out(link)


handlers = [ask_for_link, read_link]
"""The routes of this door."""
