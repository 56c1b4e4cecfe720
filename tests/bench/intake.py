"""Order intake: the whole endpoint with sign-in, scope, idempotency key and hash chain."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
from litestar import Litestar

from tests.bench import client, compare
from tests.bench.machine import Api, Machine
from tests.bench.replay import Asked, Call, make_replay, record_requests
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
    headers = {
        "Authorization": f"Bearer {world.shop_token}",
        "Content-Type": "application/json",
    }
    asked = [Asked("POST", PATH, headers | {"Idempotency-Key": new_key()}, body) for body in bodies]
    works, _ = await record_requests(app, machine.url(database), asked)
    return works


def requests_for(world: World, bodies: Sequence[bytes]) -> list[bytes]:
    """Write orders as the client sends them."""
    return [
        client.request("POST", PATH, world.shop_token, body, idempotency_key=new_key())
        for body in bodies
    ]


async def measure(
    machine: Machine,
    base: str,
    world: World,
    bodies: Sequence[bytes],
    works: Sequence[Sequence[Call]],
    processes: int,
) -> list[Figure]:
    """Place the same orders by HTTP and by pgbench; then let buyers fight for the last pieces."""
    served = await machine.copy(base, "intake_served")
    limited = await machine.copy(base, "intake_limit")
    replay = await make_replay(machine, limited, "intake", works)
    async with machine.api(served, processes=processes) as api:
        await api.load(requests_for(world, order_bodies(200, seed=1, prefix="W")))
        loads = {"intake": requests_for(world, bodies)}
        speed = await compare.over_http(api, loads, replay, status=CREATED)
        oversold = await _scarcity(api, world)
    drift = await _drift(machine, served)
    oversold.value += drift
    oversold.facts["shelves that drifted"] = drift
    return [*speed, oversold]


async def _scarcity(api: Api, world: World) -> Figure:
    buyers = [order_body(f"S{number:07}", number, [f"{SCARCE}"]) for number in range(BUYERS)]
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
