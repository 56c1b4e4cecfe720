"""What the log of outgoing calls must not hold: secrets and personal data (pure)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

HIDDEN = "[hidden]"
ANSWER_LIMIT = 64 * 1024

# Names are compared without case, "_" and "-": `customer_email` contains `email`.
_SECRET = (
    "authorization",
    "password",
    "secret",
    "token",
    "apikey",
    "signature",
    "otp",
    "handovercode",
)
_SECRET_WHOLE = ("key", "pin", "cvv", "username")
_PERSONAL = (
    "email", "phone", "telephone", "mobile", "firstname", "lastname", "middlename", "street",
    "accountnumber", "taxvat", "remoteip", "forwardedfor", "ccowner", "recipient", "instructions",
)  # fmt: skip
_PERSONAL_WHOLE = ("name", "contact", "to", "dob", "customerdob", "lat", "lng", "address")
_PARTS = _SECRET + _PERSONAL
_WHOLE = frozenset(_SECRET_WHOLE + _PERSONAL_WHOLE)


def _hides(name: str, more: frozenset[str]) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return name in more or plain in _WHOLE or any(part in plain for part in _PARTS)


def _redact(content: Any, more: frozenset[str]) -> Any:
    if isinstance(content, dict):
        return {name: _member(name, value, more) for name, value in content.items()}
    if isinstance(content, list):
        return [_redact(item, more) for item in content]
    return content


def _member(name: str, value: Any, more: frozenset[str]) -> Any:
    # A structure under a hidden name ("contact": {…}) keeps its shape; its leaves decide.
    if isinstance(value, dict) or value is None:
        return _redact(value, more)
    return HIDDEN if _hides(name, more) else _redact(value, more)


def redact_body(body: bytes, more: frozenset[str] = frozenset()) -> str:
    """Write a JSON body without secrets and personal data, cut at 64 kB; other bodies by size only.

    `more` names further members to hide. A body that is not JSON may hold anything, so nothing of
    it is kept.
    """
    if not body:
        return ""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return f"[{len(body)} bytes, not JSON]"
    text = msgspec.json.encode(_redact(content, more)).decode()
    # PostgreSQL has no NUL in text; JSON may carry one escaped, which stays escaped here.
    return text if len(text) <= ANSWER_LIMIT else text[:ANSWER_LIMIT] + "…"


def redact_url(url: str) -> str:
    """Write a URL without the secrets of its query and without user:password."""
    parts = urlsplit(url)
    query = [
        (name, HIDDEN if _hides(name, frozenset()) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="[]"), ""))
