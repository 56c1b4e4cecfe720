"""Sync: phones that push one capture a request, and a hundred; both counted per capture.

Beside them pgbench sends what the push of one capture sends: kept, carried out, its receipt read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
from litestar import Litestar

from doorstep.core import db, db_engine
from doorstep.core.captures.envelope import MAX_EVENTS
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.field.captured import CAPTURES
from tests.bench import client, compare, scanning
from tests.bench.machine import Machine
from tests.bench.replay import Asked, make_replay, record_requests
from tests.bench.report import Figure
from tests.factories.phone_keys import signed
from tests.support.access import Person, enter

PATH = "/field/sync/push"
PHONES = 64
"""So many that two connections seldom bring captures of one phone, which go one after another."""

CAPTURES_PER_PUSH = 25
"""One batch for so many single pushes: about the same time for both."""


class Phone:
    """A courier's phone that scans one label after another."""

    def __init__(self, courier: Person) -> None:
        self.headers = courier.headers | {"Content-Type": "application/json"}
        self.token = courier.tokens.access_token
        self._key, self._seq, self._boot = courier.key, 0, uuid4()

    def batch(self, labels: Sequence[str]) -> bytes:
        """Write one push: a signed capture for each label."""
        return msgspec.json.encode(
            {
                "app_version": "1.0.0",
                "sent_at": now(),
                "events": [self._event(label) for label in labels],
            }
        )

    def _event(self, label: str) -> dict[str, Any]:
        assert self._key is not None
        self._seq += 1
        event = {
            "event_id": uuid7(), "type": "scans.add", "schema": CAPTURES["scans.add"].schema,
            "lane": "run", "device_seq": self._seq, "captured_at": now() - timedelta(seconds=5),
            "mono_ms": self._seq * 1000, "boot": self._boot, "server_at": None,
            "server_mono_ms": None, "payload": {"scans": [scanning.a_scan(label)]}, "sig": None,
        }  # fmt: skip
        found: dict[str, Any] = signed(event, self._key)
        return found


async def measure(app: Litestar, machine: Machine, orders: str, captures: int) -> list[Figure]:
    """Push captures of known labels by many phones."""
    base = await machine.copy(orders, "sync_base")
    labels = await scanning.make_pieces(machine, base)
    phones = await _phones(machine, base)
    singles = _pushes(phones, labels, captures, 1)
    batches = _pushes(phones, labels, captures // CAPTURES_PER_PUSH, MAX_EVENTS)
    recorded = await machine.copy(base, "sync_recorded")
    asked = [Asked("POST", PATH, phone.headers, body) for phone, body in singles]
    works, _ = await record_requests(app, machine.url(recorded), asked)
    replay = await make_replay(machine, await machine.copy(base, "sync_limit"), "sync", works)
    loads = {
        "sync push, single": _requests(singles),
        f"sync push, batch of {MAX_EVENTS}": _requests(batches),
    }
    async with machine.api(await machine.copy(base, "sync_served")) as api:
        single, many = await compare.over_http(api, loads, replay)
    return [single, compare.per_item(many, MAX_EVENTS)]


async def _phones(machine: Machine, database: str) -> list[Phone]:
    await db_engine.start(machine.url(database))
    try:
        channel = await db.value("SELECT id FROM channel WHERE code = 'AE'")
        return [Phone(await enter("courier", channel_ids=[channel])) for _ in range(PHONES)]
    finally:
        await db_engine.stop()


def _pushes(
    phones: Sequence[Phone], labels: Sequence[str], count: int, size: int
) -> list[tuple[Phone, bytes]]:
    taken = [phones[n % len(phones)] for n in range(count)]
    return [
        (phone, phone.batch([labels[(n * size + k) % len(labels)] for k in range(size)]))
        for n, phone in enumerate(taken)
    ]


def _requests(pushes: Sequence[tuple[Phone, bytes]]) -> list[bytes]:
    return [client.request("POST", PATH, phone.token, body) for phone, body in pushes]
