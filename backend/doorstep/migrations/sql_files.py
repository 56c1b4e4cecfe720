"""The hand-written DDL: files in `sql/`, run whole and remembered by their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from doorstep.core import db

FOLDER = Path(__file__).parent / "sql"


class MigrationEdited(RuntimeError):
    """A file of `sql/` was changed after this database had run it; the message says which."""


async def run_sql_files() -> list[str]:
    """Run the files of `sql/` that this database has not run yet, in name order; return their names.

    They join the open transaction. Each is sent as one simple query: functions and comments need no
    splitting at semicolons.
    """
    await db.execute(
        "CREATE TABLE IF NOT EXISTS migration_file ("
        " name text CONSTRAINT migration_file_pkey PRIMARY KEY,"
        " sha256 text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    known = {row["name"] for row in await db.rows("SELECT name FROM migration_file")}
    new = [path for path in sorted(FOLDER.glob("*.sql")) if path.name not in known]
    for path in new:
        await db.execute(path.read_text(encoding="utf-8"))
        await db.execute(
            "INSERT INTO migration_file (name, sha256) VALUES ($1, $2)", path.name, _digest(path)
        )
    return [path.name for path in new]


async def refuse_edited_files() -> None:
    """Compare what this database has run with what lies in the folder now.

    Raises: MigrationEdited.
    """
    if await db.value("SELECT to_regclass('migration_file')") is None:
        return
    for row in await db.rows("SELECT name, sha256 FROM migration_file ORDER BY name"):
        path = FOLDER / row["name"]
        if not path.exists() or _digest(path) != row["sha256"]:
            raise MigrationEdited(
                f"{row['name']} was changed after this database had run it. "
                "Write the change as a new file, or throw the demo's data away (`make reset`)."
            )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
