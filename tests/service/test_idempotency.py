"""Idempotency keys: one effect and one answer per key, whoever asks and whatever crashes."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar, Response, post
from litestar.testing import create_test_client

from doorstep.core import db as core_db
from doorstep.core import idempotency
from doorstep.core.actor import Actor
from doorstep.core.errors import Refusal
from doorstep.core.idempotency import StoredAnswer

pytestmark = pytest.mark.usefixtures("db")

PERSON = Actor(role="sales", source="person", person_id=UUID(int=7))
KEY = "key-0001"


class TooPoor(Refusal):
    """The use-case refuses."""

    title = "There is not enough money."


@pytest.fixture(scope="module", autouse=True)
async def table(worker: Any, db: Any) -> AsyncIterator[None]:
    await db.execute("CREATE TABLE probe_effect (id uuid, key text NOT NULL)")
    yield
    await db.execute("DROP TABLE probe_effect")


@pytest.fixture(autouse=True)
async def empty(table: None) -> None:
    await core_db.execute("DELETE FROM probe_effect")


async def effect(key: str = KEY) -> StoredAnswer:
    made = uuid4()
    await core_db.execute("INSERT INTO probe_effect VALUES ($1, $2)", made, key)
    return StoredAnswer(
        status=201, body=b'{ "id": "%s" }' % str(made).encode(), headers={"location": f"/x/{made}"}
    )


async def ask(
    key: str = KEY, *, body: bytes = b"{}", route: str = "doIt", actor: Actor = PERSON
) -> StoredAnswer:
    return await idempotency.run(actor, key, route, body, lambda: effect(key))


async def effects() -> int:
    return int(await core_db.value("SELECT count(*) FROM probe_effect"))


async def test_the_stored_answer_is_given_again_byte_for_byte() -> None:
    first = await ask()
    second = await ask()
    assert (first.replayed, second.replayed) == (False, True)
    assert (first.status, first.body, first.headers) == (
        second.status,
        second.body,
        second.headers,
    )
    assert await effects() == 1
    assert second.response().headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.response().headers


@pytest.mark.parametrize("other", [{"body": b"{} "}, {"route": "doOther"}])
async def test_another_request_with_the_same_key_is_refused(other: dict[str, Any]) -> None:
    await ask()
    with pytest.raises(idempotency.IdempotencyKeyReused):
        await ask(**other)
    assert idempotency.IdempotencyKeyReused.status == 422
    assert await effects() == 1


async def test_people_do_not_meet_each_others_keys() -> None:
    await ask()
    await ask(actor=Actor(role="sales", source="person", person_id=UUID(int=8)))
    await ask(actor=Actor.system("shop"))
    assert await effects() == 3


@pytest.mark.parametrize("key", ["short", "x" * 129, "with space", "línea-0001", "12345678\n"])
async def test_an_unusable_key_is_refused(key: str) -> None:
    with pytest.raises(idempotency.IdempotencyKeyUnusable):
        await ask(key)


async def test_a_refusal_stores_nothing_so_the_request_may_be_tried_again() -> None:
    async def refuses() -> StoredAnswer:
        await effect()
        raise TooPoor

    with pytest.raises(TooPoor):
        await idempotency.run(PERSON, KEY, "doIt", b"{}", refuses)
    assert await effects() == 0
    assert (await ask()).replayed is False


async def test_the_same_request_under_way_is_told_to_wait() -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> StoredAnswer:
        inside.set()
        await go_on.wait()
        return await effect()

    running = asyncio.create_task(idempotency.run(PERSON, KEY, "doIt", b"{}", slow))
    await inside.wait()
    with pytest.raises(idempotency.RequestInFlight) as refused:
        await ask()
    assert refused.value.headers == {"Retry-After": "1"}
    go_on.set()
    await running
    # Replays never stand in each other's way.
    answers = await asyncio.gather(*(ask() for _ in range(10)))
    assert {answer.body for answer in answers} == {(await running).body}


async def test_fifty_keys_ten_callers_each_and_crashes_leave_one_effect_each() -> None:
    seeded = random.Random(3)
    bodies: dict[str, set[bytes]] = {f"key-{n:05d}": set() for n in range(50)}

    async def caller(key: str) -> None:
        while True:
            point = seeded.choices(("no", "before commit", "after commit"), (4, 3, 3))[0]

            async def crashing(point: str = point) -> StoredAnswer:
                answer = await effect(key)
                await asyncio.sleep(seeded.uniform(0, 0.003))
                if point == "before commit":
                    raise ConnectionResetError
                return answer

            try:
                answer = await idempotency.run(PERSON, key, "doIt", b"{}", crashing)
            except (idempotency.RequestInFlight, ConnectionResetError):
                await asyncio.sleep(seeded.uniform(0, 0.01))
                continue
            if point != "after commit":  # Else the process died with the answer in its hands.
                bodies[key].add(answer.body)
                return

    await asyncio.gather(*(caller(key) for key in bodies for _ in range(10)))
    assert {len(seen) for seen in bodies.values()} == {1}
    rows = await core_db.rows("SELECT key FROM probe_effect")
    assert Counter(row["key"] for row in rows) == dict.fromkeys(bodies, 1)


async def test_sql_functions_share_the_keys() -> None:
    stored = await ask()
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # of {}
    begun = await core_db.one(
        "SELECT * FROM idempotency_begin($1, $2, $3, $4)",
        idempotency.scope_of(PERSON), KEY, "doIt", bytes.fromhex(digest),
    )  # fmt: skip
    again = idempotency.settle(begun)
    assert again is not None and again.body == stored.body
    assert idempotency.settle({"outcome": "new"}) is None


def test_a_route_takes_the_header_or_answers_400() -> None:
    @post("/probe")
    async def probe(idempotency_key: idempotency.IdempotencyKey) -> Response[bytes]:
        return StoredAnswer(status=201, body=b"{}", headers={"location": "/x"}).response()

    with create_test_client(probe) as client:
        answer = client.post("/probe", headers={"Idempotency-Key": KEY})
        assert (answer.status_code, answer.content) == (201, b"{}")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["location"] == "/x"
        assert client.post("/probe").status_code == 400
        assert client.post("/probe", headers={"Idempotency-Key": "short"}).status_code == 400
        app: Litestar = client.app
    parameters = app.openapi_schema.to_schema()["paths"]["/probe"]["post"]["parameters"]
    assert [(p["name"], p["required"]) for p in parameters] == [("Idempotency-Key", True)]
