"""OAuth 1.0a signatures with HMAC-SHA256, as Magento wants them (integrations: Magento)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

Parameters = Sequence[tuple[str, str]]


class OAuthKeys(NamedTuple):
    """The four secrets of a Magento integration."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str


def percent(text: str) -> str:
    """Encode as RFC 3986 has it: everything but letters, digits and -._~"""
    return quote(text, safe="-._~")


def encode_query(parameters: Parameters) -> str:
    """Write a query string in the encoding that is signed."""
    return "&".join(f"{percent(name)}={percent(value)}" for name, value in parameters)


def signature(method: str, url: str, parameters: Parameters, keys: OAuthKeys) -> str:
    """Sign the method, the URL without its query, and all parameters; the body is not signed."""
    encoded = sorted((percent(name), percent(value)) for name, value in parameters)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    base = "&".join((method.upper(), percent(url), percent(joined)))
    secret = f"{percent(keys.consumer_secret)}&{percent(keys.token_secret)}"
    digest = hmac.new(secret.encode(), base.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def authorization(
    method: str, url: str, query: Parameters, keys: OAuthKeys, *, nonce: str, timestamp: int
) -> str:
    """Write the Authorization header for one request; a nonce is used once."""
    oauth = [
        ("oauth_consumer_key", keys.consumer_key),
        ("oauth_nonce", nonce),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_timestamp", str(timestamp)),
        ("oauth_token", keys.token),
        ("oauth_version", "1.0"),
    ]
    signed = signature(method, url, [*query, *oauth], keys)
    fields = ", ".join(f'{k}="{percent(v)}"' for k, v in [*oauth, ("oauth_signature", signed)])
    return f"OAuth {fields}"
