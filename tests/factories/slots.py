"""Windows that a channel offers for delivery, and an attempt that found nobody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.journeys import Order

LEAD_MINUTES = 60


OFFERED = [
    {
        "weekday": weekday,
        "from_time": begin,
        "until_time": end,
        "capacity": 1,
        "lead_minutes": LEAD_MINUTES,
    }
    for weekday in range(1, 8)
    for begin, end in (("09:00:00", "13:00:00"), ("13:00:00", "17:00:00"))
]


async def offer(company: Company, slots: Sequence[dict[str, Any]] = tuple(OFFERED)) -> None:
    path = f"/console/channels/{company.world.channel_id}/delivery-slots"
    user = company.users["dispatcher"]
    answer = await company.http.put(path, json={"slots": list(slots)}, headers=user.headers)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()) == len(slots)


async def windows_of(order: Order) -> list[tuple[datetime, datetime]]:
    rows = await core_db.rows(
        "SELECT from_at, until_at FROM delivery_window WHERE fulfilment_id = $1 ORDER BY n",
        order.parcel,
    )
    return [(row["from_at"], row["until_at"]) for row in rows]


async def failed(company: Company, order: Order) -> None:
    """Let the executive report that nobody is home."""
    stop = await core_db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1", order.parcel
    )
    told = {
        "event_id": uuid7(),
        "captured_at": now(),
        "reason": "not_home",
        "words": "Nobody opened.",
        "called": True,
        "dwell_seconds": 430,
        "photos": [],
    }
    answer = await company.send("delivery", f"/field/stops/{stop}/failed", told)
    assert answer.status_code == 200, answer.text
    await company.work()
