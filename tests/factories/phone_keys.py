"""The keys of the phones that the tests enrol, by the token that their requests carry."""

from __future__ import annotations

from typing import Any

import msgspec

from doorstep.core.captures.canonical import signed_bytes
from doorstep.play.phone_key import PhoneKey

_KEYS: dict[str, PhoneKey] = {}
_SIGNATURES: dict[tuple[int, bytes], str] = {}


def remember(headers: dict[str, str], key: PhoneKey) -> None:
    """Let the phone with these headers sign with this key."""
    _KEYS[headers["Authorization"]] = key


def key_of(headers: dict[str, str]) -> PhoneKey:
    """Find the key of a phone; a screen has none of its own, and gets one that nobody knows."""
    return _KEYS.setdefault(headers["Authorization"], PhoneKey())


def signed(event: Any, key: PhoneKey) -> Any:
    """Sign an event once, as its phone does at the capture; one that has a signature keeps it."""
    if not isinstance(event, dict) or event.get("sig", "") is not None:
        return event
    content = signed_bytes(msgspec.json.encode(event))
    signature = _SIGNATURES.setdefault((id(key), content), key.sign(content))
    return event | {"sig": signature}
