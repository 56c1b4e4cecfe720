"""Browsers that keep their cookies and lose what the app stored are found out (IC8)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.auth import service
from doorstep.play.phone_key import PhoneKey
from tests.factories.company import Company
from tests.factories.enrolling import enrol, enrolment, new_code


@pytest.fixture
async def courier(company: Company) -> UUID:
    return await service.create_person(role="courier", name="Omar")


@pytest.fixture
async def before(company: Company, courier: UUID) -> tuple[str, str]:
    """Enrol a phone; give the id of its device and the cookie that its browser keeps."""
    answer = await enrol(company, courier, PhoneKey(), known_devices=[])
    assert answer.json()["lost"] is False
    [cookie] = answer.headers.get_list("set-cookie")
    assert {"HttpOnly", "Path=/api/enrol", "SameSite=strict"} <= {*cookie.split("; ")}
    return answer.json()["device_id"], cookie.split(";")[0]


async def again(company: Company, person_id: UUID, cookie: str, **known: Any) -> httpx.Response:
    body = enrolment(await new_code(company, person_id), PhoneKey(), **known)
    company.http.cookies.clear()
    return await company.http.post("/api/enrol", json=body, headers={"Cookie": cookie})


async def problems() -> list[dict[str, Any]]:
    rows = await core_db.rows(
        "SELECT ref, title, detail FROM problem WHERE kind = 'phone_lost_data'"
    )
    return [dict(row) for row in rows]


async def test_the_desk_and_the_phone_are_told_once(
    company: Company, courier: UUID, before: tuple[str, str]
) -> None:
    device_id, cookie = before
    answer = await again(company, courier, cookie, known_devices=[])
    assert answer.json()["lost"] is True
    [problem] = await problems()
    assert problem["ref"] == device_id
    assert problem["title"] == "The phone of Omar has lost what it stored"
    assert "It has never said what waited on it." in problem["detail"]
    # The cookie names the new device only.
    [fresh] = answer.headers.get_list("set-cookie")
    known = [answer.json()["device_id"]]
    third = await again(company, courier, fresh.split(";")[0], known_devices=known)
    assert third.json()["lost"] is False
    assert len(await problems()) == 1


async def test_a_second_person_on_the_same_phone_has_lost_nothing(
    company: Company, before: tuple[str, str]
) -> None:
    device_id, cookie = before
    other = await service.create_person(role="courier", name="Binu")
    answer = await again(company, other, cookie, known_devices=[device_id])
    assert answer.json()["lost"] is False
    # Both are remembered: what goes now goes for both.
    [both] = answer.headers.get_list("set-cookie")
    gone = await again(company, other, both.split(";")[0], known_devices=[])
    assert gone.json()["lost"] is True
    assert {one["ref"] for one in await problems()} == {
        device_id,
        answer.json()["device_id"],
    }


async def test_a_device_that_was_signed_out_or_an_app_that_does_not_say_is_no_loss(
    company: Company, courier: UUID, before: tuple[str, str]
) -> None:
    device_id, cookie = before
    assert (await again(company, courier, cookie)).json()["lost"] is False
    await core_db.execute("UPDATE device SET state = 'signed_out' WHERE id = $1", UUID(device_id))
    answer = await again(company, courier, cookie, known_devices=[])
    assert answer.json()["lost"] is False
    assert await problems() == []


async def test_a_cookie_that_was_not_written_here_names_nothing(
    company: Company, courier: UUID, before: tuple[str, str]
) -> None:
    device_id, cookie = before
    name, _, value = cookie.partition("=")
    forged = [value[:-1] + ("0" if value[-1] != "0" else "1"), UUID(device_id).hex, "x.y"]
    for one in forged:
        answer = await again(company, courier, f"{name}={one}", known_devices=[])
        assert answer.json()["lost"] is False
    assert await problems() == []
