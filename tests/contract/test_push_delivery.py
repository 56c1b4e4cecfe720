"""From the fact to the lock screen: nothing is lost and nothing doubled, whatever the service does."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import structlog

from doorstep.adapters import web_push
from doorstep.adapters.web_push import WebPush
from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.push import jobs
from doorstep.modules.push import service as push
from doorstep.ports import PushAddress
from tests.contract.conftest import QUIET, Outside
from tests.contract.test_web_push import received, subscribe
from tests.factories.care import outside as bound
from tests.factories.phones import SUBJECT, VAPID_KEY, a_phone, an_address
from tests.factories.road import make_person
from tests.support.worker import run_due

MESSAGES, PHONES = 200, 4
RETRY_NOW = "UPDATE outbox SET next_at = now() WHERE done_at IS NULL"
TROUBLES = {
    "status_429": 0.1,
    "status_500": 0.1,
    "timeout_without_effect": 0.02,
    "timeout_after_success": 0.05,
}
LATE, PATIENCE = 0.25, 0.2


@pytest.fixture
async def pusher(outside: Outside) -> AsyncIterator[WebPush]:
    """Sends to the sandbox, and says nothing of what it is to get over."""
    pusher = WebPush(VAPID_KEY, SUBJECT, total_seconds=PATIENCE)
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=QUIET)
    try:
        with bound(pusher=pusher):
            yield pusher
    finally:
        structlog.configure(wrapper_class=before)
        await web_push.close()


async def phone_of(outside: Outside, pusher: WebPush, person: UUID) -> PushAddress:
    address = await subscribe(outside, pusher.public_key)
    await a_phone(person, address)
    return address


async def work() -> Counter[str]:
    """Run every job until none is open; tell how they ended."""
    ends: Counter[str] = Counter()
    while ran := await run_due():
        ends.update(how for _, how in ran)
        await core_db.execute(RETRY_NOW)
    return ends


async def test_a_fact_comes_to_the_phone_and_its_word_comes_back(
    outside: Outside, pusher: WebPush
) -> None:
    person = await make_person("courier")
    await core_db.execute("UPDATE person SET languages = '{hi}' WHERE id = $1", person)
    address = await phone_of(outside, pusher, person)
    await push.tell([person], "stop_changed", "stop:1", key="k")
    await work()
    [delivered] = await received(outside, address)
    message = delivered["message"]
    row = await core_db.one("SELECT id, device_id, state FROM push_message")
    assert row["state"] == "sent"
    assert message["web_push"] == 8030
    assert message["notification"]["data"] == {
        "id": str(row["id"]), "kind": "stop_changed", "lane": "stop:1",
    }  # fmt: skip
    assert message["notification"]["title"] == "एक स्टॉप बदला है"
    assert (delivered["urgency"], delivered["requests"]) == ("high", 1)


async def test_hostile_subscriptions_do_not_stop_the_others(
    outside: Outside, pusher: WebPush
) -> None:
    good = an_address()
    hostile = [
        PushAddress(endpoint=f"{outside.url}/push/a", p256dh=b"\4" + b"\1" * 64, auth=good.auth),
        PushAddress(endpoint="https://10.0.0.1/x", p256dh=good.p256dh, auth=good.auth),
        PushAddress(endpoint=f"{outside.url}/_state", p256dh=good.p256dh, auth=good.auth),
        PushAddress(endpoint=f"{outside.url}/push/none", p256dh=good.p256dh, auth=good.auth),
    ]
    person = await make_person("courier")
    for address in hostile:
        await a_phone(person, address)
    own = [await phone_of(outside, pusher, person) for _ in range(2)]
    await push.tell([person], "run_planned", "run:1", key="k")
    ends = await work()
    assert ends == {"done": 6}
    for address in own:
        assert len(await received(outside, address)) == 1
    states = await core_db.rows("SELECT state FROM push_message ORDER BY device_id")
    assert [row["state"] for row in states] == [
        "refused", "refused", "refused", "gone", "sent", "sent",
    ]  # fmt: skip


async def test_two_hundred_messages_through_a_service_that_fails_at_random(
    outside: Outside, pusher: WebPush, record_property: object
) -> None:
    """None is lost, and none is shown twice: what is handed in again replaces itself."""
    person = await make_person("courier")
    phones = [await phone_of(outside, pusher, person) for _ in range(PHONES)]
    for kind, rate in TROUBLES.items():
        await outside.fault(system="push", kind=kind, rate=rate, seed=5, delay_seconds=LATE)
    for n in range(MESSAGES // PHONES):
        await push.tell([person], "work_taken", f"run:{n}", key=str(uuid7()))
    ends = await work()
    struck = {one["kind"]: one["fired"] for one in (await outside.http.get("/_faults")).json()}
    assert all(struck.values()), struck
    assert ends["done"] == MESSAGES and ends["dead"] == 0
    # A machine that is busy with something else makes more of them late.
    assert ends["failed"] + ends["postponed"] >= sum(struck.values())
    wanted = await core_db.rows("SELECT id FROM push_message WHERE state = 'sent'")
    assert len(wanted) == MESSAGES
    shown: Counter[str] = Counter()
    doubled = 0
    for phone in phones:
        for one in await received(outside, phone):
            shown[one["message"]["notification"]["data"]["id"]] += 1
            doubled += one["requests"] > 1
    assert shown == Counter(str(row["id"]) for row in wanted)
    assert doubled > 0, "no answer was lost"
    record_property(  # type: ignore[operator]
        "counts", f"push: {MESSAGES} messages, faults {struck}, {doubled} handed in twice"
    )


async def test_a_phone_that_cleared_its_data_is_forgotten(
    outside: Outside, pusher: WebPush
) -> None:
    person = await make_person("courier")
    address = await phone_of(outside, pusher, person)
    await outside.http.delete(f"/push-subscriptions/{address.endpoint.rpartition('/')[2]}")
    await push.tell([person], "run_planned", "run:1", key="k")
    await work()
    assert await core_db.rows("SELECT 1 FROM push_subscription") == []
    assert await push.tell([person], "run_planned", "run:2", key="l") == 0
    await jobs.send({"message_id": str(await core_db.value("SELECT id FROM push_message"))})
