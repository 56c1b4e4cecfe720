"""Dead letters over HTTP: seen by support, replayed by the administrator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from doorstep.app import DOORS, create_app
from doorstep.core import db as core_db
from doorstep.core import outbox
from doorstep.core import redis as core_redis
from doorstep.doors.operations.routes import ROUTES
from tests.support.access import enter

PATH = "/operations/dead-letters"


@pytest.fixture
async def client(db: Any, redis: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(doors=[*(door for door in DOORS if door not in ROUTES), *ROUTES])
    transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorstep.test") as given:
        yield given
    await core_redis.stop()


async def dead(count: int) -> list[UUID]:
    for n in range(count):
        await outbox.add("probe.run", {"n": n})
    await core_db.execute("UPDATE outbox SET dead_at = now(), attempts = 12, last_error = 'down'")
    return [row["id"] for row in await core_db.rows("SELECT id FROM outbox ORDER BY id DESC")]


async def test_they_are_listed_newest_first_in_pages(client: httpx.AsyncClient) -> None:
    ids = await dead(3)
    support = await enter("support")
    first = (await client.get(f"{PATH}?limit=2", headers=support.headers)).json()
    assert [item["id"] for item in first["items"]] == [str(i) for i in ids[:2]]
    assert first["next"] == str(ids[1])
    assert first["items"][0]["last_error"] == "down"
    second = (
        await client.get(f"{PATH}?limit=2&before={first['next']}", headers=support.headers)
    ).json()
    assert [item["id"] for item in second["items"]] == [str(ids[2])]
    assert second["next"] is None
    none = (await client.get(f"{PATH}?kind=other.kind", headers=support.headers)).json()
    assert none == {"items": [], "next": None}


async def test_the_administrator_replays_one_once(client: httpx.AsyncClient) -> None:
    (letter,) = await dead(1)
    admin = await enter("admin")
    path = f"{PATH}/{letter}/replay"
    assert (await client.post(path, headers=admin.headers)).status_code == 204
    row = await core_db.one("SELECT dead_at, attempts, replayed_by FROM outbox")
    assert row == {"dead_at": None, "attempts": 0, "replayed_by": admin.id}
    again = await client.post(path, headers=admin.headers)
    assert (again.status_code, again.json()["type"]) == (404, "/problems/no-such-dead-letter")


@pytest.mark.parametrize("role", ["support", "courier", "vendor"])
async def test_nobody_else_replays(client: httpx.AsyncClient, role: str) -> None:
    person = await enter(role)
    answer = await client.post(f"{PATH}/{uuid4()}/replay", headers=person.headers)
    assert answer.status_code == 403
