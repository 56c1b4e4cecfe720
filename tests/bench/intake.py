"""Order intake: the whole endpoint with sign-in, scope, idempotency key and hash chain."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import httpx
from litestar import Litestar

from tests.bench import client, compare
from tests.bench.machine import Api, Machine
from tests.bench.replay import Call, Recorder, make_replay
from tests.bench.report import Figure
from tests.bench.world import SCARCE, World, new_key, order_bodies, order_body

BUYERS = 64
PATH = "/api/orders"
CREATED = 201

DRIFT = """
SELECT count(*) FROM stock s
 WHERE s.held <> (SELECT coalesce(sum(r.quantity), 0) FROM reservation r
                   WHERE r.stock_id = s.id AND r.state = 'held')
    OR s.on_hand < s.held + s.allocated
"""


async def record(
    app: Litestar, machine: Machine, database: str, world: World, bodies: Sequence[bytes]
) -> list[list[Call]]:
    """Place the orders in this process, on a database of their own, and note every statement.

    Raises: httpx.HTTPStatusError if one of them is refused.
    """
    transport = httpx.ASGITransport(app=app)
    async with (
        Recorder.on(machine.url(database)) as recorder,
        httpx.AsyncClient(transport=transport, base_url="http://bench") as caller,
    ):
        for body in bodies:
            headers = {
                "Authorization": f"Bearer {world.shop_token}",
                "Content-Type": "application/json",
                "Idempotency-Key": new_key(),
            }
            answer = await recorder.note(
                lambda body=body, headers=headers: caller.post(PATH, content=body, headers=headers)
            )
            answer.raise_for_status()
    return recorder.usual()


def requests_for(world: World, bodies: Sequence[bytes]) -> list[bytes]:
    """Write orders as the client sends them."""
    return [
        client.request("POST", PATH, world.shop_token, body, idempotency_key=new_key())
        for body in bodies
    ]


async def measure(
    machine: Machine,
    empty: str,
    world: World,
    bodies: Sequence[bytes],
    works: Sequence[Sequence[Call]],
    *,
    processes: int,
) -> list[Figure]:
    """Place the same orders by HTTP and by pgbench; then let buyers fight for the last pieces."""
    served = await machine.copy(empty, "intake_served")
    limited = await machine.copy(empty, "intake_limit")
    replay = await make_replay(machine, limited, "intake", works)
    async with machine.api(served, processes=processes) as api:
        warm = order_bodies(200, seed=1)
        await api.load(requests_for(world, [_renamed(body) for body in warm]))
        speed = await compare.over_http(
            "intake", api, requests_for(world, bodies), replay, status=CREATED
        )
        oversold = await _scarcity(api, world)
    drift = await _drift(machine, served)
    oversold.value += drift
    oversold.facts["shelves that drifted"] = drift
    return [speed, oversold]


def _renamed(body: bytes) -> bytes:
    return body.replace(b'"external_id":"B', b'"external_id":"W')


async def _scarcity(api: Api, world: World) -> Figure:
    buyers = [
        order_body(f"S{number:07}", 5_000_000 + number, [f"{SCARCE}"]) for number in range(BUYERS)
    ]
    load, _ = await api.load(requests_for(world, buyers), clients=BUYERS)
    sold = load.statuses.get(str(CREATED), 0)
    refused = load.statuses.get("409", 0)
    return Figure(
        name="oversold",
        value=abs(sold - 5) + abs(sold + refused - BUYERS),
        unit="pieces",
        facts={"buyers": BUYERS, "pieces": 5, "sold": sold, "refused": refused},
    )


async def _drift(machine: Machine, database: str) -> int:
    connection = await asyncpg.connect(machine.url(database))
    try:
        return int(await connection.fetchval(DRIFT))
    finally:
        await connection.close()
