"""What a phone has been given of its person's documents, and what differs from that now.

Owns the table `pull_state`. It is no log of changes: what the person is to have is read anew each
time, and compared by content with what the phone says it has. A transaction that commits late,
with an old time or out of turn, is found like any other: nothing is compared but content, so no
order of commits can hide a change. Nothing here knows what the documents are about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now

KEPT = 4
"""Manifests kept per phone beside the one it asks with: an answer that was lost costs nothing."""

Key = tuple[str, UUID]
"""The kind of a document, and its id."""

READ = "SELECT manifest FROM pull_state WHERE device_id = $1 AND cursor = $2"

KEEP = """
INSERT INTO pull_state (device_id, cursor, manifest, made_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (device_id, cursor) DO UPDATE SET made_at = excluded.made_at
"""

FORGET = """
DELETE FROM pull_state WHERE device_id = $1 AND cursor <> ALL ($2) AND cursor NOT IN (
  SELECT cursor FROM pull_state WHERE device_id = $1 ORDER BY made_at DESC, cursor LIMIT $3)
"""


class Difference(NamedTuple):
    """What a phone lacks, and what it has too much; `since` None: it is to forget all it has."""

    cursor: str
    since: str | None
    changed: frozenset[Key]
    gone: list[Key]


async def difference(
    device_id: UUID, cursor: str | None, documents: Mapping[Key, bytes]
) -> Difference:
    """Tell what differs between the documents as they are now and what this phone was given.

    The new cursor names this phone and the content of all of its documents, so as long as nothing
    changes it stays the same and no row is read or written. One that is unknown, of another phone
    or too old gets everything.
    """
    manifest = {_name(key): _digest(body) for key, body in documents.items()}
    present = _cursor(device_id, manifest)
    if cursor == present:
        return Difference(present, present, frozenset(), [])
    known = await _known(device_id, cursor)
    await _keep(device_id, present, manifest, asked_with=cursor)
    if known is None:
        return Difference(present, None, frozenset(documents), [])
    changed = {key for key in documents if known.get(_name(key)) != manifest[_name(key)]}
    gone = sorted(known.keys() - manifest.keys())
    return Difference(present, cursor, frozenset(changed), [_key(name) for name in gone])


async def _known(device_id: UUID, cursor: str | None) -> dict[str, str] | None:
    if cursor is None:
        return None
    found: dict[str, str] | None = await db.value(READ, device_id, cursor)
    return found


@db.transactional
async def _keep(
    device_id: UUID, cursor: str, manifest: Mapping[str, str], *, asked_with: str | None
) -> None:
    """Keep what the phone is given now; what it asks with stays until it asks with another one."""
    await db.execute(KEEP, device_id, cursor, manifest, now())
    await db.execute(FORGET, device_id, [cursor, asked_with or cursor], KEPT)


def _name(key: Key) -> str:
    return f"{key[0]}:{key[1]}"


def _key(name: str) -> Key:
    kind, _, given = name.partition(":")
    return kind, UUID(given)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:32]


def _cursor(device_id: UUID, manifest: Mapping[str, str]) -> str:
    content = msgspec.json.encode([device_id, sorted(manifest.items())])
    return hashlib.sha256(content).hexdigest()
