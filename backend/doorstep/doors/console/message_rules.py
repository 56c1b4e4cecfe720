"""Administrators: when a channel leaves people in peace, and what a delivery's confirmation offers."""

from __future__ import annotations

from datetime import time
from typing import Annotated

import msgspec
from litestar import get, put
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.auth.scope import scope
from doorstep.core.errors import NotFound
from doorstep.core.http.problems import problems
from doorstep.modules.messages.service.channel_rules import ChannelRule, rules_of, save_rule

TAGS = ["messages"]

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class RuleIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Quiet hours by the channel's own clock (equal times: none); empty words are not said.

    Customers call `support_phone`, as +97143211234; empty: none is offered.


    The coupon is one that was made in the shop.
    """

    quiet_from: Clock
    quiet_until: Clock
    ask_feedback: bool
    coupon_code: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_-]*$")]
    review_url: Annotated[str, Meta(max_length=500, pattern=r"^(https://[\x21-\x7e]+)?$")]
    support_phone: Annotated[str, Meta(pattern=r"^(\+[1-9][0-9]{6,14})?$")]


class RuleOut(Struct, kw_only=True):
    """How a channel writes; one that nobody has set has the usual hours and asks for feedback."""

    channel: str
    quiet_from: str
    quiet_until: str
    ask_feedback: bool
    coupon_code: str
    review_url: str
    support_phone: str


@get(
    "/console/message-rules",
    operation_id="readMessageRules",
    opt=needs("messages:template:read"),
    tags=TAGS,
)
async def read_rules(actor: Actor) -> list[RuleOut]:
    """Tell how each of one's channels writes."""
    return msgspec.convert(await rules_of(actor.channel_ids or None), list[RuleOut])


@put(
    "/console/message-rules/{channel:str}",
    operation_id="saveMessageRule",
    opt=needs("messages:template:write"),
    status_code=204,
    responses=problems(NotFound),
    tags=TAGS,
)
async def save_message_rule(channel: str, data: RuleIn, actor: Actor) -> None:
    """Let a channel write so from the next message on."""
    channel_id = await scope(actor).channel_of_code(channel)
    rule = ChannelRule(
        quiet_from=time.fromisoformat(data.quiet_from),
        quiet_until=time.fromisoformat(data.quiet_until),
        ask_feedback=data.ask_feedback,
        coupon_code=data.coupon_code,
        review_url=data.review_url,
        support_phone=data.support_phone,
    )
    await save_rule(channel_id, rule, actor.person_id)


handlers = [read_rules, save_message_rule]
"""The routes of this door."""
