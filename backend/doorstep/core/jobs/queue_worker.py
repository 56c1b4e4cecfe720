"""arq as a dumb executor of one queue: woken by a list, never retrying, outliving Redis.

Stock arq exits when Redis restarts, loses a slot with every failed start, and finds a job only at
its next poll (0.3 s on average; DESIGN §3, performance.md §4). Messages hold a row's id, its run
and its kind, as JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec
import structlog
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool

from doorstep.core import redis
from doorstep.core.jobs.executor import execute
from doorstep.core.jobs.registry import registered
from doorstep.core.outbox.lease import QUEUED, Claimed
from doorstep.settings import settings

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

MAX_JOBS = 20
NET = 2.0
"""Seconds between two polls without a bell: it rings in the transaction that queues the job."""

MESSAGE_SECONDS = 600
"""A message that waits longer is forgotten; its row has long been offered again."""

_ALIVE = "doorstep:worker:"

log = structlog.get_logger(__name__)
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def connect() -> ArqRedis:
    """Make a client for a worker; it connects when first used."""
    pool = ConnectionPool.from_url(settings().redis_url, **redis.worker_options())
    return ArqRedis(pool, job_serializer=_encode, job_deserializer=msgspec.json.decode)


def queue_key(queue: str) -> str:
    """Name the sorted set that arq reads."""
    return f"doorstep:queue:{queue}"


def _bell(queue: str) -> str:
    return f"doorstep:queue:{queue}:bell"


async def push(client: ArqRedis, offers: dict[str, list[Claimed]]) -> dict[str, int]:
    """Queue rows, by queue, and ring; return how many each of these queues now holds.

    A run that is queued already is not queued twice.
    """
    moment = timestamp_ms()
    async with client.pipeline(transaction=True) as pipe:
        for queue, rows in offers.items():
            for row in rows:
                name = f"{row.id}:{row.runs}"
                message = serialize_job(
                    "run", (str(row.id), row.runs, row.kind), {}, None, moment, serializer=_encode
                )
                pipe.set(job_key_prefix + name, message, ex=MESSAGE_SECONDS, nx=True)
                pipe.zadd(queue_key(queue), {name: moment}, nx=True)
            pipe.lpush(_bell(queue), *["1"] * len(rows))
            pipe.ltrim(_bell(queue), 0, MAX_JOBS)
        for queue in offers:
            pipe.zcard(queue_key(queue))
        answers = await pipe.execute()
    return dict(zip(offers, answers[-len(offers) :], strict=True))


async def depths(client: ArqRedis, queues: Sequence[str]) -> dict[str, int]:
    """Count what each queue holds, running jobs included."""
    async with client.pipeline(transaction=False) as pipe:
        for queue in queues:
            pipe.zcard(queue_key(queue))
        return dict(zip(queues, await pipe.execute(), strict=True))


async def workers_alive() -> list[str]:
    """Name the workers and queues that have shown themselves in the last seconds (for health).

    Raises: RedisError, OSError.
    """
    found = [key async for key in redis.client().scan_iter(match=f"{_ALIVE}*", count=100)]
    return sorted(key.decode().removeprefix(_ALIVE) for key in found)


async def _run(ctx: dict[Any, Any], row_id: str, runs: int, kind: str) -> None:
    await execute(UUID(row_id), runs, kind)


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel the tasks until they have ended.

    Once is not enough: the Redis client swallows a cancel that meets one of its own time-outs.
    """
    while going_on := [task for task in tasks if not task.done()]:
        for task in going_on:
            task.cancel()
        await asyncio.wait(going_on, timeout=0.5)


class QueueWorker(Worker):
    """Runs the jobs of one queue, `MAX_JOBS` at a time; `name` tells this process from others."""

    def __init__(self, queue: str, client: ArqRedis, name: str) -> None:
        timeouts = [known.timeout for known in registered() if known.queue == queue]
        super().__init__(
            functions=[func(cast("WorkerCoroutine", _run), name="run")],
            queue_name=queue_key(queue),
            redis_pool=client,
            handle_signals=False,
            max_jobs=MAX_JOBS,
            # The executor keeps the job's own time-out; this one is only arq's.
            job_timeout=max(timeouts, default=20) + 5,
            keep_result=0,
            max_tries=1,
            retry_jobs=False,
            queue_read_limit=2000,
            health_check_interval=5,
            health_check_key=f"{_ALIVE}{queue}:{name}",
            job_serializer=_encode,
            job_deserializer=msgspec.json.decode,
            log_results=False,
        )
        self.queue = queue

    async def main(self) -> None:
        """Start jobs as they come, until cancelled."""
        while True:
            try:
                await self._poll_iteration()
                await self._pause()
            except redis.LOST as lost:
                log.warning("jobs.redis_lost", queue=self.queue, reason=str(lost))
                await asyncio.sleep(0.5)

    async def _pause(self) -> None:
        if self.job_counter >= self.max_jobs:
            await asyncio.wait(
                self.tasks.values(), timeout=NET, return_when=asyncio.FIRST_COMPLETED
            )
        else:
            await redis.wait_for_bell(self.pool, _bell(self.queue), NET)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start what nobody runs, as far as there is room; one round trip for all of them."""
        names = [name for name in (raw.decode() for raw in job_ids) if name not in self.tasks]
        while names and (room := self.max_jobs - self.job_counter) > 0:
            for name, score in await self._take(names[:room]):
                self._start(name, score)
            del names[:room]

    async def _take(self, names: list[str]) -> list[tuple[str, int]]:
        # Only until the row itself says that the run has begun: who dies or loses Redis before that
        # holds the row up no longer than the relay does. Whoever takes it later skips what runs.
        lease = int(QUEUED.total_seconds() * 1000)
        async with self.pool.pipeline(transaction=True) as pipe:
            for name in names:
                pipe.set(in_progress_key_prefix + name, b"1", px=lease, nx=True)
                pipe.zscore(self.queue_name, name)
            answers = await pipe.execute()
        asked = zip(names, answers[::2], answers[1::2], strict=True)
        taken = [(name, score) for name, got, score in asked if got]
        # Between our look and our grip another worker has finished these.
        if gone := [in_progress_key_prefix + name for name, score in taken if score is None]:
            await self.pool.delete(*gone)
        return [(name, int(score)) for name, score in taken if score is not None]

    def _start(self, name: str, score: int) -> None:
        self.job_counter += 1
        task = self.loop.create_task(self.run_job(name, score))
        task.add_done_callback(lambda ended: self._count_down(name, ended))
        self.tasks[name] = task

    def _count_down(self, name: str, task: asyncio.Task[None]) -> None:
        self.job_counter -= 1
        if not task.cancelled() and isinstance(task.exception(), redis.LOST):
            # The row knows how it ended; only Redis could not be told. arq would raise this in
            # `main`, one job per poll, and the queue would stand still long after Redis is back.
            self.tasks.pop(name, None)
            log.warning("jobs.not_ticked_off", queue=self.queue, reason=str(task.exception()))

    async def drain(self, seconds: float) -> None:
        """Take no more jobs, let the running ones finish, cancel those that do not in time."""
        self.allow_pick_jobs = False
        running = [task for task in self.tasks.values() if not task.done()]
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            await end(late)
        try:
            await self.pool.delete(self.health_check_key)
        except redis.LOST as lost:
            log.warning("jobs.redis_lost", queue=self.queue, reason=str(lost))
