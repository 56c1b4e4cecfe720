"""Uploads that survive a bad line: in chunks, from where they stopped, checked by their hash.

A phone knows the sha256 before it sends anything, so the hash is the address. Every part is a row,
so any process can take the next chunk. The bytes count only when their hash agrees; then they go
to the file store, and only after that the row says `verified`. A crash anywhere in between leaves
a state that the next chunk, the next question or the job `core.finish_uploads` completes.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

import structlog

from doorstep.core import blobs, db, media, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotAllowed, Refusal
from doorstep.core.failpoints import failpoint
from doorstep.core.ids import uuid7
from doorstep.core.jobs import recurring

MAX_LENGTH = 8 * 1024 * 1024
MAX_CHUNK = 64 * 1024
MAX_OPEN = 200
"""Unfinished uploads that one person may have at a time; parts lie in the database."""

FINISH_AFTER = timedelta(seconds=30)
"""Younger ones are left to the request that brings them."""

STALE_AFTER = timedelta(days=14)
"""Parts of an upload that nobody went on with are dropped; the phone still holds the picture."""

_READ = "SELECT id, length, received, verified_at FROM upload WHERE person_id = $1 AND sha256 = $2"
_LOCK = f"{_READ} FOR UPDATE"

log = structlog.get_logger(__name__)


class WrongOffset(Refusal):
    title = "The upload goes on from another place than this chunk."


class UploadTooLong(Invalid):
    status: ClassVar[int] = 413
    title = "The file is longer than may be uploaded."


class ChunkDoesNotFit(Invalid):
    title = "The chunk is empty, too large, or longer than what is missing."


class LengthMissing(Invalid):
    title = "The first chunk must say how long the whole file is (Upload-Length)."


class HashDisagrees(Invalid):
    title = "The bytes that arrived are not the announced ones. Please upload the file again."


class TooManyOpenUploads(Refusal):
    status: ClassVar[int] = 429
    title = "Too many uploads are unfinished. Please finish one before starting another."


class Progress(NamedTuple):
    """How far an upload has come; `complete` only once the hash agreed and the bytes are kept."""

    received: int
    length: int | None
    complete: bool


async def progress(sha256: str, *, actor: Actor) -> Progress:
    """Tell from which byte this person's upload goes on; finish it if only that was missing.

    An unknown upload answers 0, whoever else may have uploaded the same content.

    Raises: NotAllowed, HashDisagrees, blobs.StoreUnavailable.
    """
    upload = await db.row(_READ, _owner(actor), sha256)
    if upload is None:
        return Progress(0, None, False)
    if upload["verified_at"] is None and upload["received"] == upload["length"]:
        await _finish(upload["id"])
        return Progress(upload["length"], upload["length"], True)
    return Progress(upload["received"], upload["length"], upload["verified_at"] is not None)


async def add_chunk(
    sha256: str, offset: int, chunk: bytes, *, length: int | None, actor: Actor
) -> Progress:
    """Keep the next part of an upload; with the last one check the hash and store the file.

    A chunk that has arrived before changes nothing. `length` is needed with the first chunk; a
    first chunk with another length starts the upload over.

    Raises: WrongOffset (with the right one), ChunkDoesNotFit, LengthMissing, UploadTooLong,
        HashDisagrees (the parts are dropped), TooManyOpenUploads, NotAllowed,
        blobs.StoreUnavailable (the parts stay).
    """
    if not 1 <= len(chunk) <= MAX_CHUNK:
        raise ChunkDoesNotFit(max_chunk=MAX_CHUNK)
    if length is not None and not 1 <= length <= MAX_LENGTH:
        raise UploadTooLong(max_length=MAX_LENGTH)
    upload_id, state = await _keep_part(sha256, offset, chunk, length, _owner(actor))
    if state.complete or state.received != state.length:
        return state
    failpoint("uploads.before_assembly")
    await _finish(upload_id)
    failpoint("uploads.after_assembly")
    return state._replace(complete=True)


async def verified(sha256: str) -> bool:
    """Tell whether the bytes with this hash have arrived whole, from anyone (SPEC V4)."""
    return bool(
        await db.value(
            "SELECT EXISTS (SELECT FROM upload WHERE sha256 = $1 AND verified_at IS NOT NULL)",
            sha256,
        )
    )


def _owner(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise NotAllowed("Uploads belong to a person.")
    return actor.person_id


@db.transactional
async def _keep_part(
    sha256: str, offset: int, chunk: bytes, length: int | None, person_id: UUID
) -> tuple[UUID, Progress]:
    upload = await db.row(_LOCK, person_id, sha256)
    if upload is not None and upload["verified_at"] is not None:
        return upload["id"], Progress(upload["length"], upload["length"], True)
    if upload is not None and offset == 0 and length not in (None, upload["length"]):
        await _drop(upload["id"])
        upload = None
    if upload is None:
        upload = await _begin(sha256, offset, length, person_id)
    received, end = upload["received"], offset + len(chunk)
    if offset < received and end <= received:
        return upload["id"], Progress(received, upload["length"], False)
    if offset != received:
        raise WrongOffset(headers={"Upload-Offset": str(received)}, offset=received)
    if end > upload["length"]:
        raise ChunkDoesNotFit(offset=received, length=upload["length"])
    await db.execute(
        "INSERT INTO upload_part (upload_id, position, bytes) VALUES ($1, $2, $3)",
        upload["id"],
        offset,
        chunk,
    )
    await db.execute("UPDATE upload SET received = $2 WHERE id = $1", upload["id"], end)
    return upload["id"], Progress(end, upload["length"], False)


async def _begin(sha256: str, offset: int, length: int | None, person_id: UUID) -> db.Row:
    if offset != 0:
        raise WrongOffset(headers={"Upload-Offset": "0"}, offset=0)
    if length is None:
        raise LengthMissing
    unfinished = await db.value(
        "SELECT count(*) FROM upload WHERE person_id = $1 AND verified_at IS NULL", person_id
    )
    if unfinished >= MAX_OPEN:
        raise TooManyOpenUploads(max_open=MAX_OPEN, headers={"Retry-After": "60"})
    await db.execute(
        "INSERT INTO upload (id, sha256, person_id, length, started_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person_id, sha256) DO NOTHING",
        uuid7(),
        sha256,
        person_id,
        length,
        now(),
    )
    # Another process may have begun the same upload in the meantime: both go on with one row.
    return await db.one(_LOCK, person_id, sha256)


async def _drop(upload_id: UUID) -> None:
    await db.execute("DELETE FROM upload WHERE id = $1 AND verified_at IS NULL", upload_id)


async def _finish(upload_id: UUID) -> None:
    """Check the hash of a whole upload and store the file; any number of calls end the same.

    Raises: HashDisagrees, also when another process has just found that out and dropped the parts.
    """
    upload = await db.row(
        "SELECT u.sha256, u.verified_at, string_agg(p.bytes, ''::bytea ORDER BY p.position) AS data"
        " FROM upload u LEFT JOIN upload_part p ON p.upload_id = u.id"
        " WHERE u.id = $1 AND u.received = u.length GROUP BY u.id",
        upload_id,
    )
    if upload is not None and upload["verified_at"] is not None:
        return
    data: bytes = (upload and upload["data"]) or b""
    if upload is None or hashlib.sha256(data).hexdigest() != upload["sha256"]:
        await _drop(upload_id)
        log.warning("core.upload_hash_disagreed", upload_id=str(upload_id), size=len(data))
        raise HashDisagrees(headers={"Upload-Offset": "0"}, offset=0)
    await blobs.put(data, mime=media.sniff(data))
    await _mark_verified(upload_id, upload["sha256"])


@db.transactional
async def _mark_verified(upload_id: UUID, sha256: str) -> None:
    if not await db.execute(
        "UPDATE upload SET verified_at = $2 WHERE id = $1 AND verified_at IS NULL", upload_id, now()
    ):
        return
    await db.execute("DELETE FROM upload_part WHERE upload_id = $1", upload_id)
    await outbox.add("core.derive_pictures", {"sha256": sha256}, key=f"uploaded:{sha256}")
    log.info("core.upload_verified", sha256=sha256)


@recurring("core.finish_uploads", every=60, timeout=60)
async def finish_uploads(_payload: dict[str, Any]) -> None:
    """Check and store the uploads whose last chunk arrived in a process that then died."""
    waiting = await db.rows(
        "SELECT id FROM upload WHERE verified_at IS NULL AND received = length"
        " AND started_at < $1 ORDER BY started_at LIMIT 50",
        now() - FINISH_AFTER,
    )
    for upload in waiting:
        try:
            await _finish(upload["id"])
        except HashDisagrees:
            # The parts are dropped; the phone, which still holds the file, starts over by itself.
            log.info("core.upload_dropped", upload_id=str(upload["id"]))


@recurring("core.drop_stale_uploads", every=6 * 3600, timeout=60)
async def drop_stale_uploads(_payload: dict[str, Any]) -> None:
    """Drop the parts of uploads that were begun two weeks ago and never became whole."""
    dropped = await db.execute(
        "DELETE FROM upload WHERE verified_at IS NULL AND started_at < $1", now() - STALE_AFTER
    )
    if dropped:
        log.warning("core.stale_uploads_dropped", count=dropped)
