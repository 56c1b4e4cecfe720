"""Problems: the same trouble is one problem while it is open, a new one afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.modules.helpdesk import jobs, service

SUPPORT = Actor(role="support", source="person")


async def opened(db: Any) -> int:
    count: int = await db.value("SELECT count(*) FROM problem WHERE closed_at IS NULL")
    return count


async def test_the_same_trouble_is_one_problem_while_it_is_open(db: Any) -> None:
    first = await service.open_problem("awb_needed", "No pickup", ref="AWB-1")
    assert await service.open_problem("awb_needed", "Still no pickup", ref="AWB-1") == first
    assert await service.open_problem("awb_needed", "No pickup", ref="AWB-2") != first
    assert await opened(db) == 2
    assert await db.value("SELECT title FROM problem WHERE id = $1", first) == "No pickup"


async def test_after_closing_it_may_open_again(db: Any) -> None:
    first = await service.open_problem("awb_needed", "No pickup", ref="AWB-1")
    await service.close_problem(first, actor=SUPPORT, words="Called the carrier.")
    await service.close_problem(first, actor=SUPPORT, words="Twice.")
    assert await opened(db) == 0
    assert await db.value("SELECT closing_words FROM problem") == "Called the carrier."
    assert await service.open_problem("awb_needed", "No pickup", ref="AWB-1") != first


async def test_a_machine_whose_clock_is_behind_closes_what_another_has_opened(
    db: Any, clock: Any
) -> None:
    system = Actor.system("test")
    first = await service.open_problem("awb_needed", "No pickup", ref="AWB-1")
    await service.open_problem("awb_needed", "No pickup", ref="AWB-2")
    clock.advance(timedelta(hours=-1))
    await service.close_problem(first, actor=system, words="Done.")
    await service.close_problems("awb_needed", "AWB-2", "Done.", system)
    rows = await db.rows("SELECT opened_at, closed_at FROM problem")
    assert len(rows) == 2 and all(row["closed_at"] == row["opened_at"] for row in rows)


async def test_the_job_opens_what_another_module_asks_for(db: Any) -> None:
    payload = {
        "kind": "short_stock",
        "title": "x" * 500,
        "detail": "why",
        "ref": "1",
        "order_id": None,
        "owner_role": "dispatcher",
        "due_at": "2026-11-24T08:00:00+00:00",
    }
    await jobs.open_problem(payload)
    await jobs.open_problem(payload)
    problem = await db.one("SELECT * FROM problem")
    assert (problem["owner_role"], len(problem["title"])) == ("dispatcher", 200)
    assert problem["due_at"].isoformat() == "2026-11-24T08:00:00+00:00"


async def test_a_problem_that_is_put_off_waits_with_its_escalations(db: Any, clock: Any) -> None:
    await service.open_problem("short_stock", "None left", ref="1")
    until = now() + timedelta(days=5)
    await service.put_off_problem("short_stock", "1", "Until Friday", "agreed", until=until)
    problem = await db.one("SELECT * FROM problem")
    assert (problem["title"], problem["due_at"]) == ("Until Friday", until)
    assert problem["escalates_at"] >= until
    await service.put_off_problem("short_stock", "1", "Ask", "", until=until, hours=2)
    problem = await db.one("SELECT * FROM problem")
    assert problem["due_at"] < now() + timedelta(hours=3)
    await service.close_problem(problem["id"], actor=SUPPORT)
    await service.put_off_problem("short_stock", "1", "Closed", "", until=until)
    assert (await db.one("SELECT title FROM problem"))["title"] == "Ask"
