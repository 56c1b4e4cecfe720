"""Barcodes as SVG: Code 128 for hand scanners, QR for phones."""

from __future__ import annotations

import re
from functools import lru_cache

import zxingcpp

from doorstep.core.errors import Invalid

MAX_CODE128 = 48
"""The longest number of a piece. Above 26 letters the bars on a 100 mm label get thinner than a
quarter of a millimetre; the QR beside them still reads."""

MAX_QR = 300


class NotPrintableAsBarcode(Invalid):
    title = "This text cannot be printed as a barcode."


def code128_svg(text: str) -> str:
    """Draw a Code 128, one unit per bar, without the quiet zones that the page must leave.

    Raises: NotPrintableAsBarcode unless it is 1 to 48 printable ASCII characters.
    """
    if not (1 <= len(text) <= MAX_CODE128 and text.isascii() and text.isprintable()):
        raise NotPrintableAsBarcode(text=text)
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    return zxingcpp.write_barcode_to_svg(code, add_quiet_zones=False)


@lru_cache(maxsize=4096)
def code128_widths(text: str) -> str:
    """Write a Code 128 as digits: the widths of its bars and of the gaps between them, in turn.

    Raises: NotPrintableAsBarcode unless it is 1 to 48 printable ASCII characters.
    """
    bars = [(int(x), int(width)) for x, width in re.findall(r"M(\d+) 0h(\d+)v", code128_svg(text))]
    widths = []
    for (x, width), (following, _) in zip(bars, [*bars[1:], (sum(bars[-1]), 0)], strict=True):
        widths += [width, following - x - width]
    return "".join(map(str, widths[:-1]))


def qr_svg(text: str) -> str:
    """Draw a QR code (error correction M) with its quiet zone.

    Raises: NotPrintableAsBarcode unless it is 1 to 300 printable characters.
    """
    if not (1 <= len(text) <= MAX_QR and text.isprintable()):
        raise NotPrintableAsBarcode(text=text)
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    return zxingcpp.write_barcode_to_svg(code, add_quiet_zones=True)


@lru_cache(maxsize=1024)
def qr_rows(text: str) -> list[str]:
    """Write a QR code row by row, a dark module as 1, for a screen that draws it itself.

    Raises: NotPrintableAsBarcode unless it is 1 to 300 printable characters.
    """
    (width, height), grey = qr_modules(text)
    rows = (grey[at * width : (at + 1) * width] for at in range(height))
    return ["".join("0" if module > 127 else "1" for module in row) for row in rows]


def qr_modules(text: str) -> tuple[tuple[int, int], bytes]:
    """Give a QR code as a picture of one grey pixel per module: its size and its bytes.

    Raises: NotPrintableAsBarcode unless it is 1 to 300 printable characters.
    """
    if not (1 <= len(text) <= MAX_QR and text.isprintable()):
        raise NotPrintableAsBarcode(text=text)
    code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    image = zxingcpp.write_barcode_to_image(code, scale=1, add_quiet_zones=True)
    view = memoryview(image)  # type: ignore[arg-type]  # It is a buffer; its stub does not say so.
    high, wide = view.shape or (0, 0)
    return (wide, high), view.tobytes()
