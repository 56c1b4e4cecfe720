"""Phones of many days against the real API: every capture arrives once, whatever happens (SPEC IC7).

`DAYS_SEED` draws other days, `DAYS` says how many.
"""

from __future__ import annotations

import faulthandler
import os
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import asyncpg
import pytest

from tests.support import days_reckoning, device_days
from tests.support.whole_stack import WholeStack, whole_stack

Record = Callable[[str, object], None]

SEED = int(os.environ.get("DAYS_SEED", "7"))
DAYS = int(os.environ.get("DAYS", "200"))
MANY_DAYS = 2_000
ENOUGH = 150
"""Days after which every misfortune has come; fewer are for looking into one."""

MISFORTUNES = {
    "deaths", "storages_lost", "undone", "no_room", "two_pages", "jumps", "versions", "sign_ins", "legs",
    "lost_on_the_way", "answer_lost", "cut_answer", "cut_uploads", "late", "twice", "status",
    "portal", "token_ended", "earlier_answer", "receipts_missing",
}  # fmt: skip

# What a phone or a server that errs would leave behind, and how the reckoning names it.
MISTAKES = {
    "told of twice": "INSERT INTO told SELECT * FROM told LIMIT 1",
    "lost": "INSERT INTO told SELECT gen_random_uuid(), person_id, type FROM told LIMIT 1",
    "kept under another": "UPDATE told SET type = type || '?'",
    "from nowhere": "DELETE FROM told WHERE type = 'scans.add'",
    "told another receipt": "UPDATE told SET verdict = 'held' WHERE verdict = 'applied'",
    "applied, but its effect": "UPDATE told SET effects = effects || gen_random_uuid()",
    "an effect of nothing": """
INSERT INTO unannounced_goods
SELECT gen_random_uuid(), location_id, code, words, photo_sha256, actor_id, captured_at, recorded_at
  FROM unannounced_goods LIMIT 1
""",
    "held, although": "UPDATE held_step SET released_at = NULL, verdict = NULL",
    "rejected, and the phone": "UPDATE told SET quarantined = false WHERE verdict = 'rejected'",
    "needs a person": "UPDATE problem SET ref = ref || '?'",
    "a picture that is not": "UPDATE told SET pictures = pictures || repeat('0', 64)",
    "a picture from nowhere": "UPDATE told SET pictures = '{}'",
    "kept as a stray": """
INSERT INTO stray_capture
SELECT gen_random_uuid(), event_id, 'differs', body, digest, person_id, device_id, app_version,
       request_id, received_at FROM capture LIMIT 1
""",
}


@pytest.fixture
async def own(tmp_path: Path) -> AsyncIterator[WholeStack]:
    """A company in which nothing happens but what its phones do."""
    async with whole_stack(tmp_path / "own", fsync=False) as running:
        yield running


async def play(own: WholeStack, folder: Path, record: Record, *, days: int) -> None:
    """Let phones work so many days, and find every capture where it belongs."""
    patience = 120 + 5 * days
    # Instead of the limit that pytest has set for tests whose length is known.
    faulthandler.dump_traceback_later(2 * patience, exit=True, file=sys.__stderr__)
    played = await device_days.play(own, folder, seed=SEED, days=days, timeout=patience)
    record("counts", played.counts(SEED, days))
    connection = await asyncpg.connect(own.environment["DATABASE_URL"])
    try:
        await days_reckoning.load(connection, played.told, played.begun)
        verdicts = await days_reckoning.verdicts(connection)
        mix = await days_reckoning.mix(connection)
        record("counts", f"device-days: {verdicts}, {mix}")
        assert played.left == []
        wrong = await days_reckoning.reckon(connection)
        assert not wrong, "\n".join(wrong)
        blobs = Path(url2pathname(urlsplit(own.environment["BLOB_URL"]).path))
        assert await days_reckoning.spoilt_files(connection, blobs) == []
        if days >= ENOUGH:
            # What has never come, nothing was proven of.
            assert verdicts.keys() == {"applied", "held", "review", "rejected"}
            assert {name for name, count in mix.items() if not count} == set()
            assert {name for name in MISFORTUNES if not played.totals.get(name)} == set()
            await find_mistakes(connection)
    finally:
        await connection.close()
    status, said = await own.doctor()
    assert status == 0, said


async def find_mistakes(connection: asyncpg.Connection[Any]) -> None:
    """Make each mistake there may be, once, and take it back: the reckoning names all of them."""
    found = set()
    for words, sql in MISTAKES.items():
        planted = connection.transaction()
        await planted.start()
        await connection.execute(sql)
        named = [
            wrong for wrong in await days_reckoning.reckon(connection) if wrong.startswith(words)
        ]
        await planted.rollback()
        assert named, words
        found |= {wrong.split(": {")[0] for wrong in named if ": {" in wrong}
    assert found == days_reckoning.WRONGS.keys()
    assert await days_reckoning.reckon(connection) == []


async def test_every_capture_of_device_days_arrives_once(
    own: WholeStack, tmp_path: Path, record_property: Record
) -> None:
    await play(own, tmp_path, record_property, days=DAYS)


@pytest.mark.soak
async def test_every_capture_of_many_device_days_arrives_once(
    own: WholeStack, tmp_path: Path, record_property: Record
) -> None:
    await play(own, tmp_path, record_property, days=max(DAYS, MANY_DAYS))


async def test_a_photo_arrives_over_a_line_that_drops_all_the_time(
    stack: WholeStack, record_property: Record
) -> None:
    """250 kB at 64 kbit/s with a drop every 10 s, all of it ten times as fast."""
    photo = device_days.noisy_jpeg(944, 700, SEED, quality=45)
    assert 245_000 < len(photo) < 260_000
    told = await device_days.send_over_bad_line(
        stack, photo, bits_per_second=64_000, drop_every_ms=10_000, scale=10
    )
    record_property("counts", f"bad line: {told}")
    assert told["done"]
    [upload] = await stack.rows(
        "SELECT u.verified_at, b.size FROM upload u JOIN blob b USING (sha256) WHERE sha256 = $1",
        told["sha256"],
    )
    assert upload["verified_at"] is not None
    assert upload["size"] == len(photo)
    assert told["drops"] >= 3
    assert told["again"] <= 2 * told["drops"]
