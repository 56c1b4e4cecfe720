"""A whole Doorstep of a test's own: servers, API, worker and sandbox, as `make demo` runs them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from doorstep.chaos import arena
from doorstep.chaos.arena import Arena

LOG_LINES = 40


class WholeStack(Arena):
    """A running Doorstep with the sample company in it, and what a test may ask of it."""

    def client(self, base_url: str = "") -> httpx.AsyncClient:
        """Open a client of the API, or of another address."""
        return httpx.AsyncClient(base_url=base_url or self.base_url, trust_env=False, timeout=20)

    def logs(self) -> str:
        """Give the ends of all logs, for the message of a failed test."""
        return "\n".join(
            f"--- {log.name}\n"
            + "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
            for log in sorted(self.running.folder.glob("*.log"))
        )


async def run_python(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run a Python of our own to its end; give its status and all it printed."""
    return await arena.run_python(*arguments, environment={**os.environ, **environment})


@asynccontextmanager
async def whole_stack(folder: Path, *, fsync: bool, **given: str) -> AsyncIterator[WholeStack]:
    """Run everything under `folder` with the sample company for the block, then delete the data.

    `given` sets variables of its processes.
    """
    secret_key = os.environ["SECRET_KEY"]
    async with arena.arena(
        folder, fsync=fsync, secret_key=secret_key, proxied=False, given=given
    ) as running:
        yield WholeStack(running.embedded, running.running, running.environment)
