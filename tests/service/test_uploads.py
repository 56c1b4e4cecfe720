"""Uploads: any chunk twice, any process next, any crash; only the hash makes them count."""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import blobs, uploads
from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.auth import service
from doorstep.core.errors import NotAllowed

CHUNK = 32 * 1024
DATA = random.Random(7).randbytes(100_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(autouse=True)
async def store(tmp_path: Path) -> AsyncIterator[Path]:
    """A file store of the test's own."""
    await blobs.start((tmp_path / "blobs").as_uri())
    yield tmp_path / "blobs"
    await blobs.stop()


@pytest.fixture
async def courier(db: Any) -> Actor:
    """A courier with a phone."""
    return await a_person()


async def a_person() -> Actor:
    person_id: UUID = await service.create_person(role="courier", name="A courier")
    return Actor(role="courier", source="phone", person_id=person_id)


def chunks(data: bytes = DATA, size: int = CHUNK) -> list[tuple[int, bytes]]:
    return [(start, data[start : start + size]) for start in range(0, len(data), size)]


async def send(
    actor: Actor, data: bytes = DATA, *, sha256: str = SHA, size: int = CHUNK
) -> uploads.Progress:
    for offset, chunk in chunks(data, size):
        state = await uploads.add_chunk(sha256, offset, chunk, length=len(data), actor=actor)
    return state


async def outbox_kinds(db: Any) -> list[str]:
    return [row["kind"] for row in await db.rows("SELECT kind FROM outbox ORDER BY kind")]


async def count(db: Any, table: str) -> int:
    found: int = await db.value(f"SELECT count(*) FROM {table}")
    return found


async def test_a_file_in_chunks_is_verified_and_kept(db: Any, courier: Actor) -> None:
    state = await send(courier)

    assert state == uploads.Progress(len(DATA), len(DATA), True)
    assert await uploads.verified(SHA)
    assert await blobs.get(SHA) == DATA
    assert await count(db, "upload_part") == 0
    assert await outbox_kinds(db) == ["core.derive_pictures"]


async def test_one_that_is_not_whole_is_not_verified(db: Any, courier: Actor) -> None:
    await uploads.add_chunk(SHA, 0, DATA[:CHUNK], length=len(DATA), actor=courier)

    assert await uploads.progress(SHA, actor=courier) == (CHUNK, len(DATA), False)
    assert not await uploads.verified(SHA)
    assert not await blobs.exists(SHA)
    assert await outbox_kinds(db) == []


async def test_every_chunk_twice_changes_nothing(db: Any, courier: Actor) -> None:
    for offset, chunk in chunks():
        for _ in range(2):
            state = await uploads.add_chunk(SHA, offset, chunk, length=len(DATA), actor=courier)

    assert state.complete
    assert await blobs.get(SHA) == DATA
    assert (await outbox_kinds(db)).count("core.derive_pictures") == 1


async def test_the_same_chunk_from_eight_processes_at_once_counts_once(
    db: Any, courier: Actor
) -> None:
    for offset, chunk in chunks():
        sent = [
            uploads.add_chunk(SHA, offset, chunk, length=len(DATA), actor=courier) for _ in range(8)
        ]
        states = await asyncio.gather(*sent)

    assert all(state.complete for state in states)
    assert await count(db, "upload") == 1
    assert (await outbox_kinds(db)).count("core.derive_pictures") == 1


async def test_a_wrong_offset_is_refused_with_the_right_one(db: Any, courier: Actor) -> None:
    await uploads.add_chunk(SHA, 0, DATA[:CHUNK], length=len(DATA), actor=courier)

    with pytest.raises(uploads.WrongOffset) as ahead:
        await uploads.add_chunk(SHA, CHUNK + 1, b"x", length=None, actor=courier)
    with pytest.raises(uploads.WrongOffset) as across:
        await uploads.add_chunk(SHA, 10, DATA[10 : CHUNK + 10], length=None, actor=courier)
    with pytest.raises(uploads.WrongOffset) as unknown:
        await uploads.add_chunk("0" * 64, 5, b"x", length=10, actor=courier)

    assert ahead.value.headers == across.value.headers == {"Upload-Offset": str(CHUNK)}
    assert unknown.value.headers == {"Upload-Offset": "0"}
    assert await count(db, "upload_part") == 1


async def test_other_bytes_than_announced_start_over(db: Any, courier: Actor) -> None:
    with pytest.raises(uploads.HashDisagrees):
        await send(courier, DATA[:-1] + b"?")

    assert await count(db, "upload") == await count(db, "upload_part") == 0
    assert not await blobs.exists(SHA)
    assert (await send(courier)).complete


async def test_limits_are_named(db: Any, courier: Actor) -> None:
    too_long = uploads.MAX_LENGTH + 1
    with pytest.raises(uploads.UploadTooLong):
        await uploads.add_chunk(SHA, 0, b"x", length=too_long, actor=courier)
    with pytest.raises(uploads.LengthMissing):
        await uploads.add_chunk(SHA, 0, b"x", length=None, actor=courier)
    with pytest.raises(uploads.ChunkDoesNotFit):
        await uploads.add_chunk(SHA, 0, b"", length=1, actor=courier)
    with pytest.raises(uploads.ChunkDoesNotFit):
        await uploads.add_chunk(SHA, 0, b"x" * 65_537, length=70_000, actor=courier)
    with pytest.raises(uploads.ChunkDoesNotFit):
        await uploads.add_chunk(SHA, 0, b"xx", length=1, actor=courier)
    with pytest.raises(NotAllowed):
        await uploads.add_chunk(SHA, 0, b"x", length=1, actor=Actor.system("test"))

    assert await count(db, "upload") == 0


async def test_the_largest_file_goes_through(db: Any, courier: Actor) -> None:
    data = random.Random(8).randbytes(uploads.MAX_LENGTH)
    sha256 = hashlib.sha256(data).hexdigest()

    assert (await send(courier, data, sha256=sha256, size=uploads.MAX_CHUNK)).complete
    assert await blobs.get(sha256) == data


async def test_another_length_with_the_first_chunk_starts_over(db: Any, courier: Actor) -> None:
    await uploads.add_chunk(SHA, 0, DATA[:CHUNK], length=CHUNK + 1, actor=courier)

    assert (await send(courier)).complete


async def test_who_uploaded_it_before_is_told_at_once(db: Any, courier: Actor) -> None:
    await send(courier)

    first = await uploads.add_chunk(SHA, 0, DATA[:CHUNK], length=len(DATA), actor=courier)

    assert first == uploads.Progress(len(DATA), len(DATA), True)
    assert (await uploads.progress(SHA, actor=courier)).complete


async def test_another_person_learns_nothing_from_a_hash(db: Any, courier: Actor) -> None:
    await send(courier)
    other = await a_person()

    assert await uploads.progress(SHA, actor=other) == (0, None, False)
    state = await uploads.add_chunk(SHA, 0, DATA[:CHUNK], length=len(DATA), actor=other)
    assert not state.complete
    assert (await send(other)).complete
    assert (await outbox_kinds(db)).count("core.derive_pictures") == 1


@pytest.mark.parametrize("through", ["chunk", "question", "job"])
async def test_a_crash_before_the_file_is_kept_is_finished_later(
    db: Any, courier: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch, through: str
) -> None:
    async def crash(*_: object, **__: object) -> str:
        raise blobs.StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "put", crash)
        with pytest.raises(blobs.StoreUnavailable):
            await send(courier)
    assert not await uploads.verified(SHA)

    if through == "chunk":
        offset, last = chunks()[-1]
        assert (await uploads.add_chunk(SHA, offset, last, length=None, actor=courier)).complete
    elif through == "question":
        assert (await uploads.progress(SHA, actor=courier)).complete
    else:
        await uploads.finish_uploads({})
        assert not await uploads.verified(SHA), "left to the request that brings it"
        clock.advance(uploads.FINISH_AFTER)
        await uploads.finish_uploads({})
    assert await uploads.verified(SHA)


