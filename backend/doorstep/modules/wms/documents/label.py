"""The shipping label, 100 x 150 mm, one page per piece (SPEC P11)."""

from __future__ import annotations

from typing import Any

import msgspec

from doorstep.core import pdf
from doorstep.core.barcodes import code128_svg, qr_svg
from doorstep.core.money import Money
from doorstep.modules.wms.documents.parts import Place, centimetres, kilograms

TEMPLATE = "modules/wms/documents/label.typ"


class LabelPiece(msgspec.Struct, kw_only=True, frozen=True):
    """One box, in grams and mm, and what is in it.

    Both barcodes say `label_no`: the AWB with the piece's number.
    """

    label_no: str
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int
    contents: str = ""


class LabelData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on the labels of a shipment; `cod` None means prepaid.

    `handling` are short words in capitals (FRAGILE, THIS SIDE UP, TWO PERSONS).
    """

    company: str
    carrier: str
    service: str
    awb: str
    order_number: str
    route_code: str
    sender: Place
    receiver: Place
    pieces: list[LabelPiece]
    cod: Money | None
    handling: list[str] = []


def content(data: LabelData) -> dict[str, Any]:
    """Turn the values into what the template prints.

    Raises: NotPrintableAsBarcode for a number that no barcode can hold.
    """
    return {
        # Carriers read labels in English; names and addresses stand as the customer wrote them.
        "language": "en",
        "company": data.company,
        "carrier": data.carrier,
        "service": data.service,
        "awb": data.awb,
        "order_number": data.order_number,
        "route_code": data.route_code,
        "sender": msgspec.to_builtins(data.sender),
        "receiver": msgspec.to_builtins(data.receiver),
        "cod": None if data.cod is None else str(data.cod),
        "handling": data.handling,
        "pieces": [_piece(piece) for piece in data.pieces],
    }


def _piece(piece: LabelPiece) -> dict[str, str]:
    sides = (piece.length_mm, piece.width_mm, piece.height_mm)
    return {
        "label_no": piece.label_no,
        "code128": code128_svg(piece.label_no),
        "qr": qr_svg(piece.label_no),
        "contents": piece.contents,
        "weight": f"{kilograms(piece.weight_g)} kg",
        "size": f"{' × '.join(centimetres(side) for side in sides)} cm",
    }


def render_label(data: LabelData) -> bytes:
    """Print the labels of a shipment: a PDF with one page per piece."""
    return pdf.render(TEMPLATE, content(data))
