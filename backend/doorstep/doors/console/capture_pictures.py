"""Which pictures a kept capture names, and how far each of them is here."""

from __future__ import annotations

import re
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct

from doorstep.core import db, pictures
from doorstep.core.previews import PictureOut
from doorstep.doors.console import captures_sql as sql

# Types name pictures each in their own way, and what could not be read may name some too; only
# previews have a name that is the same everywhere, beside what they stand for.
_NAMED = re.compile(rb'"([0-9a-f]{64})"')
_PREVIEW = re.compile(rb'"preview_sha256"\s*:\s*"([0-9a-f]{64})"')
_OBJECT = re.compile(rb"\{[^{}]*\}")
_PHOTO = re.compile(rb'"sha256"\s*:\s*"([0-9a-f]{64})"')
MOST = 200


class CapturePicture(Struct, kw_only=True):
    """A picture that a capture names.

    `state`: `here`; `refused` where its bytes are here and no picture; `arriving`, with the bytes
    that have come; `awaited` while its phone has sent nothing. `picture` links to it or to its preview.
    """

    sha256: str
    state: Literal["here", "refused", "arriving", "awaited"]
    received: int
    length: int | None
    refused: str | None
    picture: PictureOut | None


async def pictures_of(body: bytes, person_id: UUID, *, viewer: str) -> list[CapturePicture]:
    """Tell of each picture that a capture of this person names how far it is here, in their order."""
    previews = {
        photo[1].decode(): small[1].decode()
        for one in _OBJECT.finditer(body)
        if (photo := _PHOTO.search(one[0])) and (small := _PREVIEW.search(one[0]))
    }
    small_ones = {found.decode() for found in _PREVIEW.findall(body)}
    named = dict.fromkeys(found.decode() for found in _NAMED.findall(body))
    wanted = [one for one in named if one not in small_ones][:MOST]
    asked = [*wanted, *(previews[one] for one in wanted if one in previews)]
    rows = {row["sha256"]: row for row in await db.rows(sql.PICTURES, asked, person_id)}
    return [_told(rows[one], rows.get(previews.get(one, "")), viewer) for one in wanted]


def _told(row: dict[str, Any], preview: dict[str, Any] | None, viewer: str) -> CapturePicture:
    shown: tuple[str, str] | None = None
    if row["here"] and row["shown"]:
        shown = ("photo", row["sha256"])
    elif preview is not None and preview["here"] and preview["shown"]:
        shown = ("preview", preview["sha256"])
    return CapturePicture(
        sha256=row["sha256"],
        state=_state(row),
        received=row["received"] or 0,
        length=row["length"],
        refused=row["refused"],
        picture=None if shown is None else _linked(row["sha256"], *shown, viewer=viewer),
    )


def _state(row: dict[str, Any]) -> Literal["here", "refused", "arriving", "awaited"]:
    if row["here"]:
        return "here" if row["refused"] is None else "refused"
    return "awaited" if row["received"] is None else "arriving"


def _linked(sha256: str, what: str, linked: str, *, viewer: str) -> PictureOut:
    return PictureOut(
        sha256=sha256,
        shown=what,
        thumbnail_url=pictures.url(linked, "thumbnail", viewer=viewer),
        large_url=pictures.url(linked, "large", viewer=viewer),
    )
