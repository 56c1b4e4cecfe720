"""The headers by which a phone without a session proves who it is: it signs each request."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar.params import HeaderParameter

DeviceId = Annotated[UUID, HeaderParameter(name="Doorstep-Device", description="The device's id.")]
SignedAt = Annotated[
    str,
    HeaderParameter(
        name="Doorstep-Signed-At",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$",
        description="The time of the signature, in UTC; of captures later than the one before.",
    ),
]
SignatureOf = Annotated[
    str,
    HeaderParameter(
        name="Doorstep-Signature",
        pattern="^[A-Za-z0-9_-]{86}$",
        description="ECDSA P-256 with SHA-256: r and s, 64 bytes, in base64url.",
    ),
]
