"""Steps that many journey tests take, and what must be well after them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from doorstep import doctor, journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.journey import Evidence
from doorstep.journey.stages import BY_CODE
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.journeys import Order, Step, place

Make = Callable[[Order], Awaitable[Step]]

CARRIER = {1009: 4, 1010: 5, 1011: 1004, 1012: 6, 1013: 8}
"""Stage → ClickPost's status code."""
GUARD = {"receiver": {"name": "The guard", "relation": "guard"}}
"""Somebody who takes the goods without the customer's code, which is not issued early."""


async def booked_report(order: Order) -> Step:
    answer = await order.company.send(
        "dispatcher", "/console/visits", {"fulfilment_id": order.parcel}
    )
    assert answer.status_code == 201, answer.text
    return await order.report()


async def accepted_pod(order: Order) -> Step:
    run = await order.plan_run()
    await order.company.send("delivery", f"/field/runs/{run}/accept", capture())
    return await order.pod(**GUARD)


async def planned_pod(order: Order) -> Step:
    await order.plan_run()
    return await order.pod(**GUARD)


async def healthy() -> None:
    found = [str(one) for one in await doctor.run()]
    assert found == [], found


async def passings(order: Order, stage: int) -> int:
    found: int = await db.value(
        "SELECT count(*) FROM journey_event WHERE fulfilment_id = $1 AND kind = 'stage' AND stage = $2",
        order.parcel,
        stage,
    )
    return found


async def outside(company: Company, stage: int) -> Order:
    """An order that an outside carrier takes."""
    await db.execute("DELETE FROM carrier_service")
    order = await place(company)
    order.awb = "CP-1"
    await order.go_on(stage)
    return order


def carrier_scan(awb: str, code: int, *, minute: int = 0) -> bytes:
    """Write ClickPost's webhook."""
    content = {
        "waybill": awb,
        "clickpost_status_code": code,
        "timestamp": f"2026-11-23T09:{minute:02}:00Z",
        "location": "Dubai",
        "remark": f"status {code}",
    }
    return json.dumps(content).encode()


async def claim(
    order: Order, stage: int, source: str, event_id: UUID | None = None
) -> journey.Answer:
    """Claim a stage with a proof of the right kind, as a role that may."""
    row = BY_CODE[stage]
    role = "system" if "system" in row.roles else min(row.roles)
    return await journey.advance(
        event_id or uuid7(),
        order.parcel,
        stage,
        actor=Actor(role=role, source=source, name="a claim", job="claim", request_id="claim"),  # type: ignore[arg-type]
        evidence=[Evidence(min(row.evidence), "by claim")],
    )