async def test_a_crash_between_file_and_row_is_finished_later(
    db: Any, courier: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "_mark_verified", crash)
        with pytest.raises(ConnectionError):
            await send(courier)
    assert await blobs.exists(SHA)
    assert not await uploads.verified(SHA)

    assert (await uploads.progress(SHA, actor=courier)).complete
    assert await outbox_kinds(db) == ["core.derive_pictures"]


async def test_the_job_drops_what_has_another_hash_and_goes_on(
    db: Any, courier: Actor, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object) -> None:
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(uploads, "_finish", crash)
        for data in (DATA[:-1] + b"?", DATA):
            with pytest.raises(ConnectionError):
                await send(courier if data == DATA else await a_person(), data)
    clock.advance(uploads.FINISH_AFTER)

    await uploads.finish_uploads({})

    assert await uploads.verified(SHA)
    assert await count(db, "upload") == 1


async def test_parts_that_nobody_goes_on_with_are_dropped(
    db: Any, courier: Actor, clock: Any
) -> None:
    await send(courier)
    unfinished = "1" * 64
    await uploads.add_chunk(unfinished, 0, b"x", length=2, actor=courier)

    clock.advance(uploads.STALE_AFTER - timedelta(hours=1))
    await uploads.drop_stale_uploads({})
    assert await count(db, "upload") == 2
    clock.advance(timedelta(hours=2))
    await uploads.drop_stale_uploads({})

    assert await count(db, "upload") == 1
    assert await uploads.verified(SHA)


