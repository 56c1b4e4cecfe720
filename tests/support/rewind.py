"""The database goes back to a kept moment, again and again, within milliseconds."""

from __future__ import annotations

import asyncpg

from tests.support.stack import KEPT, Worker

SCHEMA = "rewind"

_TABLES = """
SELECT c.relname AS name,
       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
         FILTER (WHERE a.attgenerated = '') AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = 'public' AND c.relkind = 'r'
 GROUP BY c.relname ORDER BY c.relname
"""


class Rewind:
    """Keeps copies of all rows beside the tables; only a superuser may put them back."""

    def __init__(self, connection: asyncpg.Connection, columns: dict[str, str]) -> None:
        self.connection = connection
        self._columns = columns
        self._touched: set[str] = set()
        """What has ever changed since the kept moment: these are put back each time."""
        self._prints: asyncpg.prepared_stmt.PreparedStatement | None = None
        self._kept: dict[str, str] = {}

    @classmethod
    async def open(cls, worker: Worker) -> Rewind:
        """Connect as the superuser of the test's own cluster."""
        connection = await asyncpg.connect(worker.servers.database_url(worker.database, "postgres"))
        # As replica, foreign keys and the guards of append-only tables do not fire.
        await connection.execute("SET session_replication_role = replica")
        found = await connection.fetch(_TABLES)
        return cls(connection, {r["name"]: r["columns"] for r in found if r["name"] not in KEPT})

    async def close(self) -> None:
        """Forget the copies."""
        await self.connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        await self.connection.close()

    async def keep(self) -> None:
        """Make this moment the one to go back to."""
        await self.connection.execute(
            f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA};"
            + "".join(
                f'CREATE UNLOGGED TABLE {SCHEMA}."{name}" AS SELECT {columns} FROM public."{name}";'
                for name, columns in self._columns.items()
            )
        )
        self._touched = set()
        self._prints = await self.connection.prepare(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0)"
                f' FROM public."{name}"'
                for name in self._columns
            )
        )
        self._kept = await self._fingerprints()

    async def go_back(self) -> None:
        """Put back what has changed since the kept moment."""
        now = await self._fingerprints()
        changed = {n for n in self._columns if now[n] != self._kept[n]} - self._touched
        if changed:
            self._touched |= changed
            await self._make_function()
        if self._touched:
            await self.connection.execute(f"SELECT {SCHEMA}.go_back()")

    async def _make_function(self) -> None:
        # In a function the statements are planned once, not each time.
        statements = "".join(
            f'DELETE FROM public."{name}"; INSERT INTO public."{name}" ({self._columns[name]})'
            f' OVERRIDING SYSTEM VALUE SELECT * FROM {SCHEMA}."{name}";'
            for name in sorted(self._touched)
        )
        await self.connection.execute(
            f"CREATE OR REPLACE FUNCTION {SCHEMA}.go_back() RETURNS void LANGUAGE plpgsql"
            f" AS $$ BEGIN {statements} END $$"
        )

    async def _fingerprints(self) -> dict[str, str]:
        assert self._prints is not None
        return dict(await self._prints.fetch())
