"""What Doorstep needs from the outside world, in its own words.

Adapters (`doorstep.adapters`) speak each vendor's HTTP and fulfil these Protocols; `app.py` and
`worker.py` bind the chosen ones at start with `bind(...)`. Flows and doors ask for them by
`ports.bank()` and the like, and know no vendor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from doorstep.ports.events import (
    Beneficiary,
    CarrierEvent,
    CarrierTrouble,
    MadeLink,
    PaymentEvent,
    PayoutAnswer,
    PayoutEvent,
    PayoutState,
)
from doorstep.ports.failures import (
    EventUnreadable,
    OutsideGone,
    OutsideOrderUnreadable,
    OutsideRefused,
    OutsideUnavailable,
    PortUnbound,
)
from doorstep.ports.messages import (
    AddressDead,
    InboundMessage,
    Letter,
    MessageNews,
    MessageReport,
    Messenger,
    OutcomeUnknown,
    RecipientStopped,
    Route,
)
from doorstep.ports.orders import (
    IncomingAddress,
    IncomingCustomer,
    IncomingLine,
    IncomingOrder,
    IncomingPayment,
    PaymentMethod,
    ShippedItem,
    ShopOrder,
    Track,
)
from doorstep.ports.push import (
    PushAddress,
    Pusher,
    PushIsOff,
    PushKeysNotValid,
    PushNotice,
    PushServiceUnknown,
)

__all__ = [
    "AddressDead",
    "Bank",
    "Beneficiary",
    "CarrierEvent",
    "CarrierTrouble",
    "EventUnreadable",
    "Hook",
    "InboundMessage",
    "IncomingAddress",
    "IncomingCustomer",
    "IncomingLine",
    "IncomingOrder",
    "IncomingPayment",
    "Letter",
    "MadeLink",
    "MessageNews",
    "MessageReport",
    "Messenger",
    "OutcomeUnknown",
    "OutsideGone",
    "OutsideOrderUnreadable",
    "OutsideRefused",
    "OutsideUnavailable",
    "PaymentEvent",
    "PaymentLinks",
    "PaymentMethod",
    "PayoutAnswer",
    "PayoutEvent",
    "PayoutState",
    "PortUnbound",
    "PushAddress",
    "PushIsOff",
    "PushKeysNotValid",
    "PushNotice",
    "PushServiceUnknown",
    "Pusher",
    "RecipientStopped",
    "Route",
    "ShippedItem",
    "Shop",
    "ShopOrder",
    "Track",
    "bank",
    "bank_hook",
    "bind",
    "checkout",
    "clickpost",
    "message_hook",
    "messenger",
    "payment_links",
    "pusher",
    "shop",
    "unbind",
]

Event_co = TypeVar("Event_co", covariant=True)


class Hook(Protocol, Generic[Event_co]):
    """Webhooks of one system: is it genuine, which event is it, what does it say."""

    def genuine(self, body: bytes, headers: Mapping[str, str], path_secret: str = "") -> bool:
        """Tell, in constant time and on the raw bytes, whether the sender knows our secret.

        `headers` have lower-case names.
        """
        ...

    def source_id(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Name the event for the inbox, so that a repeated delivery is one row.

        Raises: EventUnreadable.
        """
        ...

    def read(self, body: bytes) -> Event_co:
        """Understand the event.

        Raises: EventUnreadable.
        """
        ...


class Shop(Protocol):
    """Where customers order."""

    async def orders_since(self, updated_since: datetime) -> list[ShopOrder]:
        """Fetch every order changed since then, oldest change first, with an overlap.

        The overlap means that known versions come again: deduplicate by `source_id`.

        Raises: OutsideUnavailable, OutsideRefused.
        """
        ...

    def read(self, body: bytes) -> IncomingOrder:
        """Understand an order in the shop's format; no network.

        Raises: OutsideOrderUnreadable.
        """
        ...

    async def ship(
        self, external_entity_id: str, items: Sequence[ShippedItem], track: Track
    ) -> str:
        """Tell the shop that goods have left, once per track number; return its shipment id.

        Raises: OutsideUnavailable, OutsideRefused.
        """
        ...


