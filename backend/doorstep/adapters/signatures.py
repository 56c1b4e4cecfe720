"""Signatures over raw bytes, compared in constant time, with several keys while one is rotated."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable


def keys_of(setting: str) -> tuple[str, ...]:
    """List the keys of a comma-separated setting; none means that nothing is genuine."""
    return tuple(key.strip() for key in setting.split(",") if key.strip())


def hex_hmac_sha256(key: str, body: bytes) -> str:
    """Write HMAC-SHA256 in lower-case hexadecimal (Base16)."""
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def _same(left: str, right: str) -> bool:
    # compare_digest takes only ASCII text; headers may hold anything.
    return hmac.compare_digest(left.encode(), right.encode())


def signed_by_any(keys: Iterable[str], body: bytes, signature: str) -> bool:
    """Tell whether one of the keys made the signature; every key is tried, whatever the result."""
    given = signature.strip().lower()
    return True in [_same(hex_hmac_sha256(key, body), given) for key in keys]


def any_equals(keys: Iterable[str], given: str) -> bool:
    """Tell whether a plain secret is one of the keys."""
    return True in [_same(key, given) for key in keys]


def base64_hmac_sha1(key: str, text: bytes) -> str:
    """Write HMAC-SHA1 in Base64, as Twilio signs."""
    return base64.b64encode(hmac.new(key.encode(), text, hashlib.sha1).digest()).decode()


def hashed_by_any(keys: Iterable[str], text: bytes, signature: str) -> bool:
    """Tell whether one of the keys made a Base64 HMAC-SHA1; every key is tried."""
    return True in [_same(base64_hmac_sha1(key, text), signature.strip()) for key in keys]
