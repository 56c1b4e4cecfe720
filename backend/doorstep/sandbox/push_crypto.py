"""What a push service and a browser do with a push: check who sent it, and decrypt it.

Written from the RFCs (8188, 8291, 8292) with plain primitives, so that it does not share a mistake
with the library that encrypts.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorstep.core import clock

CURVE = ec.SECP256R1()
TAG = 16
LAST_RECORD = 2
LONGEST_LIFE = 24 * 3600


class NotDecryptable(ValueError):
    """The body is not one aes128gcm record for these keys; the words say where it breaks."""


class NotOurSender(ValueError):
    """The Authorization header does not prove who sends; the words say why."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A browser's side of a subscription: the private key and the shared secret."""

    private_key: ec.EllipticCurvePrivateKey
    auth: bytes

    @property
    def p256dh(self) -> bytes:
        """The public key, an uncompressed point."""
        return _point(self.private_key.public_key())

    def decrypt(self, body: bytes) -> bytes:
        """Decrypt a push (RFC 8291 §4: one record, its key id the sender's point).

        Raises: NotDecryptable.
        """
        salt, size, id_length = body[:16], int.from_bytes(body[16:20]), body[20:21]
        sender = body[21:86]
        record = body[86:]
        if id_length != b"\x41" or not TAG + 1 < len(record) <= size:
            raise NotDecryptable("the header is not that of one record from one sender")
        try:
            theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender)
            shared = self.private_key.exchange(ec.ECDH(), theirs)
            info = b"WebPush: info\0" + self.p256dh + sender
            secret = _hkdf(self.auth, shared, info, 32)
            key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\0", 16)
            nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\0", 12)
            padded = AESGCM(key).decrypt(nonce, record, None)
        except (ValueError, InvalidTag) as wrong:
            raise NotDecryptable("the record is not for this key") from wrong
        plain = padded.rstrip(b"\0")
        if not plain or plain[-1] != LAST_RECORD:
            raise NotDecryptable("the last record does not end as one")
        return plain[:-1]


def new_reader(auth: bytes) -> Reader:
    """Make the keys of a subscription."""
    return Reader(ec.generate_private_key(CURVE), auth)


def reader_of(private_key: str, auth: str) -> Reader:
    """Read keys that were kept as base64url."""
    number = int.from_bytes(decode(private_key))
    return Reader(ec.derive_private_key(number, CURVE), decode(auth))


def private_text(reader: Reader) -> str:
    """Write the private key as base64url."""
    return encode(reader.private_key.private_numbers().private_value.to_bytes(32))


def check_sender(authorization: str, *, audience: str, server_key: str) -> dict[str, Any]:
    """Check a VAPID header (RFC 8292): the key of the subscription signed it, for us, and lately.

    Returns the claims. Raises: NotOurSender.
    """
    scheme, _, rest = authorization.partition(" ")
    given = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if scheme.lower() != "vapid" or not {"t", "k"} <= given.keys():
        raise NotOurSender("not a vapid header with t and k")
    if server_key and given["k"] != server_key:
        raise NotOurSender("another key than that of the subscription")
    signed, _, signature = given["t"].rpartition(".")
    try:
        head, claims = (msgspec.json.decode(decode(part)) for part in signed.split("."))
        raw = decode(signature)
        r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(given["k"]))
        key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(SHA256()))
    except (ValueError, InvalidSignature) as wrong:
        raise NotOurSender("BadJwtToken") from wrong
    left = claims.get("exp", 0) - clock.now().timestamp()
    if head.get("alg") != "ES256" or claims.get("aud") != audience:
        raise NotOurSender(f"signed for {claims.get('aud')}, not for {audience}")
    if not 0 < left <= LONGEST_LIFE:
        raise NotOurSender("signed too long ago, or for too long")
    if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
        raise NotOurSender("nobody to write to")
    return dict(claims)


def encode(content: bytes) -> str:
    """Write base64url without padding, as browsers do."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Read base64url without padding. Raises: ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hkdf(salt: bytes, secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
