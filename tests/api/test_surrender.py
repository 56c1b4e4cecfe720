"""What was captured before a phone was shut out, and comes in after it (IC5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from doorstep.core import db as core_db
from doorstep.core.captures.surrender import PATH
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.play.phone_key import PhoneKey
from tests.factories.company import Company
from tests.factories.floor import open_problems
from tests.factories.phone_keys import key_of, signed
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.factories.surrender import Surrender, device_of
from tests.factories.sync import PUSH, Phone, kept_goods, unannounced


async def shut_out(phone: Phone) -> None:
    path = f"/api/devices/{await device_of(phone)}/revoke"
    answer = await phone.company.send("admin", path, {})
    assert answer.status_code == 204


async def test_a_revoked_phone_brings_in_what_it_has_and_nothing_of_it_counts(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse")
    counted = unannounced(phone, lane="a")
    [before] = await phone.push(counted)
    await shut_out(phone)
    assert (await phone.send()).status_code == 401
    late = [unannounced(phone, lane="b"), unannounced(phone, lane="b")]
    unsigned = unannounced(phone, lane="c", sig="A" * 86)
    answer = await (await Surrender.of(phone, counted, *late, unsigned, 7)).send()
    assert answer.status_code == 200, answer.text
    receipts = answer.json()["receipts"]
    # What had counted before keeps its receipt.
    assert receipts[0] == before
    assert [one["verdict"] for one in receipts[1:]] == ["review"] * 3
    assert "shut out" in receipts[1]["reason"]
    assert "does not fit" in receipts[3]["reason"]
    assert [one["index"] for one in answer.json()["unreadable"]] == [4]
    assert await kept_goods() == 1
    await company.work()
    assert await kept_goods() == 1
    problems = await open_problems("capture_surrendered")
    assert {one["ref"] for one in problems} == {
        f"capture:{one['event_id']}" for one in (*late, unsigned)
    }
    assert {one["owner_role"] for one in problems} == {"dispatcher"}
    device = await core_db.one("SELECT * FROM device WHERE id = $1", await device_of(phone))
    assert device["heard_at"] is not None and device["surrendered_at"] is not None
    again = await (await Surrender.of(phone, *late)).send()
    assert again.json()["receipts"] == receipts[1:3]
    assert len(await open_problems("capture_surrendered")) == 3
    await healthy()


async def test_it_is_for_a_person_whatever_became_of_the_phone(company: Company) -> None:
    phone = Phone(company, "warehouse")
    await core_db.execute("UPDATE session SET revoked_at = now(), revoked_why = 'over'")
    for state in ("active", "locked", "draining", "signed_out", "revoked"):
        await core_db.execute("UPDATE device SET state = $1", state)
        answer = await (await Surrender.of(phone, unannounced(phone))).send()
        assert [one["verdict"] for one in answer.json()["receipts"]] == ["review"], state
    assert await kept_goods() == 0


async def test_somebody_who_has_left_may_bring_in_what_he_did(company: Company) -> None:
    phone = Phone(company, "warehouse")
    person_id = company.users["warehouse"].id
    await company.send("admin", f"/api/people/{person_id}/deactivate", {})
    answer = await (await Surrender.of(phone, unannounced(phone))).send()
    assert [one["verdict"] for one in answer.json()["receipts"]] == ["review"]


async def attack(phone: Phone, how: str) -> Surrender:
    made = await Surrender.of(phone, unannounced(phone))
    if how == "unknown device":
        made.device_id = uuid7()
        return made.sign()
    if how == "another key":
        made.key = PhoneKey()
        return made.sign()
    if how == "the key of another device":
        made.key = key_of(phone.company.users["courier"].headers)
        return made.sign()
    if how == "another body":
        made.body = made.body.replace(b'"1.0.0"', b'"1.0.1"')
    elif how == "another time":
        made.headers["Doorstep-Signed-At"] = "2026-01-01T00:00:00Z"
    elif how == "no signature":
        made.headers["Doorstep-Signature"] = "A" * 86
    elif how == "old":
        return await Surrender.of(phone, unannounced(phone), late=timedelta(minutes=-6))
    elif how == "from the future":
        return await Surrender.of(phone, unannounced(phone), late=timedelta(minutes=6))
    elif how == "no time":
        made.signed_at = "2026-13-01T00:00:00Z"
        return made.sign()
    elif how == "for another address":
        made.headers["Doorstep-Signature"] = made.key.sign(b"POST /field/sync/push\n" + made.body)
    return made


async def test_every_attack_gets_the_same_answer_and_leaves_nothing(company: Company) -> None:
    phone = Phone(company, "warehouse")
    await shut_out(phone)
    before = await everything()
    told = set()
    for how in (
        "unknown device", "another key", "the key of another device", "another body",
        "another time", "no signature", "old", "from the future", "no time", "for another address",
    ):  # fmt: skip
        answer = await (await attack(phone, how)).send()
        assert answer.status_code == 401, how
        said = answer.json()
        learned = datetime.fromisoformat(said.pop("server_time"))
        assert abs(learned - now()) < timedelta(minutes=1)
        said.pop("request_id")
        told.add(msgspec.json.encode(said, order="sorted"))
    assert len(told) == 1
    assert await everything() == before


async def test_a_replay_is_refused_like_any_other_attack(company: Company) -> None:
    phone = Phone(company, "warehouse")
    await shut_out(phone)
    first = await Surrender.of(phone, unannounced(phone), late=timedelta(minutes=-1))
    assert (await first.send()).status_code == 200
    before = await everything()
    answer = await first.send()
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/surrender-refused")
    earlier = await Surrender.of(phone, unannounced(phone), late=timedelta(minutes=-2))
    assert (await earlier.send()).status_code == 401
    assert await everything() == before
    assert (await (await Surrender.of(phone, unannounced(phone))).send()).status_code == 200


async def test_a_wrong_clock_learns_the_time_from_the_refusal(company: Company) -> None:
    phone = Phone(company, "warehouse")
    wrong = await Surrender.of(phone, unannounced(phone), late=timedelta(days=2))
    refused = await wrong.send()
    wrong.signed_at = refused.json()["server_time"].replace("+00:00", "Z")
    assert (await wrong.sign().send()).status_code == 200


async def test_headers_content_and_size_are_checked_as_at_a_push(company: Company) -> None:
    phone = Phone(company, "warehouse")
    made = await Surrender.of(phone)
    for name in ("Doorstep-Device", "Doorstep-Signed-At", "Doorstep-Signature"):
        headers = {k: v for k, v in made.headers.items() if k != name}
        answer = await company.http.post(PATH, content=made.body, headers=headers)
        assert answer.status_code == 422, name
    plain = made.headers | {"Content-Type": "text/plain"}
    assert (await company.http.post(PATH, content=made.body, headers=plain)).status_code == 415
    large = await Surrender.of(phone, *({"x": "x" * 3000} for _ in range(90)))
    assert (await large.send()).status_code == 413
    made.body = b"{"
    assert (await made.sign().send()).status_code == 400


async def test_a_device_that_asks_too_often_waits(company: Company) -> None:
    phone = Phone(company, "warehouse")
    made = await Surrender.of(phone)
    made.headers["Doorstep-Signature"] = "A" * 86
    statuses = [(await made.send()).status_code for _ in range(40)]
    assert statuses.count(401) == 30
    assert set(statuses[30:]) == {429}


async def test_a_session_does_not_open_this_door_and_this_door_opens_no_session(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse")
    event: Any = signed(unannounced(phone), key_of(company.users["warehouse"].headers))
    batch = {"app_version": "1", "sent_at": now(), "events": [event]}
    assert (await company.send("warehouse", PATH, batch)).status_code == 422
    made = await Surrender.of(phone, event)
    answer = await company.http.post(PUSH, content=made.body, headers=made.headers)
    assert answer.status_code == 401
