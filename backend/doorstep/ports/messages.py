"""What we need of those who carry messages: hand one over, hear what became of it, read replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from doorstep.ports.failures import OutsideRefused, OutsideUnavailable

Meaning = Literal["sent", "delivered", "read", "failed", "nothing"]
"""What a provider's word means here; `nothing` is kept and changes nothing."""

Stops = Literal["", "hard_bounce", "complaint"]
"""Why the reader is not to be written to any more at this address, if a report says so."""


class OutcomeUnknown(OutsideUnavailable):
    """The provider may have taken the message or not; only a report of it can tell."""

    title = "Nobody can say whether the provider has taken the message."


class AddressDead(OutsideRefused):
    """There is no such address, or its owner is out of reach for good: it is not written to again."""

    title = "Nobody can be reached at this address."


class RecipientStopped(OutsideRefused):
    """The reader has told the provider that he wants no more messages."""

    title = "The reader has stopped messages at the provider."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as it is handed over; `id` is ours, and comes back with each report.

    `template` and `parameters` are for providers who send only words that they know; `reply` tells
    that the reader has just written to us, so that free words may be sent.
    """

    id: str
    channel: str
    to: str
    subject: str
    body: str
    language: str
    template: str = ""
    parameters: Sequence[str] = ()
    reply: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Who carries a message; `keyed` promises that a repeat with the same id is recognised."""

    provider: str
    keyed: bool


class Messenger(Protocol):
    """Who carries messages to people."""

    def route(self, channel: str, to: str) -> Route:
        """Tell who would carry a message there."""
        ...

    async def send(self, letter: Letter) -> str:
        """Hand a message over; return the provider's id of it.

        Raises: OutcomeUnknown when it may have been taken; OutsideUnavailable when surely not;
        OutsideRefused, AddressDead, RecipientStopped.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReport:
    """What a provider says of a message; `message_id` is ours where the report names it."""

    provider_id: str
    status: str
    means: Meaning
    at: datetime | None
    message_id: str = ""
    reason: str = ""
    stops: Stops = ""
    raw: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """What somebody wrote to one of our numbers; `sender` as +971501234567."""

    provider_id: str
    channel: Literal["sms", "whatsapp"]
    sender: str
    body: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MessageNews:
    """All that one webhook of a provider says."""

    reports: Sequence[MessageReport] = ()
    inbound: Sequence[InboundMessage] = ()
