"""Running jobs in tests: in this process without Redis, or in a real worker process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from doorstep.core import db
from doorstep.core.jobs.executor import Outcome, execute
from doorstep.core.outbox import lease

ROOT = Path(__file__).parents[2]


async def run_due(*, most: int = 1000) -> list[tuple[str, Outcome]]:
    """Run every due outbox row in this process until none is due; tell (kind, outcome) of each.

    Rows that jobs add are run too. `most` ends a loop of jobs that add themselves.
    """
    ran: list[tuple[str, Outcome]] = []
    while len(ran) < most and (claimed := await lease.claim(50)):
        for row in claimed:
            ran.append((row.kind, await execute(row.id, row.runs, row.kind)))
    return ran


@contextmanager
def worker_process(
    *arguments: str, log: Path, modules: tuple[str, ...] = (), **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the real worker with this process's settings; `modules` register more jobs.

    At the end it is told to stop, and killed if it does not.
    """
    code = (
        f"import sys, importlib; [importlib.import_module(m) for m in {modules!r}]; "
        "from doorstep import worker; sys.exit(worker.main(sys.argv[1:] or None))"
    )
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=ROOT,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'backend'}:{ROOT}", **environment},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def until(
    true: Callable[[], Awaitable[bool]], seconds: float = 60, *, every: float = 0.05
) -> None:
    """Wait until it is so.

    Raises: TimeoutError.
    """
    end = time.monotonic() + seconds
    while not await true():
        if time.monotonic() > end:
            raise TimeoutError("It did not become so.")
        await asyncio.sleep(every)


async def all_ended() -> bool:
    """Tell whether no outbox row is open."""
    return not await db.value(
        "SELECT EXISTS (SELECT FROM outbox WHERE done_at IS NULL AND dead_at IS NULL)"
    )
