"""The database: one pool, one way to open a transaction, and hand-written statements.

Piccolo owns tables, migrations and ordinary queries; its engine is used here with a transaction
of our own, because the library's leaks the connection when a COMMIT fails or is cancelled.
Hand-written statements go to the same connection with PostgreSQL's own `$1` placeholders.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, ParamSpec, TypeVar

import asyncpg
import structlog
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from doorstep.core import db_session
from doorstep.core.errors import Unavailable
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

CONNECT_TIMEOUT = 5.0

_OUT_OF_REACH = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What PostgreSQL says when it stops, starts, is full, or has become a standby."""


class DatabaseUnavailable(Unavailable):
    """PostgreSQL is down, starting or full; whether a COMMIT under way got through is unknown."""

    title = "The database is out of reach for a moment. Please try again."


class RowMissing(LookupError):
    """A statement that must find a row found none: a programming error."""


class TransactionDoomed(RuntimeError):
    """An exception left an inner unit of work and was swallowed; the outer one cannot commit."""


class SharedTransaction(RuntimeError):
    """A task used the transaction of another task (gather or create_task inside one)."""


class ForeignTransaction(RuntimeError):
    """Piccolo was asked for a transaction or a connection of its own; `unit_of_work` is the way."""


class Engine(PostgresEngine):
    """Piccolo's engine with every statement sent through our pool and our transaction."""

    async def check_version(self) -> None:
        """Leave the version to `start`, which connects anyway."""

    async def get_new_connection(self) -> Any:
        """Refuse a connection beside the pool: Piccolo would leak it.

        Raises: ForeignTransaction.
        """
        raise ForeignTransaction("Statements run through the pool; start it first.")

    def transaction(self, allow_nested: bool = True) -> PostgresTransaction:
        """Let Piccolo's migrations join the open transaction, and nobody open another.

        Raises: ForeignTransaction.
        """
        if _current() is None:
            raise ForeignTransaction("Transactions are opened by `unit_of_work` alone.")
        return super().transaction(allow_nested=True)

    async def run_querystring(self, querystring: Any, in_pool: bool = True) -> Any:
        """Run what Piccolo's query builder made."""
        statement, args = querystring.compile_string(engine_type=self.engine_type)
        return await self._fetch(statement, args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        """Run a statement that Piccolo's migrations made."""
        return await self._fetch(ddl, ())

    async def _fetch(self, statement: str, args: Iterable[Any]) -> Any:
        async with _connection() as connection:
            return await connection.fetch(statement, *args)


engine = Engine(config={})

_acquire_timeout = 10.0


class Transaction(PostgresTransaction):
    """An open transaction: whose it is, whether it may commit, and what follows the commit."""

    __slots__ = ("callbacks", "doomed", "task")

    def __init__(self, connection: Any) -> None:
        super().__init__(engine, allow_nested=False)
        self.connection = connection
        self.doomed = False
        self.task = asyncio.current_task()
        self.callbacks: list[Callable[[], object]] = []


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


def _current() -> Transaction | None:
    transaction = engine.current_transaction.get()
    if not isinstance(transaction, Transaction):
        return None
    if transaction.task is not asyncio.current_task():
        raise SharedTransaction("A transaction belongs to the task that opened it.")
    return transaction


def in_transaction() -> bool:
    """Tell whether this task has a transaction open."""
    return _current() is not None


def after_commit(callback: Callable[[], object]) -> None:
    """Run a plain function after the COMMIT of the open transaction, or at once without one."""
    transaction = _current()
    if transaction is None:
        callback()
    else:
        transaction.callbacks.append(callback)


@asynccontextmanager
async def _acquired() -> AsyncIterator[Any]:
    pool = engine.pool
    if pool is None:
        raise DatabaseUnavailable("The connection pool is not started.")
    try:
        async with asyncio.timeout(_acquire_timeout):
            connection = await pool.acquire()
    except (OSError, asyncpg.InterfaceError, *_OUT_OF_REACH) as lost:
        raise DatabaseUnavailable(str(lost)) from lost
    try:
        yield connection
    finally:
        # The pool shields this from a cancel, rolls back what is still open, and throws the
        # connection away when it is no longer usable.
        await pool.release(connection)


def _is_lost(error: Exception, connection: Any) -> bool:
    # OSError includes the TimeoutError of `command_timeout`. InternalClientError is what the driver
    # says between the server's last word and the end of the connection. An InterfaceError is a
    # mistake in our code, unless the connection is gone: then its proxy refuses even this question.
    if not isinstance(error, asyncpg.InterfaceError):
        return isinstance(error, (OSError, asyncpg.InternalClientError, *_OUT_OF_REACH))
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


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
        if failure is None and _is_lost(error, connection):
            raise DatabaseUnavailable(str(error)) from error
        if failure is None or failure is error:
            raise
        # What the body said counts, although the ROLLBACK then met a dead connection.
        raise failure from error


@asynccontextmanager
async def _opened() -> AsyncIterator[Transaction]:
    async with _acquired() as connection:
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
    outer = _current()
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


@asynccontextmanager
async def _connection() -> AsyncIterator[Any]:
    failpoint("db.before_statement")
    transaction = _current()
    if transaction is not None:
        with _translated(transaction.connection):
            yield transaction.connection
    else:
        async with _acquired() as connection:
            with _translated(connection):
                yield connection
    failpoint("db.after_statement")


@contextmanager
def _translated(connection: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not _is_lost(error, connection):
            raise
        raise DatabaseUnavailable(str(error)) from error


async def rows(sql: str, *args: Any) -> list[Row]:
    """Run a statement and fetch all its rows as dicts."""
    async with _connection() as connection:
        return [dict(record) for record in await connection.fetch(sql, *args)]


async def row(sql: str, *args: Any) -> Row | None:
    """Run a statement and fetch its first row, or None."""
    async with _connection() as connection:
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
    async with _connection() as connection:
        return await connection.fetchval(sql, *args)


async def execute(sql: str, *args: Any) -> int:
    """Run a statement; tell how many rows it touched (0 where PostgreSQL does not say)."""
    async with _connection() as connection:
        status: str = await connection.execute(sql, *args)
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


async def execute_many(sql: str, arguments: Iterable[tuple[Any, ...]]) -> None:
    """Run a statement once per tuple, in one round trip."""
    async with _connection() as connection:
        await connection.executemany(sql, arguments)


async def start(url: str, *, pool_size: int = 5, command_timeout: float = 10.0) -> None:
    """Connect this process to the database; the pool must exist before any statement.

    `command_timeout` (seconds) bounds a statement and the wait for a free connection.

    Raises: DatabaseUnavailable.
    """
    global _acquire_timeout  # noqa: PLW0603 - belongs to the pool, of which a process has one.
    engine.config = {"dsn": url}
    try:
        await engine.start_connection_pool(
            min_size=1,
            max_size=pool_size,
            timeout=CONNECT_TIMEOUT,
            command_timeout=command_timeout,
            init=db_session.prepare,
            reset=db_session.keep,
            server_settings=db_session.SERVER_SETTINGS,
        )
    except (OSError, *_OUT_OF_REACH) as lost:
        raise DatabaseUnavailable(str(lost)) from lost
    _acquire_timeout = command_timeout


async def stop() -> None:
    """Close every connection of this process; nothing happens when none is open."""
    pool, engine.pool = engine.pool, None
    if pool is None:
        return
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def pool_state() -> tuple[int, int]:
    """Tell (idle connections, open connections) for health and tests."""
    if engine.pool is None:
        return (0, 0)
    return (engine.pool.get_idle_size(), engine.pool.get_size())
