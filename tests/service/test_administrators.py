"""Administrators hear by e-mail of jobs that were given up and of messages that reach nobody, once each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from doorstep.core import outbox
from doorstep.core.actor import Actor
from doorstep.flows.administrators import tell_administrators
from doorstep.modules.helpdesk import service as helpdesk
from tests.factories.company import Company, open_company


@pytest.fixture
async def company(db: Any, redis: Any, tmp_path: Path) -> AsyncIterator[Company]:
    async with open_company(tmp_path) as opened:
        await db.execute(
            "UPDATE person SET login = 'boss@shop.example', password_hash = 'x', channel_ids = '{}'"
            " WHERE role = 'admin'"
        )
        yield opened


async def told(db: Any) -> list[str]:
    rows = await db.rows("SELECT subject FROM message WHERE event = 'problem_opened' ORDER BY id")
    return [row["subject"] for row in rows]


async def test_a_job_that_was_given_up_is_told_once(company: Company, db: Any) -> None:
    for n in range(3):
        await outbox.add("messages.deliver", {}, key=f"dead:{n}")
    await db.execute(
        "UPDATE outbox SET dead_at = now(), last_error = 'KeyError' WHERE key LIKE 'dead:%'"
    )
    for _ in range(2):
        await tell_administrators({})
    assert await told(db) == ["For administrators: 3 jobs were given up: messages.deliver"]
    await company.work()
    assert [to for _, _, to, _ in company.post.sent] == ["boss@shop.example"]


async def test_what_died_after_the_problem_was_closed_is_told_again(
    company: Company, db: Any
) -> None:
    await outbox.add("messages.deliver", {}, key="dead")
    await db.execute("UPDATE outbox SET dead_at = now() WHERE key = 'dead'")
    await tell_administrators({})
    await helpdesk.close_problems(
        "dead_letter", "dead:messages.deliver", "Seen.", Actor.system("a test")
    )
    await tell_administrators({})
    assert len(await told(db)) == 1
    await db.execute("UPDATE outbox SET dead_at = now() + interval '1 second' WHERE key = 'dead'")
    await tell_administrators({})
    assert len(await told(db)) == 2


async def test_a_message_that_reaches_nobody_is_told_and_others_are_not(
    company: Company, db: Any
) -> None:
    await helpdesk.open_problem("message_refused", "A message could not be delivered", ref="1")
    await helpdesk.open_problem("vendor_unreachable", "No e-mail", ref="2")
    await tell_administrators({})
    assert await told(db) == ["For administrators: A message could not be delivered"]
