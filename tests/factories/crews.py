"""A crew with its van and its shift, made at the desk as dispatchers make them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.road import FRESH


async def crewed(company: Company, code: str, *others: UUID) -> UUID:
    """Let the delivery executive lead a crew with this van, and begin its shift; tell the shift."""
    channel_id, lead = company.world.channel_id, company.users["delivery"].id
    van = {
        "code": code, "channel_id": channel_id, "plate": code, "capacity_kg": 900,
        "capacity_l": 9000,
    }  # fmt: skip
    vehicle_id = (await _made(company, "/console/vehicles", van))["id"]
    crew = {
        "id": uuid7(), "channel_id": channel_id, "name": code, "lead_id": lead,
        "member_ids": [lead, *others],
    }  # fmt: skip
    crew_id = (await _made(company, "/console/crews", crew))["id"]
    shift_id = uuid7()
    day = {"id": shift_id, "crew_id": crew_id, "vehicle_id": vehicle_id, "planned_on": FRESH}
    await _made(company, "/console/shifts", day)
    opened = await company.send("delivery", f"/field/shifts/{shift_id}/open", {"event_id": uuid7()})
    assert opened.status_code == 200, opened.text
    return shift_id


async def _made(company: Company, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await company.send("dispatcher", path, body)
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made
