"""An order that is over: closed with a reason, kept with its files (P18, P19)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now

CLOSE = """
UPDATE customer_order
   SET state = CASE state WHEN 'cancelled' THEN state ELSE 'closed' END, closed_at = $2,
       closed_by = $3, closing_reason = $4
 WHERE id = $1 AND closed_at IS NULL
"""

KEEP = """
INSERT INTO archive_entry (order_id, channel, year, number, created_at,
                           file, kind, sha256)
SELECT $1, $2, $3, $4, $5, e.*
  FROM unnest($6::text[], $7::text[], $8::text[]) AS e
ON CONFLICT ON CONSTRAINT archive_entry_pkey DO UPDATE
   SET sha256 = EXCLUDED.sha256
 WHERE archive_entry.sha256 <> EXCLUDED.sha256
"""


class ArchiveFile(NamedTuple):
    """A file of the archive: a printed paper, a photo, or the index."""

    file: str
    kind: str
    sha256: str


class Place(NamedTuple):
    """Where an order lies in the archive."""

    channel: str
    year: int
    number: str

    @property
    def folder(self) -> str:
        """Name the folder: `{channel}/{year}/{order}/`."""
        return f"{self.channel}/{self.year}/{self.number}/"


async def close_order(order_id: UUID, reason: str, *, actor: Actor) -> bool:
    """Close an order; a closed one keeps its first reason. The caller holds its lock.

    A cancelled order stays cancelled, and is over too. Returns whether it was still open.
    """
    return bool(await db.execute(CLOSE, order_id, now(), actor.person_id, reason))


async def keep_files(order_id: UUID, place: Place, files: Sequence[ArchiveFile]) -> None:
    """List files under an order's folder; a file listed again is the newer content."""
    names, kinds, hashes = zip(*files, strict=True)
    await db.execute(KEEP, order_id, *place, now(), names, kinds, hashes)
