"""Migrations: run once, by one runner, and never from an edited file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from doorstep.migrations import sql_files
from tests.support.stack import KEPT, Worker

RUN = """
import asyncio, sys
from pathlib import Path
from doorstep.migrations import sql_files
from doorstep.migrations.run import migrate
if sys.argv[2:]:
    sql_files.FOLDER = Path(sys.argv[2])
try:
    print(asyncio.run(migrate(sys.argv[1])))
except Exception as failure:
    sys.exit(f"{type(failure).__name__}: {failure}")
"""


@pytest.fixture
async def empty(worker: Worker) -> AsyncIterator[str]:
    """The address of a database that has run nothing yet."""
    name = f"empty_{worker.name}"
    admin = await asyncpg.connect(worker.servers.database_url("postgres", "postgres"))
    await admin.execute(f"CREATE DATABASE {name} OWNER doorstep")
    yield worker.servers.database_url(name)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


def start(url: str, *folder: str) -> subprocess.Popen[str]:
    """Start a runner: a process of its own, since a migration opens the process's pool."""
    return subprocess.Popen(
        [sys.executable, "-c", RUN, url, *folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_runners_at_once_run_each_migration_once(empty: str) -> None:
    runners = [start(empty), start(empty)]
    said = sorted(runner.communicate(timeout=60)[0].strip() for runner in runners)
    assert [runner.returncode for runner in runners] == [0, 0]
    assert said[1] == "[]"
    assert "2026-11-23" in said[0]


async def test_the_application_role_owns_every_table(empty: str) -> None:
    assert start(empty).communicate(timeout=60)[1] == ""
    connection = await asyncpg.connect(empty)
    try:
        owners = await connection.fetch(
            "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'"
        )
    finally:
        await connection.close()
    assert [row["tableowner"] for row in owners] == ["doorstep"]


async def test_every_file_is_remembered_with_its_digest(empty: str) -> None:
    start(empty).communicate(timeout=60)
    connection = await asyncpg.connect(empty)
    try:
        names = {row["name"] for row in await connection.fetch("SELECT name FROM migration_file")}
    finally:
        await connection.close()
    assert names == {path.name for path in sql_files.FOLDER.glob("*.sql")}


async def test_a_database_of_before_runs_the_files_that_came_since_and_a_broken_one_changes_nothing(
    empty: str, tmp_path: Path
) -> None:
    folder = tmp_path / "sql"
    shutil.copytree(sql_files.FOLDER, folder)
    assert start(empty, str(folder)).communicate(timeout=60)[0] != "[]\n"
    (folder / "998_newer.sql").write_text("CREATE TABLE newer (id int);")
    (folder / "999_broken.sql").write_text("CREATE TABLE newer (id int);")
    broken = start(empty, str(folder))
    assert "DuplicateTableError" in broken.communicate(timeout=60)[1]
    (folder / "999_broken.sql").write_text("ALTER TABLE newer ADD name text;")
    for said in ("['998_newer.sql', '999_broken.sql']", "[]"):
        assert start(empty, str(folder)).communicate(timeout=60)[0].strip() == said
    connection = await asyncpg.connect(empty)
    try:
        await connection.execute("INSERT INTO newer (id, name) VALUES (1, 'once')")
    finally:
        await connection.close()


async def test_a_file_edited_after_it_ran_is_refused_by_name(empty: str) -> None:
    start(empty).communicate(timeout=60)
    connection = await asyncpg.connect(empty)
    try:
        await connection.execute(
            "UPDATE migration_file SET sha256 = 'another' WHERE name = '000_base.sql'"
        )
    finally:
        await connection.close()
    runner = start(empty)
    _, failure = runner.communicate(timeout=60)
    assert runner.returncode == 1
    assert failure.startswith("MigrationEdited: 000_base.sql was changed")


def test_the_files_are_numbered_and_no_number_is_used_twice() -> None:
    numbers = [path.name[:4] for path in Path(sql_files.FOLDER).glob("*.sql")]
    assert all(number[:3].isdigit() and number[3] == "_" for number in numbers)
    assert len(numbers) == len(set(numbers))


def test_reference_rows_of_the_migrations_survive_the_cleaning_between_tests() -> None:
    scripts = [path.read_text() for path in sql_files.FOLDER.glob("*.sql")]
    filled = {
        table for script in scripts for table in re.findall(r"^INSERT INTO (\w+)", script, re.M)
    }
    assert filled <= KEPT
