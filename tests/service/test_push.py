"""Phones are told once, in their language, as long as it is news; what became of it is a row."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import structlog

from doorstep import doctor
from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.failpoints import Crashed, observed
from doorstep.core.ids import uuid7
from doorstep.modules.push import jobs, rules
from doorstep.modules.push import service as push
from doorstep.ports import OutsideGone, OutsideRefused, OutsideUnavailable
from tests.factories.care import outside
from tests.factories.phones import PushBox, a_phone, an_address, told
from tests.factories.road import make_person
from tests.support.worker import run_due

pytestmark = pytest.mark.usefixtures("db")

RETRY_NOW = "UPDATE outbox SET next_at = now() WHERE done_at IS NULL"


@pytest.fixture
def box() -> Iterator[PushBox]:
    """Push services that do as they are told; what fails on purpose is not written down."""
    box = PushBox()
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with outside(pusher=box):
            yield box
    finally:
        structlog.configure(wrapper_class=before)


async def tell(person_id: UUID, lane: str = "run:1", kind: str = "run_planned") -> int:
    return await push.tell([person_id], kind, lane, key=f"{kind}:{lane}:{uuid7()}")


async def states() -> list[tuple[str, str | None]]:
    rows = await db.rows("SELECT state, reason FROM push_message ORDER BY created_at, id")
    return [(row["state"], row["reason"]) for row in rows]


# --- Telling --------------------------------------------------------------------------------------


async def test_every_phone_of_a_person_is_told_once_of_a_fact(box: PushBox) -> None:
    person, other = await make_person("courier"), await make_person("courier")
    phones = [await a_phone(person), await a_phone(person)]
    await a_phone(other)
    assert await push.tell([person], "run_planned", "run:1", key="fact") == 2
    assert await push.tell([person], "run_planned", "run:1", key="fact") == 0
    assert await push.tell([await make_person("courier")], "run_planned", "run:1", key="x") == 0
    assert await run_due() == [("push.send", "done")] * 2
    assert {tuple(await told(phone)) for phone in phones} == {(("run_planned", "run:1"),)}
    assert len(box.sent) == 2
    assert await states() == [("sent", None)] * 2


async def test_a_fact_that_is_undone_is_not_told(box: PushBox) -> None:
    person = await make_person("courier")
    await a_phone(person)
    with pytest.raises(ZeroDivisionError):
        async with db.unit_of_work():
            await tell(person)
            raise ZeroDivisionError
    assert await run_due() == [] and box.sent == []


async def test_one_phone_alone_is_told_of_what_is_its_own(box: PushBox) -> None:
    person = await make_person("courier")
    phone, other = await a_phone(person), await a_phone(person)
    await push.tell_device(phone, "device_command", "device", key="lock:1")
    await run_due()
    assert await told(phone) == [("device_command", "device")] and await told(other) == []
    assert box.sent[0][1].urgency == "high"


async def test_the_reader_s_language_and_the_time_that_is_left(box: PushBox, clock: Any) -> None:
    person = await make_person("courier")
    await db.execute("UPDATE person SET languages = '{fr,ml,en}' WHERE id = $1", person)
    await a_phone(person)
    await tell(person)
    clock.advance(timedelta(hours=2))
    await run_due()
    [(_, notice)] = box.sent
    [message] = box.messages()
    assert message["notification"]["lang"] == "ml"
    assert notice.topic == rules.topic("run:1")
    assert 35_900 < notice.ttl_seconds <= 36_000, "two of twelve hours are over"


async def test_of_one_lane_only_the_last_news_is_sent(box: PushBox) -> None:
    person = await make_person("courier")
    await a_phone(person)
    for kind in ("run_planned", "run_changed", "work_taken"):
        await tell(person, kind=kind)
    await tell(person, "run:2")
    await run_due()
    kinds = [message["notification"]["data"]["kind"] for message in box.messages()]
    assert kinds == ["work_taken", "run_planned"]
    assert [state for state, _ in await states()] == ["overtaken", "overtaken", "sent", "sent"]


# --- What becomes of it ---------------------------------------------------------------------------


async def test_a_dead_endpoint_is_removed_and_a_renewed_one_stays(box: PushBox) -> None:
    person = await make_person("courier")
    phone = await a_phone(person)
    await tell(person)
    box.failure = OutsideGone("HTTP 410")
    assert await run_due() == [("push.send", "done")]
    assert await states() == [("gone", "HTTP 410")]
    assert await db.rows("SELECT 1 FROM push_subscription") == []

    renewed = an_address()
    await push.subscribe(phone, renewed)
    await tell(person)
    message_id = await db.value("SELECT id FROM push_message WHERE state = 'waiting'")
    await push.end_subscription(message_id, phone, "https://fcm.googleapis.com/old", "HTTP 404")
    assert await db.value("SELECT endpoint FROM push_subscription") == renewed.endpoint


async def test_a_refusal_is_given_up_with_its_reason(box: PushBox) -> None:
    person = await make_person("courier")
    await a_phone(person)
    await tell(person)
    box.failure = OutsideRefused("HTTP 403: BadJwtToken")
    assert await run_due() == [("push.send", "done")]
    assert await states() == [("refused", "HTTP 403: BadJwtToken")]
    assert len(await db.rows("SELECT 1 FROM push_subscription")) == 1


async def test_a_busy_service_is_asked_again_when_it_says_so_until_it_is_no_news(
    box: PushBox, clock: Any
) -> None:
    person = await make_person("courier")
    await a_phone(person)
    await tell(person, kind="work_taken")
    box.failure = OutsideUnavailable("HTTP 429", wait=120)
    assert await run_due() == [("push.send", "postponed")]
    wait = await db.one("SELECT next_at - now() AS wait, attempts FROM outbox")
    assert timedelta(seconds=110) < wait["wait"] < timedelta(seconds=121)
    assert wait["attempts"] == 0
    box.failure = OutsideUnavailable("HTTP 500", wait=None)
    for _ in range(2):
        await db.execute(RETRY_NOW)
        assert await run_due() == [("push.send", "failed")]
    clock.advance(timedelta(hours=4, minutes=1))
    await db.execute(RETRY_NOW)
    assert await run_due() == [("push.send", "done")]
    assert await states() == [("expired", None)]
    assert await doctor.run() == []


async def test_without_a_key_nothing_fails_and_the_reason_stands_there() -> None:
    person = await make_person("courier")
    await a_phone(person)
    await tell(person)
    assert await run_due() == [("push.send", "done")]
    [(state, reason)] = await states()
    assert state == "refused" and "switched off" in (reason or "")


async def test_a_worker_that_dies_after_sending_sends_the_same_again(box: PushBox) -> None:
    person = await make_person("courier")
    await a_phone(person)
    await tell(person)
    payload = await db.value("SELECT payload FROM outbox")

    def dies(name: str) -> None:
        if name == "push.after_send":
            raise Crashed(name)

    with observed(dies), pytest.raises(Crashed):
        await jobs.send(payload)
    await jobs.send(payload)
    await jobs.send(payload)
    assert len(box.sent) == 2
    assert box.messages()[0] == box.messages()[1], "the phone knows it by id and tag"
    assert box.sent[0][1].topic == box.sent[1][1].topic


async def test_what_was_shown_meanwhile_is_not_sent_again(box: PushBox) -> None:
    person = await make_person("courier")
    phone = await a_phone(person)
    await tell(person)
    box.failure = OutsideUnavailable("lost", wait=None)
    await run_due()
    box.failure = None
    await acknowledge(phone, await db.value("SELECT id FROM push_message"))
    await db.execute(RETRY_NOW)
    assert await run_due() == [("push.send", "done")]
    assert box.sent == [] and await states() == [("sent", None)]


# --- What phones say ------------------------------------------------------------------------------


async def acknowledge(phone: UUID, message_id: UUID, what: Any = "shown", ago: int = 0) -> None:
    at = now() - timedelta(seconds=ago)
    await push.acknowledge(phone, [push.Ack(id=message_id, what=what, at=at)])


async def test_a_phone_that_stays_silent_is_out_of_reach_until_it_speaks(
    box: PushBox, clock: Any
) -> None:
    person = await make_person("courier")
    phone, mute = await a_phone(person), await make_person("technician")
    await a_phone(mute)

    async def reach(who: UUID = person) -> tuple[Any, ...]:
        [found] = await push.reach([who])
        return (found["subscribed"], found["unacked"], found["reachable"])

    assert await reach() == (True, 0, True)
    await tell(person, "run:1")
    await tell(person, "run:2")
    await run_due()
    first, second = [
        row["id"] for row in await db.rows("SELECT id FROM push_message ORDER BY created_at, id")
    ]
    clock.advance(timedelta(minutes=9))
    assert await reach() == (True, 2, True)
    clock.advance(timedelta(minutes=2))
    assert await reach() == (True, 2, False)
    assert await reach(mute) == (True, 0, True)
    # The later one is shown: what was replaced before is no sign of silence any more.
    await acknowledge(phone, second)
    assert await reach() == (True, 0, True)
    [found] = await push.reach([person])
    assert found["last_push_acked_at"] is not None
    await push.unsubscribe(phone)
    assert await reach() == (False, 0, False)
    assert first != second


async def test_the_first_word_counts_and_a_stranger_s_says_nothing(box: PushBox) -> None:
    person = await make_person("courier")
    phone, other = await a_phone(person), await a_phone(await make_person("courier"))
    await tell(person)
    await run_due()
    message_id = await db.value("SELECT id FROM push_message")
    row = "SELECT shown_at, tapped_at, acked_at FROM push_message"
    await acknowledge(other, message_id)
    assert set((await db.one(row)).values()) == {None}
    await acknowledge(phone, message_id, ago=60)
    first = await db.one(row)
    await acknowledge(phone, message_id)
    assert await db.one(row) == first and first["tapped_at"] is None
    await acknowledge(phone, message_id, "tapped")
    later = await db.one(row)
    assert later["tapped_at"] is not None
    assert (later["shown_at"], later["acked_at"]) == (first["shown_at"], first["acked_at"])
    await push.acknowledge(phone, [])


async def test_old_messages_are_forgotten_and_waiting_ones_are_not(
    box: PushBox, clock: Any
) -> None:
    person = await make_person("courier")
    await a_phone(person)
    await tell(person, "run:1")
    await run_due()
    await tell(person, "run:2")
    clock.advance(timedelta(days=31))
    await jobs.forget({})
    assert [state for state, _ in await states()] == ["waiting"]
