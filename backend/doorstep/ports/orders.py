"""An order as any shop tells it, and what the shop hears of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

PaymentMethod = Literal[
    "upi", "credit_card", "debit_card", "net_banking", "paypal", "bank_transfer", "cod"
]
"""The tenders of SPEC J "Payment lines"."""


class IncomingCustomer(Struct, kw_only=True, frozen=True):
    """Who ordered. `phone` is as typed in the shop; `language` None means the channel's first."""

    name: str
    email: str
    phone: str
    language: str | None


class IncomingAddress(Struct, kw_only=True, frozen=True):
    """Where the goods go. None: the shop did not say, which is a task before dispatch (P2)."""

    name: str
    phone: str
    street: tuple[str, ...]
    building: str | None
    floor: str | None
    flat: str | None
    city: str
    region: str
    postcode: str
    country: str
    """ISO 3166 alpha-2."""
    lat: float | None
    lng: float | None
    instructions: str


class IncomingLine(Struct, kw_only=True, frozen=True):
    """Goods to be delivered. `total_minor` is what the customer pays for the line, tax included.

    `unit_price_minor` is before tax and discount, rounded. `external_item_id` is what the shop
    wants to hear at shipping.
    """

    external_item_id: str
    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    tax_minor: int
    discount_minor: int
    total_minor: int


class IncomingPayment(Struct, kw_only=True, frozen=True):
    """A payment line. `reference` is what the gateway names in its webhooks: join, count once.

    `state` is `pending` for everything on an order that the shop has not released.
    """

    method: PaymentMethod
    amount_minor: int
    due: Literal["now", "at_door"]
    reference: str
    transaction_id: str
    """The gateway's own id of the authorisation or capture, empty when the shop tells none."""
    state: Literal["pending", "authorised", "captured"]


class IncomingOrder(Struct, kw_only=True, frozen=True):
    """An order as any shop tells it, money in minor units of `currency`.

    lines' totals + `shipping_minor` + `other_minor` = `total_minor`; the payment lines add up to
    `total_minor` too. `tax_minor` and `discount_minor` (positive) inform about the whole order.
    """

    external_id: str
    external_entity_id: str
    channel_code: str
    currency: str
    placed_at: datetime
    customer: IncomingCustomer
    ship_to: IncomingAddress
    lines: tuple[IncomingLine, ...]
    shipping_minor: int
    """What the customer pays for delivery, tax included."""
    other_minor: int
    """Neither goods nor delivery: virtual items, wrapping (+), gift cards, store credit (−)."""
    discount_minor: int
    tax_minor: int
    total_minor: int
    payments: tuple[IncomingPayment, ...]
    delivery_service: Literal["standard", "express", "overnight", "collection"]
    pickup_location_code: str
    released: bool
    """Whether the shop lets the goods go; an order that is not released is still stored."""
    shop_state: str
    """The shop's own word, for people and for the detours `payment failed` and `cancelled`."""


class ShopOrder(Struct, kw_only=True, frozen=True):
    """An order as the shop sent it: the inbox keeps `body`, the exact JSON; `Shop.read` parses."""

    external_id: str
    updated_at: datetime
    body: bytes

    @property
    def source_id(self) -> str:
        """Name this version of the order for the inbox: the same version twice is one row."""
        return f"{self.external_id}@{self.updated_at:%Y%m%dT%H%M%S}"


class ShippedItem(Struct, kw_only=True, frozen=True):
    """A quantity of an order line that left with a shipment."""

    external_item_id: str
    quantity: int


class Track(Struct, kw_only=True, frozen=True):
    """The number under which the customer follows a shipment, and whose number it is."""

    number: str
    title: str
    source_code: str
    """The shop's name of the place the goods leave from, empty for its default."""
