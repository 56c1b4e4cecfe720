"""Problems: the same trouble is one problem while it is open, a new one afterwards."""

from __future__ import annotations

from typing import Any

from doorstep.core.actor import Actor
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
