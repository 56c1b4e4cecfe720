"""The part of Magento 2's order JSON that Doorstep reads; unknown members are ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

Short = Annotated[str, Meta(max_length=255)]


class Item(Struct, kw_only=True):
    """An order item; children of configurable and bundle items name their parent."""

    sku: Short
    item_id: int
    parent_item_id: int | None = None
    product_type: str | None = "simple"
    name: Short | None = None
    qty_ordered: Decimal = Decimal(1)
    price: Decimal | None = None
    row_total: Decimal | None = None
    tax_amount: Decimal | None = None
    discount_amount: Decimal | None = None
    discount_tax_compensation_amount: Decimal | None = None
    is_virtual: int | None = None


class AddressExtension(Struct, kw_only=True):
    """What a shop adds to its addresses so that a crew finds the door."""

    building: Short | None = None
    floor: Short | None = None
    flat: Short | None = None
    lat: float | None = None
    lng: float | None = None
    delivery_instructions: Annotated[str, Meta(max_length=1000)] | None = None


class Address(Struct, kw_only=True):
    """A billing or shipping address."""

    firstname: Short
    lastname: Short
    city: Short
    country_id: Annotated[str, Meta(min_length=2, max_length=2)]
    telephone: Short
    postcode: Short | None = None
    street: Annotated[list[Short], Meta(max_length=10)] = []
    region: Short | None = None
    email: Short | None = None
    extension_attributes: Any = None


class Payment(Struct, kw_only=True):
    """How the order is paid; one method per order, amounts in the order's currency."""

    method: Short
    amount_authorized: Decimal | None = None
    amount_paid: Decimal | None = None
    last_trans_id: Short | None = None
    additional_information: Any = None


class Shipping(Struct, kw_only=True):
    """Where and how the goods go."""

    address: Address | None = None
    method: Short | None = None


class Assignment(Struct, kw_only=True):
    """Magento ships every order by one assignment."""

    shipping: Shipping


class Extension(Struct, kw_only=True):
    """The parts of an order that Magento keeps beside it."""

    shipping_assignments: list[Assignment] = []
    pickup_location_code: Short | None = None


class Order(Struct, kw_only=True):
    """An order of `GET /V1/orders`; unknown members are ignored."""

    entity_id: int
    increment_id: Annotated[str, Meta(min_length=1, max_length=50)]
    state: Short
    store_id: int | None = None
    created_at: str
    order_currency_code: Annotated[str, Meta(min_length=3, max_length=3)]
    grand_total: Decimal
    items: Annotated[list[Item], Meta(max_length=500)]
    customer_email: Short
    customer_firstname: Short | None = None
    customer_lastname: Short | None = None
    shipping_incl_tax: Decimal | None = None
    shipping_discount_amount: Decimal | None = None
    discount_amount: Decimal | None = None
    tax_amount: Decimal | None = None
    status: Short | None = None
    billing_address: Address | None = None
    payment: Payment
    extension_attributes: Extension = msgspec.field(default_factory=Extension)
