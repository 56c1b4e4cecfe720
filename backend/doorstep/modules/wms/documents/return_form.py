"""The return form that travels in the box (SPEC P9)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from doorstep.core import pdf
from doorstep.core.barcodes import qr_svg
from doorstep.modules.wms.documents.parts import Language, Place
from doorstep.modules.wms.documents.texts import RETURN_FORM, RETURN_REASONS

TEMPLATE = "modules/wms/documents/return_form.typ"


class ReturnFormLine(msgspec.Struct, kw_only=True, frozen=True):
    """One product that may come back, with the serial numbers that were sent."""

    sku: str
    name: str
    quantity: int
    serials: list[str] = []


class ReturnFormData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on the return form; `return_url` opens the order's page where a return is asked.

    It is printed before the delivery, so the last day is a number of days after it.
    """

    language: Language
    company: str
    order_number: str
    customer_name: str
    return_to: Place
    return_url: str
    return_days: int
    printed_on: date
    lines: list[ReturnFormLine]


def content(data: ReturnFormData) -> dict[str, Any]:
    """Turn the values into what the template prints."""
    reasons = RETURN_REASONS[data.language]
    return {
        "language": data.language,
        "texts": RETURN_FORM[data.language],
        "reasons": [f"{number}. {reason}" for number, reason in enumerate(reasons, start=1)],
        "company": data.company,
        "order_number": data.order_number,
        "customer_name": data.customer_name,
        "return_to": msgspec.to_builtins(data.return_to),
        "days": str(data.return_days),
        "qr": qr_svg(data.return_url),
        "lines": [
            {**msgspec.to_builtins(line), "quantity": str(line.quantity)} for line in data.lines
        ],
    }


def render_return_form(data: ReturnFormData) -> bytes:
    """Print the return form of a parcel."""
    return pdf.render(TEMPLATE, content(data), dated=data.printed_on)
