"""The transaction of DESIGN §3: it gives its connection back whatever happens, and heals."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from piccolo.querystring import QueryString

from doorstep.core import db as core_db
from doorstep.core import db_engine
from doorstep.core.embedded import EmbeddedPostgres


@pytest.fixture(scope="module")
async def probe(worker: Any, db: Any) -> AsyncIterator[Any]:
    """A table that accepts every row and refuses number 13 at COMMIT; dropped afterwards."""
    await db.execute(
        "CREATE TABLE db_probe (id int CONSTRAINT db_probe_pkey PRIMARY KEY, n int NOT NULL);"
        "CREATE FUNCTION db_probe_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
        " BEGIN RAISE EXCEPTION 'unlucky' USING ERRCODE = 'check_violation'; END $$;"
        "CREATE CONSTRAINT TRIGGER db_probe_late AFTER INSERT ON db_probe"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.n = 13)"
        " EXECUTE FUNCTION db_probe_refuse()"
    )
    yield db
    await db.execute("DROP TABLE db_probe; DROP FUNCTION db_probe_refuse()")


@pytest.fixture(autouse=True)
async def emptied(probe: Any) -> None:
    await probe.execute("DELETE FROM db_probe")


async def whole() -> bool:
    """Wait until the pool has got back what cancelled tasks still held."""
    for _ in range(100):
        idle, size = db_engine.pool_state()
        if idle == size:
            return True
        await asyncio.sleep(0.02)
    return False


async def count() -> int:
    return int(await core_db.value("SELECT count(*) FROM db_probe"))


async def insert(number: int, n: int = 0) -> None:
    await core_db.execute("INSERT INTO db_probe VALUES ($1, $2)", number, n)


async def test_a_thousand_failing_commits_leave_the_pool_whole(db: Any) -> None:
    async def fails(number: int) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            async with db.unit_of_work():
                await insert(number, 13)

    for start in range(0, 1000, 20):
        await asyncio.gather(*(fails(start + i) for i in range(20)))
    assert await whole()
    assert await count() == 0


async def test_four_hundred_random_cancels_leave_the_pool_whole(db: Any) -> None:
    seeded = random.Random(7)
    inside: set[int] = set()

    async def work(number: int) -> None:
        async with db.unit_of_work():
            await insert(number)
            await db.value("SELECT pg_sleep(0.002)")
        inside.add(number)

    for start in range(0, 400, 20):
        tasks = [asyncio.create_task(work(start + i)) for i in range(20)]
        for task in tasks:
            await asyncio.sleep(seeded.uniform(0, 0.002))
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert await whole()
    assert await db.value("SELECT 1") == 1
    stored = {row["id"] for row in await db.rows("SELECT id FROM db_probe")}
    assert inside <= stored


async def test_use_cases_that_deadlock_are_run_again(db: Any) -> None:
    await insert(1)
    await insert(2)
    runs = 0

    @core_db.transactional
    async def both(first: int, second: int) -> None:
        nonlocal runs
        runs += 1
        await db.execute("UPDATE db_probe SET n = n + 1 WHERE id = $1", first)
        await asyncio.sleep(0.05)
        await db.execute("UPDATE db_probe SET n = n + 1 WHERE id = $1", second)

    await asyncio.gather(both(1, 2), both(2, 1))
    assert {row["n"] for row in await db.rows("SELECT n FROM db_probe")} == {2}
    assert runs == 3


async def test_use_cases_that_cannot_be_serialized_are_run_again(db: Any) -> None:
    await insert(1)
    runs = 0

    @core_db.transactional
    async def increment() -> None:
        nonlocal runs
        runs += 1
        await db.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        n = await db.value("SELECT n FROM db_probe WHERE id = 1")
        await asyncio.sleep(0.01)
        await db.execute("UPDATE db_probe SET n = $1 WHERE id = 1", n + 1)

    await asyncio.gather(*(increment() for _ in range(3)))
    assert await db.value("SELECT n FROM db_probe") == 3
    assert runs > 3


async def test_a_use_case_that_always_loses_ends_as_unavailable(db: Any) -> None:
    runs = 0

    @core_db.transactional
    async def loses() -> None:
        nonlocal runs
        runs += 1
        raise asyncpg.DeadlockDetectedError("lost")

    with pytest.raises(db_engine.DatabaseUnavailable):
        await loses()
    assert runs == core_db.MAX_RUNS


async def test_a_swallowed_inner_failure_dooms_the_outer(db: Any) -> None:
    with pytest.raises(core_db.TransactionDoomed):
        async with db.unit_of_work():
            await insert(1)
            try:
                async with db.unit_of_work():
                    raise ValueError("inner")
            except ValueError:
                await insert(2)
    assert await count() == 0


async def test_an_inner_unit_joins_and_commits_with_the_outer(db: Any) -> None:
    @core_db.transactional
    async def inner() -> None:
        await insert(2)

    with pytest.raises(ValueError, match="outer"):
        async with db.unit_of_work():
            await inner()
            raise ValueError("outer")
    assert await count() == 0


async def test_a_savepoint_undoes_only_its_block(db: Any) -> None:
    called: list[str] = []
    async with db.unit_of_work() as unit:
        await insert(1)
        unit.after_commit(lambda: called.append("outer"))
        with pytest.raises(asyncpg.UniqueViolationError):
            # The inner unit's failure is undone with the savepoint.
            async with unit.savepoint(), db.unit_of_work():
                db.after_commit(lambda: called.append("inner"))
                await insert(1)
        await insert(2)
    assert await count() == 2
    assert called == ["outer"]


async def test_callbacks_run_after_the_commit_only(db: Any) -> None:
    called: list[str] = []
    with pytest.raises(ValueError, match="no"):
        async with db.unit_of_work() as unit:
            unit.after_commit(lambda: called.append("never"))
            raise ValueError("no")
    async with db.unit_of_work() as unit:
        unit.after_commit(lambda: called.append("first"))
        unit.after_commit(lambda: 1 / 0)  # A broken messenger does not undo the facts.
        unit.after_commit(lambda: called.append("second"))
        assert called == []
    db.after_commit(lambda: called.append("at once"))
    assert called == ["first", "second", "at once"]


async def test_another_task_may_not_use_the_transaction(db: Any) -> None:
    async with db.unit_of_work():
        with pytest.raises(db_engine.SharedTransaction):
            await asyncio.gather(db.value("SELECT 1"))
        with pytest.raises(db_engine.SharedTransaction):
            await asyncio.create_task(db.value("SELECT 1"))
        with pytest.raises(db_engine.SharedTransaction):
            await asyncio.create_task(db_engine.engine.run_querystring(QueryString("SELECT 1")))
        assert await db.value("SELECT 1") == 1


async def test_piccolo_runs_in_our_transaction_and_opens_none(db: Any) -> None:
    with pytest.raises(ValueError, match="undo"):
        async with db.unit_of_work():
            await db_engine.engine.run_querystring(
                QueryString("INSERT INTO db_probe VALUES (9, 0)")
            )
            raise ValueError("undo")
    assert await count() == 0
    with pytest.raises(db_engine.ForeignTransaction):
        db_engine.engine.transaction()


async def test_no_statement_runs_without_the_pool(db: Any) -> None:
    pool, db_engine.engine.pool = db_engine.engine.pool, None
    try:
        for statement in (
            lambda: db.value("SELECT 1"),
            lambda: db_engine.engine.run_querystring(QueryString("SELECT 1")),
            lambda: db_engine.engine.run_ddl("SELECT 1"),
        ):
            with pytest.raises(db_engine.DatabaseUnavailable):
                await statement()
        with pytest.raises(db_engine.DatabaseUnavailable):
            async with db.unit_of_work():
                raise AssertionError("no transaction without the pool")
        with pytest.raises(db_engine.ForeignTransaction):
            await db_engine.engine.get_new_connection()
    finally:
        db_engine.engine.pool = pool


async def test_mistakes_in_our_code_are_not_called_an_outage(db: Any) -> None:
    with pytest.raises(asyncpg.DataError):
        await db.value("SELECT $1::int", "text")
    with pytest.raises(FileNotFoundError):
        async with db.unit_of_work():
            os.stat("/nowhere/at/all")  # Stands for any OSError of the body.


async def test_a_busy_pool_is_waited_for_only_so_long(
    db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db_engine, "_acquire_timeout", 0.05)
    assert db_engine.engine.pool is not None
    held = [await db_engine.engine.pool.acquire() for _ in range(10)]
    try:
        with pytest.raises(db_engine.DatabaseUnavailable):
            await db.value("SELECT 1")
    finally:
        for connection in held:
            await db_engine.engine.pool.release(connection)
    assert await whole()


async def test_the_pool_heals_after_its_connections_were_cut(db: Any, worker: Any) -> None:
    admin = await asyncpg.connect(worker.servers.database_url("postgres", "postgres"))
    try:
        async with asyncio.timeout(10):
            with pytest.raises(db_engine.DatabaseUnavailable):
                async with db.unit_of_work():
                    await insert(1)
                    await _cut(admin, worker.database)
                    await insert(2)
        for _ in range(20):
            assert await db.value("SELECT 1") == 1
        assert await count() == 0
        assert await whole()
    finally:
        await admin.close()


async def _cut(admin: Any, database: str) -> None:
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = $1 AND application_name = 'doorstep'",
        database,
    )
    await asyncio.sleep(0.05)


@pytest.mark.chaos
async def test_a_restart_of_postgresql_heals(db: Any, worker: Any, tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    await asyncio.to_thread(server.start)
    await db_engine.stop()
    try:
        await db_engine.start(server.url(), pool_size=4, command_timeout=5)
        await asyncio.gather(*(db.value("SELECT pg_sleep(0.01)") for _ in range(8)))
        await asyncio.to_thread(server.stop, immediate=True)
        for _ in range(8):
            with pytest.raises(db_engine.DatabaseUnavailable):
                await db.value("SELECT 1")
        with pytest.raises(db_engine.DatabaseUnavailable):
            async with db.unit_of_work():
                raise AssertionError("PostgreSQL is down")
        await asyncio.to_thread(server.start)
        assert await asyncio.gather(*(db.value("SELECT 1") for _ in range(8))) == [1] * 8
        assert await whole()
    finally:
        await db_engine.stop()
        await asyncio.to_thread(server.remove)
        await db_engine.start(worker.database_url, pool_size=10)


@pytest.fixture
async def admin(worker: Any) -> AsyncIterator[asyncpg.Connection]:
    """A superuser, whom nobody ends."""
    connection = await asyncpg.connect(worker.servers.database_url(worker.database, "postgres"))
    yield connection
    await connection.close()


@pytest.mark.parametrize("last", ["a statement", "nothing"])
async def test_a_savepoint_whose_connection_dies_is_an_outage(
    db: Any, admin: asyncpg.Connection, worker: Any, last: str
) -> None:
    with pytest.raises(db_engine.DatabaseUnavailable):
        async with db.unit_of_work() as work:
            await insert(1)
            async with work.savepoint():
                await _cut(admin, worker.database)
                if last == "a statement":
                    await insert(2)
    assert await whole()
    assert await count() == 0


async def test_whatever_the_driver_says_of_a_dying_connection_is_an_outage(
    db: Any, admin: asyncpg.Connection, worker: Any
) -> None:
    ends = asyncio.Event()
    refused = 0

    async def work() -> None:
        nonlocal refused
        while not ends.is_set():
            try:
                async with db.unit_of_work() as mine, mine.savepoint():
                    await db.value("SELECT 1")
                await db.value("SELECT 2")
            except db_engine.DatabaseUnavailable:
                refused += 1

    workers = [asyncio.create_task(work()) for _ in range(6)]
    for _ in range(40):
        await asyncio.sleep(0.01)
        await _cut(admin, worker.database)
    ends.set()
    await asyncio.gather(*workers)
    assert refused
    assert await whole()
