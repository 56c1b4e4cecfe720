"""What we need of push services: a phone is told to look, through the service of its browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from doorstep.core.errors import Invalid, Refusal

Urgency = Literal["very-low", "low", "normal", "high"]


class PushServiceUnknown(Invalid):
    """The endpoint is not one of a push service that browsers use, or not reached over HTTPS."""

    title = "Notifications of this browser cannot be sent from here."


class PushKeysNotValid(Invalid):
    """No message can be encrypted for these keys."""

    title = "The keys of the subscription are not valid."


class PushIsOff(Refusal):
    """This installation has no VAPID key: phones only pull."""

    title = "Notifications are switched off here. The app shows news whenever it is open."


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAddress:
    """Where a phone is reached, and the keys that only it can read with."""

    endpoint: str
    p256dh: bytes
    auth: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PushNotice:
    """A message before it is encrypted; of two with one `topic` the later one is delivered."""

    body: bytes
    ttl_seconds: int
    topic: str
    urgency: Urgency


class Pusher(Protocol):
    """Who brings notices to phones."""

    @property
    def public_key(self) -> str:
        """The VAPID key that browsers subscribe with: base64url, an uncompressed point."""
        ...

    def check(self, address: PushAddress) -> None:
        """Make sure that notices could be sent there. Raises: PushServiceUnknown, PushKeysNotValid."""
        ...

    async def send(self, address: PushAddress, notice: PushNotice) -> None:
        """Hand a notice to the phone's push service.

        Raises: OutsideGone when the address is no more, OutsideRefused, OutsideUnavailable with
        `facts["wait"]`, the seconds that the service asks for, or None.
        """
        ...
