"""Whatever a process was doing when it died, all ends as if nothing had happened.

`CRASH_SEED` draws the schedules. They run in this process, on the real database, through the real
doors and jobs; only the bank, the messenger and the shop are doubles.
"""

from __future__ import annotations

import copy
import faulthandler
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog

from doorstep import ports, settings
from doorstep.core import db as core_db
from doorstep.core import pictures
from doorstep.core.auth import sessions
from doorstep.core.jobs import executor
from tests.factories.company import Company, open_company
from tests.support.acting import Act, UseCase
from tests.support.crashing import Bench, Schedule, schedules
from tests.support.page_use_cases import PAGE_USE_CASES
from tests.support.rewind import Rewind
from tests.support.shop import Shop
from tests.support.use_cases import USE_CASES as FIELD_AND_DESK

pytestmark = pytest.mark.chaos

USE_CASES = FIELD_AND_DESK + PAGE_USE_CASES

SEED = int(os.environ.get("CRASH_SEED") or 7)
SHOWN = 5


def each(total: int) -> int:
    """Give every use-case its share, so that together they are at least so many."""
    return -(-total // len(USE_CASES))


@pytest.fixture
async def company(
    db: Any, redis: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Company]:
    monkeypatch.setenv("SHOP_URL", "http://shop.test")
    # Thousands of schedules go on for longer than a token does, and nobody here renews it.
    monkeypatch.setattr(sessions, "ACCESS_LIFE", timedelta(days=1))
    settings.reload()
    # Thousands of lines about what went well would hide the one that matters.
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        async with open_company(tmp_path) as opened:
            ports.bind(shop=Shop())
            yield opened
    finally:
        structlog.configure(**before)
        await pictures.stop()
        monkeypatch.undo()
        settings.reload()


@asynccontextmanager
async def bench_of(use_case: UseCase, company: Company, worker: Any, redis: Any) -> Any:
    """Bring the company to the moment before the use-case, and learn how it ends undisturbed."""
    rewind = await Rewind.open(worker)
    try:
        bench = Bench(company, await use_case.prepare(company), rewind, redis)
        bench.free = use_case.free
        bench.doubles = [
            (double, {name: copy.copy(getattr(double, name)) for name in names})
            for double, names in (
                (company.bank, ("paid", "calls")),
                (company.post, ("sent",)),
                (ports.shop(), ("shipped",)),
            )
        ]
        await bench.learn()
        yield bench
    finally:
        await rewind.close()


async def violations_of(bench: Bench, drawn: Iterable[Schedule]) -> list[str]:
    """Suffer every schedule and tell what was wrong after which."""
    found: list[str] = []
    for schedule in drawn:
        try:
            wrong = await bench.suffer(schedule)
        except Exception as failure:
            wrong = [f"{type(failure).__name__}: {failure}"]
        found += [f"{schedule}: {words}" for words in wrong]
    return found


@pytest.mark.parametrize(
    "total", [2_000, pytest.param(20_000, marks=pytest.mark.soak)], ids="of {}".format
)
@pytest.mark.parametrize("use_case", USE_CASES, ids=lambda use_case: use_case.name)
async def test_a_crash_anywhere_changes_nothing_in_the_end(
    company: Company,
    worker: Any,
    redis: Any,
    record_property: Callable[[str, object], None],
    use_case: UseCase,
    total: int,
) -> None:
    # The long run has no limit, instead of the one for a test that hangs.
    if total > 2_000:
        faulthandler.cancel_dump_traceback_later()
    began = time.perf_counter()
    async with bench_of(use_case, company, worker, redis) as bench:
        dice = random.Random(f"{SEED}/{use_case.name}")
        drawn = list(schedules(len(bench.points), each(total), dice))
        violations = await violations_of(bench, drawn)
    record_property(
        "counts",
        f"CRASH_SEED={SEED} {use_case.name}: {len(drawn)} crash schedules at"
        f" {len({one.at for one in drawn})} of {len(bench.points)} points, {bench.second} died"
        f" twice; {time.perf_counter() - began:.1f} s, {len(violations)} violations",
    )
    assert not violations, "\n".join(violations[:SHOWN])
    assert bench.struck["never"] == 0


def named(name: str) -> UseCase:
    return next(use_case for use_case in USE_CASES if use_case.name == name)


async def test_a_payout_that_is_asked_for_with_a_new_key_each_time_is_found(
    company: Company, worker: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay = company.bank.pay
    monkeypatch.setattr(company.bank, "pay", lambda _key, *told: pay(str(uuid4()), *told))
    async with bench_of(named("the vendor accepts"), company, worker, redis) as bench:
        at = [n for n, name in enumerate(bench.points, start=1) if name == "bank.after_pay"]
        violations = await violations_of(bench, map(Schedule, at))
    assert at
    assert len([words for words in violations if "paid: " in words]) == len(at)


async def test_a_row_that_is_done_before_its_effect_is_found(
    company: Company, worker: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench_of(named("the courier picks up"), company, worker, redis) as bench:
        begin = executor.lease.start

        async def hasty(*run: Any) -> Any:
            begun = await begin(*run)
            if begun is not None:
                await executor.lease.finish(begun)
            return begun

        monkeypatch.setattr(executor.lease, "start", hasty)
        at = [n for n, name in enumerate(bench.points, start=1) if name == "messenger.before_send"]
        # Each job now runs two statements more, so the point lies further on.
        violations = await violations_of(bench, (Schedule(n + 2 * k) for n in at for k in range(8)))
    assert at
    assert [words for words in violations if "told: " in words]


async def test_a_fact_that_is_committed_without_its_outbox_row_is_found(
    company: Company, worker: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench_of(named("an order comes in by our API"), company, worker, redis) as bench:
        await company.work()
        monkeypatch.setattr(bench, "act", forgetful(bench.act))
        violations = await violations_of(bench, [Schedule(1)])
    assert [words for words in violations if "messages: " in words]


def forgetful(act: Act) -> Act:
    """Do the act, but enqueue after the commit in a process that then dies (naive arm, §4a)."""

    async def acted() -> None:
        await act()
        await core_db.execute("DELETE FROM outbox WHERE done_at IS NULL")

    return acted
