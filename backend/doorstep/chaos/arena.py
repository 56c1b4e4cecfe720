"""A whole Doorstep of its own, with the sample company in it: servers, API, worker, outside world."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from doorstep.chaos.proxy import Proxy
from doorstep.core.embedded import EmbeddedStack
from doorstep.settings import Settings
from doorstep.stack.backing import SECRETS
from doorstep.stack.services import RunningStack, running_stack
from doorstep.stack.supervisor import Service

PREPARE = (
    "import asyncio; from doorstep.commands.running import prepare_sample_data; "
    "asyncio.run(prepare_sample_data())"
)


class ArenaFailed(RuntimeError):
    """The stack cannot be prepared; the message says what it said."""


@dataclass
class Arena:
    """The running stack, and what may be asked of it beside the API."""

    embedded: EmbeddedStack
    running: RunningStack
    environment: Mapping[str, str]
    """Of processes that reach the servers straight, past the proxies."""
    lines: dict[str, Proxy] = field(default_factory=dict)
    """`postgres` and `redis`: what API and worker go through."""

    @property
    def base_url(self) -> str:
        """The API's address."""
        return self.running.base_url

    @property
    def sandbox_url(self) -> str:
        """The outside world's address."""
        return self.running.sandbox_url

    def service(self, name: str) -> Service:
        """Give one of the supervised processes: api, worker or sandbox."""
        supervisor = self.running.supervisor
        return next(s for s in (supervisor.services if supervisor else ()) if s.name == name)

    async def rows(self, sql: str, *arguments: Any) -> list[dict[str, Any]]:
        """Read from the database, beside the API."""
        connection = await asyncpg.connect(self.environment["DATABASE_URL"])
        try:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]
        finally:
            await connection.close()

    async def sandbox(self, path: str, **params: str) -> Any:
        """Ask the outside world what it has seen."""
        async with httpx.AsyncClient(
            base_url=self.sandbox_url, trust_env=False, timeout=20
        ) as client:
            answer = await client.get(path, params=params)
            answer.raise_for_status()
            return answer.json()

    async def doctor(self) -> tuple[int, str]:
        """Run `doorstep doctor`; give its status and what it says."""
        return await run_python("-m", "doorstep.cli", "doctor", environment=self.environment)


async def run_python(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a Python of our own to its end; give its status and all it printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(environment),
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode(errors="replace")


@asynccontextmanager
async def arena(
    folder: Path,
    *,
    fsync: bool,
    secret_key: str,
    proxied: bool,
    given: Mapping[str, str] | None = None,
) -> AsyncIterator[Arena]:
    """Run everything under `folder` for the block, then delete all but the logs.

    Nothing that this process's environment names is used: not its database, nor its bank.
    `secret_key` makes the passwords of the sample people. `proxied` puts bad lines between the
    processes and their servers. `given` sets variables besides.

    Raises: EmbeddedFailed; ServiceFailed; ArenaFailed.
    """
    embedded = EmbeddedStack(folder, fsync=fsync)
    environment = {
        **_strangers_forgotten(),
        **{name: form.format(f"{name.lower()}-{'0' * 32}") for name, form in SECRETS.items()},
        "SECRET_KEY": secret_key,
        "VAPID_PRIVATE_KEY": f"{'A' * 42}E",
        "DATABASE_URL": embedded.postgres.url(),
        "REDIS_URL": embedded.redis.url(),
        "BLOB_URL": (folder / "blobs").absolute().as_uri(),
        **(given or {}),
    }
    async with AsyncExitStack() as stack:
        stack.callback(embedded.remove)
        await asyncio.to_thread(embedded.start)
        status, said = await run_python("-c", PREPARE, environment=environment)
        if status:
            raise ArenaFailed(said)
        lines = await _lines(stack, embedded) if proxied else {}
        through = _through(lines) if proxied else {}
        running = await stack.enter_async_context(
            running_stack(embedded, env={**environment, **through})
        )
        yield Arena(embedded, running, environment, lines)


def _strangers_forgotten() -> dict[str, str]:
    ours = {name.upper() for name in Settings.__struct_fields__}
    return {name: text for name, text in os.environ.items() if name.upper() not in ours}


async def _lines(stack: AsyncExitStack, embedded: EmbeddedStack) -> dict[str, Proxy]:
    # libpq looks for a socket of this name in the folder it is given.
    folder = embedded.postgres.socket_folder / "lines"
    folder.mkdir(mode=0o700, exist_ok=True)
    lines = {
        "postgres": Proxy(
            folder / ".s.PGSQL.5432", embedded.postgres.socket_folder / ".s.PGSQL.5432"
        ),
        "redis": Proxy(folder / "redis.sock", embedded.redis.socket),
    }
    for line in lines.values():
        await line.start()
        stack.push_async_callback(line.stop)
    return lines


def _through(lines: Mapping[str, Proxy]) -> dict[str, str]:
    folder = lines["postgres"].listens.parent
    return {
        "DATABASE_URL": f"postgresql://doorstep@/doorstep?host={folder}",
        "REDIS_URL": f"unix://{lines['redis'].listens}?db=0",
    }
