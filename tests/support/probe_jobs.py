"""Jobs for tests of the worker: they write to `probe_effect`, are slow, or kill their worker."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from doorstep.core import db, outbox
from doorstep.core.jobs import job, recurring

TABLE = """
CREATE TABLE probe_effect (n int NOT NULL, kind text NOT NULL, pid int NOT NULL, at float8 NOT NULL)
"""


async def _write(kind: str, n: int) -> None:
    await db.execute(
        "INSERT INTO probe_effect VALUES ($1, $2, $3, $4)", n, kind, os.getpid(), time.time()
    )


@job("probe.effect", timeout=5)
@db.transactional
async def effect(payload: dict[str, Any]) -> None:
    """Write the effect and its mark in one transaction: exactly once."""
    await _write("effect", payload["n"])
    await outbox.done()


@job("probe.started", timeout=5)
async def started(payload: dict[str, Any]) -> None:
    """Write when it started."""
    await _write("started", payload["n"])


@job("probe.slow", queue="slow", timeout=1)
@db.transactional
async def slow(payload: dict[str, Any]) -> None:
    """Take the time that the payload says, the first time only."""
    first = await db.value("SELECT attempts = 1 FROM outbox WHERE kind = 'probe.slow'")
    if first:
        await asyncio.sleep(payload["seconds"])
    await _write("slow", payload["n"])
    await outbox.done()


@job("probe.kill", queue="slow", timeout=1, attempts=2)
async def kill(payload: dict[str, Any]) -> None:
    """End the worker as a crash does."""
    os._exit(9)


@recurring("probe.sweep", every=1)
async def sweep(payload: dict[str, Any]) -> None:
    """Write one row per second, whichever worker does it."""
    await _write("sweep", 0)
