"""The public halves of the keys of phones, and whether something was signed with the other half.

A phone makes one key for each person who works with it (ECDSA, P-256) and cannot read its private
half; so whoever signs with it is that phone. A signature is the 64 bytes r, s in base64url.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import Annotated, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec import Meta, Struct

from doorstep.core.auth.errors import KeyNotOnCurve

HALF = 32
"""Bytes of a coordinate, and of each number of a signature."""

_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}")
_ES256 = ec.ECDSA(SHA256())

Coordinate = Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{43}$")]


class PublicKey(Struct, kw_only=True, forbid_unknown_fields=True):
    """A public key as browsers export it (JWK, RFC 7518 §6.2); with a private half it is refused."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Coordinate
    y: Coordinate
    ext: bool = True
    key_ops: Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=8)] = []


def point_of(key: PublicKey) -> bytes:
    """Return the key as it is stored: its point, uncompressed, 65 bytes.

    Raises: KeyNotOnCurve.
    """
    point = b"\x04" + _bytes(key.x) + _bytes(key.y)
    Verifier(point)
    return point


class Verifier:
    """Tells what was signed with the other half of a key; about 60 µs each."""

    def __init__(self, point: bytes) -> None:
        """Read a stored key.

        Raises: KeyNotOnCurve.
        """
        try:
            self._key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError as wrong:
            raise KeyNotOnCurve from wrong

    def has_signed(self, content: bytes, signature: str) -> bool:
        """Tell whether this is the phone's signature of exactly these bytes."""
        if not _SIGNATURE.fullmatch(signature):
            return False
        both = _bytes(signature)
        r, s = int.from_bytes(both[:HALF]), int.from_bytes(both[HALF:])
        try:
            self._key.verify(encode_dss_signature(r, s), content, _ES256)
        except InvalidSignature:
            return False
        return True


NOBODY = Verifier(
    bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
)
"""The curve's own base point: an unknown phone costs the work that a known one does."""


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
