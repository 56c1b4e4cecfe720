"""What phones hand in by sync: kept first, carried out once, each with its receipt (IC1-IC7)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import msgspec
import pytest

from doorstep import doctor
from doorstep.core import db as core_db
from doorstep.core.captures import handling
from doorstep.core.captures.envelope import MAX_BYTES, MAX_EVENTS
from doorstep.core.captures.registry import TYPES, CaptureType
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.field import captured, pods
from doorstep.doors.field.captured import CAPTURES, Captured
from doorstep.flows import warehouse
from tests.factories.captures import capture
from tests.factories.company import Company, session_of
from tests.factories.crews import crewed
from tests.factories.floor import adjustment, announced, beep, later, ok, open_problems
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.factories.sync import PUSH, Phone, SyncedCompany

BLANK = {"reason": "", "verdict": "applied"}


async def picking(company: Company, phone: Phone, **other: Any) -> tuple[Order, dict[str, Any]]:
    order = await standing(company, 1004)
    step = await order.pick()
    return order, phone.of(step.path, step.body, **other)


def unannounced(phone: Phone, **other: Any) -> dict[str, Any]:
    payload = {"code": f"C-{uuid4().hex[:8]}", "words": "Nobody knows it."}
    return phone.event("goods.unannounced", payload, **other)


async def kept_goods() -> int:
    found: int = await core_db.value("SELECT count(*) FROM unannounced_goods")
    return found


# --- Every type ---------------------------------------------------------------------------------


async def test_every_type_of_event_is_carried_out_and_an_order_comes_to_its_end_by_sync_alone(
    company: Company,
) -> None:
    synced = SyncedCompany.of(company)
    order = await standing(synced, 1008)
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    await synced.send("courier", f"/field/manifests/{made['id']}/confirm", capture(counted=1))
    await order.go_on(1014)
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    await synced.send("technician", f"/field/visits/{visit}/start", capture())
    await order.go_on(1018)
    assert 1018 in await order.passed()
    assert await core_db.value("SELECT progress FROM fulfilment WHERE id = $1", order.parcel) == 100
    await mishaps(synced)
    await floor(synced)
    assert set(synced.captured) == set(CAPTURES)
    for name, receipts in synced.captured.items():
        assert {one["verdict"] for one in receipts} == {"applied"}, (name, receipts)
    await healthy()


async def mishaps(synced: SyncedCompany) -> None:
    order = await standing(synced, 1012)
    assert (await failed_attempt(order)).json()["verdict"] == "applied"
    order = await standing(synced, 1014)
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    missing = capture(kind="part_missing", words="No hose.")
    await synced.send("technician", f"/field/visits/{visit}/findings", missing)
    await synced.send("technician", f"/field/visits/{visit}/part-fitted", capture())
    broken = capture(reason="unit_faulty", words="It does not spin.")
    await synced.send("technician", f"/field/visits/{visit}/failed", broken)
    order = await standing(synced, 1005)
    body = capture(words="The wrong one.")
    await synced.send("warehouse", f"/field/fulfilments/{order.parcel}/repick", body)
    await synced.work()


async def floor(synced: SyncedCompany) -> None:
    arrival = await announced(synced, ("KET-17", 2))
    scans = {"scans": [beep("6291100000024", quantity=2)]}
    await synced.send("warehouse", f"/field/arrivals/{arrival}/scans", scans)
    await synced.send("warehouse", f"/field/arrivals/{arrival}/finish", capture())
    await synced.send("warehouse", "/field/arrivals/unannounced", capture(code="X-1"))
    await synced.send("warehouse", "/field/adjustments", adjustment("MIX-500", -1))
    count = {
        "event_id": uuid7(), "location_id": synced.world.warehouse_id, "skus": ["KET-17"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    made = await ok(synced, "dispatcher", "/console/counts", count, 201)
    [line] = next(
        one for one in await synced.get("warehouse", "/field/counts") if one["id"] == made["id"]
    )["lines"]
    entries = {"entries": [capture(line_id=line["id"], quantity=20)]}
    await synced.send("warehouse", f"/field/counts/{made['id']}/entries", entries)
    items = (await synced.get("warehouse", "/field/shift-checklist"))["items"]
    answers = [{"code": item["code"], "ok": True} for item in items]
    await synced.send("warehouse", "/field/shift-checklist", capture(answers=answers))
    shift = await crewed(synced, "VAN-9")
    await synced.send("delivery", f"/field/shifts/{shift}/close", {"event_id": uuid7()})
    await synced.work()


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
    event = unannounced(phone, sig="a")
    first = await phone.push(event)
    assert await phone.push(event | {"sig": "b", "mono_ms": 1}) == first
    assert await core_db.value("SELECT count(*) FROM stray_capture") == 0


async def test_other_content_under_a_known_id_is_kept_beside_it(company: Company) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone)
    first = await phone.push(event)
    assert await phone.push(event | {"payload": {"code": "Z-1"}}) == first
    assert await core_db.value("SELECT why FROM stray_capture") == "differs"
    assert await kept_goods() == 1


# --- Poison -------------------------------------------------------------------------------------


async def test_one_poison_event_among_a_hundred_lets_ninety_nine_through(company: Company) -> None:
    phone = Phone(company, "warehouse")
    events = [unannounced(phone, lane=f"goods:{n % 7}") for n in range(100)]
    events[41]["payload"] = {"code": 7}
    receipts = await phone.push(*events)
    verdicts = [one["verdict"] for one in receipts]
    assert verdicts.count("applied") == 99
    assert verdicts[41] == "rejected"
    [poison] = await phone.asked(events[41]["event_id"])
    assert poison == receipts[41]
    assert poison["reason"] == "The payload is not valid: Expected `str`, got `int` - at `$.code`"
    assert await kept_goods() == 99
    await company.work()
    [problem] = await open_problems("capture_rejected")
    assert poison["reason"] in problem["detail"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"type": "pod.lost"}, "There is no event of the type pod.lost."),
        ({"type": "pod.record"}, "A warehouse may not hand in pod.record."),
        ({"payload": {"words": "x"}}, "missing required field `code`"),
        ({"payload": []}, "The payload cannot be read"),
        ({"payload": {"code": "\0"}}, "U+0000"),
        ({"schema": 0}, "of schema 0 is not read any more"),
        ({"lane": ""}, "The event cannot be read"),
        ({"captured_at": "9999-12-31T23:59:59Z"}, "edge of the calendar"),
        ({"device_seq": 2**70}, "The event cannot be read"),
        ({"boot": None}, "The event cannot be read"),
    ],
)
async def test_what_cannot_be_carried_out_is_kept_and_rejected_in_words(
    company: Company, wrong: dict[str, Any], words: str
) -> None:
    phone = Phone(company, "warehouse")
    event = unannounced(phone) | wrong
    receipts = await phone.push(event, unannounced(phone))
    assert [one["verdict"] for one in receipts] == ["rejected", "applied"]
    assert words in receipts[0]["reason"]
    assert await phone.push(event) == [receipts[0]]
    kept = await core_db.value("SELECT body FROM capture WHERE event_id = $1", event["event_id"])
    assert UUID(msgspec.json.decode(kept)["event_id"]) == event["event_id"]
    await company.work()
    assert len(await open_problems("capture_rejected")) == 1
    await healthy()


async def test_an_event_without_an_id_is_kept_and_named_by_its_place(company: Company) -> None:
    phone = Phone(company, "warehouse")
    for _ in range(2):
        answer = await phone.send(unannounced(phone), {"event_id": "none"}, 7, "text", None)
        assert [one["index"] for one in answer.json()["unreadable"]] == [1, 2, 3, 4]
        assert all(one["reason"] for one in answer.json()["unreadable"])
        assert [one["verdict"] for one in answer.json()["receipts"]] == ["applied"]
    assert await core_db.value("SELECT count(*) FROM stray_capture WHERE why = 'unreadable'") == 4


async def test_half_an_emoji_keeps_no_batch_back(company: Company) -> None:
    """A text that was cut in the middle of a character, as JavaScript cuts and writes it."""
    phone = Phone(company, "warehouse")
    events = [unannounced(phone) for _ in range(3)]
    batch = msgspec.json.encode({"app_version": "1", "sent_at": "", "events": events})
    batch = batch.replace(b"Nobody", rb"\\ud83d \ud83d\ude00 \ud83d", 1)
    headers = company.users["warehouse"].headers | {"Content-Type": "application/json"}
    answer = await company.http.post(PUSH, content=batch, headers=headers)
    assert [one["verdict"] for one in answer.json()["receipts"]] == ["applied"] * 3
    words = await core_db.rows("SELECT words FROM unannounced_goods")
    assert "\\ud83d \U0001f600 \ufffd knows it." in {row["words"] for row in words}


async def test_what_the_business_refuses_is_kept_for_a_person(company: Company) -> None:
    """The shift is over, or the stop is not this person's any more (IC7)."""
    shift = await crewed(company, "VAN-3")
    phone = Phone(company, "delivery")
    close = phone.event("shift.close", {"shift_id": shift})
    again = phone.event("shift.open", {"shift_id": shift})
    gone = phone.event("delivery.failed", {"stop_id": uuid7(), "reason": "not_home"}, lane="stop")
    receipts = await phone.push(close, again, gone)
    assert [one["verdict"] for one in receipts] == ["applied", "review", "review"]
    assert all(one["reason"] for one in receipts[1:])
    await company.work()
    assert {one["ref"] for one in await open_problems("capture_refused")} == {
        f"capture:{again['event_id']}", f"capture:{gone['event_id']}",
    }  # fmt: skip
    await healthy()


