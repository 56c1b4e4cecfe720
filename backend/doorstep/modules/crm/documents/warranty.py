"""The warranty certificate of one serial number (SPEC J1018)."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from doorstep.core import pdf
from doorstep.core.barcodes import qr_svg
from doorstep.modules.crm.documents.texts import WARRANTY

TEMPLATE = "modules/crm/documents/warranty.typ"


class WarrantyData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on a certificate.

    `verification_url` is public and tells only that the certificate is genuine, for which product
    and until when; the customer's name stands on the paper alone.
    """

    language: Literal["en", "hi", "ar"]
    company: str
    number: str
    customer_name: str
    product_name: str
    sku: str
    serial: str
    order_number: str
    purchased_on: date
    installed_on: date | None
    starts_on: date
    ends_on: date
    verification_url: str


def content(data: WarrantyData) -> dict[str, Any]:
    """Turn the values into what the template prints."""

    def day(moment: date | None) -> str:
        return "" if moment is None else pdf.date_text(moment, data.language)

    return {
        "language": data.language,
        "texts": WARRANTY[data.language],
        "company": data.company,
        "number": data.number,
        "customer_name": data.customer_name,
        "product_name": data.product_name,
        "sku": data.sku,
        "serial": data.serial,
        "order_number": data.order_number,
        "purchased_on": day(data.purchased_on),
        "installed_on": day(data.installed_on),
        "starts_on": day(data.starts_on),
        "ends_on": day(data.ends_on),
        "verification_url": data.verification_url,
        "qr": qr_svg(data.verification_url),
    }


def render_warranty(data: WarrantyData) -> bytes:
    """Print the warranty certificate of a product."""
    return pdf.render(TEMPLATE, content(data), dated=data.starts_on)
