"""Everything breaks while orders run: none is lost, nothing is done twice (`doorstep chaos`).

`CHAOS_SEED` chooses orders, faults and moments of the run in `make test`.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from doorstep import chaos, play
from doorstep.chaos import faults, reckoning
from doorstep.chaos.proxy import Proxy
from tests.support.whole_stack import WholeStack, whole_stack

pytestmark = pytest.mark.chaos

SEED = int(os.environ.get("CHAOS_SEED") or 7)
LONGEST = 900
"""Seconds that a run may take before it counts as hanging."""

RUNS = [
    pytest.param(SEED, 20, id="20 faults"),
    *(pytest.param(n, 30, id=f"30 faults, seed {n}", marks=pytest.mark.soak) for n in range(1, 11)),
]


@pytest.mark.parametrize(("seed", "strikes"), RUNS)
async def test_no_order_of_100_is_lost_and_nothing_is_done_twice(
    tmp_path: Path, record_property: Callable[[str, object], None], seed: int, strikes: int
) -> None:
    # The run has a limit of its own, instead of the one for a test that hangs.
    faulthandler.cancel_dump_traceback_later()
    async with asyncio.timeout(LONGEST):
        result = await chaos.run(
            tmp_path / "chaos",
            seed=seed,
            orders=100,
            strikes=strikes,
            secret_key=os.environ["SECRET_KEY"],
            say=print,
        )
    record_property("counts", result.summary)
    assert result.wrong == []
    assert result.struck.total() == strikes


def test_a_seed_plans_the_same_faults_each_time_and_every_kind_before_any_again() -> None:
    assert faults.plan(30, 7) == faults.plan(30, 7) != faults.plan(30, 8)
    kinds = [strike.kind for strike in faults.plan(len(faults.FAULTS) * 2, 7)]
    assert Counter(kinds) == dict.fromkeys(faults.FAULTS, 2)
    assert len({*kinds[: len(faults.FAULTS)]}) == len(faults.FAULTS)


# --- What is wrong is found -----------------------------------------------------------------------

TAMPERED = {
    "an order that stands": "UPDATE fulfilment SET progress = 90 WHERE progress = 100",
    "a lost order": "DELETE FROM customer_order WHERE number = (SELECT max(number) FROM customer_order)",
    "a message that nobody meant": "DELETE FROM message WHERE id ="
    " (SELECT id FROM message WHERE state = 'sent' LIMIT 1)",
    "a message that was lost": "UPDATE message SET provider_id = 'nobody' WHERE id ="
    " (SELECT id FROM message WHERE state = 'sent' LIMIT 1)",
    "goods that appeared": "UPDATE stock SET on_hand = on_hand + 1",
    "a tranche that was paid short": "UPDATE tranche SET amount_minor = amount_minor + 1"
    " WHERE number = 3",
    "a dead letter": "UPDATE outbox SET dead_at = now(), done_at = NULL WHERE id ="
    " (SELECT id FROM outbox WHERE kind = 'messages.deliver' LIMIT 1)",
}


@pytest.fixture(scope="module")
async def ended(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[WholeStack]:
    """A stack on which two orders were played to their end, undisturbed."""
    async with whole_stack(tmp_path_factory.mktemp("ended"), fsync=False) as stack:
        result = await play.simulate(
            base_url=stack.base_url, sandbox_url=stack.sandbox_url, orders=2, seed=4
        )
        assert result.ok, stack.logs()
        yield stack


async def test_a_run_in_which_all_went_well_adds_up(ended: WholeStack) -> None:
    found = await reckoning.reckon(ended, 2)
    assert found.wrong == []
    assert found.payouts
    assert found.messages


@pytest.mark.parametrize("flaw", TAMPERED)
async def test_the_reckoning_finds(ended: WholeStack, flaw: str) -> None:
    connection = await asyncpg.connect(ended.embedded.postgres.url(user="postgres"))
    table = TAMPERED[flaw].removeprefix("DELETE FROM ").removeprefix("UPDATE ").split()[0]
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {table}")
        await connection.execute(TAMPERED[flaw])
        checks = (
            await reckoning.check_orders(ended, 2)
            + (await reckoning.check_money(ended))[0]
            + await reckoning.check_goods(ended)
            + (await reckoning.check_messages(ended))[0]
        )
        await connection.execute(f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept")
    finally:
        await connection.close()
    assert checks


# --- The bad line ---------------------------------------------------------------------------------


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Proxy]:
    """A proxy before a server that says again what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while heard := await reader.read(1000):
                writer.write(heard)
        finally:
            writer.close()

    async with AsyncExitStack() as stack:
        server = await asyncio.start_unix_server(echo, tmp_path / "server")
        await stack.enter_async_context(server)
        proxy = Proxy(tmp_path / "line", tmp_path / "server")
        await proxy.start()
        stack.push_async_callback(proxy.stop)
        yield proxy


async def test_a_line_that_is_well_carries_everything(line: Proxy) -> None:
    reader, writer = await asyncio.open_unix_connection(line.listens)
    writer.write(b"hello" * 10_000)
    writer.write_eof()
    assert await reader.readexactly(50_000) == b"hello" * 10_000
    writer.close()


async def test_a_line_that_is_cut_ends_every_connection_and_takes_new_ones(line: Proxy) -> None:
    reader, writer = await asyncio.open_unix_connection(line.listens)
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    line.cut()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    reader, writer = await asyncio.open_unix_connection(line.listens)
    writer.write(b"again")
    assert await reader.readexactly(5) == b"again"
    writer.close()


async def test_a_line_is_cut_in_the_middle_of_a_message(line: Proxy) -> None:
    reader, writer = await asyncio.open_unix_connection(line.listens)
    line.cut_after(7)
    writer.write(b"hello")  # Five bytes there, two of the five back.
    heard = b""
    with pytest.raises(ConnectionError):
        while more := await reader.read(10):
            heard += more
        raise ConnectionResetError
    assert heard in (b"", b"he")
    writer.close()


async def test_a_blackholed_line_says_nothing_and_then_everything(line: Proxy) -> None:
    reader, writer = await asyncio.open_unix_connection(line.listens)
    hole = asyncio.create_task(line.blackhole(0.3))
    await asyncio.sleep(0.05)
    writer.write(b"hello")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reader.readexactly(5)
    await hole
    assert await reader.readexactly(5) == b"hello"
    writer.close()