async def test_a_step_that_comes_too_early_is_held_and_counts_later(company: Company) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone)
    pack = await order.pack()
    [receipt] = await phone.push(phone.of(pack.path, pack.body))
    assert receipt["verdict"] == "held"
    check = await order.check()
    receipts = await phone.push(pick, phone.of(check.path, check.body))
    assert [one["verdict"] for one in receipts] == ["applied", "applied"]
    assert 1007 in await order.passed()
    assert await phone.asked(pack.body["event_id"]) == [receipt]


# --- Order --------------------------------------------------------------------------------------


async def test_events_are_carried_out_in_the_order_of_the_device(company: Company) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone)
    check, pack = await order.check(), await order.pack()
    events = [pick, phone.of(check.path, check.body), phone.of(pack.path, pack.body)]
    receipts = await phone.push(*reversed(events))
    assert [one["verdict"] for one in receipts] == ["applied"] * 3
    assert [UUID(one["event_id"]) for one in receipts] == [
        one["event_id"] for one in reversed(events)
    ]
    times = sorted(receipts, key=lambda one: one["recorded_at"])
    assert [UUID(one["event_id"]) for one in times] == [one["event_id"] for one in events]


class Broken:
    """A flow that fails until it is mended, for chosen events or for all."""

    def __init__(self, failure: Callable[[], Exception]) -> None:
        self.failure: Callable[[], Exception] | None = failure
        self.times = 0
        self._real = warehouse.start_picking

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.failure is None:
            return await self._real(*args, **kwargs)
        await self._real(*args, **kwargs)
        self.times += 1
        raise self.failure()


