"""A phone lets itself be told: its subscription, and what it has shown of what it was sent."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, post, put
from msgspec import Meta, Struct

from doorstep import ports
from doorstep.core.actor import Actor
from doorstep.core.auth.permissions import needs
from doorstep.core.captures.moments import Moment, refuse_edge
from doorstep.core.errors import NotAllowed
from doorstep.core.http.problems import NotSignedIn, problems
from doorstep.modules.push import service as push

TAGS = ["push"]
OWN = needs("push:phone:own")
MOST_ACKS = 100

# base64url as browsers write it, with or without padding.
Key = Annotated[str, Meta(min_length=16, max_length=120, pattern=r"^[A-Za-z0-9_+/-]+={0,2}$")]
Endpoint = Annotated[str, Meta(min_length=9, max_length=1000, pattern=r"^https?://[\x21-\x7e]+$")]


class OnlyForPhones(NotAllowed):
    """A subscription belongs to an enrolled phone: this session is not of one."""

    title = "Only an enrolled phone takes notifications."


class PushKeyOut(Struct):
    """The key to subscribe with, base64url; null where push is switched off: the app then only pulls."""

    key: str | None


class SubscriptionIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the browser's PushSubscription says; `expires_at` where it tells an expirationTime."""

    endpoint: Endpoint
    p256dh: Key
    auth: Key
    expires_at: Moment | None = None

    def __post_init__(self) -> None:
        if self.expires_at is not None:
            refuse_edge("expires_at", self.expires_at)


class AckIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """A message that was shown, or tapped, and when by the phone's clock."""

    id: UUID
    what: Literal["shown", "tapped"]
    at: Moment

    def __post_init__(self) -> None:
        refuse_edge("at", self.at)


class AcksIn(Struct, kw_only=True, forbid_unknown_fields=True):
    """What the phone has to say since it last could."""

    acks: Annotated[list[AckIn], Meta(min_length=1, max_length=MOST_ACKS)]


@get("/field/push/key", operation_id="readPushKey", opt=OWN, tags=TAGS)
async def read_push_key() -> PushKeyOut:
    """Tell the public key that a phone subscribes with."""
    try:
        return PushKeyOut(ports.pusher().public_key)
    except ports.PushIsOff:
        return PushKeyOut(None)


@put(
    "/field/push/subscription",
    operation_id="renewPushSubscription",
    opt=OWN,
    status_code=204,
    responses=problems(
        OnlyForPhones,
        NotSignedIn,
        ports.PushIsOff,
        ports.PushServiceUnknown,
        ports.PushKeysNotValid,
    ),
    tags=TAGS,
)
async def renew_subscription(data: SubscriptionIn, actor: Actor) -> None:
    """Be told there from now on; the phone says so at every start, and it replaces what was before."""
    address = ports.PushAddress(
        endpoint=data.endpoint, p256dh=_bytes(data.p256dh, 65), auth=_bytes(data.auth, 16)
    )
    await push.subscribe(_device_of(actor), address, data.expires_at)


@delete(
    "/field/push/subscription",
    operation_id="endPushSubscription",
    opt=OWN,
    responses=problems(OnlyForPhones),
    tags=TAGS,
)
async def end_subscription(actor: Actor) -> None:
    """Be told nothing any more; signing out does the same."""
    await push.unsubscribe(_device_of(actor))


@post(
    "/field/push/acks",
    operation_id="acknowledgePushes",
    opt=needs("push:phone:own", hands_in=True),
    status_code=204,
    responses=problems(OnlyForPhones),
    tags=TAGS,
)
async def acknowledge(data: AcksIn, actor: Actor) -> None:
    """Say what was shown and tapped. The same again changes nothing; what is not this phone's neither.

    A phone that is locked or about to sign out may say so too: the word that told it is one of them.
    """
    acks = [push.Ack(id=ack.id, what=ack.what, at=ack.at) for ack in data.acks]
    await push.acknowledge(_device_of(actor), acks)


def _device_of(actor: Actor) -> UUID:
    if actor.device_id is None:
        raise OnlyForPhones
    return actor.device_id


def _bytes(key: str, length: int) -> bytes:
    plain = key.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        found = base64.urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error as wrong:
        raise ports.PushKeysNotValid from wrong
    if len(found) != length:
        raise ports.PushKeysNotValid(f"A key of {length} bytes is wanted, not of {len(found)}.")
    return found


handlers = [read_push_key, renew_subscription, end_subscription, acknowledge]
"""The routes of this door."""
