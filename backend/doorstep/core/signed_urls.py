"""Links that open one object for one viewer for at most five minutes (IA6).

The link itself is the permission, so that a page on a host without cookies can show a picture.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from doorstep.core.clock import now
from doorstep.settings import settings

MAX_SECONDS = 300


def sign(path: str, *, viewer: str, seconds: int = MAX_SECONDS) -> str:
    """Make a link to `path` that `viewer` (a person's or link's id, for the log) may open.

    Object and derivative are parts of the path, so the signature covers them. A longer life than
    300 seconds is cut to it.
    """
    expires = int(now().timestamp()) + min(seconds, MAX_SECONDS)
    signature = _signature(path, viewer, expires)
    return f"{path}?{urlencode({'viewer': viewer, 'exp': expires, 'sig': signature})}"


def verify(path: str, *, viewer: str, expires: int, signature: str) -> bool:
    """Tell whether the link was made here for this path and viewer and has not ended."""
    left = expires - int(now().timestamp())
    expected = _signature(path, viewer, expires)
    return hmac.compare_digest(expected.encode(), signature.encode()) and 0 < left <= MAX_SECONDS


def _signature(path: str, viewer: str, expires: int) -> str:
    # A key of its own: a signature made elsewhere with the same secret opens nothing here.
    key = hmac.digest(settings().secret_key.encode(), b"signed-urls", hashlib.sha256)
    # No path or viewer holds a line feed, so the three parts cannot be shifted into each other.
    message = f"{path}\n{viewer}\n{expires}".encode()
    return hmac.digest(key, message, hashlib.sha256).hex()
