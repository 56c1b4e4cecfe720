"""Opaque tokens, enrolment codes and their hashes. The plain ones are never stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from uuid import UUID

from doorstep.settings import settings

PREFIX = "dst_"
_SHAPE = re.compile(r"dst_[A-Za-z0-9_-]{43}")

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 26
_LOOKS_LIKE = str.maketrans("OIL", "011", "- ")

MINIMUM_KEY = 32


class SecretKeyMissing(RuntimeError):
    """SECRET_KEY is not set or shorter than 32 characters."""


def secret_key() -> bytes:
    """Give the installation's key; a server asks for it at start, so that it fails early.

    Raises: SecretKeyMissing.
    """
    key = settings().secret_key.encode()
    if len(key) < MINIMUM_KEY:
        raise SecretKeyMissing(f"SECRET_KEY must have {MINIMUM_KEY} characters at least.")
    return key


def _keyed(purpose: bytes, *parts: bytes) -> bytes:
    return hmac.digest(secret_key(), b"\x00".join((purpose, *parts)), "sha256")


def _spell(secret: bytes) -> str:
    return PREFIX + urlsafe_b64encode(secret).rstrip(b"=").decode()


def new_token() -> str:
    """Make a token of 256 random bits."""
    return _spell(secrets.token_bytes(32))


def is_token(text: str) -> bool:
    """Tell whether the text has the shape of our tokens, before the database is asked."""
    return _SHAPE.fullmatch(text) is not None


def hash_of(secret: str) -> bytes:
    """Return what is stored of a token or code. They are random, so a plain SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).digest()


def successor_of(refresh: str, session_id: UUID) -> str:
    """Return the refresh token that follows this one.

    It needs the old token and our key, so the same retry gets the same successor although only
    hashes are stored, and nobody computes it from the database.
    """
    return _spell(_keyed(b"refresh", session_id.bytes, refresh.encode()))


def access_of(refresh: str, session_id: UUID) -> str:
    """Return the access token that is issued together with this refresh token."""
    return _spell(_keyed(b"access", session_id.bytes, refresh.encode()))


def peppered(pin: str, device_id: UUID) -> str:
    """Mix our key into a PIN: six digits alone are guessed from their hash in minutes."""
    return _keyed(b"pin", device_id.bytes, pin.encode()).hex()


def device_mark(device_id: UUID) -> str:
    """Mark a device's id as written by us, so that a cookie names no device of somebody else."""
    return _keyed(b"device-mark", device_id.bytes).hex()


def new_code() -> str:
    """Make an enrolment code of 26 characters (130 bits) that nobody mistypes."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(CODE_LENGTH))


def normalise_code(typed: str) -> str:
    """Read a code as typed: small letters, dashes, spaces, O for 0, I and L for 1."""
    return typed.upper().translate(_LOOKS_LIKE)


def keyed_code(code: str, *bound_to: bytes) -> bytes:
    """Hash a short code with our key and with what it is for, so that a copy of a table tells none."""
    return _keyed(b"code", *bound_to, code.encode())


def session_by_code(code: str, *bound_to: bytes) -> str:
    """Return the token of the session that a code opens: typed twice at once, it is the same one."""
    return _spell(_keyed(b"session-by-code", *bound_to, code.encode()))
