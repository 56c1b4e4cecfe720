"""Phones: enrolled by a code and a key, told what to do from afar, listed for the desks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from doorstep.core import db as core_db
from doorstep.core.auth import passwords, service
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.play.phone_key import PhoneKey
from tests.factories.company import Company, strangers
from tests.factories.enrolling import enrol, enrolment, new_code, openly
from tests.factories.floor import open_problems
from tests.factories.phone_keys import key_of, remember, signed
from tests.factories.steps import healthy
from tests.factories.surrender import device_of
from tests.factories.sync import Phone, kept_goods, unannounced
from tests.support.access import PIN

COMMANDS = ("lock", "unlock", "sign-out", "revoke")


async def listed(company: Company, who: str, person_id: UUID) -> list[dict[str, Any]]:
    devices: list[dict[str, Any]] = await company.get(who, f"/api/people/{person_id}/devices")
    return devices


async def tell(company: Company, device_id: UUID, command: str, who: str = "admin") -> None:
    answer = await company.send(who, f"/api/devices/{device_id}/{command}", {})
    assert answer.status_code == 204, answer.text


@pytest.fixture
async def courier(company: Company) -> UUID:
    return await service.create_person(role="courier", name="Omar")


class TestEnrolment:
    async def test_the_same_key_of_the_same_person_is_the_same_device(
        self, company: Company, courier: UUID
    ) -> None:
        key = PhoneKey()
        first = (await enrol(company, courier, key)).json()
        await core_db.execute("UPDATE device SET state = 'locked', pin_failures = 10")
        again = (await enrol(company, courier, key, device_label="New", pin="135790")).json()
        assert again["device_id"] == first["device_id"]
        assert again["person_id"] == str(courier)
        [device] = await listed(company, "admin", courier)
        assert (device["label"], device["state"], device["signed_in"]) == ("New", "active", True)
        by_pin = {"device_id": first["device_id"], "pin": PIN}
        assert (await openly(company, "/api/sign-in/device", by_pin)).status_code == 401
        by_pin["pin"] = "135790"
        assert (await openly(company, "/api/sign-in/device", by_pin)).status_code == 200
        old = {"refresh_token": first["refresh_token"]}
        assert (await openly(company, "/api/session/refresh", old)).status_code == 401

    async def test_a_phone_that_is_enrolled_anew_goes_on_sending_what_it_captured(
        self, company: Company
    ) -> None:
        phone = Phone(company, "warehouse")
        device_id = await device_of(phone)
        before = unannounced(phone)
        await core_db.execute("UPDATE session SET revoked_at = now(), revoked_why = 'over'"
                              " WHERE device_id = $1", device_id)  # fmt: skip
        assert (await phone.send(before)).status_code == 401
        user = company.users["warehouse"]
        key = key_of(user.headers)
        opened = (await enrol(company, user.id, key)).json()
        assert opened["device_id"] == str(device_id)
        user.headers["Authorization"] = f"Bearer {opened['access_token']}"
        remember(user.headers, key)
        [receipt] = await phone.push(before)
        assert receipt["verdict"] == "applied"

    async def test_the_key_of_another_person_is_refused_and_the_code_stays_good(
        self, company: Company, courier: UUID
    ) -> None:
        key = PhoneKey()
        await enrol(company, courier, key)
        other = await service.create_person(role="courier", name="Binu")
        code = await new_code(company, other)
        refused = await openly(company, "/api/enrol", enrolment(code, key))
        assert refused.status_code == 409
        assert refused.json()["type"] == "/problems/device-enrolled-by-another"
        assert await listed(company, "admin", other) == []
        taken = await openly(company, "/api/enrol", enrolment(code, PhoneKey()))
        assert taken.status_code == 201

    async def test_a_revoked_device_is_told_so_and_comes_back_with_a_new_key_only(
        self, company: Company, courier: UUID
    ) -> None:
        key = PhoneKey()
        device_id = (await enrol(company, courier, key)).json()["device_id"]
        await tell(company, device_id, "revoke")
        code = await new_code(company, courier)
        refused = await openly(company, "/api/enrol", enrolment(code, key))
        assert refused.json()["type"] == "/problems/device-is-revoked"
        by_pin = {"device_id": device_id, "pin": PIN}
        refused = await openly(company, "/api/sign-in/device", by_pin)
        assert refused.json()["type"] == "/problems/device-is-revoked"
        fresh = await openly(company, "/api/enrol", enrolment(code, PhoneKey()))
        assert fresh.json()["device_id"] != device_id

    async def test_what_is_no_key_is_refused_and_the_code_stays_good(
        self, company: Company, courier: UUID
    ) -> None:
        body = enrolment(await new_code(company, courier), PhoneKey())
        beside = {"x": "A" * 43, "y": "A" * 43}
        for wrong in (beside, {"crv": "P-384"}, {"d": "A" * 43}, {"x": "short"}):
            bad = body | {"public_key": body["public_key"] | wrong}
            assert (await openly(company, "/api/enrol", bad)).status_code == 422
        without = {name: value for name, value in body.items() if name != "public_key"}
        assert (await openly(company, "/api/enrol", without)).status_code == 422
        assert await core_db.value("SELECT count(*) FROM device WHERE person_id = $1", courier) == 0
        assert (await openly(company, "/api/enrol", body)).status_code == 201

    async def test_the_code_comes_as_a_qr_too_with_the_code_where_no_server_sees_it(
        self, company: Company, courier: UUID
    ) -> None:
        made = await company.send("admin", f"/api/people/{courier}/enrolment-codes", {})
        told = made.json()
        # As the field app reads it (pwa/src/field/phone.svelte.ts).
        link = urlsplit(told["link"])
        assert (link.path, link.fragment) == ("/app/", f"code={told['code']}")
        assert told["code"] not in told["link"].split("#")[0]
        assert "<svg" in told["qr_svg"]


class TestSignatures:
    async def test_what_is_not_signed_by_this_device_is_kept_for_a_person(
        self, company: Company
    ) -> None:
        phone, other = Phone(company, "warehouse"), Phone(company, "courier")
        right = unannounced(phone, lane="a")
        unsigned = {k: v for k, v in unannounced(phone, lane="b").items() if k != "sig"}
        wrong = unannounced(phone, lane="c", sig="A" * 86)
        foreign = signed(unannounced(phone, lane="d"), key_of(company.users["courier"].headers))
        changed = signed(unannounced(phone, lane="e"), key_of(company.users["warehouse"].headers))
        changed = changed | {"payload": {"code": "Z-1"}}
        receipts = await phone.push(right, unsigned, wrong, foreign, changed)
        assert [one["verdict"] for one in receipts] == ["applied", *["review"] * 4]
        assert "not signed" in receipts[1]["reason"]
        assert all("does not fit" in one["reason"] for one in receipts[2:])
        assert await kept_goods() == 1
        rows = await core_db.rows("SELECT signature FROM capture ORDER BY device_seq")
        assert [row["signature"] for row in rows] == ["valid", "missing", *["wrong"] * 3]
        assert await phone.push(unsigned) == [receipts[1]]
        await company.work()
        problems = await open_problems("capture_unproven")
        assert {one["ref"] for one in problems} == {
            f"capture:{one['event_id']}" for one in (unsigned, wrong, foreign, changed)
        }
        assert await other.asked(foreign["event_id"]) == []
        await healthy()

    async def test_nothing_unsigned_can_ever_be_carried_out(self, company: Company) -> None:
        """The database itself holds it, whatever the code does."""
        phone = Phone(company, "warehouse")
        await phone.push(unannounced(phone, sig="A" * 86))
        with pytest.raises(asyncpg.CheckViolationError, match="capture_proven_or_reviewed"):
            await core_db.execute(
                "INSERT INTO capture SELECT (jsonb_populate_record(c, jsonb_build_object("
                "'event_id', $1::uuid, 'verdict', 'applied'))).* FROM capture c",
                uuid7(),
            )


class TestCommands:
    async def test_a_locked_device_hands_in_and_gets_nothing_new(self, company: Company) -> None:
        phone = Phone(company, "delivery")
        device_id = await device_of(phone)
        await tell(company, device_id, "lock", who="dispatcher")
        answer = await phone.send()
        assert answer.json()["device"] == {"state": "locked"}
        shut = await company.http.get("/field/runs", headers=company.users["delivery"].headers)
        assert (shut.status_code, shut.json()["type"]) == (403, "/problems/device-hands-in-only")
        assert shut.json()["state"] == "locked"
        assert (await company.get("delivery", "/api/me"))["role"] == "delivery"
        await tell(company, device_id, "unlock", who="dispatcher")
        assert (await phone.send()).json()["device"] == {"state": "active"}
        await company.get("delivery", "/field/runs")

    async def test_a_locked_device_is_not_renewed_and_its_pin_opens_nothing(
        self, company: Company, courier: UUID
    ) -> None:
        opened = (await enrol(company, courier, PhoneKey())).json()
        await tell(company, opened["device_id"], "lock")
        [device] = await listed(company, "admin", courier)
        assert device["heard_at"] is None
        assert device["state_by"] == str(company.users["admin"].id)
        spent = {"refresh_token": opened["refresh_token"]}
        refused = await openly(company, "/api/session/refresh", spent)
        assert refused.json()["type"] == "/problems/device-is-locked"
        [device] = await listed(company, "admin", courier)
        assert device["heard_at"] is not None
        by_pin = {"device_id": opened["device_id"], "pin": PIN}
        for _ in range(2):
            refused = await openly(company, "/api/sign-in/device", by_pin)
            assert refused.json()["type"] == "/problems/device-is-locked"
        await tell(company, opened["device_id"], "unlock")
        assert (await openly(company, "/api/sign-in/device", by_pin)).status_code == 200

    async def test_a_phone_that_is_to_sign_out_hands_in_first(self, company: Company) -> None:
        phone = Phone(company, "warehouse")
        device_id = await device_of(phone)
        person_id = company.users["warehouse"].id
        await tell(company, device_id, "sign-out", who="dispatcher")
        await tell(company, device_id, "sign-out", who="dispatcher")
        first = await phone.send(unannounced(phone))
        assert first.json()["device"] == {"state": "draining"}
        [device] = await listed(company, "dispatcher", person_id)
        assert (device["state"], device["heard_at"]) == ("draining", None)
        headers = company.users["warehouse"].headers
        shut = await company.http.get("/field/pick-lists", headers=headers)
        assert shut.status_code == 403
        batch = {"app_version": "2.0.0", "sent_at": now(), "device_state": "draining", "events": []}
        await company.send("warehouse", "/field/sync/push", batch)
        [device] = await listed(company, "dispatcher", person_id)
        assert device["heard_at"] is not None
        assert (device["app_version"], device["signed_in"]) == ("2.0.0", True)
        [receipt] = await phone.push(unannounced(phone, lane="second"))
        assert receipt["verdict"] == "applied"
        assert (await company.send("warehouse", "/api/session/sign-out", {})).status_code == 204
        [device] = await listed(company, "dispatcher", person_id)
        assert (device["state"], device["signed_in"]) == ("signed_out", False)
        assert (await phone.send()).status_code == 401
        await healthy()

    async def test_a_draining_phone_is_renewed_and_signs_in_by_pin_until_it_is_done(
        self, company: Company, courier: UUID
    ) -> None:
        opened = (await enrol(company, courier, PhoneKey())).json()
        await tell(company, opened["device_id"], "sign-out")
        renewed = await openly(
            company, "/api/session/refresh", {"refresh_token": opened["refresh_token"]}
        )
        assert renewed.status_code == 200
        by_pin = {"device_id": opened["device_id"], "pin": PIN}
        signed_in = await openly(company, "/api/sign-in/device", by_pin)
        assert signed_in.status_code == 200
        [device] = await listed(company, "admin", courier)
        assert device["state"] == "draining"
        headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        await company.http.post("/api/session/sign-out", headers=headers)
        assert (await openly(company, "/api/sign-in/device", by_pin)).status_code == 200
        [device] = await listed(company, "admin", courier)
        assert (device["state"], device["signed_in"]) == ("active", True)

    async def test_what_a_device_in_each_state_can_be_told(
        self, company: Company, courier: UUID
    ) -> None:
        opened = (await enrol(company, courier, PhoneKey())).json()
        states = {
            "active": set(COMMANDS),
            "locked": {"lock", "unlock", "revoke"},
            "draining": set(COMMANDS),
            "signed_out": set(COMMANDS),
            "revoked": {"revoke"},
        }
        for state, allowed in states.items():
            for command in COMMANDS:
                put = "UPDATE device SET state = $1 WHERE person_id = $2"
                await core_db.execute(put, state, courier)
                path = f"/api/devices/{opened['device_id']}/{command}"
                answer = await company.send("admin", path, {})
                if command in allowed:
                    assert answer.status_code == 204, (state, command)
                    continue
                assert answer.status_code == 409, (state, command)
                assert answer.json()["type"] == "/problems/device-state-forbids"
                assert answer.json()["state"] == state

    async def test_a_right_pin_does_not_undo_a_lock_by_the_office(
        self, company: Company, courier: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The lock comes while the PIN is being looked at."""
        opened = (await enrol(company, courier, PhoneKey())).json()
        verify = passwords.verify

        async def locked_meanwhile(secret: str, hashed: str | None) -> bool:
            await tell(company, opened["device_id"], "lock")
            return await verify(secret, hashed)

        monkeypatch.setattr(passwords, "verify", locked_meanwhile)
        by_pin = {"device_id": opened["device_id"], "pin": PIN}
        refused = await openly(company, "/api/sign-in/device", by_pin)
        assert refused.json()["type"] == "/problems/device-is-locked"
        [device] = await listed(company, "admin", courier)
        assert device["state"] == "locked"


