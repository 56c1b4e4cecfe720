"""Bring a database to the newest schema (`doorstep migrate`)."""

from __future__ import annotations

import contextlib
import io
import os

from doorstep.core import db, db_engine
from doorstep.migrations.piccolo_app import APP_NAME
from doorstep.migrations.sql_files import refuse_edited_files, run_sql_files

# Any number will do, as long as no other advisory lock of ours uses it.
_LOCK = 7_205_759_403

COMMAND_SECONDS = 600.0


async def migrate(url: str) -> list[str]:
    """Run what this database has not run yet, all or nothing; return what ran.

    That is the ids of Piccolo's migrations, then the names of files in `sql/` that are newer than this
    database: whoever pulls a newer Doorstep onto data of his own gets them at the next start.

    A second runner waits for the first and then finds nothing to do. The process must have no
    pool open: this opens one of its own and closes it.

    Raises: MigrationEdited; asyncpg.PostgresError when a statement is refused.
    """
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    from piccolo.apps.migrations.commands.forwards import run_forwards

    await db_engine.start(url, pool_size=1, command_timeout=COMMAND_SECONDS)
    try:
        async with db.unit_of_work():
            await db.value("SELECT pg_advisory_xact_lock($1)", _LOCK)
            await refuse_edited_files()
            before = await _applied()
            # Piccolo joins the open transaction; what it prints is for its own command line.
            with contextlib.redirect_stdout(io.StringIO()) as said:
                result = await run_forwards(APP_NAME)
            if not result.success:
                raise RuntimeError(said.getvalue())
            return [*sorted(await _applied() - before), *await run_sql_files()]
    finally:
        await db_engine.stop()


async def _applied() -> set[str]:
    if await db.value("SELECT to_regclass('migration')") is None:
        return set()
    return {row["name"] for row in await db.rows("SELECT name FROM migration")}
