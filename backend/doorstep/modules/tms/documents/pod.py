"""The proof of one delivery: who took what, when and where, with signature and photos (SPEC P17)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from babel.dates import format_datetime

from doorstep.core import pdf
from doorstep.modules.tms.documents.texts import POD, RELATIONS

TEMPLATE = "modules/tms/documents/pod.typ"

Strokes = Sequence[Sequence[Sequence[float]]]

PEN = 2.5
"""How thick the pen is, in the units in which a phone keeps strokes (CSS pixels)."""

ROUGHLY = 3
"""Decimals of a degree that stand on the paper: about a hundred metres."""


class PodLine(msgspec.Struct, kw_only=True, frozen=True):
    """What was handed over of one line of the parcel."""

    name: str
    quantity: int
    serials: list[str]
    kept_back: int


class PodPhoto(msgspec.Struct, kw_only=True, frozen=True):
    """A picture of the handover: the hash of what the phone took, and a small JPEG to show."""

    sha256: str
    thumbnail: bytes
    width: int
    height: int


class PodData(msgspec.Struct, kw_only=True, frozen=True):
    """What stands on the paper; `delivered_at` on the clock of the order's channel."""

    language: Literal["en", "hi", "ar"]
    company: str
    number: str
    order_number: str
    parcel: int
    awb: str
    delivered_at: datetime
    receiver_name: str
    receiver_relation: str
    brought_by: str
    lat: float | None
    lng: float | None
    accuracy_m: float | None
    code_ok: bool | None
    pieces: list[str]
    lines: list[PodLine]
    signature: list[list[tuple[float, float, float]]] | None
    signature_sha256: str | None
    photos: list[PodPhoto]


def content(data: PodData) -> dict[str, Any]:
    """Turn the values into what the template prints."""
    texts = POD[data.language]
    hashes = [photo.sha256 for photo in data.photos]
    return {
        "language": data.language,
        "texts": texts,
        "company": data.company,
        "number": data.number,
        "order_number": data.order_number,
        "parcel": str(data.parcel),
        "awb": data.awb,
        "delivered_at": format_datetime(
            data.delivered_at, "d MMMM y, HH:mm", locale=pdf.LOCALES[data.language]
        ),
        "receiver": f"{data.receiver_name} ({RELATIONS[data.language][data.receiver_relation]})",
        "brought_by": data.brought_by,
        "place": _place(data),
        "code": texts["code_ok"] if data.code_ok else "",
        "pieces": ", ".join(data.pieces),
        "lines": [
            {
                "name": line.name,
                "quantity": str(line.quantity),
                "serials": ", ".join(line.serials),
                "kept_back": str(line.kept_back) if line.kept_back else "",
            }
            for line in data.lines
        ],
        "signature": svg_of(data.signature) if data.signature else "",
        "photos": [_framed(photo) for photo in data.photos],
        "hashes": [*([data.signature_sha256] if data.signature_sha256 else []), *hashes],
    }


def render_pod(data: PodData) -> bytes:
    """Print the proof of a delivery."""
    return pdf.render(TEMPLATE, content(data), dated=data.delivered_at.date())


def svg_of(strokes: Strokes) -> str:
    """Draw pen strokes of points (x, y, milliseconds) as an SVG that is just as large as they are."""
    across = [point[0] for stroke in strokes for point in stroke]
    down = [point[1] for stroke in strokes for point in stroke]
    if not across:
        return ""
    left, top = min(across) - PEN, min(down) - PEN
    width, height = max(across) + PEN - left, max(down) + PEN - top
    paths = "".join(
        # A single point is a dot: a line to itself, with a round end.
        "M" + " L".join(f"{x:.1f} {y:.1f}" for x, y, *_ in (*stroke, stroke[-1]))
        for stroke in strokes
        if stroke
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.1f} {top:.1f} {width:.1f} {height:.1f}">'
        f'<path d="{paths}" fill="none" stroke="#16202c" stroke-width="{PEN}" stroke-linecap="round"'
        ' stroke-linejoin="round"/></svg>'
    )


def _framed(photo: PodPhoto) -> str:
    """Put a JPEG into an SVG: a template's values are text."""
    picture = base64.b64encode(photo.thumbnail).decode()
    size = f'width="{photo.width}" height="{photo.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f'<image {size} href="data:image/jpeg;base64,{picture}"/></svg>'
    )


def _place(data: PodData) -> str:
    if data.lat is None or data.lng is None:
        return ""
    place = f"{data.lat:.{ROUGHLY}f}, {data.lng:.{ROUGHLY}f}"
    if data.accuracy_m is None:
        return place
    within = POD[data.language]["accuracy"].format(metres=round(data.accuracy_m))
    return f"{place} ({within})"
