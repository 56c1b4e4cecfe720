"""Identifiers: UUIDv7 (RFC 9562), made by whoever creates the thing."""

from __future__ import annotations

import os
import time
from uuid import UUID

_RANDOM_MASK = (1 << 62) - 1


def uuid7() -> UUID:
    """Make a new id; it begins with the Unix time in milliseconds, so indexes grow at the end."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | random >> 68 & 0x0FFF
    low = 0x8 << 60 | random & _RANDOM_MASK
    return UUID(int=high << 64 | low)
