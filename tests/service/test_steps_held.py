"""Steps that came too early wait for others; after hours a desk is asked (IC1: `held` must end)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.flows.steps_held import find_steps_held
from tests.factories import floor
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.mishaps import open_kinds
from tests.factories.steps import healthy


async def asked() -> list[dict[str, Any]]:
    """Look once more, and tell what desks were asked."""
    await find_steps_held({})
    return await db.rows(
        "SELECT title, detail, closed_at IS NULL AS open, order_id FROM problem"
        " WHERE kind = 'step_held' ORDER BY id"
    )


async def test_a_step_that_waits_for_hours_is_asked_for_once_until_it_counts(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1005)
    early = await order.take(await order.pack())
    assert early.json()["verdict"] == "held"
    await floor.later(company, clock, timedelta(hours=3, minutes=59))
    assert await asked() == []
    await floor.later(company, clock, timedelta(minutes=2))
    for _ in range(2):
        [problem] = await asked()
    assert problem["title"] == "Captured too early and still waiting: 1007 Packing Completed"
    assert "Waits for 1006" in problem["detail"]
    assert (problem["open"], problem["order_id"]) == (True, order.order_id)

    await order.take_well(await order.check())
    assert 1007 in await order.passed()
    [problem] = await asked()
    assert not problem["open"]
    await healthy()


async def test_whoever_has_closed_it_is_not_asked_again(company: Company, clock: Any) -> None:
    order = await standing(company, 1005)
    await order.take(await order.pack())
    await floor.later(company, clock, timedelta(hours=5))
    await asked()
    [problem] = await company.get("dispatcher", "/problems?kind=step_held")
    close = f"/problems/{problem['id']}/close"
    await floor.ok(company, "dispatcher", close, {"words": "It is checked tomorrow."})
    await floor.later(company, clock, timedelta(hours=5))
    assert [row["open"] for row in await asked()] == [False]


async def test_what_waits_for_a_detour_is_left_to_the_owner_of_the_detour(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1005, ("KET-17", 1))
    scan = {"event_id": uuid7(), "scans": [floor.beep(floor.BARCODES["MIX-500"])]}
    await floor.ok(company, "warehouse", f"/field/fulfilments/{order.parcel}/checks", scan)
    assert await open_kinds() == ["qc_mismatch"]
    await order.take(await order.pack())
    await floor.later(company, clock, timedelta(hours=6))
    assert await asked() == []
