"""What kind of content some bytes are: told by their first bytes, never by a name or a header."""

from __future__ import annotations

PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""The picture types that are decoded; every other one is refused."""

UNKNOWN = "application/octet-stream"


def sniff(data: bytes) -> str:
    """Name the media type of the bytes, or `application/octet-stream` when it is none we know."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    return UNKNOWN
