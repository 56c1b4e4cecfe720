"""Scans: one label a request, and a hundred; both beside pgbench inserting one row at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.bench import client, compare
from tests.bench.machine import Machine
from tests.bench.replay import Asked, Call, make_replay, record_requests
from tests.bench.report import Figure
from tests.bench.world import World

PATH = "/field/scans"
BATCH = 100
BATCHES_PER_SINGLE = 10
"""One batch for so many single scans: about the same time for both."""

# Every order has one piece with a label of its own, packed and booked.
MAKE_PIECES = """
WITH packed AS (
  INSERT INTO package
  SELECT gen_random_uuid(), f.id, 1, 1, 1000, 200, 200, 200, NULL, now() FROM fulfilment f
  RETURNING id, fulfilment_id
), booked AS (
  INSERT INTO shipment (id, order_id, fulfilment_id, carrier_id, leg, attempt, service, awb)
  SELECT gen_random_uuid(), f.order_id, f.id, c.id, 'outbound', 1, 'standard', 'BENCH-' || f.id
    FROM fulfilment f, carrier c WHERE c.kind = 'own'
  RETURNING id, fulfilment_id, awb
)
INSERT INTO piece
SELECT gen_random_uuid(), b.id, p.id, 1, 1, b.awb || '-1', 1000
  FROM booked b JOIN packed p USING (fulfilment_id)
RETURNING label_no
"""


async def measure(
    app: Litestar, machine: Machine, orders: str, world: World, scans: int
) -> list[Figure]:
    """Hand in scans of known labels; the limit is the insertion alone, without the sign-in."""
    base = await machine.copy(orders, "scan_base")
    labels = await make_pieces(machine, base)
    bodies = [_body([labels[n % len(labels)]]) for n in range(scans)]
    recorded = await machine.copy(base, "scan_recorded")
    works = await _record(app, machine, recorded, world, bodies)
    replay = await make_replay(machine, await machine.copy(base, "scan_limit"), "scan", works)
    batches = [
        _body([labels[(n + k) % len(labels)] for k in range(BATCH)])
        for n in range(scans // BATCHES_PER_SINGLE)
    ]
    loads = {
        "scan, single": _requests(world, bodies),
        "scan, batch of 100": _requests(world, batches),
    }
    async with machine.api(await machine.copy(base, "scan_served")) as api:
        single, many = await compare.over_http(api, loads, replay)
    # The limit stays what it is: one row a transaction.
    return [single, compare.per_item(many, BATCH)]


async def make_pieces(machine: Machine, database: str) -> list[str]:
    """Pack and book every order of a database; return the labels of the pieces."""
    connection = await asyncpg.connect(machine.url(database))
    try:
        labels = [row[0] for row in await connection.fetch(MAKE_PIECES)]
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return labels


def a_scan(label: str) -> dict[str, Any]:
    """Write one scan of a label."""
    return {
        "scan_uid": uuid7(),
        "label_no": label,
        "kind": "hub_in",
        "captured_at": now(),
        "place": {"lat": 25.1, "lng": 55.2, "accuracy_m": 9},
    }


def _body(labels: Sequence[str]) -> bytes:
    return msgspec.json.encode({"scans": [a_scan(label) for label in labels]})


def _requests(world: World, bodies: Sequence[bytes]) -> list[bytes]:
    return [client.request("POST", PATH, world.courier_token, body) for body in bodies]


async def _record(
    app: Litestar, machine: Machine, database: str, world: World, bodies: Sequence[bytes]
) -> list[list[Call]]:
    headers = {
        "Authorization": f"Bearer {world.courier_token}",
        "Content-Type": "application/json",
    }
    asked = [Asked("POST", PATH, headers, body) for body in bodies]
    works, _ = await record_requests(app, machine.url(database), asked)
    return [[call for call in work if "INSERT INTO scan" in call.sql] for work in works]