class TestWhoMay:
    async def test_dispatchers_command_phones_of_their_channels_only(
        self, company: Company
    ) -> None:
        elsewhere = await strangers(company)
        company.users |= {f"{role} elsewhere": user for role, user in elsewhere.items()}
        for who in ("warehouse", "delivery"):
            device_id = await device_of(Phone(company, who))
            person_id = company.users[who].id
            assert len(await listed(company, "dispatcher", person_id)) == 1
            headers = company.users["dispatcher elsewhere"].headers
            found = await company.http.get(f"/api/people/{person_id}/devices", headers=headers)
            assert found.json()["type"] == "/problems/no-such-person"
            for command in ("lock", "unlock", "sign-out"):
                path = f"/api/devices/{device_id}/{command}"
                answer = await company.send("dispatcher elsewhere", path, {})
                assert answer.json()["type"] == "/problems/no-such-device"
        assert await core_db.value("SELECT count(*) FROM device WHERE state <> 'active'") == 0

    async def test_only_an_admin_revokes_and_others_command_nothing(self, company: Company) -> None:
        device_id = await device_of(Phone(company, "delivery"))
        for command in COMMANDS:
            for who in ("support", "delivery", "finance"):
                answer = await company.send(who, f"/api/devices/{device_id}/{command}", {})
                assert answer.status_code == 403
        refused = await company.send("dispatcher", f"/api/devices/{device_id}/revoke", {})
        assert refused.status_code == 403

    async def test_what_does_not_exist_is_not_found(self, company: Company) -> None:
        for command in COMMANDS:
            answer = await company.send("admin", f"/api/devices/{uuid4()}/{command}", {})
            assert answer.json()["type"] == "/problems/no-such-device"

    async def test_a_colleague_of_every_channel_is_every_dispatchers(
        self, company: Company, courier: UUID
    ) -> None:
        await enrol(company, courier, PhoneKey())
        [device] = await listed(company, "dispatcher", courier)
        enrolled = device["enrolled_at"].replace("Z", "+00:00")
        assert now() - timedelta(minutes=1) < msgspec.convert(enrolled, type(now())) <= now()
