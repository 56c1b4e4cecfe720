"""The receipt of extras: what was sold beside the order, its tax, and how it was paid."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from doorstep.core import pdf
from doorstep.core.money import format_minor
from doorstep.modules.fsm.documents.texts import METHODS, RECEIPT

TEMPLATE = "modules/fsm/documents/receipt.typ"

Language = Literal["en", "hi", "ar"]


class ReceiptLine(msgspec.Struct, kw_only=True, frozen=True):
    """One thing that was sold; `tax_basis_points` in 1/100 %."""

    name: str
    quantity: int
    net_minor: int
    tax_minor: int
    tax_basis_points: int


class ReceiptTender(msgspec.Struct, kw_only=True, frozen=True):
    """One way in which it was paid."""

    method: str
    amount_minor: int
    reference: str


class ReceiptData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on a receipt. `tax_name` as the law calls it: VAT, GST.

    `paid_before_minor` was paid by earlier receipts of the same visit.
    """

    language: Language
    company: str
    number: str
    order_number: str
    customer_name: str
    taken_by: str
    issued_on: date
    currency: str
    tax_name: str
    lines: list[ReceiptLine]
    billed_minor: int
    paid_before_minor: int
    tenders: list[ReceiptTender]


def content(data: ReceiptData) -> dict[str, Any]:
    """Turn the values into what the template prints, amounts with the currency's decimals.

    Raises: UnknownCurrency.
    """

    def money(minor: int) -> str:
        return f"{format_minor(minor, data.currency)} {data.currency}"

    paid = sum(tender.amount_minor for tender in data.tenders)
    taxes: dict[int, int] = {}
    for line in data.lines:
        if line.tax_minor:
            rate = line.tax_basis_points
            taxes[rate] = taxes.get(rate, 0) + line.tax_minor
    left = data.billed_minor - data.paid_before_minor - paid
    return {
        "language": data.language,
        "texts": RECEIPT[data.language],
        "company": data.company,
        "number": data.number,
        "order_number": data.order_number,
        "customer_name": data.customer_name,
        "taken_by": data.taken_by,
        "issued_on": pdf.date_text(data.issued_on, data.language),
        "lines": [
            {
                "name": line.name,
                "quantity": str(line.quantity),
                "net": money(line.net_minor),
                "tax": money(line.tax_minor),
                "total": money(line.net_minor + line.tax_minor),
            }
            for line in data.lines
        ],
        "net": money(sum(line.net_minor for line in data.lines)),
        "taxes": [
            {"name": f"{data.tax_name} {rate / 100:g} %", "amount": money(minor)}
            for rate, minor in sorted(taxes.items())
        ],
        "total": money(data.billed_minor),
        "paid_before": money(data.paid_before_minor) if data.paid_before_minor else "",
        "tenders": [
            {
                "method": METHODS[data.language][tender.method],
                "reference": tender.reference,
                "amount": money(tender.amount_minor),
            }
            for tender in data.tenders
        ],
        "open": money(left) if left > 0 else "",
    }


def render_receipt(data: ReceiptData) -> bytes:
    """Print the receipt of what was paid for extras at a visit."""
    return pdf.render(TEMPLATE, content(data), dated=data.issued_on)
