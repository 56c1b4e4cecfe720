"""Couriers: a payment link for what is due at the door."""

from __future__ import annotations

from uuid import UUID

from litestar import post
from msgspec import Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures import Captured, Moment
from doorstep.core.errors import EventIdReused
from doorstep.core.http.problems import problems
from doorstep.flows import door_links
from doorstep.modules.tms.refusals import StopMissing


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


handlers = [ask_for_link]
"""The routes of this door."""
