"""Phones that are enrolled over the API, as a person does it with a code from the office."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import msgspec

from doorstep.play.phone_key import PhoneKey
from doorstep.play.visitors import patiently
from tests.factories.company import Company
from tests.support.access import PIN


def enrolment(code: str, key: PhoneKey, **other: Any) -> dict[str, Any]:
    given = {"code": code, "device_label": "Omar's phone", "pin": PIN}
    return given | {"public_key": msgspec.to_builtins(key.public)} | other


async def new_code(company: Company, person_id: UUID) -> str:
    answer = await company.send("admin", f"/api/people/{person_id}/enrolment-codes", {})
    code: str = answer.json()["code"]
    return code


async def enrol(company: Company, person_id: UUID, key: PhoneKey, **other: Any) -> httpx.Response:
    body = enrolment(await new_code(company, person_id), key, **other)
    return await openly(company, "/api/enrol", body)


async def openly(company: Company, path: str, body: dict[str, Any]) -> httpx.Response:
    """Ask without a session, again while attempts cannot be counted."""
    return await patiently(lambda: company.send("", path, body))
