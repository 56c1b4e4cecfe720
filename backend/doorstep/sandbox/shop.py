"""Builds complete Magento 2 orders: same arguments, same order (pure)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from doorstep.sandbox.catalogue import CATALOGUE, DEMO_LINES, MARKETS, Market

Json = dict[str, Any]
Short = Annotated[str, Meta(min_length=1, max_length=120)]

ONLINE = "checkoutcom_card_payment"
STATES = {"processing": "processing", "pending_payment": "pending_payment", "new": "pending"}


class Customer(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who orders; what is left out is drawn from the channel's people by the seed."""

    firstname: Short | None = None
    lastname: Short | None = None
    email: Short | None = None
    phone: Short | None = None


class _Row(NamedTuple):
    """One line's money, in the channel's decimals."""

    sku: str
    quantity: int
    price: Decimal
    net: Decimal
    tax: Decimal


class _Person(NamedTuple):
    firstname: str
    lastname: str
    email: str
    phone: str


def encode(order: Json) -> bytes:
    """Write an order as Magento does: amounts are JSON numbers."""
    return msgspec.json.Encoder(decimal_format="number").encode(order)


def build_order(
    channel: str,
    lines: Sequence[tuple[str, int]] = DEMO_LINES,
    *,
    placed_at: datetime,
    entity_id: int = 1,
    increment_id: str = "",
    customer: Customer | None = None,
    payment: str = ONLINE,
    paid: bool = True,
    delivery: str = "flatrate_flatrate",
    seed: int = 0,
) -> Json:
    """Build an order of one of the four channels, with every field that Adobe's schema requires.

    `payment` is Magento's method code; "upi", "netbanking" or "debit" after a colon names the
    tender of Razorpay (`razorpay:upi`). Cash on delivery is never paid at this point.
    """
    market = MARKETS[channel]
    dice = random.Random(f"{channel}/{seed}/{entity_id}")  # noqa: S311 - a plan, no secret
    person = _person(market, customer or Customer(), dice)
    rows = [_row(market, channel, sku, quantity) for sku, quantity in lines]
    method, _, tender = payment.partition(":")
    paid = paid and method != "cashondelivery"
    money = _Money(market, rows, paid)
    moment = placed_at.strftime("%Y-%m-%d %H:%M:%S")
    items = [
        _item(market, row, entity_id, place, moment) for place, row in enumerate(rows, start=1)
    ]
    billing = _address(market, person, "billing", entity_id, dice)
    shipping = {**billing, "address_type": "shipping", "entity_id": entity_id * 2}
    number = increment_id or f"{channel}-{100_000_000 + entity_id}"
    return {
        "entity_id": entity_id,
        "increment_id": number,
        "state": _state(method, paid),
        "status": STATES[_state(method, paid)],
        "store_id": market.store_id,
        "store_name": f"Main Website\nMain Store\n{channel}",
        "created_at": moment,
        "updated_at": moment,
        "customer_email": person.email,
        "customer_firstname": person.firstname,
        "customer_lastname": person.lastname,
        "customer_is_guest": 1,
        "customer_note_notify": 1,
        "can_ship_partially": 1,
        "email_sent": 0,
        "is_virtual": 0,
        "remote_ip": "203.0.113.7",
        "shipping_description": "Delivery to the door",
        "total_item_count": len(rows),
        "total_qty_ordered": sum(row.quantity for row in rows),
        "weight": sum(CATALOGUE[row.sku].weight_kg * row.quantity for row in rows),
        **money.of_order(),
        "items": items,
        "billing_address": billing,
        "payment": money.of_payment(entity_id, method, tender, number),
        "status_histories": [],
        "extension_attributes": {
            "shipping_assignments": [
                {
                    "shipping": {
                        "address": shipping,
                        "method": delivery,
                        "total": money.of_shipping(),
                    },
                    "items": items,
                }
            ]
        },
    }


def mark_paid(order: Json) -> None:
    """Record on the order that its money has been captured."""
    total = order["grand_total"]
    order.update(total_paid=total, base_total_paid=total, total_due=0, base_total_due=0)
    order["payment"].update(
        amount_paid=total,
        base_amount_paid=total,
        amount_authorized=total,
        last_trans_id=f"txn_{order['increment_id']}",
    )


def _state(method: str, paid: bool) -> str:
    if method == "cashondelivery":
        return "new"
    return "processing" if paid else "pending_payment"


def _person(market: Market, wanted: Customer, dice: random.Random) -> _Person:
    first, last = dice.choice(market.people)
    digits = "".join(str(dice.randrange(10)) for _ in range(market.mobile_digits))
    first, last = wanted.firstname or first, wanted.lastname or last
    mailbox = "".join(c for c in f"{first}.{last}".lower() if c.isascii() and c not in " @")
    return _Person(
        first,
        last,
        wanted.email or f"{mailbox}.{digits[-4:]}@mail.doorstep.example",
        wanted.phone or f"{market.mobile_prefix}{digits}",
    )


def _row(market: Market, channel: str, sku: str, quantity: int) -> _Row:
    price = CATALOGUE[sku].prices[channel]
    net = price * quantity
    return _Row(sku, quantity, price, net, _tax(market, net))


