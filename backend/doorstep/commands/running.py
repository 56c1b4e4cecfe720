"""How a command runs until it is done or told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any

from doorstep import settings
from doorstep.core import db_engine, logging
from doorstep.migrations.run import migrate

INTERRUPTED = 130
"""What a shell calls a program that Ctrl-C ended."""


def run(command: Coroutine[Any, Any, int]) -> int:
    """Run a command's coroutine; Ctrl-C, a plain kill and a closed terminal cancel it.

    Its `finally` blocks stop what it started. Returns its status, or `INTERRUPTED`.
    """

    async def cancellable() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 - there is one in every coroutine.
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signum, task.cancel)
        try:
            return await command
        except asyncio.CancelledError:
            return INTERRUPTED

    # The terminal belongs to what the command has to say; the processes it starts have logs.
    logging.configure(as_json=False, level="WARNING")
    return asyncio.run(cancellable())


async def prepare_sample_data() -> None:
    """Bring the database to the newest schema and put the sample data of the demo into it."""
    from doorstep import seed

    url = settings.settings().database_url
    await migrate(url)
    await db_engine.start(url)
    try:
        await seed.seed()
    finally:
        await db_engine.stop()
