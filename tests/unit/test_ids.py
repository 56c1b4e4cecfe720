"""Ids are UUIDv7 that sort as they were made (RFC 9562)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from doorstep.core import ids
from doorstep.core.ids import uuid7

NOON = int(datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()) * 1_000_000_000


def test_an_id_is_of_version_7_and_tells_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_of_one_millisecond_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(NOON, NOON + 1_000_000, 500))
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(moments))
    made = [uuid7() for _ in range(2_000)]
    assert made == sorted(made) and len(set(made)) == 2_000
    assert {one.int >> 80 for one in made} == {NOON // 1_000_000}
