"""The database: one way to open a transaction, and hand-written statements.

Hand-written statements go to the connection of the open transaction, or to one of the pool
(`core/db_engine.py`), with PostgreSQL's own `$1` placeholders.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeVar

import asyncpg
import structlog

from doorstep.core.db_engine import (
    DatabaseUnavailable,
    Transaction,
    acquired,
    connected,
    current_transaction,
    engine,
    is_lost,
)
from doorstep.core.failpoints import failpoint

P = ParamSpec("P")
T = TypeVar("T")
Row = dict[str, Any]

log = structlog.get_logger(__name__)

RETRIED = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
)
"""A use-case that loses against another one (40P01, 40001, 55P03) is run again from its start."""

MAX_RUNS = 6


class RowMissing(LookupError):
    """A statement that must find a row found none: a programming error."""


class TransactionDoomed(RuntimeError):
    """An exception left an inner unit of work and was swallowed; the outer one cannot commit."""


class UnitOfWork:
    """What a use-case may do with its transaction beside running statements."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Run a plain function once the transaction is committed, never when it is not."""
        self._transaction.callbacks.append(callback)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo only the block when an exception leaves it; the transaction lives on.

        What inner units of work did inside the block is undone with it, so their failure no
        longer dooms the transaction, and their `after_commit` callbacks are forgotten.
        """
        transaction = self._transaction
        doomed, callbacks = transaction.doomed, len(transaction.callbacks)
        try:
            async with _begun(transaction.connection):
                yield
        except Exception:
            transaction.doomed = doomed
            del transaction.callbacks[callbacks:]
            raise


def in_transaction() -> bool:
    """Tell whether this task has a transaction open."""
    return current_transaction() is not None


def after_commit(callback: Callable[[], object]) -> None:
    """Run a plain function after the COMMIT of the open transaction, or at once without one."""
    transaction = current_transaction()
    if transaction is None:
        callback()
    else:
        transaction.callbacks.append(callback)


@asynccontextmanager
async def _begun(connection: Any) -> AsyncIterator[None]:
    """Begin and end a transaction, or a savepoint in one, on a connection that may die.

    Raises: DatabaseUnavailable when beginning or committing meets a lost connection.
    """
    failure: BaseException | None = None
    try:
        async with connection.transaction():
            try:
                yield
            except BaseException as of_body:
                failure = of_body
                raise
    except Exception as error:
        if failure is None and is_lost(error, connection):
            raise DatabaseUnavailable(str(error)) from error
        if failure is None or failure is error:
            raise
        # What the body said counts, although the ROLLBACK then met a dead connection.
        raise failure from error


@asynccontextmanager
async def _opened() -> AsyncIterator[Transaction]:
    async with acquired() as connection:
        transaction = Transaction(connection)
        token = engine.current_transaction.set(transaction)
        try:
            async with _begun(connection):
                yield transaction
                if transaction.doomed:
                    raise TransactionDoomed
                failpoint("db.before_commit")
        finally:
            engine.current_transaction.reset(token)


@asynccontextmanager
async def unit_of_work() -> AsyncIterator[UnitOfWork]:
    """Open a transaction for the block, or join the one that is open (DESIGN §3).

    An exception that leaves the block dooms the transaction even when an outer block swallows it.

    Raises: DatabaseUnavailable; TransactionDoomed if an inner failure was swallowed.
    """
    outer = current_transaction()
    if outer is None:
        async with _opened() as transaction:
            yield UnitOfWork(transaction)
        failpoint("db.after_commit")
        _call_back(transaction.callbacks)
        failpoint("db.after_callbacks")
        return
    try:
        yield UnitOfWork(outer)
    except BaseException:
        outer.doomed = True
        raise


@asynccontextmanager
async def snapshot() -> AsyncIterator[None]:
    """Read everything in the block as it stood at one moment; nothing can be written in it.

    It is a transaction of its own and cannot join another one.
    """
    async with unit_of_work():
        await execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def _call_back(callbacks: Iterable[Callable[[], object]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            # The facts are committed: a callback only tells others about them.
            log.exception("db.after_commit_failed")


def transactional(use_case: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Run the use-case in a transaction; the outermost one is run again when it loses (`RETRIED`).

    Raises: DatabaseUnavailable when it still loses after `MAX_RUNS` runs.
    """

    @functools.wraps(use_case)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if in_transaction():
            async with unit_of_work():
                return await use_case(*args, **kwargs)
        for attempt in range(1, MAX_RUNS + 1):
            try:
                async with unit_of_work():
                    return await use_case(*args, **kwargs)
            except RETRIED as lost:
                log.info("db.use_case_rerun", use_case=use_case.__qualname__, attempt=attempt)
                if attempt == MAX_RUNS:
                    raise DatabaseUnavailable(str(lost)) from lost
                await asyncio.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    return run


async def rows(sql: str, *args: Any) -> list[Row]:
    """Run a statement and fetch all its rows as dicts."""
    async with connected() as connection:
        return [dict(record) for record in await connection.fetch(sql, *args)]


async def row(sql: str, *args: Any) -> Row | None:
    """Run a statement and fetch its first row, or None."""
    async with connected() as connection:
        record = await connection.fetchrow(sql, *args)
    return None if record is None else dict(record)


async def one(sql: str, *args: Any) -> Row:
    """Run a statement that always finds a row.

    Raises: RowMissing.
    """
    found = await row(sql, *args)
    if found is None:
        raise RowMissing(sql)
    return found


async def value(sql: str, *args: Any) -> Any:
    """Run a statement and fetch the first column of its first row, or None."""
    async with connected() as connection:
        return await connection.fetchval(sql, *args)


async def execute(sql: str, *args: Any) -> int:
    """Run a statement; tell how many rows it touched (0 where PostgreSQL does not say)."""
    async with connected() as connection:
        status: str = await connection.execute(sql, *args)
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


async def execute_many(sql: str, arguments: Iterable[tuple[Any, ...]]) -> None:
    """Run a statement once per tuple, in one round trip."""
    async with connected() as connection:
        await connection.executemany(sql, arguments)
