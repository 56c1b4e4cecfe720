"""Events of a phone are carried out in order; what fails holds its own lane back (IC3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from doorstep import doctor
from doorstep.core import db as core_db
from doorstep.core.captures import handling
from doorstep.core.clock import now
from doorstep.flows import warehouse
from tests.factories.company import Company
from tests.factories.floor import open_problems
from tests.factories.steps import healthy
from tests.factories.sync import Phone, picking, unannounced


async def test_events_are_carried_out_in_the_order_of_the_device(company: Company) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone)
    check, pack = await order.check(), await order.pack()
    events = [pick, phone.of(check.path, check.body), phone.of(pack.path, pack.body)]
    receipts = await phone.push(*reversed(events))
    assert [one["verdict"] for one in receipts] == ["applied"] * 3
    assert [UUID(one["event_id"]) for one in receipts] == [
        one["event_id"] for one in reversed(events)
    ]
    times = sorted(receipts, key=lambda one: one["recorded_at"])
    assert [UUID(one["event_id"]) for one in times] == [one["event_id"] for one in events]


class Broken:
    """A flow that fails until it is mended, for chosen events or for all."""

    def __init__(self, failure: Callable[[], Exception]) -> None:
        self.failure: Callable[[], Exception] | None = failure
        self.times = 0
        self._real = warehouse.start_picking

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.failure is None:
            return await self._real(*args, **kwargs)
        await self._real(*args, **kwargs)
        self.times += 1
        raise self.failure()


FAILURES: list[Callable[[], Exception]] = [
    lambda: RuntimeError("a mistake of ours"),
    lambda: asyncpg.DeadlockDetectedError("deadlock detected"),
    lambda: asyncpg.ConnectionDoesNotExistError("connection was closed"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=["mistake", "deadlock", "lost connection"])
async def test_a_failure_holds_its_lane_back_alone_and_the_job_finishes_it(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone, lane="parcel")
    check = await order.check()
    after = phone.of(check.path, check.body, lane="parcel")
    other = unannounced(phone, lane="goods")
    broken = Broken(failure)
    monkeypatch.setattr(warehouse, "start_picking", broken)
    receipts = await phone.push(pick, after, other)
    assert [UUID(one["event_id"]) for one in receipts] == [other["event_id"]]
    assert broken.times >= 1
    assert 1005 not in await order.passed()
    assert await core_db.value("SELECT count(*) FROM capture WHERE verdict IS NULL") == 2
    broken.failure = None
    await handling.finish({})
    assert await phone.asked(pick["event_id"]) == [], "it is tried again later, not at once"
    clock.advance(timedelta(minutes=1))
    await handling.finish({})
    clock.set(None)
    verdicts = [one["verdict"] for one in await phone.asked(pick["event_id"], after["event_id"])]
    assert verdicts == ["applied", "applied"]
    assert {1005, 1006} <= set(await order.passed())


async def test_what_fails_again_and_again_goes_to_a_person_and_its_lane_goes_on(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _order, pick = await picking(company, phone)
    after = unannounced(phone)
    broken = Broken(FAILURES[0])
    monkeypatch.setattr(warehouse, "start_picking", broken)
    assert await phone.push(pick, after) == []
    for _ in range(handling.ATTEMPTS):
        clock.advance(timedelta(minutes=30))
        await handling.finish({})
    await company.work()
    clock.set(None)
    assert broken.times == handling.ATTEMPTS
    stuck, done = await phone.asked(pick["event_id"], after["event_id"])
    assert (stuck["verdict"], stuck["reason"]) == ("review", handling.GIVEN_UP)
    assert done["verdict"] == "applied"
    [problem] = await open_problems("capture_stuck")
    assert "a mistake of ours" in problem["detail"]
    await healthy()


async def test_the_doctor_finds_an_event_without_a_receipt(
    company: Company, tamper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _, pick = await picking(company, phone)
    monkeypatch.setattr(warehouse, "start_picking", Broken(FAILURES[0]))
    await phone.push(pick)
    await healthy()
    await tamper("UPDATE capture SET received_at = received_at - interval '16 minutes'")
    [found] = await doctor.run()
    assert found.check == "IC1 receipts"
    assert "a mistake of ours" in found.words


async def test_the_job_finishes_what_a_request_left_that_died_after_keeping(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _order, pick = await picking(company, phone)
    with monkeypatch.context() as dead:
        dead.setattr(handling, "_take", _dies)
        with pytest.raises(Dead):
            await phone.send(pick)
    assert await handling.left_over(now()) == []
    clock.advance(handling.UNTOUCHED)
    await handling.finish({})
    clock.set(None)
    [receipt] = await phone.asked(pick["event_id"])
    assert receipt["verdict"] == "applied"
    assert await phone.push(pick) == [receipt]


class Dead(BaseException):
    """The process is gone."""


async def _dies(*_args: Any) -> Any:
    raise Dead