async def test_unfinished_uploads_have_a_limit(
    db: Any, courier: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_OPEN", 2)
    for number in range(2):
        await uploads.add_chunk(f"{number:064}", 0, b"x", length=2, actor=courier)

    with pytest.raises(uploads.TooManyOpenUploads):
        await uploads.add_chunk(f"{2:064}", 0, b"x", length=2, actor=courier)
    await uploads.add_chunk(f"{2:064}", 0, b"x", length=2, actor=await a_person())


# --- The file store -------------------------------------------------------------------------------


async def test_a_blob_is_kept_once_under_its_hash(db: Any, store: Path) -> None:
    first = await blobs.put(DATA, mime="image/jpeg")
    second = await blobs.put(DATA, mime="image/jpeg")

    assert first == second == SHA
    assert (store / SHA[:2] / SHA[2:4] / SHA).read_bytes() == DATA
    assert await db.rows("SELECT sha256, size, mime FROM blob") == [
        {"sha256": SHA, "size": len(DATA), "mime": "image/jpeg"}
    ]


async def test_a_deleted_blob_is_gone_and_deleting_again_is_nothing(db: Any) -> None:
    await blobs.put(DATA, mime="image/jpeg")

    await blobs.delete(SHA)
    await blobs.delete(SHA)

    assert not await blobs.exists(SHA)
    assert await count(db, "blob") == 0
    with pytest.raises(blobs.BlobMissing):
        await blobs.get(SHA)


async def test_damaged_bytes_are_never_handed_out(db: Any, store: Path) -> None:
    await blobs.put(DATA, mime="image/jpeg")
    (store / SHA[:2] / SHA[2:4] / SHA).write_bytes(b"other")

    with pytest.raises(blobs.BlobDamaged):
        await blobs.get(SHA)


@pytest.mark.parametrize("name", ["../../etc/passwd", "A" * 64, "", f"{'a' * 64}\n"])
async def test_what_is_no_hash_reaches_no_file(db: Any, name: str) -> None:
    with pytest.raises(blobs.BlobMissing):
        await blobs.get(name)
    assert not await blobs.exists(name)


async def test_the_self_test_leaves_nothing_and_finds_a_broken_store(db: Any, store: Path) -> None:
    await blobs.self_test()
    assert not [path for path in store.rglob("*") if path.is_file()]

    shutil.rmtree(store)
    store.write_text("in the way")
    with pytest.raises(blobs.StoreUnavailable):
        await blobs.self_test()


async def test_no_blob_is_touched_inside_a_transaction(db: Any) -> None:
    with pytest.raises(blobs.StoreInsideTransaction):
        async with core_db.unit_of_work():
            await blobs.put(DATA, mime="image/jpeg")


async def test_a_url_that_names_no_store_is_refused() -> None:
    with pytest.raises(blobs.StoreUnavailable):
        await blobs.start("file:///proc/no-such-place")
    with pytest.raises(ValueError, match="BLOB_URL"):
        await blobs.start("ftp://somewhere/else")