class Bank(Protocol):
    """Who pays the vendors."""

    async def pay(
        self,
        key: str,
        amount_minor: int,
        currency: str,
        beneficiary: Beneficiary,
        reference: str,
    ) -> PayoutAnswer:
        """Send money once per `key` (4–36 characters, a UUID fits); the same key never pays twice.

        A repeat must carry the same arguments. Never raises for the bank's or the network's sake.
        """
        ...

    async def enquire(self, key: str) -> PayoutAnswer:
        """Ask what became of the payout with this key; `unknown` also when the bank has none."""
        ...


class PaymentLinks(Protocol):
    """Who takes customers' money on a page of its own."""

    async def make(
        self, key: str, reference: str, amount_minor: int, currency: str, country: str, seconds: int
    ) -> MadeLink:
        """Make a page for one amount, once per `key`; its webhooks name the `reference`.

        `country` is the customer's (ISO 3166); the page lives for so many `seconds`.

        Raises: OutsideUnavailable, OutsideRefused.
        """
        ...


@dataclass(slots=True)
class _Bound:
    shop: Shop | None = None
    bank: Bank | None = None
    messenger: Messenger | None = None
    payment_links: PaymentLinks | None = None
    pusher: Pusher | None = None
    checkout: Hook[PaymentEvent] | None = None
    clickpost: Hook[CarrierEvent] | None = None
    bank_hook: Hook[PayoutEvent] | None = None
    message_hooks: Mapping[str, Hook[MessageNews]] | None = None


_bound = _Bound()
Port = TypeVar("Port")


def bind(
    *,
    shop: Shop | None = None,
    bank: Bank | None = None,
    messenger: Messenger | None = None,
    payment_links: PaymentLinks | None = None,
    pusher: Pusher | None = None,
    checkout: Hook[PaymentEvent] | None = None,
    clickpost: Hook[CarrierEvent] | None = None,
    bank_hook: Hook[PayoutEvent] | None = None,
    message_hooks: Mapping[str, Hook[MessageNews]] | None = None,
) -> None:
    """Choose who stands behind each port in this process; what is not given stays as it was."""
    _bound.shop = shop or _bound.shop
    _bound.bank = bank or _bound.bank
    _bound.messenger = messenger or _bound.messenger
    _bound.payment_links = payment_links or _bound.payment_links
    _bound.pusher = pusher or _bound.pusher
    _bound.checkout = checkout or _bound.checkout
    _bound.clickpost = clickpost or _bound.clickpost
    _bound.bank_hook = bank_hook or _bound.bank_hook
    _bound.message_hooks = message_hooks or _bound.message_hooks


def unbind() -> None:
    """Forget every binding (shutdown, and tests)."""
    for name in _Bound.__slots__:
        setattr(_bound, name, None)


def _required(adapter: Port | None, name: str) -> Port:
    if adapter is None:
        raise PortUnbound(f"No adapter is bound for {name!r}; call ports.bind at start.")
    return adapter


def shop() -> Shop:
    """Give the shop. Raises: PortUnbound."""
    return _required(_bound.shop, "shop")


def bank() -> Bank:
    """Give the bank. Raises: PortUnbound."""
    return _required(_bound.bank, "bank")


def messenger() -> Messenger:
    """Give the messenger. Raises: PortUnbound."""
    return _required(_bound.messenger, "messenger")


def payment_links() -> PaymentLinks:
    """Give who makes payment links. Raises: PortUnbound."""
    return _required(_bound.payment_links, "payment_links")


def pusher() -> Pusher:
    """Give who brings notices to phones. Raises: PushIsOff where no VAPID key is configured."""
    if _bound.pusher is None:
        raise PushIsOff
    return _bound.pusher


def checkout() -> Hook[PaymentEvent]:
    """Give the payment gateway's webhooks. Raises: PortUnbound."""
    return _required(_bound.checkout, "checkout")


def clickpost() -> Hook[CarrierEvent]:
    """Give the carrier aggregator's webhooks. Raises: PortUnbound."""
    return _required(_bound.clickpost, "clickpost")


def bank_hook() -> Hook[PayoutEvent]:
    """Give the bank's webhooks. Raises: PortUnbound."""
    return _required(_bound.bank_hook, "bank_hook")


def message_hook(provider: str) -> Hook[MessageNews]:
    """Give the webhooks of a provider of messages, by its name. Raises: PortUnbound."""
    hooks = _required(_bound.message_hooks, "message_hooks")
    return _required(hooks.get(provider), f"message_hooks[{provider}]")
