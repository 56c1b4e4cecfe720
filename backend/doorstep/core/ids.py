"""Identifiers: UUIDv7 (RFC 9562), made by whoever creates the thing."""

from __future__ import annotations

import os
import time
from uuid import UUID

_RANDOM_MASK = (1 << 62) - 1


def uuid7() -> UUID:
    """Make a new id; it begins with the Unix time in milliseconds, so indexes grow at the end.

    The twelve bits after the version are the part of the millisecond (RFC 9562 §6.2, method 3): ids that
    one process makes one after the other sort in that order.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    high = (milliseconds & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | rest * 4096 // 1_000_000
    low = 0x8 << 60 | int.from_bytes(os.urandom(8)) & _RANDOM_MASK
    return UUID(int=high << 64 | low)
