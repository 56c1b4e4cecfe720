"""The doctor finds nothing after whole journeys, and every planted violation under its own name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from doorstep import doctor
from doorstep.core.ids import uuid7
from doorstep.journey import chain
from tests.factories import floor
from tests.factories.backorders import dated
from tests.factories.captures import capture
from tests.factories.company import Company, open_company
from tests.factories.crews import crewed
from tests.factories.journeys import place, standing
from tests.support.plants import PLANTS
from tests.support.plants.plant import keep, restore

Tamper = Callable[..., Awaitable[None]]


async def after_whole_journeys(company: Company) -> None:
    """One order with a step that came early, paid by card; one that is paid at the door."""
    order = await standing(company, 1003)
    await order.take(await order.pick())
    await order.go_on()
    await paid_at_the_door(company)
    # One crew has delivered, been paid and gone home; another is out with goods on its van.
    shift_id = await crewed(company, "VAN-1")
    await paid_at_the_door(company, shift_id)
    end = {"event_id": uuid7()}
    closed = await company.send("delivery", f"/field/shifts/{shift_id}/close", end)
    assert closed.status_code == 200
    await standing(company, 1012, ("MIX-500", 1), shift_id=await crewed(company, "VAN-2"))
    await receive_and_count(company)
    await dated(company)
    await chain.write_checkpoint()


async def paid_at_the_door(company: Company, shift_id: UUID | None = None) -> None:
    """Deliver an order for cash, by a crew if a shift is given, and count the cash."""
    cod = await place(company, ("MIX-500", 1), method="cod")
    cod.shift_id = shift_id
    approval = {"event_id": uuid7(), "reason": "known"}
    path = f"/console/finance/orders/{cod.order_id}/payment-approval"
    await company.send("finance", path, approval)
    await company.work()
    await cod.go_on(1012)
    cash = {"tenders": [{"method": "cash", "amount_minor": cod.total_minor}]}
    await cod.take_well(await cod.pod(**cash))
    whose = {"shift_id": shift_id} if shift_id else {"order_ids": [cod.order_id]}
    count = {"event_id": uuid7(), "amount_minor": cod.total_minor, "currency": "AED"} | whose
    counted = await company.send("finance", "/console/finance/cash-counts", count)
    assert counted.status_code == 201
    await company.work()


async def receive_and_count(company: Company) -> None:
    """Two kettles come in, and one mixer fewer is counted than the books say."""
    arrival = await floor.announced(company, ("KET-17", 2))
    await floor.scanned(company, arrival, floor.beep(floor.BARCODES["KET-17"], quantity=2))
    await floor.finished(company, arrival)
    asked = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["MIX-500"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    await floor.ok(company, "dispatcher", "/console/counts", asked, 201)
    [count] = await company.get("warehouse", "/field/counts")
    entry = capture(line_id=count["lines"][0]["id"], quantity=18)
    path = f"/field/counts/{count['id']}"
    await floor.ok(company, "warehouse", f"{path}/entries", {"entries": [entry]})
    await floor.ok(company, "warehouse", f"{path}/finish", capture())


def test_every_check_has_a_planted_violation() -> None:
    assert {plant.check for plant in PLANTS.values()} == {*doctor.QUERIES, *doctor.FUNCTIONS}


@pytest.mark.parametrize("part", range(2))
async def test_health_after_whole_journeys_and_every_planted_violation_by_its_name(
    db: Any, redis: Any, tmp_path: Path, tamper: Tamper, part: int
) -> None:
    async with open_company(tmp_path) as company:
        await after_whole_journeys(company)
    assert await found() == set()
    missed = []
    for words, plant in list(PLANTS.items())[part::2]:
        await tamper(*keep(plant), *plant.statements)
        try:
            if plant.check not in await found():
                missed.append(f"{plant.check}: {words}")
        finally:
            await tamper(*restore(plant))
        assert await found() == set(), f"{words}: not restored"
    assert missed == []


async def found() -> set[str]:
    return {violation.check for violation in await doctor.run()}
