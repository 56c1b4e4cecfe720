"""What a browser remembers of the phones it was enrolled as, apart from what the app stores (IC8).

A browser may throw away what an app has stored and keep its cookies: then this names the devices whose
captures went with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from uuid import UUID

from doorstep.core.auth import tokens

COOKIE = "doorstep_devices"
MOST = 8
"""People that share a phone are fewer; of more the latest are remembered."""

_ID_LENGTH = 32


def pack(devices: Iterable[UUID | None]) -> str:
    """Write devices, the latest first, so that nobody else can name one."""
    latest = [device for device in dict.fromkeys(devices) if device is not None][:MOST]
    return ".".join(device.hex + tokens.device_mark(device) for device in latest)


def unpack(cookie: str) -> list[UUID]:
    """Read the devices that were written here; whatever else is there counts as nothing."""
    return [
        UUID(word[:_ID_LENGTH])
        for word in cookie.split(".", MOST)[:MOST]
        if _is_hex(word) and _is_ours(UUID(word[:_ID_LENGTH]), word[_ID_LENGTH:])
    ]


def _is_hex(word: str) -> bool:
    return len(word) > _ID_LENGTH and all(c in "0123456789abcdef" for c in word)


def _is_ours(device: UUID, mark: str) -> bool:
    return hmac.compare_digest(tokens.device_mark(device), mark)
