"""Phones subscribe, are told, acknowledge, and are told no more once they are signed out (F6, IA5)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from doorstep import doctor
from doorstep.adapters.web_push import WebPush
from doorstep.core import db as core_db
from doorstep.core import health
from doorstep.core.actor import Actor
from doorstep.core.auth import service as auth
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.push import service as push
from tests.factories.care import outside
from tests.factories.company import Company
from tests.factories.phones import SUBJECT, VAPID_KEY, an_address
from tests.support.access import PIN, enter

SUBSCRIPTION, ACKS = "/field/push/subscription", "/field/push/acks"
BY = Actor.system("test")
FCM = "https://fcm.googleapis.com/fcm/send/"


@pytest.fixture
def pusher(company: Company) -> Iterator[WebPush]:
    with outside(pusher=WebPush(VAPID_KEY, SUBJECT)):
        yield WebPush(VAPID_KEY, SUBJECT)


def a_subscription(name: str = "a", **other: Any) -> dict[str, Any]:
    address = an_address(FCM + name)
    keys = {
        "p256dh": base64.urlsafe_b64encode(address.p256dh).rstrip(b"=").decode(),
        "auth": base64.b64encode(address.auth).decode(),
    }
    return {"endpoint": address.endpoint, **keys} | other


async def renew(company: Company, headers: dict[str, str], body: Any) -> httpx.Response:
    return await company.http.put(
        SUBSCRIPTION,
        content=msgspec.json.encode(body),
        headers=headers | {"Content-Type": "application/json"},
    )


async def endpoints() -> list[str]:
    rows = await core_db.rows("SELECT endpoint FROM push_subscription ORDER BY endpoint")
    return [row["endpoint"].removeprefix(FCM) for row in rows]


async def test_a_phone_reads_the_key_subscribes_renews_and_ends(
    company: Company, pusher: WebPush
) -> None:
    courier = company.users["courier"].headers
    assert await company.get("courier", "/field/push/key") == {"key": pusher.public_key}
    for name in ("a", "a", "b"):
        expires = {"expires_at": now()} if name == "b" else {}
        answer = await renew(company, courier, a_subscription(name, **expires))
        assert (answer.status_code, answer.content) == (204, b"")
        assert await endpoints() == [name]
    for _ in range(2):
        ended = await company.http.delete(SUBSCRIPTION, headers=courier)
        assert ended.status_code == 204
    assert await endpoints() == []


WRONG = [
    ({"endpoint": "https://evil.example/push"}, "push-service-unknown"),
    ({"endpoint": "http://fcm.googleapis.com/x"}, "push-service-unknown"),
    ({"endpoint": "https://10.0.0.1/x"}, "push-service-unknown"),
    ({"endpoint": FCM + "x" * 1000}, "invalid"),
    ({"auth": "A" * 30}, "push-keys-not-valid"),
    ({"auth": "A" * 17}, "push-keys-not-valid"),
    ({"p256dh": "A" * 87}, "push-keys-not-valid"),
    ({"expires_at": "9999-12-31T23:00:00Z"}, "invalid"),
    ({"more": 1}, "invalid"),
]


async def test_a_subscription_that_must_not_be_called_is_refused(
    company: Company, pusher: WebPush
) -> None:
    for wrong, problem in WRONG:
        answer = await renew(company, company.users["courier"].headers, a_subscription() | wrong)
        found = (answer.status_code, answer.json()["type"])
        assert found == (422, f"/problems/{problem}"), wrong
    assert await endpoints() == []


async def test_only_phones_subscribe_and_without_a_key_the_app_only_pulls(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await company.get("courier", "/field/push/key") == {"key": None}
    off = await renew(company, company.users["courier"].headers, a_subscription())
    assert (off.status_code, off.json()["type"]) == (409, "/problems/push-is-off")
    health.forget_last_check()
    assert (await company.get("", "/health/ready"))["push"] == "off"
    with outside(pusher=WebPush(VAPID_KEY, SUBJECT)):
        screen = company.users[await company.at_a_screen("courier")].headers
        refused = await renew(company, screen, a_subscription())
        assert (refused.status_code, refused.json()["type"]) == (403, "/problems/only-for-phones")
        desk = await renew(company, company.users["dispatcher"].headers, a_subscription())
        assert desk.status_code == 403


# --- It ends with the phone -----------------------------------------------------------------------


async def signed_in(company: Company, name: str) -> Any:
    person = await enter("courier")
    assert (await renew(company, person.headers, a_subscription(name))).status_code == 204
    return person


async def test_it_ends_with_the_session_the_device_and_the_person(
    company: Company, pusher: WebPush
) -> None:
    out, lost, left, stays = [await signed_in(company, name) for name in "abcd"]
    await company.http.post("/api/session/sign-out", headers=out.headers)
    assert await endpoints() == ["b", "c", "d"]
    await auth.revoke_device(lost.tokens.device_id, by=BY)
    assert await endpoints() == ["c", "d"]
    await auth.deactivate_person(left.id)
    assert await endpoints() == ["d"]
    await auth.sign_in_device(stays.tokens.device_id, PIN)
    assert await endpoints() == ["d"], "the same phone is signed in anew"
    await core_db.execute("DELETE FROM session WHERE device_id = $1", stays.tokens.device_id)
    assert await endpoints() == []
    assert (await renew(company, lost.headers, a_subscription("x"))).status_code == 401
    assert await doctor.run() == []


async def test_whoever_signs_in_at_the_same_browser_takes_its_endpoint_over(
    company: Company, pusher: WebPush
) -> None:
    one, other = await signed_in(company, "shared"), await enter("technician")
    await renew(company, other.headers, a_subscription("shared"))
    device_id = await core_db.value("SELECT device_id FROM push_subscription")
    assert device_id == other.tokens.device_id
    assert await push.tell([one.id], "run_planned", "run:1", key="k") == 0


async def test_signing_out_and_renewing_at_once_leaves_nothing_behind(
    company: Company, pusher: WebPush
) -> None:
    people = [await signed_in(company, str(n)) for n in range(6)]
    await asyncio.gather(
        *(renew(company, one.headers, a_subscription(f"again {n}".replace(" ", "-")))
          for n, one in enumerate(people)),
        *(auth.revoke_device(one.tokens.device_id, by=BY) for one in people),
        *(renew(company, one.headers, a_subscription("shared")) for one in people),
    )  # fmt: skip
    assert await endpoints() == []


# --- Acknowledged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["lock", "sign-out"])
async def test_a_phone_that_only_hands_in_says_that_it_showed_why(
    company: Company, pusher: WebPush, command: str
) -> None:
    courier = company.users["courier"]
    await renew(company, courier.headers, a_subscription())
    device_id = await core_db.value("SELECT device_id FROM push_subscription")
    answer = await company.send("admin", f"/api/devices/{device_id}/{command}", {})
    assert answer.status_code == 204
    assert await push.tell_device(device_id, "device_command", "device", key="k") == 1
    message = await core_db.value("SELECT id FROM push_message WHERE kind = 'device_command'")
    acks = {"acks": [{"id": message, "what": "shown", "at": now()}]}
    assert (await company.send("courier", ACKS, acks)).status_code == 204
    [shown] = await core_db.rows("SELECT shown_at FROM push_message WHERE acked_at IS NOT NULL")
    assert shown["shown_at"] is not None
    refused = await renew(company, courier.headers, a_subscription("b"))
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/device-hands-in-only")
    assert await endpoints() == ["a"]


async def test_what_was_shown_and_tapped_is_told_once_and_again(
    company: Company, pusher: WebPush
) -> None:
    courier = company.users["courier"]
    await renew(company, courier.headers, a_subscription())
    assert await push.tell([courier.id], "run_planned", "run:1", key="k") == 1
    message_id: UUID = await core_db.value("SELECT id FROM push_message")
    acks = {
        "acks": [
            {"id": message_id, "what": "shown", "at": now()},
            {"id": message_id, "what": "tapped", "at": now()},
            {"id": uuid7(), "what": "shown", "at": now()},
        ]
    }
    state = "SELECT shown_at, tapped_at, acked_at FROM push_message"
    assert (await company.send("delivery", ACKS, acks)).status_code == 204
    assert set((await core_db.one(state)).values()) == {None}, "another's phone"
    assert (await company.send("courier", ACKS, acks)).status_code == 204
    first = await core_db.one(state)
    assert None not in first.values()
    assert (await company.send("courier", ACKS, acks)).status_code == 204
    assert await core_db.one(state) == first
    assert (await company.send("courier", ACKS, {"acks": []})).status_code == 422
    screen = await company.at_a_screen("courier")
    assert (await company.send(screen, ACKS, acks)).status_code == 403
