"""Small pictures that stand for photos which are still on their phones.

Owns the table `picture_preview`. A preview is uploaded like any file, by its own hash; here it says
only what it stands for. Nothing that judges proofs reads this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import Struct

from doorstep.core import db, pictures
from doorstep.core.actor import Actor
from doorstep.core.captures.photos import Photo
from doorstep.core.clock import now

NAME = """
INSERT INTO picture_preview (sha256, preview_sha256, person_id, named_at)
SELECT DISTINCT ON (u.sha256) u.sha256, u.preview_sha256, $3::uuid, $4::timestamptz
  FROM unnest($1::text[], $2::text[]) AS u (sha256, preview_sha256)
 ORDER BY u.sha256, u.preview_sha256
ON CONFLICT (sha256, person_id) DO NOTHING
"""

# The photo itself wins; before that, a preview that whoever names it has also handed in.
SHOWN = """
SELECT w.sha256, x.sha256 IS NOT NULL AS whole, small.preview_sha256
  FROM unnest($1::text[]) AS w (sha256)
  LEFT JOIN picture x ON x.sha256 = w.sha256 AND x.derivative = 'large'
  LEFT JOIN LATERAL (
    SELECT p.preview_sha256 FROM picture_preview p
      JOIN upload u ON u.sha256 = p.preview_sha256 AND u.person_id = p.person_id
       AND u.verified_at IS NOT NULL
      JOIN picture d ON d.sha256 = p.preview_sha256 AND d.derivative = 'large'
     WHERE p.sha256 = w.sha256 AND x.sha256 IS NULL
     ORDER BY p.named_at, p.person_id LIMIT 1) small ON true
"""


class PictureOut(Struct, kw_only=True):
    """A picture, by links that end after five minutes.

    `shown`: `photo`; `preview` while only a small one is here; `nothing` while neither is.
    """

    sha256: str
    shown: str
    thumbnail_url: str
    large_url: str


async def name(photos: Iterable[Photo], *, actor: Actor) -> None:
    """Remember which previews stand for the photos of a capture, in its transaction."""
    named = [
        (photo.sha256, photo.preview_sha256)
        for photo in photos
        if photo.preview_sha256 not in (None, photo.sha256)
    ]
    if named and actor.person_id is not None:
        columns: list[Any] = [list(column) for column in zip(*named, strict=True)]
        await db.execute(NAME, *columns, actor.person_id, now())


async def links(sha256s: Sequence[str], *, viewer: str) -> list[PictureOut]:
    """Make links to pictures, in their order: to the photo, or to its preview until it is here.

    The caller has checked that the viewer may see what names them.
    """
    rows = {row["sha256"]: row for row in await db.rows(SHOWN, list(sha256s))}
    found = []
    for sha256 in sha256s:
        row = rows[sha256]
        small = row["preview_sha256"]
        linked = small or sha256
        found.append(
            PictureOut(
                sha256=sha256,
                shown="photo" if row["whole"] else "preview" if small else "nothing",
                thumbnail_url=pictures.url(linked, "thumbnail", viewer=viewer),
                large_url=pictures.url(linked, "large", viewer=viewer),
            )
        )
    return found


async def with_links(rows: Sequence[dict[str, Any]], *, viewer: str) -> list[dict[str, Any]]:
    """Put links in the place of the hashes in each row's `photos`, each picture looked up once."""
    every = list(dict.fromkeys(sha256 for row in rows for sha256 in row["photos"]))
    shown = dict(zip(every, await links(every, viewer=viewer), strict=True))
    return [row | {"photos": [shown[one] for one in row["photos"]]} for row in rows]
