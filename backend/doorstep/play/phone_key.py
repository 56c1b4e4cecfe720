"""The key of a phone, as its browser makes it."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from doorstep.core.auth.device_keys import HALF, PublicKey


class PhoneKey:
    """Signs what a phone captures; the server knows its public half."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public(self) -> PublicKey:
        """Return the public half, as the enrolment takes it."""
        point = self._key.public_key().public_numbers()
        return PublicKey(kty="EC", crv="P-256", x=_spell(point.x), y=_spell(point.y))

    def sign(self, content: bytes) -> str:
        """Sign as WebCrypto does: r and s in base64url."""
        r, s = decode_dss_signature(self._key.sign(content, ec.ECDSA(SHA256())))
        return urlsafe_b64encode(r.to_bytes(HALF) + s.to_bytes(HALF)).rstrip(b"=").decode()


def _spell(number: int) -> str:
    return urlsafe_b64encode(number.to_bytes(HALF)).rstrip(b"=").decode()
