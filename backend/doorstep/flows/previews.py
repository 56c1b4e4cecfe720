"""Previews whose photo is here are let go of: rows, files and all.

Only what is nothing but a preview goes: small, uploaded by nobody but whoever named it as one, and
named by no capture as a picture. So nobody gets rid of a photo by calling it a preview.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import blobs, db, outbox
from doorstep.core.clock import now
from doorstep.core.jobs import job, recurring
from doorstep.flows.missing_pictures import NAMED

MOST_BYTES = 64 * 1024
AT_ONCE = 200
GIVEN_UP_AFTER = timedelta(days=14)
"""By then the phone has dropped it too, if it has not come."""

# What the phone still has to send is awaited, so that it does not come after it was pruned.
OVER = """
SELECT p.sha256, p.person_id, p.preview_sha256 FROM picture_preview p
 WHERE EXISTS (SELECT FROM picture x WHERE x.sha256 = p.sha256)
   AND (p.named_at < $2
     OR EXISTS (SELECT FROM picture d WHERE d.sha256 = p.preview_sha256)
     OR EXISTS (SELECT FROM picture_refusal r WHERE r.sha256 = p.preview_sha256))
 ORDER BY p.named_at LIMIT $1
"""

FORGET = "DELETE FROM picture_preview WHERE sha256 = $1 AND person_id = $2"

NOTHING_ELSE = f"""
SELECT EXISTS (SELECT FROM blob b WHERE b.sha256 = $1 AND b.size <= {MOST_BYTES})
   AND NOT EXISTS (SELECT FROM upload u WHERE u.sha256 = $1 AND u.person_id <> $2)
   AND NOT EXISTS (SELECT FROM picture_preview p WHERE p.preview_sha256 = $1)
   AND NOT EXISTS (SELECT FROM picture x WHERE x.blob_sha256 = $1)
   AND NOT EXISTS (SELECT FROM ({NAMED}) n WHERE n.sha256 = $1)
"""  # noqa: S608 - a constant

# Its upload goes too: a phone that comes with it again starts over, and is not told that it is here.
DROP = (
    "DELETE FROM upload WHERE sha256 = $1",
    "DELETE FROM picture_measure WHERE sha256 = $1",
    "DELETE FROM picture_refusal WHERE sha256 = $1",
)
DROP_PICTURES = "DELETE FROM picture WHERE sha256 = $1 RETURNING blob_sha256"

UNUSED = """
SELECT NOT EXISTS (SELECT FROM picture x WHERE x.blob_sha256 = $1 OR x.sha256 = $1)
   AND NOT EXISTS (SELECT FROM upload u WHERE u.sha256 = $1)
   AND NOT EXISTS (SELECT FROM person_portrait t WHERE t.sha256 = $1)
"""


@recurring("flows.prune_previews", every=600, timeout=120)
async def prune_previews(_payload: dict[str, Any]) -> None:
    """Let go of the previews whose photos are here."""
    for row in await db.rows(OVER, AT_ONCE, now() - GIVEN_UP_AFTER):
        await _prune(row)


@db.transactional
async def _prune(row: dict[str, Any]) -> None:
    preview = row["preview_sha256"]
    await db.execute(FORGET, row["sha256"], row["person_id"])
    if not await db.value(NOTHING_ELSE, preview, row["person_id"]):
        return
    made = [one["blob_sha256"] for one in await db.rows(DROP_PICTURES, preview)]
    for statement in DROP:
        await db.execute(statement, preview)
    await outbox.add("flows.drop_preview_files", {"sha256s": [preview, *sorted(set(made))]})


@job("flows.drop_preview_files", timeout=60)
async def drop_preview_files(payload: dict[str, Any]) -> None:
    """Delete the files of a preview, unless somebody has come with the same content meanwhile."""
    for sha256 in payload["sha256s"]:
        if await db.value(UNUSED, sha256):
            await blobs.delete(sha256)
