"""What can wait is not told at night, by the clock of the customer's channel; what cannot, is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from doorstep import doctor
from doorstep.modules.messages.delivery_rules import Quiet
from tests.factories.care import Travelling
from tests.factories.messages import (
    READER,
    Providers,
    carry,
    states,
    with_whatsapp,
    write,
)

SLEEPER = replace(READER, quiet=Quiet("Asia/Dubai", time(21), time(8)))
LATE = datetime(2027, 3, 1, 19, 30, tzinfo=UTC)  # 23:30 in Dubai
MORNING = datetime(2027, 3, 2, 4, 0, tzinfo=UTC)


async def test_a_request_for_feedback_waits_for_the_morning(
    providers: Providers, told_of: Travelling, clock: Any, db: Any
) -> None:
    clock.set(LATE)
    await write(told_of, "feedback_request", reader=SLEEPER)
    await carry()
    assert providers.sent == [] and set((await states("feedback_request")).values()) == {"queued"}
    waits = await db.rows("SELECT next_at FROM outbox WHERE done_at IS NULL")
    assert all(abs(row["next_at"] - MORNING) < timedelta(seconds=5) for row in waits)
    clock.set(MORNING + timedelta(seconds=5))
    await carry()
    assert sorted(providers.channels) == ["email", "sms"]


async def test_what_was_held_up_until_the_night_waits_too(
    providers: Providers, told_of: Travelling, clock: Any
) -> None:
    clock.set(LATE - timedelta(hours=3))
    await write(told_of, "feedback_request", reader=SLEEPER)
    clock.set(LATE)
    ran = await carry()
    assert providers.sent == [] and ("messages.deliver", "postponed") in ran
    clock.set(MORNING + timedelta(seconds=5))
    await carry()
    assert sorted(providers.channels) == ["email", "sms"]


@pytest.mark.parametrize("event", ["handover_code", "1012", "delivery_failed"])
async def test_what_cannot_wait_is_told_at_night(
    providers: Providers, told_of: Travelling, clock: Any, event: str
) -> None:
    clock.set(LATE)
    await write(told_of, event, reader=SLEEPER)
    await carry()
    assert "sms" in providers.channels


async def test_a_chain_begins_to_wait_for_its_receipt_in_the_morning(
    providers: Providers, told_of: Travelling, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.set(LATE)
    with with_whatsapp(monkeypatch):
        await write(told_of, "feedback_request", reader=SLEEPER)
    clock.set(MORNING - timedelta(minutes=1))
    await carry()
    assert providers.sent == []
    clock.set(MORNING + timedelta(seconds=5))
    await carry()
    assert sorted(providers.channels) == ["email", "whatsapp"]
    clock.set(MORNING + timedelta(minutes=62))
    await carry()
    assert sorted(providers.channels) == ["email", "sms", "whatsapp"]
    assert not [one for one in await doctor.run() if one.check.startswith("IQ3")]
