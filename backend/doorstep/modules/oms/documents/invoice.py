"""The plain invoice: lines, discounts, taxes, total and how it is paid (SPEC P6)."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from doorstep.core import pdf
from doorstep.core.money import format_minor
from doorstep.modules.oms.documents.texts import INVOICE, METHODS

TEMPLATE = "modules/oms/documents/invoice.typ"

Language = Literal["en", "hi", "ar"]


class Party(msgspec.Struct, kw_only=True, frozen=True):
    """The seller, the buyer, or who receives the goods."""

    name: str
    lines: list[str]
    phone: str = ""
    tax_number: str = ""


class InvoiceLine(msgspec.Struct, kw_only=True, frozen=True):
    """One product of the invoice; `total_minor` is what the line adds to the total.

    `tax_rate` is a percentage as it is printed, such as `5` or `18`; empty where none is charged.
    """

    sku: str
    name: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    discount_minor: int = 0
    tax_rate: str = ""
    tax_minor: int = 0


class TaxShare(msgspec.Struct, kw_only=True, frozen=True):
    """What the invoice holds of one tax, named as the law does: VAT 5 %, CGST 9 %, SGST 9 %."""

    name: str
    rate: str
    amount_minor: int


class InvoicePayment(msgspec.Struct, kw_only=True, frozen=True):
    """One payment line: its method of SPEC J, and whether the money is there."""

    method: str
    amount_minor: int
    paid: bool


class InvoiceData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on an invoice; the amounts are printed as given and not added up again."""

    language: Language
    number: str
    issued_on: date
    order_number: str
    company: str
    seller: Party
    buyer: Party
    receiver: Party | None
    currency: str
    lines: list[InvoiceLine]
    subtotal_minor: int
    discount_minor: int
    shipping_minor: int
    taxes: list[TaxShare]
    total_minor: int
    payments: list[InvoicePayment]


def content(data: InvoiceData) -> dict[str, Any]:
    """Turn the values into what the template prints, amounts with the currency's decimals.

    Raises: UnknownCurrency.
    """

    def money(minor: int) -> str:
        return format_minor(minor, data.currency)

    return {
        "language": data.language,
        "texts": INVOICE[data.language],
        "company": data.company,
        "number": data.number,
        "issued_on": pdf.date_text(data.issued_on, data.language),
        "order_number": data.order_number,
        "currency": data.currency,
        "seller": msgspec.to_builtins(data.seller),
        "buyer": msgspec.to_builtins(data.buyer),
        "receiver": None if data.receiver is None else msgspec.to_builtins(data.receiver),
        "lines": [
            {
                "sku": line.sku,
                "name": line.name,
                "quantity": str(line.quantity),
                "price": money(line.unit_price_minor),
                "discount": money(-line.discount_minor) if line.discount_minor else "",
                "tax": money(line.tax_minor) if line.tax_rate or line.tax_minor else "",
                "tax_rate": f"{line.tax_rate} %" if line.tax_rate else "",
                "total": money(line.total_minor),
            }
            for line in data.lines
        ],
        "subtotal": money(data.subtotal_minor),
        "discount": money(-data.discount_minor) if data.discount_minor else "",
        "shipping": money(data.shipping_minor) if data.shipping_minor else "",
        "taxes": [
            {"name": f"{tax.name} {tax.rate} %", "amount": money(tax.amount_minor)}
            for tax in data.taxes
        ],
        "total": f"{money(data.total_minor)} {data.currency}",
        "payments": [_payment(payment, data) for payment in data.payments],
    }


def _payment(payment: InvoicePayment, data: InvoiceData) -> dict[str, str]:
    texts = INVOICE[data.language]
    return {
        "method": METHODS[data.language].get(payment.method, payment.method),
        "amount": f"{format_minor(payment.amount_minor, data.currency)} {data.currency}",
        "state": texts["paid"] if payment.paid else texts["due"],
    }


def render_invoice(data: InvoiceData) -> bytes:
    """Print the invoice of an order."""
    return pdf.render(TEMPLATE, content(data), dated=data.issued_on)
