"""Access over HTTP: the way in, the way out, and what an admin does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from doorstep.core import limits, redis
from doorstep.play.phone_key import PhoneKey
from tests.support.access import PASSWORD, PIN, Person

Enter = Callable[..., Awaitable[Person]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_staff_sign_in_look_around_and_sign_out(
    client: httpx.AsyncClient, signed_in: Enter
) -> None:
    finance = await signed_in("finance")
    answer = await client.post(
        "/api/sign-in", json={"login": finance.login.upper(), "password": PASSWORD}
    )
    assert answer.status_code == 200
    mine = bearer(answer.json()["access_token"])
    me = (await client.get("/api/me", headers=mine)).json()
    assert (me["role"], me["source"], me["person_id"]) == ("finance", "person", str(finance.id))
    assert "finance:ledger:read" in me["permissions"]
    assert "access:person:manage" not in me["permissions"]
    assert (await client.post("/api/session/sign-out", headers=mine)).status_code == 204
    assert (await client.get("/api/me", headers=mine)).status_code == 401
    assert (await client.get("/api/me", headers=finance.headers)).status_code == 200


async def test_a_courier_is_made_enrolled_and_shut_out(
    client: httpx.AsyncClient, signed_in: Enter
) -> None:
    admin = (await signed_in("admin")).headers
    made = await client.post("/api/people", json={"role": "courier", "name": "Omar"}, headers=admin)
    assert made.status_code == 201
    person = f"/api/people/{made.json()['id']}"
    code = (await client.post(f"{person}/enrolment-codes", headers=admin)).json()["code"]
    key = msgspec.to_builtins(PhoneKey().public)
    enrolment = {"code": code, "device_label": "Omar's phone", "pin": PIN, "public_key": key}
    enrolled = (await client.post("/api/enrol", json=enrolment)).json()
    phone = bearer(enrolled["access_token"])
    assert (await client.get("/api/me", headers=phone)).json()["source"] == "phone"
    again = await client.post("/api/enrol", json=enrolment)
    assert (again.status_code, again.json()["type"]) == (401, "/problems/enrolment-code-not-valid")

    by_pin = {"device_id": enrolled["device_id"], "pin": PIN}
    answer = await client.post("/api/sign-in/device", json=by_pin)
    phone = bearer(answer.json()["access_token"])
    revoke = f"/api/devices/{enrolled['device_id']}/revoke"
    assert (await client.post(revoke, headers=admin)).status_code == 204
    assert (await client.get("/api/me", headers=phone)).status_code == 401
    assert (await client.post("/api/sign-in/device", json=by_pin)).status_code == 401
    assert (await client.post(f"{person}/deactivate", headers=admin)).status_code == 204
    refused = await client.post(f"{person}/enrolment-codes", headers=admin)
    assert refused.json()["type"] == "/problems/person-signs-in-otherwise"


async def test_a_session_is_renewed_and_a_retry_gets_the_same(
    client: httpx.AsyncClient, signed_in: Enter
) -> None:
    spent = {"refresh_token": (await signed_in("sales")).tokens.refresh_token}
    first = await client.post("/api/session/refresh", json=spent)
    assert first.status_code == 200
    assert (await client.post("/api/session/refresh", json=spent)).json() == first.json()
    mine = bearer(first.json()["access_token"])
    assert (await client.get("/api/me", headers=mine)).status_code == 200


async def test_an_integration_token_is_issued_and_ended(
    client: httpx.AsyncClient, signed_in: Enter
) -> None:
    admin = (await signed_in("admin")).headers
    sales = await signed_in("sales")
    issued = await client.post(
        f"/api/people/{sales.id}/integration-tokens", json={"label": "shop"}, headers=admin
    )
    shop = bearer(issued.json()["token"])
    assert (await client.get("/api/me", headers=shop)).json()["role"] == "sales"
    ended = f"/api/sessions/{issued.json()['session_id']}/revoke"
    assert (await client.post(ended, headers=admin)).status_code == 204
    assert (await client.get("/api/me", headers=shop)).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"role": "warehouse", "name": "W"}, 422, "person-not-complete"),
        ({"role": "admin", "name": "A", "login": "abc"}, 422, "person-not-complete"),
        (
            {"role": "admin", "name": "A", "login": "abc", "password": "short"},
            422,
            "password-too-weak",
        ),
        ({"role": "king", "name": "K"}, 422, "invalid"),
        ({"role": "courier", "name": "C", "active": True}, 422, "invalid"),
        ({"role": "courier", "name": "C", "phone": "0501234567"}, 422, "invalid"),
        (
            {"role": "courier", "name": "C", "login": "abc", "password": PASSWORD},
            409,
            "person-signs-in-otherwise",
        ),
    ],
)
async def test_a_person_who_does_not_fit_is_refused_and_not_stored(
    client: httpx.AsyncClient, signed_in: Enter, db: Any, body: Any, status: int, kind: str
) -> None:
    admin = await signed_in("admin")
    answer = await client.post("/api/people", json=body, headers=admin.headers)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{kind}")
    assert await db.value("SELECT count(*) FROM person") == 1


async def test_nobody_there_is_not_found(client: httpx.AsyncClient, signed_in: Enter) -> None:
    admin = (await signed_in("admin")).headers
    for path in (f"people/{uuid4()}/deactivate", f"devices/{uuid4()}/revoke"):
        answer = await client.post(f"/api/{path}", headers=admin)
        assert answer.status_code == 404


class TestLimits:
    async def test_guesses_on_one_login_end_soon_and_others_still_get_in(
        self, client: httpx.AsyncClient, signed_in: Enter
    ) -> None:
        admin = await signed_in("admin")
        guess = {"login": "somebody", "password": "a wrong password"}
        statuses = [(await client.post("/api/sign-in", json=guess)).status_code for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        refused = await client.post("/api/sign-in", json=guess)
        assert int(refused.headers["retry-after"]) > 0
        mine = {"login": admin.login, "password": PASSWORD}
        assert (await client.post("/api/sign-in", json=mine)).status_code == 200

    async def test_without_redis_nobody_signs_in_but_work_goes_on(
        self, client: httpx.AsyncClient, signed_in: Enter, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        admin = await signed_in("admin")

        def gone() -> Any:
            raise redis.LOST[0]

        monkeypatch.setattr(limits, "_limiter", limits.Limiter(gone))
        mine = {"login": admin.login, "password": PASSWORD}
        answer = await client.post("/api/sign-in", json=mine)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/limits-unavailable")
        assert "retry-after" in answer.headers
        assert (await client.get("/api/me", headers=admin.headers)).status_code == 200
        renewed = {"refresh_token": admin.tokens.refresh_token}
        assert (await client.post("/api/session/refresh", json=renewed)).status_code == 200
