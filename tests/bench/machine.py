"""What is measured: a durable PostgreSQL, Redis, and real processes of the product on copies."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec
import psutil
from redis.asyncio import Redis

from doorstep import settings
from doorstep.core.embedded import EmbeddedStack
from doorstep.core.embedded.processes import tail
from tests.bench.client import HOST, Load, write_requests

ROOT = Path(__file__).parents[2]
CLIENTS = 8
READY_SECONDS = 30.0


def cpu_seconds(root: psutil.Process) -> float:
    """Add up what a process and its descendants have used, the ended ones included."""
    spent = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # Its time is in its parent's by now, or will be in the next reading.
        spent += used.user + used.system + used.children_user + used.children_system
    return spent


@dataclass(frozen=True)
class Cpu:
    """CPU seconds of a stretch of work."""

    server: float
    database: float


class Machine:
    """The servers of one run, in a folder that is deleted at the end."""

    def __init__(self) -> None:
        self._temporary = tempfile.TemporaryDirectory(
            prefix="doorstep-bench-", ignore_cleanup_errors=True
        )
        self.folder = Path(self._temporary.name)
        self.stack = EmbeddedStack(self.folder / "stack", fsync=True)

    def start(self) -> None:
        """Start the servers and let this process's settings name them."""
        self.stack.start()
        os.environ |= {
            "REDIS_URL": self.stack.redis.url(),
            "BLOB_URL": (self.folder / "blobs").as_uri(),
            "SECRET_KEY": "only-for-the-bench-" + "0" * 32,
            "PICCOLO_CONF": "piccolo_conf",
        }
        self.point_settings_at("doorstep")

    def stop(self) -> None:
        """Stop the servers and delete everything."""
        self.stack.remove()
        self._temporary.cleanup()

    def url(self, database: str, user: str = "doorstep") -> str:
        """Name a database of the run."""
        return self.stack.postgres.url(database, user)

    def point_settings_at(self, database: str) -> None:
        """Let `doorstep.settings` of this process use a database."""
        os.environ["DATABASE_URL"] = self.url(database)
        settings.reload()

    async def create(self, name: str) -> str:
        """Create an empty database; return its name."""
        return await self.copy("template1", name)

    async def copy(self, source: str, name: str) -> str:
        """Copy a database that nobody is connected to; return the copy's name."""
        admin = await asyncpg.connect(self.url("postgres", "postgres"))
        try:
            await admin.execute(
                f"CREATE DATABASE {name} OWNER doorstep TEMPLATE {source} STRATEGY file_copy"
            )
        finally:
            await admin.close()
        return name

    async def settle(self) -> None:
        """Let nothing of the step before fall into the next: no dirty pages, no rate limits."""
        admin = await asyncpg.connect(self.url("postgres", "postgres"))
        await admin.execute("CHECKPOINT")
        await admin.close()
        client: Redis = Redis.from_url(self.stack.redis.url())
        await client.flushall()
        await client.aclose()

    def database_cpu(self) -> float:
        """Tell the CPU seconds that PostgreSQL has used, all its processes together."""
        postmaster = self.stack.postgres.process
        if postmaster is None:
            raise RuntimeError("PostgreSQL has died")
        return cpu_seconds(postmaster)

    @asynccontextmanager
    async def api(self, database: str, *, processes: int = 1) -> AsyncIterator[Api]:
        """Serve the product with `doorstep serve` on a database."""
        command = ("serve", "--host", HOST, "--port", "0", "--processes", str(processes))
        async with self.process("api", database, *command) as child:
            said = self.folder / "api.out"
            async with asyncio.timeout(READY_SECONDS):
                while not (words := said.read_text().split()):
                    await asyncio.sleep(0.05)
                port = int(words[-1].rpartition(":")[2])
                await _until_live(port)
            yield Api(self, psutil.Process(child.pid), port)

    @asynccontextmanager
    async def process(
        self, name: str, database: str, *command: str, program: Sequence[str] = ()
    ) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run a command of the product (or another program) on a database, for the block."""
        log = self.folder / f"{name}.log"
        with (self.folder / f"{name}.out").open("wb") as out, log.open("ab") as err:
            child = await asyncio.create_subprocess_exec(
                *(program or (sys.executable, "-m", "doorstep.cli")),
                *command,
                cwd=ROOT,
                stdout=out,
                stderr=err,
                env={
                    **os.environ,
                    "DATABASE_URL": self.url(database),
                    "PYTHONPATH": f"{ROOT / 'backend'}:{ROOT}",
                },
            )
        try:
            yield child
        except BaseException:
            sys.stderr.write(f"--- the end of {log.name}\n{tail(log)}\n")
            raise
        finally:
            if child.returncode is None:
                child.terminate()
            await child.wait()


@dataclass
class Api:
    """Running API processes."""

    machine: Machine
    process: psutil.Process
    port: int

    async def load(self, requests: Sequence[bytes], *, clients: int = CLIENTS) -> tuple[Load, Cpu]:
        """Send the requests from a process of its own; tell what became of them and the CPU.

        Raises: RuntimeError if the client fails.
        """
        file = self.machine.folder / "requests"
        write_requests(file, requests)
        before = (cpu_seconds(self.process), self.machine.database_cpu())
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.bench.client"),
            *(str(self.port), str(clients), str(file)),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await child.communicate()
        if child.returncode:
            raise RuntimeError("the load's client has failed")
        spent = Cpu(cpu_seconds(self.process) - before[0], self.machine.database_cpu() - before[1])
        return msgspec.json.decode(said, type=Load), spent


async def _until_live(port: int) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(f"GET /health/live HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
            answer = await reader.readline()
            writer.close()
            if b" 200 " in answer:
                return
        except OSError:
            pass
        await asyncio.sleep(0.05)