FAILURES: list[Callable[[], Exception]] = [
    lambda: RuntimeError("a mistake of ours"),
    lambda: asyncpg.DeadlockDetectedError("deadlock detected"),
    lambda: asyncpg.ConnectionDoesNotExistError("connection was closed"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=["mistake", "deadlock", "lost connection"])
async def test_a_failure_holds_its_lane_back_alone_and_the_job_finishes_it(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    phone = Phone(company, "warehouse")
    order, pick = await picking(company, phone, lane="parcel")
    check = await order.check()
    after = phone.of(check.path, check.body, lane="parcel")
    other = unannounced(phone, lane="goods")
    broken = Broken(failure)
    monkeypatch.setattr(warehouse, "start_picking", broken)
    receipts = await phone.push(pick, after, other)
    assert [UUID(one["event_id"]) for one in receipts] == [other["event_id"]]
    assert broken.times >= 1
    assert 1005 not in await order.passed()
    assert await core_db.value("SELECT count(*) FROM capture WHERE verdict IS NULL") == 2
    broken.failure = None
    await handling.finish({})
    assert await phone.asked(pick["event_id"]) == [], "it is tried again later, not at once"
    clock.advance(timedelta(minutes=1))
    await handling.finish({})
    clock.set(None)
    verdicts = [one["verdict"] for one in await phone.asked(pick["event_id"], after["event_id"])]
    assert verdicts == ["applied", "applied"]
    assert {1005, 1006} <= set(await order.passed())


async def test_what_fails_again_and_again_goes_to_a_person_and_its_lane_goes_on(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _order, pick = await picking(company, phone)
    after = unannounced(phone)
    broken = Broken(FAILURES[0])
    monkeypatch.setattr(warehouse, "start_picking", broken)
    assert await phone.push(pick, after) == []
    for _ in range(handling.ATTEMPTS):
        clock.advance(timedelta(minutes=30))
        await handling.finish({})
    await company.work()
    clock.set(None)
    assert broken.times == handling.ATTEMPTS
    stuck, done = await phone.asked(pick["event_id"], after["event_id"])
    assert (stuck["verdict"], stuck["reason"]) == ("review", handling.GIVEN_UP)
    assert done["verdict"] == "applied"
    [problem] = await open_problems("capture_stuck")
    assert "a mistake of ours" in problem["detail"]
    await healthy()


async def test_the_doctor_finds_an_event_without_a_receipt(
    company: Company, tamper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _, pick = await picking(company, phone)
    monkeypatch.setattr(warehouse, "start_picking", Broken(FAILURES[0]))
    await phone.push(pick)
    await healthy()
    await tamper("UPDATE capture SET received_at = received_at - interval '16 minutes'")
    [found] = await doctor.run()
    assert found.check == "IC1 receipts"
    assert "a mistake of ours" in found.words


async def test_the_job_finishes_what_a_request_left_that_died_after_keeping(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = Phone(company, "warehouse")
    _order, pick = await picking(company, phone)
    with monkeypatch.context() as dead:
        dead.setattr(handling, "_take", _dies)
        with pytest.raises(Dead):
            await phone.send(pick)
    assert await handling.left_over(now()) == []
    clock.advance(handling.UNTOUCHED)
    await handling.finish({})
    clock.set(None)
    [receipt] = await phone.asked(pick["event_id"])
    assert receipt["verdict"] == "applied"
    assert await phone.push(pick) == [receipt]


class Dead(BaseException):
    """The process is gone."""


async def _dies(*_args: Any) -> Any:
    raise Dead


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
    event = phone.of(step.path, step.body)
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


def test_every_type_stands_for_a_request_of_a_field_worker() -> None:
    for name, one in CAPTURES.items():
        assert TYPES[name].permission == one.handler.opt["permission"]
        assert next(iter(one.handler.paths)).startswith("/field/"), name
    assert len({one.handler for one in captured.CAPTURES.values()}) == len(CAPTURES)


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
