"""Every route x every role: who is let in and who is not, from the route table itself (IA4).

A cell is judged by its status: 401 and 403 mean shut out, anything else means let in. Bodies are
empty and ids are random, so nothing is changed by those who are let in. Whose things they may
touch once they are in is the business of test_foreign_objects.py.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar.routes import BaseRoute, HTTPRoute

from doorstep.app import create_app
from doorstep.core import blobs, limits
from doorstep.core import redis as core_redis
from doorstep.core.auth.guard import handlers_of
from doorstep.core.auth.permissions import PERMISSIONS, PUBLIC, may
from tests.support.access import SIGNED_IN_ROLES, enter

APP = create_app()
ROUTES = {
    str(handler.operation_id or f"{method} {path}"): (method, path, handler)
    for method, path, handler in handlers_of(APP)
}
GUARDED = sorted(name for name, (_, _, handler) in ROUTES.items() if not handler.opt.get("public"))
SHUT_OUT = (401, 403)
ENDS_SESSION = frozenset({"signOut"})
"""Asked last, with a session that nothing else needs."""

SAMPLES = {"sha256": "0" * 64, "derivative": "large"}


def fill(path: str) -> str:
    def sample(match: re.Match[str]) -> str:
        return SAMPLES.get(match[1]) or str(uuid4())

    return re.sub(r"{([^}:]+)[^}]*}", sample, path)


@pytest.fixture
async def client(db: object, redis: object, tmp_path: Any) -> AsyncIterator[httpx.AsyncClient]:
    limits.forget_outage()
    await blobs.start(f"file://{tmp_path}/blobs")
    transport = httpx.ASGITransport(app=APP, client=("127.0.0.1", 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://doorstep.test") as given:
        yield given
    await blobs.stop()
    await core_redis.stop()


def test_every_route_declares_who_may_call_it_and_has_a_name_of_its_own() -> None:
    handlers = handlers_of(APP)
    assert len(ROUTES) == len(handlers), "an operation_id is used twice"
    for method, path, handler in handlers:
        assert re.fullmatch(r"[a-z][A-Za-z0-9]+", str(handler.operation_id)), path
        declared = handler.opt.get("permission")
        assert (declared in PERMISSIONS) != ((method, path) in PUBLIC), path


def test_nothing_but_http_is_served_past_the_table() -> None:
    others: list[BaseRoute] = [one for one in APP.routes if not isinstance(one, HTTPRoute)]
    assert others == []


def test_the_public_list_has_no_stale_entry() -> None:
    assert {(method, path) for method, path, _ in handlers_of(APP)} >= PUBLIC


def test_system_and_customers_never_sign_in() -> None:
    assert not {"system", "customer"} & set(SIGNED_IN_ROLES)


async def test_without_a_token_every_guarded_route_is_shut(client: httpx.AsyncClient) -> None:
    for name in GUARDED:
        method, path, _ = ROUTES[name]
        answer = await client.request(method, fill(path))
        assert answer.status_code == 401, name


async def test_public_routes_are_open(client: httpx.AsyncClient) -> None:
    for name in sorted(set(ROUTES) - set(GUARDED)):
        method, path, _ = ROUTES[name]
        answer = await client.request(method, fill(path), json={})
        assert answer.status_code != 403, name
        assert answer.status_code < 500, name


async def test_every_cell_of_the_matrix(client: httpx.AsyncClient) -> None:
    people = {role: await enter(role) for role in SIGNED_IN_ROLES}
    wrong: list[str] = []
    for name in sorted(GUARDED, key=lambda one: (one in ENDS_SESSION, one)):
        method, path, handler = ROUTES[name]
        permission = handler.opt["permission"]
        for role, person in people.items():
            answer = await client.request(
                method, fill(path), headers=person.headers, json={} if method != "GET" else None
            )
            let_in = answer.status_code not in SHUT_OUT
            if let_in != may(role, permission) or answer.status_code >= 500:
                wrong.append(f"{role} on {name}: {answer.status_code}")
            elif not let_in and answer.json()["type"] != "/problems/not-allowed":
                wrong.append(f"{role} on {name}: {answer.json()['type']}")
    assert wrong == []
