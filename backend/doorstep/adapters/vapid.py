"""VAPID (RFC 8292): the key pair by which push services know us, and headers signed with it."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from email_validator import EmailNotValidError, validate_email
from py_vapid import Vapid02

from doorstep.core.clock import now

LIFE = timedelta(hours=12)
"""Push services take at most 24 hours; the rest is for clocks that differ."""

RENEWED_BEFORE = timedelta(hours=1)
MOST_ORIGINS = 500
"""Windows has a host per region; whoever makes hosts up does not fill our memory."""


class BadVapidSettings(ValueError):
    """VAPID_PRIVATE_KEY or VAPID_SUBJECT cannot be used; nothing starts with them."""


class _Signed(NamedTuple):
    header: str
    renew_at: datetime


class VapidSigner:
    """Signs as this installation; each origin's header is kept until an hour before it ends."""

    def __init__(self, private_key: str, subject: str) -> None:
        """Read the key and look at the subject. Raises: BadVapidSettings."""
        check_subject(subject)
        self._vapid = _read_key(private_key)
        self._subject = subject
        self._signed: dict[str, _Signed] = {}
        point = self._vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public_key = base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def header(self, endpoint: str) -> str:
        """Give the Authorization header for the push service that this endpoint is of."""
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        moment = now()
        known = self._signed.get(audience)
        if known is None or not known.renew_at - LIFE <= moment < known.renew_at:
            if len(self._signed) >= MOST_ORIGINS:
                self._signed.clear()
            # A dictionary of its own: py_vapid and pywebpush write into what they are given.
            claims = {
                "aud": audience,
                "sub": self._subject,
                "exp": int((moment + LIFE).timestamp()),
            }
            known = _Signed(
                self._vapid.sign(claims)["Authorization"], moment + LIFE - RENEWED_BEFORE
            )
            self._signed[audience] = known
        return known.header


def check_subject(subject: str) -> None:
    """Make sure that a push service can reach somebody there: Apple answers 403 otherwise.

    Raises: BadVapidSettings.
    """
    parts = urlsplit(subject)
    if parts.scheme == "mailto":
        try:
            validate_email(parts.path, check_deliverability=False)
        except EmailNotValidError as wrong:
            raise BadVapidSettings(f"VAPID_SUBJECT {subject!r}: {wrong}") from wrong
    elif parts.scheme != "https" or "." not in (parts.hostname or "").strip("."):
        raise BadVapidSettings(
            f"VAPID_SUBJECT must be a mailto: or https: address that exists, not {subject!r}."
        )


def _read_key(private_key: str) -> Vapid02:
    # py_vapid itself would make up a new key where the file is missing, and silence every phone.
    try:
        text = Path(private_key).read_text() if private_key.startswith("/") else private_key
        if "-----BEGIN" in text:
            vapid = Vapid02.from_pem(text.strip().encode())
        else:
            vapid = Vapid02.from_string("".join(text.split()))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        # The message of the library may hold parts of the key.
        raise BadVapidSettings("VAPID_PRIVATE_KEY cannot be read.") from wrong
    if not isinstance(vapid.private_key, ec.EllipticCurvePrivateKey) or (
        vapid.private_key.curve.name != "secp256r1"
    ):
        raise BadVapidSettings("VAPID_PRIVATE_KEY is not a key of the curve P-256.")
    return vapid
