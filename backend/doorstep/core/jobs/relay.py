"""Brings due outbox rows to the queues. One runs in every worker; together they share the rows."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import structlog
from arq.connections import ArqRedis
from asyncpg import PostgresError

from doorstep.core import redis
from doorstep.core.db_engine import DatabaseUnavailable
from doorstep.core.failpoints import failpoint
from doorstep.core.jobs import executor, queue_worker
from doorstep.core.jobs.registry import find, queues, registered
from doorstep.core.outbox import lease
from doorstep.core.outbox.bell import BELL

BATCH = 100
FULL = 200
"""Jobs in a queue from which on its rows wait in PostgreSQL, where they are safe."""

POLL = 0.5

PAUSED_BY: tuple[type[Exception], ...] = (DatabaseUnavailable, PostgresError, *redis.LOST)
"""PostgresError too: a worker may be there before the schema is."""

log = structlog.get_logger(__name__)


class Relay:
    """Claims rows of every queue, also of those that other workers run."""

    def __init__(self, client: ArqRedis) -> None:
        self._client = client
        self._depths: dict[str, int] = {}
        self._blind = True

    async def run(self) -> None:
        """Relay until cancelled: when the bell rings, and every half second in any case."""
        while True:
            try:
                if not await self.turn():
                    await redis.wait_for_bell(self._client, BELL, POLL)
            except PAUSED_BY as lost:
                self._blind = True
                log.warning("jobs.relay_paused", reason=str(lost))
                await asyncio.sleep(POLL)

    async def turn(self) -> bool:
        """Offer what is due; tell whether there may be more.

        Raises: DatabaseUnavailable, RedisError.
        """
        await self._look()
        claimed = await lease.claim(BATCH, self._passed_over())
        offers: dict[str, list[lease.Claimed]] = defaultdict(list)
        for row in claimed:
            known = find(row.kind)
            if known is not None and row.attempts >= known.attempts:
                await executor.bury(row)
            elif known is not None:
                offers[known.queue].append(row)
            else:
                await executor.execute(row.id, row.runs, row.kind)
        if offers:
            failpoint("outbox.before_enqueue")
            self._depths |= await queue_worker.push(self._client, offers)
            failpoint("outbox.after_enqueue")
        return len(claimed) == BATCH

    async def _look(self) -> None:
        # Rows claimed while Redis is away would wait for their lease, so it is asked first.
        if self._blind or self._full():
            self._depths = await queue_worker.depths(self._client, queues())
            self._blind = False

    def _full(self) -> set[str]:
        return {queue for queue, depth in self._depths.items() if depth >= FULL}

    def _passed_over(self) -> list[str]:
        full = self._full()
        return [known.kind for known in registered() if known.queue in full] if full else []
