"""The limit: pgbench sends what the product sent, statement by statement, to a copy of its database.

`Recorder` notes every statement of a request with its arguments. `Replay` makes a pgbench script
of them: arguments that never change are parameters, those that do come from a table of arguments,
by an index look-up inside the statement, which costs the limit a few microseconds.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import asyncpg
import httpx
import msgspec

from doorstep.core import db_engine, db_session
from tests.bench.machine import CLIENTS, Machine

PARAMETER = re.compile(r"\$(\d+)")
LOOKS_LIKE_VARIABLE = re.compile(r"(?<!:):[A-Za-z_]")
SAVEPOINT_NAME = re.compile(r"__asyncpg_savepoint_\w+__")
"""asyncpg gives each savepoint a number of its own, which makes no other statement of it."""

LONGEST_PARAMETER = 500
LONGEST_PLAIN = 7000
JSON_AS_TEXT = {"json": "text", "jsonb": "text", "json[]": "text[]", "jsonb[]": "text[]"}
"""PostgreSQL parses JSON for the product, so it has to parse it here too."""


class Call(NamedTuple):
    """One statement as it was sent."""

    sql: str
    arguments: tuple[Any, ...]


class Recorder:
    """Notes the statements of this process's pool, work by work."""

    def __init__(self) -> None:
        self.works: list[list[Call]] = []
        self._calls: list[Call] = []

    @classmethod
    @asynccontextmanager
    async def on(cls, url: str) -> AsyncIterator[Recorder]:
        """Start `doorstep.core.db_engine` on a database with every statement noted."""
        recorder, plain = cls(), db_session.prepare

        async def prepare(connection: Any) -> None:
            await plain(connection)
            connection.add_query_logger(recorder._note)

        with mock.patch.object(db_session, "prepare", prepare):
            await db_engine.start(url, pool_size=1)
        try:
            yield recorder
        finally:
            await db_engine.stop()

    def _note(self, sent: Any) -> None:
        sql = SAVEPOINT_NAME.sub("one", sent.query)
        self._calls.append(Call(sql, tuple(sent.args or ())))

    async def note(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do one work and keep its statements."""
        self._calls = []
        result = await work()
        await asyncio.sleep(0)  # The loggers are called one turn of the loop later.
        self.works.append(self._calls)
        return result

    def usual(self) -> list[list[Call]]:
        """Return the works that sent the usual statements; a few sent one more, once a minute."""
        shapes = Counter(_shape(work) for work in self.works)
        shape, _ = shapes.most_common(1)[0]
        return [work for work in self.works if _shape(work) == shape]


def _shape(work: Sequence[Call]) -> tuple[str, ...]:
    return tuple(call.sql for call in work)


class Asked(NamedTuple):
    """A request of this process to itself."""

    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


async def record_requests(
    app: Any, url: str, requests: Sequence[Asked]
) -> tuple[list[list[Call]], list[httpx.Response]]:
    """Let the application answer in this process; return the usual statements and the answers.

    Raises: httpx.HTTPStatusError if one of them is refused.
    """
    answers: list[httpx.Response] = []
    transport = httpx.ASGITransport(app=app)
    async with (
        Recorder.on(url) as recorder,
        httpx.AsyncClient(transport=transport, base_url="http://bench") as caller,
    ):
        for asked in requests:
            work = partial(
                caller.request,
                asked.method,
                asked.path,
                headers=dict(asked.headers),
                content=asked.body,
            )
            answers.append((await recorder.note(work)).raise_for_status())
    return recorder.usual(), answers


class Rate(NamedTuple):
    """What pgbench reached: transactions, in how many seconds, with how much CPU of PostgreSQL."""

    transactions: int
    seconds: float
    database_cpu: float


@dataclass
class Replay:
    """A pgbench script with its arguments, on one database. Each work is sent once, in order."""

    machine: Machine
    database: str
    script: Path
    variables: dict[str, str]
    statements: int
    works: int
    sent: int = 0

    async def run(self, works: int) -> Rate:
        """Send the next so many works with eight clients.

        Raises: RuntimeError if a statement fails.
        """
        each = min(works, self.works - self.sent) // CLIENTS
        variables = self.variables | {"first": str(self.sent)}
        before = self.machine.database_cpu()
        child = await asyncio.create_subprocess_exec(
            str(self.machine.stack.postgres.program("pgbench")),
            *("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-t", str(each)),
            *(
                word
                for name, text in variables.items()
                if text
                for word in ("-D", f"{name}={text}")
            ),
            *("-f", str(self.script), self.machine.url(self.database)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said = (await child.communicate())[0].decode()
        rate = re.search(r"tps = ([\d.]+)", said)
        if child.returncode or rate is None or f"processed: {each * CLIENTS}/" not in said:
            raise RuntimeError(f"pgbench has failed:\n{said}")
        self.sent += each * CLIENTS
        spent = self.machine.database_cpu() - before
        return Rate(each * CLIENTS, each * CLIENTS / float(rate[1]), spent)


async def make_replay(
    machine: Machine, database: str, name: str, works: Sequence[Sequence[Call]]
) -> Replay:
    """Turn recorded works of one shape into a replay on a database."""
    variables = {"i": "0", "first": "0"}
    lines = [f"\\set n :first + :client_id + {CLIENTS} * :i", "\\set i :i + 1"]
    connection = await asyncpg.connect(machine.url(database))
    try:
        for number, first in enumerate(works[0]):
            table = f"replay_{name}_{number}"
            calls = [work[number] for work in works]
            lines.append(await _statement(connection, table, first.sql, calls, variables))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    script = machine.folder / f"{name}.sql"
    script.write_text("\n".join(lines) + "\n")
    return Replay(machine, database, script, variables, len(works[0]), len(works))


async def _statement(
    connection: Any, table: str, sql: str, calls: Sequence[Call], variables: dict[str, str]
) -> str:
    sql = sql.strip().rstrip(";")
    if found := LOOKS_LIKE_VARIABLE.search(sql):
        raise RuntimeError(f"pgbench would take {found[0]!r} for a variable in: {sql}")
    if not calls[0].arguments:
        return f"{sql};"
    types = [kind.name for kind in (await connection.prepare(sql)).get_parameters()]
    columns: dict[str, tuple[str, list[Any]]] = {}
    written: list[str] = []
    for position, kind in enumerate(types):
        given = [_as_sent(call.arguments[position], kind) for call in calls]
        name, stored = f"a{position}", JSON_AS_TEXT.get(kind, kind)
        constant = all(argument == given[0] for argument in given)
        if constant and given[0] is None:
            written.append(f"NULL::{kind}")
        elif constant and len(str(given[0])) < LONGEST_PARAMETER:
            text = await connection.fetchval(f"SELECT ($1::{stored})::text", given[0])
            variables[f"{table}_{name}"] = text
            # pgbench takes no variable without a value.
            written.append(f":{table}_{name}" if text else f"''::{kind}")
        else:
            columns[name] = (stored, given)
            # The cast keeps `ANY (…)` from taking the look-up for a set of rows.
            written.append(f"(SELECT {name} FROM {table} WHERE n = :n)::{kind}")
    await _store(connection, table, columns)
    return PARAMETER.sub(lambda found: written[int(found[1]) - 1], sql) + ";"


async def _store(connection: Any, table: str, columns: dict[str, tuple[str, list[Any]]]) -> None:
    if not columns:
        return
    listed = ", ".join(f"{name} {kind}" for name, (kind, _) in columns.items())
    await connection.execute(f"CREATE TABLE {table} (n int PRIMARY KEY, {listed})")
    for name, (kind, given) in columns.items():
        if kind in ("text", "text[]", "bytea") and max(len(str(a)) for a in given) < LONGEST_PLAIN:
            # Neither compressed nor elsewhere: the look-up shall cost as little as it can.
            await connection.execute(f"ALTER TABLE {table} ALTER {name} SET STORAGE PLAIN")
    rows = zip(*(given for _, given in columns.values()), strict=True)
    await connection.copy_records_to_table(
        table,
        columns=["n", *columns],
        records=[(number, *row) for number, row in enumerate(rows)],
    )


def _as_sent(argument: Any, kind: str) -> Any:
    if kind in ("json", "jsonb") and argument is not None and not isinstance(argument, str):
        return msgspec.json.encode(argument).decode()
    if kind in ("json[]", "jsonb[]") and argument is not None:
        return [_as_sent(one, "jsonb") for one in argument]
    return argument
