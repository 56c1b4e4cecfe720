"""What phones hand in by sync: kept first, carried out once, each with its receipt (IC1-IC7)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from doorstep.core import db as core_db
from doorstep.core.captures.envelope import MAX_BYTES, MAX_EVENTS
from doorstep.core.captures.registry import TYPES, CaptureType
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.field import pods
from doorstep.doors.field.captured import Captured
from tests.factories.company import Company, session_of
from tests.factories.floor import later
from tests.factories.journeys import standing
from tests.factories.snapshots import everything
from tests.factories.sync import Phone, kept_goods, picking, unannounced

BLANK = {"reason": "", "verdict": "applied"}


# --- Once ---------------------------------------------------------------------------------------


async def test_the_same_batch_fifty_times_at_once_has_one_effect_and_fifty_equal_receipts(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse")
    order, first = await picking(company, phone, lane="parcel")
    goods = [unannounced(phone, lane=f"goods:{n}") for n in range(3)]
    batch = [first, *goods]
    answers = await asyncio.gather(*(phone.send(*batch) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    told = {msgspec.json.encode(answer.json()["receipts"]) for answer in answers}
    assert len(told) == 1
    assert [one | BLANK for one in answers[0].json()["receipts"]] == answers[0].json()["receipts"]
    assert await kept_goods() == 3
    passings = await core_db.value(
        "SELECT count(*) FROM journey_event WHERE fulfilment_id = $1 AND stage = 1005", order.parcel
    )
    assert passings == 1
    assert await core_db.value("SELECT count(*) FROM capture") == 4
    assert await core_db.value("SELECT count(*) FROM stray_capture") == 0
    assert await phone.asked(*(one["event_id"] for one in batch)) == msgspec.json.decode(told.pop())


async def test_an_event_that_came_by_its_request_before_gets_the_answer_of_then(
    company: Company,
) -> None:
    phone = Phone(company, "delivery")
    order = await standing(company, 1012)
    step = await order.pod()
    await order.take_well(step)
    before = await core_db.value("SELECT count(*) FROM journey_event")
    [receipt] = await phone.push(phone.of(step.path, step.body))
    assert receipt["verdict"] == "applied"
    assert await core_db.value("SELECT count(*) FROM journey_event") == before


async def test_a_later_push_under_another_signature_changes_no_receipt(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone)
    first = await phone.push(event)
    assert await phone.push(event | {"sig": "b", "mono_ms": 1}) == first
    assert first[0]["verdict"] == "applied"
    assert await core_db.value("SELECT count(*) FROM stray_capture") == 0


async def test_other_content_under_a_known_id_is_kept_beside_it(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone)
    first = await phone.push(event)
    assert await phone.push(event | {"payload": {"code": "Z-1"}}) == first
    assert await core_db.value("SELECT why FROM stray_capture") == "differs"
    assert await kept_goods() == 1


# --- Whose --------------------------------------------------------------------------------------


async def test_the_id_of_another_phone_is_rejected_and_tells_nothing(company: Company) -> None:
    phone = Phone(company, "warehouse")
    _order, pick = await picking(company, phone)
    [own] = await phone.push(pick)
    colleague = await company.join("warehouse", location_id=company.world.warehouse_id)
    company.users["colleague"] = colleague
    same = company.users["warehouse"]
    company.users["second phone"] = replace(same, headers=await session_of(same.id, "phone"))
    for who in ("colleague", "second phone"):
        other = Phone(company, who)
        before = await core_db.rows("SELECT * FROM capture")
        mine = unannounced(other)
        receipts = await other.push(pick, mine)
        assert [one["verdict"] for one in receipts] == ["rejected", "applied"], who
        assert receipts[0]["reason"] == "This id has been used by another phone."
        assert receipts[0]["recorded_at"] != own["recorded_at"]
        assert await other.push(pick) == receipts[:1]
        assert await other.asked(pick["event_id"], mine["event_id"]) == receipts
        kept = await core_db.rows("SELECT * FROM capture WHERE event_id = $1", pick["event_id"])
        assert kept == [row for row in before if row["event_id"] == pick["event_id"]]
    assert await core_db.value("SELECT count(*) FROM stray_capture WHERE why = 'foreign'") == 2
    assert await phone.asked(pick["event_id"]) == [own]


async def test_receipts_of_others_are_not_told(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone)
    await phone.push(event)
    assert await Phone(company, "courier").asked(event["event_id"]) == []
    assert await phone.asked(uuid7()) == []


async def test_only_an_enrolled_phone_of_a_field_role_hands_in(company: Company) -> None:
    screen = await company.at_a_screen("warehouse")
    for who, problem in ((screen, "not-a-phone"), ("dispatcher", "not-allowed")):
        before = await everything()
        for answer in (
            await Phone(company, who).send(),
            await company.http.get(
                f"/field/sync/receipts?ids={uuid7()}", headers=company.users[who].headers
            ),
        ):
            assert answer.status_code == 403
            assert answer.json()["type"] == f"/problems/{problem}"
        assert await everything() == before


# --- Limits and versions ------------------------------------------------------------------------


async def test_a_batch_over_the_limits_is_refused_with_the_limits(company: Company) -> None:
    phone = Phone(company, "warehouse")
    many = [unannounced(phone) for _ in range(MAX_EVENTS + 1)]
    heavy = unannounced(phone) | {"payload": {"code": "x", "words": "x" * MAX_BYTES}}
    heavier = unannounced(phone) | {"payload": {"code": "x", "words": "x" * 2 * MAX_BYTES}}
    for events in (many, [heavy], [heavier]):
        answer = await phone.send(*events)
        assert answer.status_code == 413
        told = answer.json()
        assert (told["max_events"], told["max_bytes"]) == (MAX_EVENTS, MAX_BYTES)
    assert await core_db.value("SELECT count(*) FROM capture") == 0


async def test_the_version_before_is_read_and_the_next_one_waits_for_its_server(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """POD 2 calls the receiver so; in POD 1, which older phones send, it was `taken_by`."""

    def earlier(payload: dict[str, Any]) -> dict[str, Any]:
        return {"receiver" if name == "taken_by" else name: payload[name] for name in payload}

    second = Captured(pods.add_pod, schema=2, earlier=earlier)
    permission = pods.add_pod.opt["permission"]
    monkeypatch.setitem(TYPES, "pod.record", CaptureType(permission, second.carry_out))
    phone = Phone(company, "delivery")
    order = await standing(company, 1012)
    step = await order.pod()
    event = phone.of(step.path, step.body, schema=1)
    receiver = event["payload"].pop("receiver")
    old = event | {"payload": event["payload"] | {"taken_by": receiver}}
    without = event | {"event_id": uuid7(), "lane": "b"}
    ancient = event | {"event_id": uuid7(), "schema": 0, "lane": "c"}
    newer = event | {"event_id": uuid7(), "schema": 3, "lane": "d"}
    receipts = await phone.push(old, without, ancient, newer)
    assert [one["verdict"] for one in receipts] == ["applied", "rejected", "rejected"]
    assert await core_db.value("SELECT failure FROM capture WHERE verdict IS NULL") == (
        "NewerThanUs: pod.record of schema 3"
    )


# --- Time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off", "flag"),
    [
        (timedelta(), None),
        (timedelta(minutes=4), None),
        (timedelta(days=-2), "backdated"),
        (timedelta(days=2), "postdated"),
    ],
)
async def test_a_wrong_clock_is_flagged_and_decides_nothing(
    company: Company, clock: Any, off: timedelta, flag: str | None
) -> None:
    phone = Phone(company, "warehouse")
    began = now()
    await later(company, clock, timedelta(hours=3))
    await core_db.execute("UPDATE device SET created_at = created_at - interval '9 days'")
    told = unannounced(
        phone, mono_ms=3_600_000, server_mono_ms=0, server_at=began,
        captured_at=began + timedelta(hours=1) + off,
    )  # fmt: skip
    [receipt] = await phone.push(told)
    assert receipt["verdict"] == "applied"
    row = await core_db.one("SELECT * FROM capture")
    assert row["time_flag"] == flag
    assert row["captured_at"] == began + timedelta(hours=1) + off
    assert abs(row["earliest_at"] - (began + timedelta(hours=1))) < timedelta(seconds=5)
    assert row["latest_at"] == row["received_at"]
    moment = datetime.fromisoformat(receipt["recorded_at"])
    assert abs(moment - now()) < timedelta(minutes=1)


async def test_a_push_of_nothing_changes_nothing(company: Company) -> None:
    before = await everything()
    assert await Phone(company, "warehouse").push() == []
    assert await everything() == before
