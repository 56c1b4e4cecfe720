"""How a capture names a picture: by the hash of its bytes, which are uploaded on their own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Slot = Annotated[str, Meta(min_length=1, max_length=40)]


class Photo(Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture, and the small one that the phone sends before it.

    Desks look at the preview until the photo is here; it never counts as proof.
    """

    slot: Slot
    sha256: Sha256
    preview_sha256: Sha256 | None = None
