"""The inbox: raw first, handled once, and any order of arrival ends in the same state (IQ4)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from doorstep.core import db as core_db
from doorstep.core import inbox
from doorstep.core.jobs import find
from tests.support.worker import run_due

RAW = b'{"id": "evt_1",\n "note": "\xe0\xa4\xb9"}\x00\xff'


@pytest.fixture(scope="module", autouse=True)
async def tables(worker: Any, db: Any) -> AsyncIterator[None]:
    """A little world: orders appear, and messages tell what was paid for them."""
    await db.execute(
        "CREATE TABLE probe_order (number text CONSTRAINT probe_order_pkey PRIMARY KEY,"
        " state text NOT NULL);"
        "CREATE TABLE probe_event (id text CONSTRAINT probe_event_pkey PRIMARY KEY,"
        " number text NOT NULL, amount int NOT NULL)"
    )
    yield
    await db.execute("DROP TABLE probe_order, probe_event")


@pytest.fixture(autouse=True)
async def empty(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    await core_db.execute("DELETE FROM probe_order; DELETE FROM probe_event; DELETE FROM inbox")
    monkeypatch.setattr(inbox, "_handlers", {})


@pytest.fixture
def seen() -> Iterator[list[inbox.Message]]:
    """The source "probe": a message waits for its order and is then written down."""
    messages: list[inbox.Message] = []

    @inbox.handler("probe")
    async def handle(message: inbox.Message) -> None:
        event = msgspec.json.decode(message.body)
        await see_order(event["order"])
        await core_db.execute(
            "INSERT INTO probe_event VALUES ($1, $2, $3)",
            event["id"], event["order"], event["amount"],
        )  # fmt: skip
        messages.append(message)

    yield messages


async def see_order(number: str) -> None:
    if await core_db.value("SELECT state FROM probe_order WHERE number = $1", number) is None:
        raise inbox.WaitsFor(f"order:{number}")


async def send(event_id: str, order: str = "A", amount: int = 1) -> bool:
    body = msgspec.json.encode({"id": event_id, "order": order, "amount": amount})
    return await inbox.receive("probe", event_id, body, {"content-type": "application/json"})


@core_db.transactional
async def create_order(number: str) -> None:
    await core_db.execute("INSERT INTO probe_order VALUES ($1, 'open')", number)
    await inbox.key_appeared(f"order:{number}")


async def only() -> dict[str, Any]:
    return await core_db.one("SELECT * FROM inbox")


async def events() -> int:
    return int(await core_db.value("SELECT count(*) FROM probe_event"))


async def test_the_raw_bytes_are_kept_and_a_repeat_changes_nothing() -> None:
    assert await inbox.receive("probe", "evt_1", RAW, {"x": "y"}) is True
    assert await inbox.receive("probe", "evt_1", b"other", {}) is False
    assert await inbox.receive("another", "evt_1", RAW, {}) is True
    row = await core_db.one("SELECT * FROM inbox WHERE source = 'probe'")
    assert (row["body"], row["headers"], row["state"]) == (RAW, {"x": "y"}, "new")
    assert await core_db.value("SELECT count(*) FROM outbox WHERE kind = 'inbox.handle'") == 2


async def test_a_message_is_handled_once(seen: list[inbox.Message]) -> None:
    await create_order("A")
    await send("1")
    await send("1")
    row = await only()
    again = {"inbox_id": row["id"]}
    await core_db.value("SELECT outbox_add('inbox.handle', $1)", again)
    assert await run_due() == [("inbox.handle", "done")] * 2
    assert await events() == len(seen) == 1
    assert (await only())["state"] == "done"


async def test_a_message_about_something_unknown_waits_until_it_appears(
    seen: list[inbox.Message],
) -> None:
    await send("1")
    assert await run_due() == [("inbox.handle", "done")]
    assert ((await only())["state"], (await only())["waits_for"]) == ("waiting", "order:A")
    assert await run_due() == []
    await create_order("B")
    assert await run_due() == []
    await create_order("A")
    assert await run_due() == [("inbox.handle", "done")]
    assert ((await only())["state"], (await only())["waits_for"]) == ("done", None)
    assert await events() == 1


async def test_a_key_whose_transaction_is_undone_wakes_nobody(seen: list[inbox.Message]) -> None:
    await send("1")
    await run_due()
    with pytest.raises(ValueError, match="undo"):
        async with core_db.unit_of_work():
            await create_order("A")
            raise ValueError("undo")
    assert await run_due() == []
    assert (await only())["state"] == "waiting"


async def test_sql_functions_wake_what_waits(seen: list[inbox.Message]) -> None:
    await send("1")
    await run_due()
    async with core_db.unit_of_work():
        await core_db.execute("INSERT INTO probe_order VALUES ('A', 'open')")
        woken = await core_db.value(
            "SELECT inbox_key_appeared(ARRAY['order:B', 'order:A', 'order:A'])"
        )
    assert woken == 1
    await run_due()
    assert await events() == 1


async def test_a_key_that_appears_between_the_look_and_the_parking_is_not_lost() -> None:
    looked, go_on = asyncio.Event(), asyncio.Event()
    handled = 0

    @inbox.handler("probe")
    async def handle(message: inbox.Message) -> None:
        nonlocal handled
        try:
            await see_order("A")
        except inbox.WaitsFor:
            if not looked.is_set():
                looked.set()
                await go_on.wait()
            raise
        handled += 1

    await send("1")
    running = asyncio.create_task(run_due())
    await looked.wait()
    await create_order("A")  # Wakes nobody: the message is not parked yet.
    go_on.set()
    await running
    await run_due()
    assert handled == 1
    assert (await only())["state"] == "done"


async def test_a_creator_that_has_looked_but_not_committed_is_not_missed() -> None:
    handled = 0

    @inbox.handler("probe")
    async def handle(message: inbox.Message) -> None:
        nonlocal handled
        await see_order("A")
        handled += 1

    await send("1")
    async with core_db.unit_of_work():
        await create_order("A")
        # The handler cannot see the order yet; its parking waits for this transaction.
        running = await _in_a_clean_context(run_due())
        await asyncio.sleep(0.1)
        assert not running.done()
    await running
    await run_due()
    assert handled == 1


async def _in_a_clean_context(work: Any) -> asyncio.Task[Any]:
    import contextvars

    return asyncio.create_task(work, context=contextvars.Context())


async def test_many_races_between_messages_and_their_orders(seen: list[inbox.Message]) -> None:
    numbers = [f"R{n}" for n in range(40)]
    seeded = random.Random(11)
    for number in numbers:
        await send(f"{number}-1", number)
        await send(f"{number}-2", number)

    async def create(number: str) -> None:
        await asyncio.sleep(seeded.uniform(0, 0.15))
        await create_order(number)

    runners = [run_due() for _ in range(3)]
    await asyncio.gather(*runners, *(create(number) for number in numbers))
    await run_due()
    states = await core_db.rows("SELECT state, count(*) AS n FROM inbox GROUP BY state")
    assert states == [{"state": "done", "n": 80}]
    assert await events() == 80


@pytest.mark.parametrize("seed", range(5))
async def test_any_permutation_with_repeats_ends_in_the_same_state(
    seen: list[inbox.Message], seed: int
) -> None:
    seeded = random.Random(seed)
    sent = [(f"{order}-{n}", order, n) for order in "ABCD" for n in range(1, 6)]
    steps: list[tuple[Any, ...]] = [*sent, *seeded.choices(sent, k=20), *"ABCD"]
    seeded.shuffle(steps)
    for step in steps:
        await (create_order(step) if isinstance(step, str) else send(*step))
        if seeded.random() < 0.3:
            await run_due()
    await run_due()
    paid = await core_db.rows(
        "SELECT number, sum(amount)::int AS sum FROM probe_event GROUP BY number ORDER BY number"
    )
    assert paid == [{"number": order, "sum": 15} for order in "ABCD"]
    assert await core_db.value("SELECT count(*) FROM inbox WHERE state <> 'done'") == 0


async def test_after_a_day_it_becomes_a_problem_and_is_still_handled_when_the_key_appears(
    seen: list[inbox.Message], clock: Any
) -> None:
    await send("1")
    await run_due()
    give_up = find("inbox.give_up_waiting")
    assert give_up is not None
    clock.advance(timedelta(hours=23))
    await give_up.run({})
    assert (await only())["state"] == "waiting"
    clock.advance(timedelta(hours=2))
    await give_up.run({})
    await give_up.run({})
    row = await only()
    assert row["state"] == "problem"
    problem = await core_db.one("SELECT * FROM outbox WHERE kind = 'helpdesk.open_problem'")
    assert set(problem["payload"]) == {"kind", "title", "detail", "ref"}
    assert problem["payload"]["ref"] == f"inbox:{row['id']}"
    await core_db.execute("DELETE FROM outbox WHERE kind = 'helpdesk.open_problem'")
    await create_order("A")
    await run_due()
    assert (await only())["state"] == "done"


async def test_a_handler_that_raises_is_undone_and_the_reason_is_kept() -> None:
    @inbox.handler("probe")
    async def handle(message: inbox.Message) -> None:
        await core_db.execute("INSERT INTO probe_event VALUES ('x', 'A', 1)")
        raise KeyError("amount")

    await send("1")
    assert await run_due() == [("inbox.handle", "failed")]
    row = await only()
    assert (row["state"], row["attempts"], row["last_error"]) == ("new", 1, "KeyError: 'amount'")
    assert await events() == 0
    for _ in range(11):
        await core_db.execute("UPDATE outbox SET next_at = now()")
        await run_due()
    assert (await only())["state"] == "problem"
    assert await core_db.value("SELECT dead_at FROM outbox") is not None


async def test_a_source_without_a_handler_is_an_error_that_is_told() -> None:
    await send("1")
    assert await run_due() == [("inbox.handle", "failed")]
    assert (await only())["last_error"] == "UnknownSource: probe"


async def test_two_handlers_for_one_source_are_refused(seen: list[inbox.Message]) -> None:
    with pytest.raises(ValueError, match="probe"):

        @inbox.handler("probe")
        async def handle(message: inbox.Message) -> None:
            pass


async def test_the_message_is_what_was_sent() -> None:
    got: list[inbox.Message] = []

    @inbox.handler("probe")
    async def handle(message: inbox.Message) -> None:
        got.append(message)

    await inbox.receive("probe", "evt_1", RAW, {"x": "y"})
    await run_due()
    (message,) = got
    assert (message.body, message.headers, message.source_id) == (RAW, {"x": "y"}, "evt_1")
    assert isinstance(message.id, UUID)
