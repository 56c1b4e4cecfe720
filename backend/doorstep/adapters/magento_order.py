"""Magento's orders, read into `ports.IncomingOrder` (pure).

Magento's numbers are JSON floats with up to four decimals: they are read as Decimal from their
text, and each derived figure is rounded so that the parts still add up to the grand total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from doorstep.adapters.magento_format import AddressExtension, Item, Order, Payment, Shipping
from doorstep.core.money import NotAMinorUnit, UnknownCurrency, round_to_minor, split, to_minor
from doorstep.ports import (
    IncomingAddress,
    IncomingCustomer,
    IncomingLine,
    IncomingOrder,
    IncomingPayment,
    OutsideOrderUnreadable,
    PaymentMethod,
)

ZERO = Decimal(0)


# --- Tables of meaning --------------------------------------------------------------------------

METHODS: dict[str, PaymentMethod] = {
    "cashondelivery": "cod",
    "banktransfer": "bank_transfer",
    "checkmo": "bank_transfer",
    "purchaseorder": "bank_transfer",
    "paypal_express": "paypal",
    "paypal_express_bml": "paypal",
}
PREFIXES: tuple[tuple[str, PaymentMethod], ...] = (
    ("checkoutcom_", "credit_card"),
    ("braintree_paypal", "paypal"),
    ("braintree", "credit_card"),
    ("paypal", "paypal"),
    ("vault", "credit_card"),
)
RAZORPAY: dict[str, PaymentMethod] = {
    "upi": "upi",
    "netbanking": "net_banking",
    "net_banking": "net_banking",
    "debit": "debit_card",
    "debit_card": "debit_card",
    "card": "credit_card",
    "credit_card": "credit_card",
}
"""Razorpay serves several tenders; its additional information may name the one used."""


def read_order(body: bytes, channels: Mapping[int, str], only_channel: str) -> IncomingOrder:
    """Understand one order; `channels` maps store ids, and without it all are `only_channel`.

    Raises: OutsideOrderUnreadable with the reason in words.
    """
    try:
        order = msgspec.json.decode(body, type=Order, strict=False)
        return _incoming(order, channels, only_channel)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise OutsideOrderUnreadable(f"Magento order: {broken}") from broken
    except (ArithmeticError, NotAMinorUnit, UnknownCurrency) as broken:
        raise OutsideOrderUnreadable(f"Magento order's money: {broken}") from broken


def _incoming(order: Order, channels: Mapping[int, str], only_channel: str) -> IncomingOrder:
    currency = order.order_currency_code
    total = to_minor(order.grand_total, currency)
    lines = tuple(_lines(order.items, currency))
    if not lines:
        raise OutsideOrderUnreadable(f"Order {order.increment_id} has nothing to deliver.")
    shipping = round_to_minor(
        _money(order.shipping_incl_tax) - _money(order.shipping_discount_amount), currency
    )
    released = _released(order)
    return IncomingOrder(
        external_id=order.increment_id,
        external_entity_id=str(order.entity_id),
        channel_code=_channel(order, channels, only_channel),
        currency=currency,
        placed_at=shop_time(order.created_at),
        customer=_customer(order),
        ship_to=_ship_to(order),
        lines=lines,
        shipping_minor=shipping,
        other_minor=total - shipping - sum(line.total_minor for line in lines),
        discount_minor=abs(round_to_minor(_money(order.discount_amount), currency)),
        tax_minor=round_to_minor(_money(order.tax_amount), currency),
        total_minor=total,
        payments=_payments(order, total, released),
        delivery_service=_service(order),
        pickup_location_code=order.extension_attributes.pickup_location_code or "",
        released=released,
        shop_state=order.state,
    )


def shop_time(text: str) -> datetime:
    """Read Magento's time, which is UTC without saying so.

    Raises: OutsideOrderUnreadable.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as broken:
        raise OutsideOrderUnreadable(f"Not a time: {text[:40]!r}") from broken
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _money(amount: Decimal | None) -> Decimal:
    return ZERO if amount is None else amount


def _channel(order: Order, channels: Mapping[int, str], only_channel: str) -> str:
    if not channels:
        return only_channel
    try:
        return channels[order.store_id or 0]
    except KeyError:
        raise OutsideOrderUnreadable(
            f"Store {order.store_id} of the shop is mapped to no channel.", store_id=order.store_id
        ) from None


# --- Goods --------------------------------------------------------------------------------------


def _lines(items: Sequence[Item], currency: str) -> list[IncomingLine]:
    """List what is delivered: a configurable is one line, a bundle its parts, virtual nothing."""
    children: dict[int, list[Item]] = {}
    for item in items:
        if item.parent_item_id is not None:
            children.setdefault(item.parent_item_id, []).append(item)
    lines: list[IncomingLine] = []
    for item in items:
        if item.parent_item_id is None:
            lines += _of_item(item, children.get(item.item_id, []), currency)
    return lines


def _of_item(item: Item, parts: Sequence[Item], currency: str) -> list[IncomingLine]:
    if item.product_type == "bundle" and parts:
        return _of_bundle(item, parts, currency)
    if item.product_type == "configurable" and parts:
        # The parent carries the money and the number that shipping wants, the child the goods.
        chosen = parts[0]
        item = msgspec.structs.replace(
            item, sku=chosen.sku, name=chosen.name, is_virtual=chosen.is_virtual
        )
    return [] if _virtual(item) else [_line(item, item, currency)]


