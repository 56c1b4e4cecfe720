"""The outbox: an intent is written with its fact, runs until its effect is recorded, and is never
lost in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from redis.asyncio import Redis

from doorstep.core import clock as core_clock
from doorstep.core import db as core_db
from doorstep.core import outbox
from doorstep.core import redis as core_redis
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.jobs import Job, RetryAt, job, registry
from doorstep.core.outbox import lease
from doorstep.core.outbox.bell import BELL
from doorstep.core.outbox.letters import NoSuchDeadLetter
from doorstep.settings import settings
from tests.support.worker import run_due, until

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture(autouse=True)
def known_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Job]]:
    """Only the jobs that a test registers exist in it."""
    jobs: dict[str, Job] = {}
    monkeypatch.setattr(registry, "_jobs", jobs)
    yield jobs


@pytest.fixture
async def shared_client() -> AsyncIterator[None]:
    """The client of this loop is made anew in the test, and closed after it."""
    await core_redis.stop()
    yield
    await core_redis.stop()


async def only_row() -> dict[str, Any]:
    return await core_db.one("SELECT * FROM outbox")


async def make_due() -> None:
    await core_db.execute("UPDATE outbox SET next_at = now(), claimed_until = NULL")


async def test_a_row_is_written_with_its_fact_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="undo"):
        async with core_db.unit_of_work():
            await outbox.add("probe.run", {"n": 1})
            raise ValueError("undo")
    assert await core_db.value("SELECT count(*) FROM outbox") == 0


async def test_a_job_gets_its_payload_and_its_row_is_done() -> None:
    got: list[dict[str, Any]] = []

    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        got.append(payload)

    order_id = uuid4()
    await outbox.add("probe.run", {"id": order_id, "text": "हल"}, order_id=order_id)
    assert await run_due() == [("probe.run", "done")]
    assert got == [{"id": str(order_id), "text": "हल"}]
    row = await only_row()
    assert row["done_at"] is not None
    assert (row["attempts"], row["runs"], row["claimed_until"]) == (1, 1, None)
    assert row["order_id"] == order_id
    assert await run_due() == []


async def test_a_second_row_with_the_same_key_is_not_added() -> None:
    await outbox.add("probe.run", {"n": 1}, key="once")
    await outbox.add("probe.run", {"n": 2}, key="once")
    added = await core_db.value("SELECT outbox_add('probe.run', '{\"n\": 3}', NULL, 'once')")
    assert added is None
    assert (await only_row())["payload"] == {"n": 1}


async def test_sql_functions_add_the_same_row() -> None:
    order_id = uuid4()
    await outbox.add("probe.run", {"n": 1}, order_id=order_id)
    await core_db.value("SELECT outbox_add('probe.run', $1, $2, NULL, NULL)", {"n": 1}, order_id)
    ours, theirs = await core_db.rows("SELECT * FROM outbox ORDER BY created_at")
    varying = {"id", "created_at", "next_at"}
    assert {k: v for k, v in ours.items() if k not in varying} == {
        k: v for k, v in theirs.items() if k not in varying
    }


async def test_a_row_for_later_waits_for_its_time(clock: Any) -> None:
    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        pass

    await outbox.add("probe.run", {}, run_at=now() + timedelta(hours=24))
    assert await run_due() == []
    clock.advance(timedelta(hours=25))
    assert await run_due() == [("probe.run", "done")]


async def test_a_failing_job_is_run_again_later_and_at_last_is_a_dead_letter() -> None:
    @job("probe.run", attempts=3)
    async def probe(payload: dict[str, Any]) -> None:
        raise ValueError("the carrier says no")

    await outbox.add("probe.run", {})
    for attempt in (1, 2, 3):
        assert await run_due() == [("probe.run", "dead" if attempt == 3 else "failed")]
        row = await only_row()
        assert row["attempts"] == attempt
        assert row["last_error"] == "ValueError: the carrier says no"
        assert attempt == 3 or row["next_at"] > now()
        await make_due()
    assert await run_due() == []
    letters = await outbox.dead_letters()
    assert [(letter.kind, letter.attempts) for letter in letters] == [("probe.run", 3)]


async def test_the_wait_grows_and_has_an_end() -> None:
    waits = [lease.backoff(n).total_seconds() for n in range(1, 30)]
    assert 0.5 <= waits[0] <= 1.5
    assert 13 <= waits[3] <= 41
    assert all(450 <= wait <= 1350 for wait in waits[8:])


async def test_retry_at_waits_without_counting() -> None:
    later = now() + timedelta(hours=2)

    @job("probe.run", attempts=1)
    async def probe(payload: dict[str, Any]) -> None:
        raise RetryAt(later, "the bank is closed")

    await outbox.add("probe.run", {})
    for _ in range(3):
        assert await run_due() == [("probe.run", "postponed")]
        row = await only_row()
        assert (row["attempts"], row["dead_at"]) == (0, None)
        assert abs(row["next_at"] - later) < timedelta(seconds=1)
        assert row["last_error"] == "the bank is closed"
        await make_due()


async def test_a_job_that_takes_too_long_is_stopped_and_says_so() -> None:
    @job("probe.run", timeout=0.05)
    async def probe(payload: dict[str, Any]) -> None:
        await asyncio.sleep(10)

    await outbox.add("probe.run", {})
    assert await run_due() == [("probe.run", "failed")]
    assert (await only_row())["last_error"] == "Not done after 0.05 s."


async def test_an_unknown_kind_is_kept_for_later_and_dies_with_a_reason() -> None:
    await outbox.add("newer.version", {})
    for _ in range(11):
        assert await run_due() == [("newer.version", "failed")]
        await make_due()
    assert await run_due() == [("newer.version", "dead")]
    assert (await only_row())["last_error"] == "No job called newer.version is registered."


async def test_a_job_that_marks_itself_done_has_one_effect_whoever_else_runs() -> None:
    effects = 0

    @job("probe.run")
    @core_db.transactional
    async def probe(payload: dict[str, Any]) -> None:
        nonlocal effects
        await outbox.add("probe.effect", {})
        await asyncio.sleep(0.02)
        await outbox.done()
        effects += 1

    await outbox.add("probe.run", {})
    (first,) = await lease.claim(10)
    # The first run seems dead, its lease is over: a second one starts while it still works.
    run_one = await lease.start(first.id, first.runs, 20)
    await make_due()
    (second,) = await lease.claim(10)
    run_two = await lease.start(second.id, second.runs, 20)
    assert run_one is not None and run_two is not None

    async def work(run: lease.Run) -> bool:
        with outbox.running(run.id):
            try:
                await probe(run.payload)
            except outbox.AlreadyDone:
                return False
        return True

    assert sorted(await asyncio.gather(work(run_one), work(run_two))) == [False, True]
    assert effects == 1
    assert await core_db.value("SELECT count(*) FROM outbox WHERE kind = 'probe.effect'") == 1


async def test_done_outside_a_job_does_nothing() -> None:
    async with core_db.unit_of_work():
        await outbox.done()


async def test_a_rolled_back_done_does_not_count() -> None:
    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        try:
            async with core_db.unit_of_work():
                await outbox.done()
                raise ValueError("undo")
        except ValueError:
            pass

    await outbox.add("probe.run", {})
    assert await run_due() == [("probe.run", "done")]
    assert (await only_row())["done_at"] is not None


async def test_a_run_is_started_once_whoever_has_the_message() -> None:
    @job("probe.run")
    async def probe(payload: dict[str, Any]) -> None:
        pass

    await outbox.add("probe.run", {})
    (claimed,) = await lease.claim(10)
    started = await asyncio.gather(*(lease.start(claimed.id, claimed.runs, 20) for _ in range(10)))
    assert sum(run is not None for run in started) == 1


async def test_relays_share_the_rows() -> None:
    await outbox.add_many([outbox.Addition("probe.run", {"n": n}) for n in range(200)])
    batches = await asyncio.gather(*(lease.claim(30) for _ in range(8)))
    ids = [row.id for batch in batches for row in batch]
    assert len(ids) == len(set(ids)) == 200
    assert await lease.claim(30) == []


async def test_a_lost_message_is_offered_again_when_its_lease_is_over() -> None:
    await outbox.add("probe.run", {})
    (claimed,) = await lease.claim(10)
    assert await lease.claim(10) == []
    await core_db.execute("UPDATE outbox SET claimed_until = now() - interval '1 ms'")
    (again,) = await lease.claim(10)
    assert again == claimed


async def test_a_failure_told_by_an_overtaken_run_changes_nothing() -> None:
    await outbox.add("probe.run", {})
    (claimed,) = await lease.claim(10)
    overtaken = await lease.start(claimed.id, claimed.runs, 20)
    assert overtaken is not None
    later = await lease.start(claimed.id, claimed.runs + 1, 20)
    assert later is not None
    assert await lease.fail(overtaken, "late news", of_attempts=1) is False
    assert (await only_row())["last_error"] is None


async def test_a_dead_letter_is_replayed_with_all_its_attempts() -> None:
    working = False

    @job("probe.run", attempts=1)
    async def probe(payload: dict[str, Any]) -> None:
        if not working:
            raise ValueError("down")

    await outbox.add("probe.run", {})
    assert await run_due() == [("probe.run", "dead")]
    person = uuid4()
    row_id: UUID = (await only_row())["id"]
    await outbox.replay(row_id, actor=Actor(role="admin", source="person", person_id=person))
    working = True
    assert await run_due() == [("probe.run", "done")]
    row = await only_row()
    assert (row["attempts"], row["replayed_by"]) == (1, person)
    with pytest.raises(NoSuchDeadLetter):
        await outbox.replay(row_id, actor=Actor.system("test"))


async def test_dead_letters_come_in_pages() -> None:
    await outbox.add_many([outbox.Addition(f"probe.{n % 2}", {"n": n}) for n in range(7)])
    await core_db.execute("UPDATE outbox SET dead_at = now()")
    first = await outbox.dead_letters(limit=4)
    second = await outbox.dead_letters(limit=4, before=first[-1].id)
    ids = [letter.id for letter in (*first, *second)]
    assert ids == sorted(ids, reverse=True)
    assert {letter.payload["n"] for letter in (*first, *second)} == set(range(7))
    assert {letter.kind for letter in await outbox.dead_letters(kind="probe.1")} == {"probe.1"}


async def test_a_commit_rings_once_however_many_rows(redis: Redis, shared_client: None) -> None:
    async with core_db.unit_of_work():
        await outbox.add("probe.run", {})
        await outbox.add("probe.run", {})
        await asyncio.sleep(0.05)
        assert await redis.llen(BELL) == 0

    async def rung() -> bool:
        return bool(await redis.llen(BELL) == 1)

    await until(rung, 2)


async def test_a_silent_bell_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, shared_client: None
) -> None:
    nowhere = structs.replace(settings(), redis_url="unix:///nowhere.sock")
    monkeypatch.setattr(core_redis, "settings", lambda: nowhere)
    await outbox.add("probe.run", {})
    await asyncio.sleep(0.05)
    assert len(await lease.claim(10)) == 1


@pytest.mark.parametrize("skew", [timedelta(hours=-1), timedelta(hours=1)], ids=str)
async def test_a_process_whose_clock_is_wrong_waits_as_long_as_it_means_to(skew: timedelta) -> None:
    @job("probe.later")
    async def later(_payload: dict[str, Any]) -> None:
        raise RetryAt(now() + timedelta(minutes=5), "not yet")

    core_clock.set_skew(skew)
    try:
        await outbox.add("probe.later", {})
        await outbox.add("probe.run", {}, run_at=now() + timedelta(minutes=5))
        assert await run_due() == [("probe.later", "postponed")]
    finally:
        core_clock.set_skew(timedelta())
    waits = await core_db.rows("SELECT kind, next_at - now() AS wait FROM outbox ORDER BY kind")
    for row in waits:
        assert timedelta(minutes=4, seconds=58) < row["wait"] <= timedelta(minutes=5), row
