"""`advance` with its reactions: a paid order is confirmed, its stock allocated, its vendor asked.

1002 sets off 1003, the messages, the allocation, the purchase order and the first tranche review,
all in one transaction. In this process, without HTTP: eight tasks on the product's usual pool.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from uuid import UUID

import asyncpg

from doorstep import journey
from doorstep.core import db_engine
from doorstep.core.actor import Actor
from doorstep.core.outbox import bell
from doorstep.journey.rules import Evidence
from doorstep.settings import settings
from tests.bench.compare import ROUNDS, Limit
from tests.bench.machine import CLIENTS, Machine
from tests.bench.replay import Call, Recorder, make_replay
from tests.bench.report import Figure

STAGE = 1002
APPLIED = "applied"


async def measure(machine: Machine, orders: str, moves: int) -> Figure:
    """Advance the same fulfilments by the engine and, on another copy, as bare statements."""
    recorded = await machine.copy(orders, "advance_recorded")
    served = await machine.copy(orders, "advance_served")
    limited = await machine.copy(orders, "advance_limit")
    connection = await asyncpg.connect(machine.url(served))
    found = await connection.fetch("SELECT id FROM fulfilment ORDER BY id DESC LIMIT $1", moves)
    await connection.close()
    parcels = [row[0] for row in found]
    works = await _record(machine, recorded, parcels)
    replay = await make_replay(machine, limited, "advance", works)
    part = len(parcels) // ROUNDS
    seconds = server = database = 0.0
    limit = Limit()
    await db_engine.start(machine.url(served), pool_size=settings().db_pool_size)
    try:
        for turn in range(ROUNDS):
            await machine.settle()
            began, cpu, spent = time.perf_counter(), time.process_time(), machine.database_cpu()
            await _advance_all(parcels[turn * part : (turn + 1) * part])
            seconds += time.perf_counter() - began
            server += time.process_time() - cpu
            database += machine.database_cpu() - spent
            await machine.settle()
            limit.rounds.append(await replay.run(replay.works // ROUNDS))
    finally:
        await bell.rest()
        await db_engine.stop()
    moved = part * ROUNDS
    rate = moved / seconds
    return Figure(
        name="advance",
        value=100 * rate / limit.rate,
        unit="% of pgbench",
        facts={
            "per s": rate,
            "pgbench per s": limit.rate,
            "server CPU µs": 1e6 * server / moved,
            "database CPU µs": 1e6 * database / moved,
            "pgbench database CPU µs": limit.cpu_us,
            "% by CPU": 100 * limit.cpu_us * moved / (1e6 * (server + database)),
            "statements": replay.statements,
        },
    )


async def _record(machine: Machine, database: str, parcels: Sequence[UUID]) -> list[list[Call]]:
    async with Recorder.on(machine.url(database)) as recorder:
        for parcel in parcels:
            await recorder.note(partial(confirm, parcel))
        await bell.rest()
    return recorder.usual()


async def _advance_all(parcels: Sequence[UUID]) -> None:
    waiting = iter(parcels)
    await asyncio.gather(*(_advance_some(waiting) for _ in range(CLIENTS)))


async def _advance_some(waiting: Iterator[UUID]) -> None:
    for parcel in waiting:
        await confirm(parcel)


async def confirm(parcel: UUID) -> None:
    """Pass the stage with all that follows.

    Raises: RuntimeError if that is not so.
    """
    answer = await journey.advance(
        journey.derived_id(parcel, "bench"),
        parcel,
        STAGE,
        actor=Actor.system("bench"),
        evidence=[Evidence("payment", "bench")],
    )
    if answer.verdict != APPLIED:
        raise RuntimeError(f"{parcel}: {answer}")
