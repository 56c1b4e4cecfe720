"""The packing slip: what lies in the boxes and, for the packer, how it is packed (P9, P10)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from doorstep.core import pdf
from doorstep.core.barcodes import code128_svg
from doorstep.modules.wms.documents.parts import Language, Place
from doorstep.modules.wms.documents.texts import PACKING_SLIP

TEMPLATE = "modules/wms/documents/packing_slip.typ"


class PackingSlipLine(msgspec.Struct, kw_only=True, frozen=True):
    """One product in the parcel; `packing_instruction` is the product's own (SPEC P10)."""

    sku: str
    name: str
    quantity: int
    serials: list[str] = []
    accessories: list[str] = []
    packing_instruction: str = ""


class PackingSlipData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on the packing slip of one fulfilment."""

    language: Language
    company: str
    order_number: str
    placed_on: date
    pieces: int
    sender: Place
    receiver: Place
    lines: list[PackingSlipLine]
    packed_by: str = ""


def content(data: PackingSlipData) -> dict[str, Any]:
    """Turn the values into what the template prints."""
    return {
        "language": data.language,
        "texts": PACKING_SLIP[data.language],
        "company": data.company,
        "order_number": data.order_number,
        "barcode": code128_svg(data.order_number),
        "placed_on": pdf.date_text(data.placed_on, data.language),
        "pieces": str(data.pieces),
        "packed_by": data.packed_by,
        "sender": msgspec.to_builtins(data.sender),
        "receiver": msgspec.to_builtins(data.receiver),
        "lines": [
            {**msgspec.to_builtins(line), "quantity": str(line.quantity)} for line in data.lines
        ],
    }


def render_packing_slip(data: PackingSlipData) -> bytes:
    """Print the packing slip of a parcel."""
    return pdf.render(TEMPLATE, content(data), dated=data.placed_on)
