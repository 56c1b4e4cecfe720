"""The way to PostgreSQL: one pool, the connection a statement goes to, and what it means to lose it.

Piccolo owns tables, migrations and ordinary queries; its engine is used here with a transaction
of our own, because the library's leaks the connection when a COMMIT fails or is cancelled.
Who opens that transaction stands in `core/db.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from doorstep.core import db_session
from doorstep.core.errors import Unavailable
from doorstep.core.failpoints import failpoint

STATEMENTS = 500
"""How many prepared statements a connection keeps, at about 75 kB of PostgreSQL's memory each. asyncpg's
own 100 are fewer than a process uses, and each that was put out is parsed and planned anew: the doctor
took 131 ms instead of 50."""

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
        if current_transaction() is None:
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
        async with connected() as connection:
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


def current_transaction() -> Transaction | None:
    """Find the transaction that this task has open, or None.

    Raises: SharedTransaction when it belongs to another task.
    """
    transaction = engine.current_transaction.get()
    if not isinstance(transaction, Transaction):
        return None
    if transaction.task is not asyncio.current_task():
        raise SharedTransaction("A transaction belongs to the task that opened it.")
    return transaction


@asynccontextmanager
async def acquired() -> AsyncIterator[Any]:
    """Hold a connection of the pool for the block.

    Raises: DatabaseUnavailable when none is to be had in time.
    """
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


def is_lost(error: Exception, connection: Any) -> bool:
    """Tell whether the error says that the database is gone, and not that we made a mistake."""
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
async def connected() -> AsyncIterator[Any]:
    """Hold the connection that one statement goes to: of the open transaction or of the pool.

    Raises: DatabaseUnavailable when it is lost, SharedTransaction.
    """
    failpoint("db.before_statement")
    transaction = current_transaction()
    if transaction is not None:
        with _translated(transaction.connection):
            yield transaction.connection
    else:
        async with acquired() as connection:
            with _translated(connection):
                yield connection
    failpoint("db.after_statement")


@contextmanager
def _translated(connection: Any) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if not is_lost(error, connection):
            raise
        raise DatabaseUnavailable(str(error)) from error


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
            statement_cache_size=STATEMENTS,
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
