"""What every test can ask for: `db`, `redis`, `clock`.

A test that names none of them needs no server, and none is started for it alone.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta
from typing import Any

# Set before anything of Doorstep is imported. The real servers of a developer's shell are never
# touched: every test has its own.
for _name in ("DATABASE_URL", "REDIS_URL", "BLOB_URL"):
    os.environ.pop(_name, None)
os.environ["SECRET_KEY"] = "only-for-tests-" + "0" * 32
os.environ["PICCOLO_CONF"] = "piccolo_conf"
# On a machine that is busy with tests, a Redis that answers late is not one that is lost.
os.environ.setdefault("REDIS_TIMEOUT", "2")

import pytest  # noqa: E402

# What is asserted in a helper tells as much when it fails as in a test.
pytest.register_assert_rewrite("tests.factories", "tests.support", "tests.contract", "tests.chaos")

from redis.asyncio import Redis  # noqa: E402

from doorstep.core import clock as core_clock  # noqa: E402
from doorstep.core import db as core_db  # noqa: E402
from doorstep.core import db_engine  # noqa: E402
from doorstep.core import redis as core_redis  # noqa: E402
from doorstep.core.outbox import bell  # noqa: E402
from tests.support.stack import Cleaner, Servers, TestStack, Worker  # noqa: E402


def _ahead() -> timedelta:
    """Tell how far ahead the tests of this run live: until the next `TEST_TIME` (UTC), if it is set.

    A test that holds at noon and fails in the evening fails for whoever runs it then, so
    `TEST_TIME=20:30 make test PYTEST=tests/api` shows at any hour what would happen at that one.
    """
    asked = os.environ.get("TEST_TIME")
    if not asked:
        return timedelta()
    here = datetime.now(UTC)
    there = datetime.combine(here.date(), time.fromisoformat(asked), UTC)
    return there - here + timedelta(days=there < here)


AHEAD = _ahead()
core_clock.set_offset(AHEAD)

_started = pytest.StashKey[tuple[TestStack, Servers]]()


def _servers(config: pytest.Config) -> Servers:
    """Return the servers of the run: handed over by xdist's controller, or started here once."""
    handed_over = getattr(config, "workerinput", {}).get("servers")
    if handed_over:
        return Servers(**handed_over)
    if _started not in config.stash:
        stack = TestStack()
        try:
            config.stash[_started] = (stack, stack.start())
        except BaseException:
            stack.stop()
            raise
    return config.stash[_started][1]


class _Controller:
    """What xdist asks the process that starts the workers."""

    @pytest.hookimpl
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["servers"] = asdict(_servers(node.config))


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(_Controller())


def pytest_unconfigure(config: pytest.Config) -> None:
    if _started in config.stash:
        config.stash[_started][0].stop()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the seeds and counts that tests have recorded, also when all went well."""
    said = [
        text
        for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
        for name, text in report.user_properties
        if name == "counts"
    ]
    if said:
        terminalreporter.section("seeds and counts")
        for text in said:
            terminalreporter.line(text)


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> Worker:
    """This process's own database and Redis number, with the settings pointing at them."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "main")
    mine = Worker(_servers(request.config), name)
    mine.point_settings_here()
    return mine


@pytest.fixture(scope="session")
async def _cleaner(worker: Worker) -> AsyncIterator[Cleaner]:
    cleaner = await worker.create_database()
    yield cleaner
    await cleaner.close()


@pytest.fixture
def tamper(db: Any, _cleaner: Cleaner) -> Callable[..., Awaitable[None]]:
    """Run statements past every guard of the database, as an intruder would."""
    return _cleaner.tamper


@pytest.fixture(scope="session")
async def db(worker: Worker, _cleaner: Cleaner) -> AsyncIterator[Any]:
    """The statements of `doorstep.core.db`, started on an empty, migrated database."""
    await db_engine.start(worker.database_url, pool_size=10)
    yield core_db
    await bell.rest()
    await core_redis.stop()
    await db_engine.stop()


@pytest.fixture(scope="session")
async def redis(worker: Worker) -> AsyncIterator[Redis]:
    """A client of the real Redis; what it holds is flushed before every test that names it."""
    client: Redis = Redis.from_url(worker.redis_url)
    yield client
    await client.aclose()


@pytest.fixture(autouse=True)
async def _clean(request: pytest.FixtureRequest) -> None:
    """Begin every test with empty tables and an empty Redis, whatever the one before left."""
    names = request.fixturenames
    if "db" in names:
        await request.getfixturevalue("_cleaner").clean()
    if "redis" in names:
        await request.getfixturevalue("redis").flushdb()


class Clock:
    """Moves what `doorstep.core.clock.now` shows in this process."""

    def now(self) -> datetime:
        return core_clock.now()

    def set(self, moment: datetime) -> None:
        core_clock.set_now(moment)

    def advance(self, by: timedelta) -> None:
        core_clock.set_now(core_clock.now() + by)


@pytest.fixture
def midday(clock: Clock) -> None:
    """Begin in the middle of a day of the channel, for what counts by days: `usefixtures("midday")`."""
    tomorrow = core_clock.now() + timedelta(days=1)
    clock.set(tomorrow.replace(hour=8, minute=0, second=0, microsecond=0))


@pytest.fixture
def clock() -> Iterator[Clock]:
    """A clock to move; it is right again after the test."""
    yield Clock()
    core_clock.set_offset(AHEAD)
