"""Ten webhooks of carrier and gateway, in any order and with repeats, end the same (IQ4, reading J).

`PERMUTATION_SEED` draws the permutations. The order is brought to the point before the ten once;
between two permutations its rows are put back. What is compared is where everything has ended:
stages, detours, goods, money. How each stage was passed, the verdicts, and the messages and
bookings of an attempt that has been overtaken may differ.
"""

from __future__ import annotations

import copy
import faulthandler
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from doorstep import doctor
from doorstep.core import db as core_db
from doorstep.flows import carrier_events
from tests.factories.arrivals import TENS, Arrival, Deed, Ten, new_event
from tests.factories.company import Company, open_company
from tests.factories.snapshots import outcome
from tests.support.rewind import Rewind

SEED = int(os.environ.get("PERMUTATION_SEED") or 11)
SHOWN = 3
TOLD_BY_ARRIVAL = ("inbox", "problems")

ALSO = {
    "parcels": "SELECT parcel, state, ended_as, stage, progress FROM fulfilment",
    "detours": "SELECT DISTINCT f.parcel, d.kind, d.closed_at IS NULL AS open"
    " FROM detour_case d JOIN fulfilment f ON f.id = d.fulfilment_id",
    "expected back": "SELECT kind FROM expected_arrival WHERE state = 'expected'",
    "credit notes": "SELECT amount_minor FROM credit_note",
    "held steps": "SELECT stage FROM held_step WHERE released_at IS NULL",
    "approvals": "SELECT kind, verdict FROM approval",
}


@dataclass
class Bench:
    """A company at the moment before the ten, to which it can be brought back."""

    company: Company
    rewind: Rewind
    redis: Any
    arrivals: list[Arrival]
    deed: Deed | None
    paid: dict[str, int]
    coming: tuple[str, ...] = ()
    """How they came last."""

    async def in_order(self) -> dict[str, Any]:
        """Let the ten come once each, in order, and tell where it ends."""
        if self.deed is not None:
            await self.deed()
        for arrival in self.arrivals:
            await self._hear(arrival)
            await self.company.work()
        return await self.ended()

    async def shuffled(self, dice: random.Random) -> dict[str, Any]:
        """Let them come in any order with repeats, each handled at once or with those that follow."""
        await self._go_back()
        coming: list[Arrival | None] = [*self.arrivals]
        coming += dice.choices(self.arrivals, k=dice.randint(0, 5))
        if self.deed is not None:
            coming.append(None)
        dice.shuffle(coming)
        self.coming = tuple(arrival.name if arrival else "the deed" for arrival in coming)
        for arrival in coming:
            if arrival is not None:
                await self._hear(arrival)
            elif self.deed is not None:
                await self.deed()
            if dice.random() < 0.7:
                await self.company.work()
        await self.company.work()
        return await self.ended()

    async def _hear(self, arrival: Arrival) -> None:
        body = arrival.body(new_event())
        assert (await self.company.hook(arrival.source, body)).status_code == 200

    async def _go_back(self) -> None:
        await self.rewind.go_back()
        await self.redis.flushdb()
        self.company.bank.paid = dict(self.paid)

    async def ended(self) -> dict[str, Any]:
        """Describe where everything has ended."""
        return {
            **await outcome(*TOLD_BY_ARRIVAL),
            **{
                name: sorted(str(tuple(row.values())) for row in await core_db.rows(sql))
                for name, sql in ALSO.items()
            },
            "paid by the bank": sorted(self.company.bank.paid.values()),
            "doctor": [str(violation) for violation in await doctor.run()],
        }


@pytest.fixture
async def company(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Company]:
    # Thousands of lines about what went well would hide the one that matters.
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        async with open_company(tmp_path) as opened:
            yield opened
    finally:
        structlog.configure(**before)


@asynccontextmanager
async def bench_of(ten: Ten, company: Company, worker: Any, redis: Any) -> AsyncIterator[Bench]:
    """Bring the company to the moment before the ten."""
    deed = await ten.prepare(company)
    rewind = await Rewind.open(worker)
    try:
        await rewind.keep()
        paid = copy.copy(company.bank.paid)
        yield Bench(company, rewind, redis, ten.arrivals(), deed, paid)
    finally:
        await rewind.close()


def differences(expected: dict[str, Any], ended: dict[str, Any]) -> list[str]:
    """Tell in words what has ended differently."""
    return [
        f"{name}: {ended[name]} instead of {expected[name]}"
        for name in expected
        if ended[name] != expected[name]
    ]


async def permuted(ten: Ten, company: Company, worker: Any, redis: Any, count: int) -> list[str]:
    """Let the ten come in so many orders and tell what has ended differently after which."""
    dice = random.Random(f"{SEED}/{ten.name}")
    found: list[str] = []
    async with bench_of(ten, company, worker, redis) as bench:
        assert len(bench.arrivals) == 10
        expected = await bench.in_order()
        assert expected["doctor"] == []
        for _ in range(count):
            wrong = differences(expected, await bench.shuffled(dice))
            found += [f"{bench.coming}: {words}" for words in wrong]
    return found


@pytest.mark.parametrize(
    "total", [150, pytest.param(3_000, marks=pytest.mark.soak)], ids="of {}".format
)
@pytest.mark.parametrize("ten", TENS, ids=lambda ten: ten.name)
async def test_any_order_of_ten_webhooks_ends_the_same(
    company: Company,
    worker: Any,
    redis: Any,
    record_property: Callable[[str, object], None],
    ten: Ten,
    total: int,
) -> None:
    # The long run has no limit, instead of the one for a test that hangs.
    if total > 150:
        faulthandler.cancel_dump_traceback_later()
    count = -(-total // len(TENS))
    began = time.perf_counter()
    found = await permuted(ten, company, worker, redis, count)
    record_property(
        "counts",
        f"PERMUTATION_SEED={SEED} {ten.name}: {count} permutations of ten webhooks with repeats,"
        f" {time.perf_counter() - began:.1f} s, {len(found)} differences",
    )
    assert not found, "\n".join(found[:SHOWN])


async def test_a_scan_of_an_attempt_that_is_over_is_found_if_it_is_not_told_apart(
    company: Company, worker: Any, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> bool:
        return False

    monkeypatch.setattr(carrier_events, "_of_an_earlier_attempt", never)
    ten = next(ten for ten in TENS if ten.name == "three failed attempts, and the way back")
    found = await permuted(ten, company, worker, redis, 8)
    assert any("stages: " in words for words in found)