def _tax(market: Market, net: Decimal) -> Decimal:
    return (net * market.tax_percent / 100).quantize(Decimal(1).scaleb(-market.decimals))


class _Money:
    """The order's totals; its base currency is the channel's own."""

    def __init__(self, market: Market, rows: Sequence[_Row], paid: bool) -> None:
        self._currency = market.currency
        self._shipping = market.shipping
        self._shipping_tax = _tax(market, market.shipping)
        self._subtotal = sum((row.net for row in rows), Decimal(0))
        self._tax = sum((row.tax for row in rows), self._shipping_tax)
        self._total = self._subtotal + self._shipping + self._tax
        self._paid = self._total if paid else Decimal(0)

    def of_order(self) -> Json:
        """List the order's amounts, each also as `base_…`."""
        amounts: Json = {
            "subtotal": self._subtotal,
            "subtotal_incl_tax": self._subtotal + self._tax - self._shipping_tax,
            "shipping_amount": self._shipping,
            "shipping_incl_tax": self._shipping + self._shipping_tax,
            "shipping_tax_amount": self._shipping_tax,
            "shipping_discount_amount": 0,
            "discount_amount": 0,
            "discount_tax_compensation_amount": 0,
            "tax_amount": self._tax,
            "grand_total": self._total,
            "total_paid": self._paid,
            "total_due": self._total - self._paid,
        }
        return {
            "base_currency_code": self._currency,
            "global_currency_code": self._currency,
            "order_currency_code": self._currency,
            "store_currency_code": self._currency,
            "base_to_global_rate": 1,
            "base_to_order_rate": 1,
            "store_to_base_rate": 0,
            "store_to_order_rate": 0,
            **amounts,
            **{f"base_{name}": amount for name, amount in amounts.items()},
        }

    def of_shipping(self) -> Json:
        """List the shipping's amounts."""
        return {
            "shipping_amount": self._shipping,
            "base_shipping_amount": self._shipping,
            "shipping_incl_tax": self._shipping + self._shipping_tax,
            "base_shipping_incl_tax": self._shipping + self._shipping_tax,
            "shipping_tax_amount": self._shipping_tax,
            "base_shipping_tax_amount": self._shipping_tax,
            "shipping_discount_amount": 0,
            "base_shipping_discount_amount": 0,
        }

    def of_payment(self, entity_id: int, method: str, tender: str, number: str) -> Json:
        """Describe how the order is paid."""
        payment: Json = {
            "entity_id": entity_id,
            "parent_id": entity_id,
            "method": method,
            "account_status": "",
            "additional_information": [tender or method],
            "cc_last4": "4242" if method.startswith("checkoutcom") else "",
            "amount_ordered": self._total,
            "base_amount_ordered": self._total,
            "shipping_amount": self._shipping,
            "base_shipping_amount": self._shipping,
        }
        if self._paid:
            payment.update(
                amount_authorized=self._paid,
                base_amount_authorized=self._paid,
                amount_paid=self._paid,
                base_amount_paid=self._paid,
                last_trans_id=f"txn_{number}",
            )
        return payment


def _item(market: Market, row: _Row, order_id: int, place: int, moment: str) -> Json:
    article = CATALOGUE[row.sku]
    unit_tax = _tax(market, row.price)
    amounts: Json = {
        "price": row.price,
        "original_price": row.price,
        "price_incl_tax": row.price + unit_tax,
        "row_total": row.net,
        "row_total_incl_tax": row.net + row.tax,
        "tax_amount": row.tax,
        "discount_amount": 0,
        "discount_tax_compensation_amount": 0,
    }
    return {
        "item_id": order_id * 100 + place,
        "order_id": order_id,
        "product_id": article.product_id,
        "product_type": "simple",
        "sku": row.sku,
        "name": article.name,
        "store_id": market.store_id,
        "created_at": moment,
        "updated_at": moment,
        "qty_ordered": row.quantity,
        "qty_invoiced": 0,
        "qty_shipped": 0,
        "qty_canceled": 0,
        "qty_refunded": 0,
        "tax_percent": market.tax_percent,
        "discount_percent": 0,
        "weight": article.weight_kg,
        "row_weight": article.weight_kg * row.quantity,
        "is_virtual": 0,
        "is_qty_decimal": 0,
        "free_shipping": 0,
        **amounts,
        **{f"base_{name}": amount for name, amount in amounts.items()},
    }


def _address(
    market: Market, person: _Person, kind: str, order_id: int, dice: random.Random
) -> Json:
    door = dice.choice(market.streets)
    return {
        "address_type": kind,
        "entity_id": order_id * 2 - 1,
        "parent_id": order_id,
        "firstname": person.firstname,
        "lastname": person.lastname,
        "email": person.email,
        "telephone": person.phone,
        "street": [door.street, f"{door.building}, floor {door.floor}, flat {door.flat}"],
        "city": door.city,
        "region": door.region,
        "region_code": door.region,
        "postcode": door.postcode,
        "country_id": market.country,
        "extension_attributes": {
            "building": door.building,
            "floor": door.floor,
            "flat": door.flat,
            "lat": door.lat,
            "lng": door.lng,
            "delivery_instructions": "Please call before you come up.",
        },
    }
