"""The PostgreSQL and Redis of one test run: one cluster, one database per worker."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from doorstep import settings
from doorstep.core.embedded import EmbeddedStack
from doorstep.migrations.run import migrate

TEMPLATE = "doorstep"
"""The database that is migrated once and then only copied."""

LEFTOVER_SECONDS = 60.0
"""A younger folder may belong to a run that has not taken its lock yet."""

KEPT = frozenset({"migration", "migration_file", "ledger_account"})
"""Tables whose rows are part of the schema: written by migrations, never deleted by a test."""


@dataclass(frozen=True)
class Servers:
    """Where the servers of this run listen; plain texts, so that xdist can hand them on."""

    folder: str
    sockets: str
    redis_socket: str

    def database_url(self, name: str, user: str = "doorstep") -> str:
        return f"postgresql://{user}@/{name}?host={self.sockets}"

    def redis_url(self, number: int) -> str:
        return f"unix://{self.redis_socket}?db={number}"


class TestStack:
    """Starts the servers under a temporary folder and deletes everything at the end."""

    __test__ = False

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="doorstep-test-"))
        self.stack = EmbeddedStack(self.folder, fsync=False)

    def start(self) -> Servers:
        _remove_leftovers()
        self.stack.start()
        asyncio.run(migrate(self.stack.postgres.url(TEMPLATE)))
        return Servers(
            folder=str(self.folder),
            sockets=str(self.stack.postgres.socket_folder),
            redis_socket=str(self.stack.redis.socket),
        )

    def stop(self) -> None:
        self.stack.remove()
        shutil.rmtree(self.folder, ignore_errors=True)


def _remove_leftovers() -> None:
    """Delete the folders of runs that were killed; a living run holds a lock in its folder."""
    for folder in Path(tempfile.gettempdir()).glob("doorstep-test-*"):
        try:
            if time.time() - folder.stat().st_mtime < LEFTOVER_SECONDS:
                continue
            with (folder / "in-use").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                EmbeddedStack(folder).remove()
                shutil.rmtree(folder)
        except OSError:
            continue  # In use, somebody else's, or another run is deleting it just now.


@dataclass(frozen=True)
class Worker:
    """What belongs to one xdist worker (or to the only process)."""

    servers: Servers
    name: str

    @property
    def number(self) -> int:
        """0, 1, 2 … of gw0, gw1, gw2 …; Redis has sixteen databases."""
        return int(self.name.removeprefix("gw")) % 16 if self.name.startswith("gw") else 0

    @property
    def database(self) -> str:
        return f"test_{self.name}"

    @property
    def database_url(self) -> str:
        return self.servers.database_url(self.database)

    @property
    def redis_url(self) -> str:
        return self.servers.redis_url(self.number)

    def point_settings_here(self) -> None:
        """Let `doorstep.settings` and every child process of a test use this worker's servers."""
        os.environ["DATABASE_URL"] = self.database_url
        os.environ["REDIS_URL"] = self.redis_url
        os.environ["BLOB_URL"] = f"file://{self.servers.folder}/blobs-{self.name}"
        settings.reload()

    async def create_database(self) -> Cleaner:
        """Copy the template; file_copy copies files instead of writing them through the log."""
        admin = await asyncpg.connect(self.servers.database_url("postgres", "postgres"))
        try:
            await admin.execute(
                f"CREATE DATABASE {self.database} OWNER doorstep "
                f"TEMPLATE {TEMPLATE} STRATEGY file_copy"
            )
        finally:
            await admin.close()
        connection = await asyncpg.connect(self.servers.database_url(self.database, "postgres"))
        return await Cleaner.of(connection)


class Cleaner:
    """Deletes the rows of all tables in one round trip; TRUNCATE takes twenty times as long."""

    def __init__(self, connection: asyncpg.Connection, statement: str) -> None:
        self._connection = connection
        self._statement = statement

    @classmethod
    async def of(cls, connection: asyncpg.Connection) -> Cleaner:
        tables = await connection.fetch(
            "SELECT format('%I.%I', n.nspname, c.relname) AS full, c.relname AS name"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r'"
        )
        deletes = "".join(f"DELETE FROM {t['full']};" for t in tables if t["name"] not in KEPT)
        # As replica, foreign keys and the guards of append-only tables do not fire; only the
        # superuser may say so, which is why the application's own role cannot do this.
        return cls(
            connection,
            "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '5s';"
            f"{deletes} COMMIT",
        )

    async def clean(self) -> None:
        try:
            await self._connection.execute(self._statement)
        except asyncpg.PostgresError:
            await self._connection.execute("ROLLBACK")
            raise

    async def tamper(self, *statements: str) -> None:
        """Change history as only somebody with the database's own password can."""
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                await self._connection.execute(statement)

    async def close(self) -> None:
        await self._connection.close()