def _of_bundle(item: Item, parts: Sequence[Item], currency: str) -> list[IncomingLine]:
    goods = [part for part in parts if not _virtual(part)]
    if any(_money(part.row_total) for part in parts):
        return [_line(part, part, currency) for part in goods]
    # A bundle of fixed price: its parts cost nothing, so the parent's money is shared by quantity.
    whole = _line(item, item, currency) if goods else None
    if whole is None:
        return []
    weights = [_quantity(part) for part in goods]
    taxes, discounts, totals = (
        split(amount, weights)
        for amount in (whole.tax_minor, whole.discount_minor, whole.total_minor)
    )
    return [
        IncomingLine(
            external_item_id=str(part.item_id),
            sku=part.sku,
            name=part.name or part.sku,
            quantity=quantity,
            unit_price_minor=(total + discount - tax) // quantity,
            tax_minor=tax,
            discount_minor=discount,
            total_minor=total,
        )
        for part, quantity, tax, discount, total in zip(
            goods, weights, taxes, discounts, totals, strict=True
        )
    ]


def _virtual(item: Item) -> bool:
    return bool(item.is_virtual) or item.product_type in {"virtual", "downloadable", "giftcard"}


def _quantity(item: Item) -> int:
    quantity = int(item.qty_ordered)
    if quantity != item.qty_ordered or quantity < 1:
        raise OutsideOrderUnreadable(
            f"Item {item.sku} is ordered in a quantity of {item.qty_ordered}.", sku=item.sku
        )
    return quantity


def _line(goods: Item, priced: Item, currency: str) -> IncomingLine:
    # Where prices include tax, a discount frees some of it: the compensation makes the sum exact.
    discount = _money(priced.discount_amount) - _money(priced.discount_tax_compensation_amount)
    tax = _money(priced.tax_amount)
    return IncomingLine(
        external_item_id=str(priced.item_id),
        sku=goods.sku,
        name=goods.name or goods.sku,
        quantity=_quantity(priced),
        unit_price_minor=round_to_minor(_money(priced.price), currency),
        tax_minor=round_to_minor(tax, currency),
        discount_minor=round_to_minor(discount, currency),
        total_minor=round_to_minor(_money(priced.row_total) + tax - discount, currency),
    )


# --- People and places --------------------------------------------------------------------------


def _customer(order: Order) -> IncomingCustomer:
    address = order.billing_address or _shipping(order).address
    first = order.customer_firstname or (address.firstname if address else "")
    last = order.customer_lastname or (address.lastname if address else "")
    return IncomingCustomer(
        name=f"{first} {last}".strip(),
        email=order.customer_email,
        phone=address.telephone if address else "",
        language=None,
    )


def _shipping(order: Order) -> Shipping:
    assigned = order.extension_attributes.shipping_assignments
    return assigned[0].shipping if assigned else Shipping()


def _ship_to(order: Order) -> IncomingAddress:
    address = _shipping(order).address or order.billing_address
    if address is None:
        raise OutsideOrderUnreadable(f"Order {order.increment_id} has no address.")
    try:
        # PHP writes an empty object as [].
        more = msgspec.convert(address.extension_attributes or {}, AddressExtension, strict=False)
    except msgspec.ValidationError as broken:
        raise OutsideOrderUnreadable(f"Magento address: {broken}") from broken
    return IncomingAddress(
        name=f"{address.firstname} {address.lastname}".strip(),
        phone=address.telephone,
        street=tuple(street for street in address.street if street),
        building=more.building,
        floor=more.floor,
        flat=more.flat,
        city=address.city,
        region=address.region or "",
        postcode=address.postcode or "",
        country=address.country_id,
        lat=more.lat,
        lng=more.lng,
        instructions=more.delivery_instructions or "",
    )


def _service(order: Order) -> Literal["standard", "express", "overnight", "collection"]:
    method = (_shipping(order).method or "").lower()
    if order.extension_attributes.pickup_location_code or method.startswith("instore"):
        return "collection"
    if "overnight" in method:
        return "overnight"
    return "express" if "express" in method else "standard"


# --- Money owed ---------------------------------------------------------------------------------


def _released(order: Order) -> bool:
    """Apply the gate: a paid order is `processing`, one on delivery is `new`, none is suspected."""
    if order.status in {"fraud", "holded", "payment_review"}:
        return False
    return order.state == "processing" or (
        order.state == "new" and order.payment.method == "cashondelivery"
    )


def _payments(order: Order, total_minor: int, released: bool) -> tuple[IncomingPayment, ...]:
    if total_minor == 0:
        return ()  # Gift cards or store credit have paid everything.
    payment = order.payment
    method = _method(payment)
    return (
        IncomingPayment(
            method=method,
            amount_minor=total_minor,
            due="at_door" if method == "cod" else "now",
            reference=order.increment_id,
            transaction_id=payment.last_trans_id or "",
            state=_state(order, method) if released else "pending",
        ),
    )


def _state(order: Order, method: PaymentMethod) -> Literal["pending", "authorised", "captured"]:
    if method == "cod":
        return "pending"
    if _money(order.payment.amount_paid) >= order.grand_total:
        return "captured"
    if _money(order.payment.amount_authorized) >= order.grand_total:
        return "authorised"
    return "pending"


def _method(payment: Payment) -> PaymentMethod:
    code = payment.method.lower()
    if code in METHODS:
        return METHODS[code]
    if code.startswith("razorpay"):
        return next((RAZORPAY[word] for word in _words(payment) if word in RAZORPAY), "upi")
    for prefix, method in PREFIXES:
        if code.startswith(prefix):
            return method
    raise OutsideOrderUnreadable(f"Payment method {payment.method!r} is not known.")


def _words(payment: Payment) -> list[str]:
    """List the additional information: an array of strings, or an object at some gateways."""
    told = payment.additional_information
    values = told.values() if isinstance(told, dict) else told if isinstance(told, list) else ()
    return [value.lower() for value in values if isinstance(value, str)]
