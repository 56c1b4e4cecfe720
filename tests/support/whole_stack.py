"""A whole Doorstep of a test's own: servers, API, worker and sandbox, as `make demo` runs them."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import asyncpg
import httpx

from doorstep.core.embedded import EmbeddedStack
from doorstep.stack.backing import SECRETS
from doorstep.stack.services import RunningStack, running_stack
from doorstep.stack.supervisor import Service

PREPARE = (
    "import asyncio; from doorstep.commands.running import prepare_sample_data; "
    "asyncio.run(prepare_sample_data())"
)


@dataclass
class WholeStack:
    """A running Doorstep with the sample company in it, and what a test may ask of it."""

    embedded: EmbeddedStack
    running: RunningStack
    environment: dict[str, str]

    @property
    def base_url(self) -> str:
        return self.running.base_url

    @property
    def sandbox_url(self) -> str:
        return self.running.sandbox_url

    def service(self, name: str) -> Service:
        """Give one of the supervised processes: api, worker or sandbox."""
        assert self.running.supervisor is not None
        return next(s for s in self.running.supervisor.services if s.name == name)

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Read from the database, beside the API."""
        connection = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    def client(self, base_url: str = "") -> httpx.AsyncClient:
        """Open a client of the API, or of another address."""
        return httpx.AsyncClient(base_url=base_url or self.base_url, trust_env=False, timeout=20)

    async def sandbox(self, path: str, **params: str) -> Any:
        """Ask the outside world what it has seen."""
        async with self.client(self.sandbox_url) as client:
            answer = await client.get(path, params=params)
            answer.raise_for_status()
            return answer.json()

    async def doctor(self) -> tuple[int, str]:
        """Run `doorstep doctor`; give its status and what it says."""
        return await run_python("-m", "doorstep.cli", "doctor", **self.environment)

    def logs(self, lines: int = 40) -> str:
        """Give the ends of all logs, for the message of a failed test."""
        return "\n".join(
            f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
            for log in sorted(self.running.folder.glob("*.log"))
        )


async def run_python(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run a Python of our own to its end; give its status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")


@asynccontextmanager
async def whole_stack(folder: Path, *, fsync: bool) -> AsyncIterator[WholeStack]:
    """Run everything under `folder` with the sample company for the block, then delete the data."""
    embedded = EmbeddedStack(folder, fsync=fsync)
    environment = {
        **{name: form.format(f"{name.lower()}-{'0' * 32}") for name, form in SECRETS.items()},
        # The passwords of the sample people follow from it.
        "SECRET_KEY": os.environ["SECRET_KEY"],
        "DATABASE_URL": embedded.postgres.url(),
        "REDIS_URL": embedded.redis.url(),
        "BLOB_URL": (folder / "blobs").as_uri(),
    }
    async with AsyncExitStack() as stack:
        stack.callback(embedded.remove)
        await asyncio.to_thread(embedded.start)
        status, said = await run_python("-c", PREPARE, **environment)
        assert status == 0, said
        # The children get the environment of the moment they are described in; this process's own
        # settings stay as they are.
        with mock.patch.dict(os.environ, environment):
            running = await stack.enter_async_context(running_stack(embedded))
        yield WholeStack(embedded, running, environment)
