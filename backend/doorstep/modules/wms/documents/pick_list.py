"""The pick list on paper, for a picker without a screen (SPEC O4)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from doorstep.core import pdf
from doorstep.core.barcodes import code128_svg
from doorstep.modules.wms.documents.parts import Language
from doorstep.modules.wms.documents.texts import PICK_LIST

TEMPLATE = "modules/wms/documents/pick_list.typ"


class PickLine(msgspec.Struct, kw_only=True, frozen=True):
    """One product to take from its bin for one order."""

    order_number: str
    sku: str
    name: str
    quantity: int
    bin: str = ""
    serialised: bool = False


class PickListData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on the pick list of a picker or a shift."""

    language: Language
    company: str
    number: str
    location: str
    picker: str
    printed_on: date
    lines: list[PickLine]


def content(data: PickListData) -> dict[str, Any]:
    """Turn the values into what the template prints, bin by bin."""
    ordered = sorted(data.lines, key=lambda line: (line.bin, line.sku, line.order_number))
    return {
        "language": data.language,
        "texts": PICK_LIST[data.language],
        "company": data.company,
        "number": data.number,
        "barcode": code128_svg(data.number),
        "location": data.location,
        "picker": data.picker,
        "printed_on": pdf.date_text(data.printed_on, data.language),
        "total": str(sum(line.quantity for line in data.lines)),
        "lines": [
            {**msgspec.to_builtins(line), "quantity": str(line.quantity)} for line in ordered
        ],
    }


def render_pick_list(data: PickListData) -> bytes:
    """Print a pick list."""
    return pdf.render(TEMPLATE, content(data), dated=data.printed_on)
