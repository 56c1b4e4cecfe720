"""Support: who wants no messages, or wants them again; bounces and complaints that reach a desk."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import QueryParameter
from msgspec import Meta, Struct

from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.http.problems import problems
from doorstep.modules.messages import service
from doorstep.modules.messages.rules import Channel
from doorstep.modules.messages.service.preferences import AddressNotValid, history

TAGS = ["messages"]
WRITE = needs("messages:preference:write")

Address = Annotated[str, Meta(min_length=3, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class PreferenceIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether an address is written to from now on, as a number like +971501234567 or an e-mail address."""

    channel: Channel
    address: Address
    wanted: bool
    why: Literal["desk", "complaint", "hard_bounce"]
    detail: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class PreferenceKept(Struct):
    """Whether that was a change."""

    changed: bool


class PreferenceSeen(Struct, kw_only=True):
    """What was said of an address, on one channel."""

    channel: Channel
    wanted: bool
    why: str
    detail: str
    set_by: str | None
    set_at: datetime


@post(
    "/console/contact-preferences",
    operation_id="setContactPreference",
    opt=WRITE,
    status_code=200,
    responses=problems(AddressNotValid),
    tags=TAGS,
)
async def set_preference(data: PreferenceIn, actor: Actor) -> PreferenceKept:
    """Write to an address no more, or again; what waits for it is skipped at once."""
    changed = await service.set_preference(
        data.channel,
        data.address,
        wanted=data.wanted,
        why=data.why,
        detail=data.detail,
        set_by=actor.person_id,
    )
    return PreferenceKept(changed)


@get(
    "/console/contact-preferences",
    operation_id="readContactPreferences",
    opt=WRITE,
    tags=TAGS,
)
async def read_preferences(
    address: Annotated[
        str, QueryParameter(min_length=3, max_length=255, pattern=r"^[\x21-\x7e]+$")
    ],
) -> list[PreferenceSeen]:
    """List what was said of an address, newest first; the first of each channel holds."""
    return msgspec.convert(await history(address), list[PreferenceSeen])


handlers = [set_preference, read_preferences]
"""The routes of this door."""
