"""Files of any kind, kept under the hash of their content in a folder or a bucket.

The bytes are written first, then the row of table `blob`: a crash between the two leaves bytes
that the next `put` of the same content finds and completes. The store is out of our transaction,
so nothing here may run inside one.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import timedelta
from typing import Any

import obstore
from obstore.store import ObjectStore, from_url

from doorstep.core import db
from doorstep.core.errors import NotFound, Unavailable
from doorstep.core.failpoints import failpoint
from doorstep.core.ids import uuid7

SHA256 = re.compile(r"[0-9a-f]{64}")
TIMEOUT = 20.0
SELF_TEST_TIMEOUT = 5.0

_store: ObjectStore | None = None


class BlobMissing(NotFound):
    title = "The file is not, or no longer, stored here."


class BlobDamaged(Unavailable):
    title = "The stored file is damaged; nothing of it is handed out."


class StoreUnavailable(Unavailable):
    title = "The file store is out of reach for a moment. Please try again."


class StoreInsideTransaction(RuntimeError):
    """A blob was touched inside a transaction, which would hold locks during a network call."""


async def start(url: str) -> None:
    """Open the store of this process: file:///folder (made if missing), s3://, gs:// or az://.

    Keys and endpoints of buckets come from the usual variables of each cloud (AWS_…, GOOGLE_…,
    AZURE_…). Nothing is sent yet; `self_test` does that.

    Raises: ValueError for a URL that names no store; StoreUnavailable if the folder cannot be made.
    """
    global _store  # noqa: PLW0603 - one store per process, like the database pool.
    options: dict[str, Any] = (
        {"mkdir": True}
        if url.startswith("file:")
        else {
            "client_options": {"timeout": timedelta(seconds=10)},
            "retry_config": {"max_retries": 2, "retry_timeout": timedelta(seconds=TIMEOUT)},
        }
    )
    try:
        _store = from_url(url, **options)
    except OSError as refused:
        raise StoreUnavailable(f"{url}: {refused}") from refused
    except obstore.exceptions.BaseError as unusable:
        raise ValueError(f"BLOB_URL {url!r} names no file store: {unusable}") from unusable


async def stop() -> None:
    """Forget the store of this process."""
    global _store  # noqa: PLW0603 - see start.
    _store = None


def _opened() -> ObjectStore:
    if db.in_transaction():
        raise StoreInsideTransaction
    if _store is None:
        raise StoreUnavailable("The file store is not started.")
    return _store


def path_of(sha256: str) -> str:
    """Place a file in the store: `ab/cd/<sha256>`, so that no folder grows too wide.

    Raises: BlobMissing if it is no hash (and could be a path that leads elsewhere).
    """
    if not SHA256.fullmatch(sha256):
        raise BlobMissing
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


async def put(data: bytes, *, mime: str) -> str:
    """Keep the bytes, once however often they are given; answer their sha256.

    Raises: StoreUnavailable.
    """
    store = _opened()
    sha256 = hashlib.sha256(data).hexdigest()
    failpoint("blobs.before_write")
    await _write(store, path_of(sha256), data)
    failpoint("blobs.after_write")
    await db.execute(
        "INSERT INTO blob (sha256, size, mime) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        sha256,
        len(data),
        mime,
    )
    return sha256


async def get(sha256: str) -> bytes:
    """Read the bytes, checked against their hash.

    Raises: BlobMissing, BlobDamaged, StoreUnavailable.
    """
    data = await _read(_opened(), path_of(sha256))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise BlobDamaged(sha256=sha256)
    return data


async def exists(sha256: str) -> bool:
    """Tell whether the bytes are in the store (asks the store, not the table; IC4).

    Raises: StoreUnavailable.
    """
    store = _opened()
    try:
        async with asyncio.timeout(TIMEOUT):
            await obstore.head_async(store, path_of(sha256))
    except (FileNotFoundError, BlobMissing):
        return False
    except (obstore.exceptions.BaseError, OSError) as failed:
        raise StoreUnavailable(str(failed)) from failed
    return True


async def delete(sha256: str) -> None:
    """Remove the bytes, then the row; once both are gone nothing happens.

    Raises: StoreUnavailable; the row then stays, so that retention finds it again.
    """
    await _remove(_opened(), path_of(sha256))
    await db.execute("DELETE FROM blob WHERE sha256 = $1", sha256)


async def self_test() -> None:
    """Write a small object, read it back and delete it, as /health/ready does.

    Raises: StoreUnavailable, also when what comes back is not what was written.
    """
    store = _opened()
    name = uuid7()
    written = name.bytes
    path = f"self-test/{name}"
    try:
        async with asyncio.timeout(SELF_TEST_TIMEOUT):
            await _write(store, path, written)
            read = await _read(store, path)
            await _remove(store, path)
    except (TimeoutError, BlobMissing) as failed:
        raise StoreUnavailable("The file store does not keep what it is given.") from failed
    if read != written:
        raise StoreUnavailable("The file store gives back other bytes than it was given.")


async def _write(store: ObjectStore, path: str, data: bytes) -> None:
    try:
        async with asyncio.timeout(TIMEOUT):
            await obstore.put_async(store, path, data)
    except (obstore.exceptions.BaseError, OSError) as failed:
        raise StoreUnavailable(str(failed)) from failed


async def _read(store: ObjectStore, path: str) -> bytes:
    try:
        async with asyncio.timeout(TIMEOUT):
            found = await obstore.get_async(store, path)
            return bytes(await found.bytes_async())
    except FileNotFoundError as missing:
        raise BlobMissing from missing
    except (obstore.exceptions.BaseError, OSError) as failed:
        raise StoreUnavailable(str(failed)) from failed


async def _remove(store: ObjectStore, path: str) -> None:
    try:
        async with asyncio.timeout(TIMEOUT):
            await obstore.delete_async(store, path)
    except FileNotFoundError:
        # Buckets answer a second delete like the first one; the folder is made to do the same.
        return
    except (obstore.exceptions.BaseError, OSError) as failed:
        raise StoreUnavailable(str(failed)) from failed
