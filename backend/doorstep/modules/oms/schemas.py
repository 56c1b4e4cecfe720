"""What oms takes in: catalogue entries, channels, and orders of our own API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from doorstep.ports import PaymentMethod

Code = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
Text = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
LongText = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Minor = Annotated[int, Meta(ge=0, le=10**13)]
Count = Annotated[int, Meta(ge=1, le=1000)]


class ChannelData(Struct, kw_only=True):
    """A sales channel, one per country (C1). `working_week` in ISO weekdays, tax in 1/100 %."""

    code: Code
    name: Text
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    zone: Text
    languages: list[Literal["en", "hi", "ar"]]
    working_week: list[Annotated[int, Meta(ge=1, le=7)]]
    tax_basis_points: Annotated[int, Meta(ge=0, le=10_000)]
    cod_limit_minor: Minor


class Accessory(Struct, kw_only=True):
    """A part that must be in the box: its code is scanned at QC."""

    code: Code
    name: Text


class ProductData(Struct, kw_only=True):
    """A SKU with all that warehouse, crew and warranty need. Grams, millimetres, hours, months."""

    sku: Code
    name: Text
    names: dict[str, str]
    barcode: Code
    weight_g: Annotated[int, Meta(ge=1, le=2_000_000)]
    length_mm: Annotated[int, Meta(ge=1, le=20_000)]
    width_mm: Annotated[int, Meta(ge=1, le=20_000)]
    height_mm: Annotated[int, Meta(ge=1, le=20_000)]
    pieces: Annotated[int, Meta(ge=1, le=50)] = 1
    crew_size: Annotated[int, Meta(ge=1, le=6)] = 1
    fragile: bool = False
    serialised: bool = False
    needs_install: bool = False
    install_skill: Code | None = None
    warranty_months: Annotated[int, Meta(ge=0, le=240)] = 0
    packing_instruction: LongText = ""
    standing_hours: Annotated[int, Meta(ge=0, le=240)] = 0
    accessories: list[Accessory] = []


class OrderCustomer(Struct, kw_only=True, forbid_unknown_fields=True):
    """Who orders; a phone number or an e-mail address must be usable."""

    name: Text
    phone: Text
    email: Text
    language: Literal["en", "hi", "ar"] | None = None


class OrderAddress(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the goods go; missing parts are asked for before dispatch."""

    name: Text
    phone: Text
    street: Annotated[list[Text], Meta(min_length=1, max_length=4)]
    building: Text | None = None
    floor: Text | None = None
    flat: Text | None = None
    city: Text
    region: Text = ""
    postcode: Annotated[str, Meta(max_length=16, pattern=r"^[^\x00]*$")] = ""
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")]
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lng: Annotated[float, Meta(ge=-180, le=180)] | None = None
    instructions: LongText = ""


class OrderItem(Struct, kw_only=True, forbid_unknown_fields=True):
    """One line; the unit price is before tax, tax and discount are for the whole line."""

    sku: Code
    name: Text
    quantity: Count
    unit_price_minor: Minor
    tax_minor: Minor = 0
    discount_minor: Minor = 0


class OrderPayment(Struct, kw_only=True, forbid_unknown_fields=True):
    """One payment line; the gateway's webhook names `reference`."""

    method: PaymentMethod
    amount_minor: Minor
    due: Literal["now", "at_door"]
    reference: Annotated[str, Meta(max_length=64, pattern=r"^[^\x00]*$")] = ""


class NewOrder(Struct, kw_only=True, forbid_unknown_fields=True):
    """An order by our own API; money in minor units, the payment lines add up to the total."""

    channel: Code
    external_id: Code
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    placed_at: datetime | None = None
    customer: OrderCustomer
    ship_to: OrderAddress
    lines: Annotated[list[OrderItem], Meta(min_length=1, max_length=100)]
    shipping_minor: Minor = 0
    payments: Annotated[list[OrderPayment], Meta(min_length=1, max_length=5)]
    delivery_service: Literal["standard", "express", "overnight", "collection"] = "standard"
