"""Where people on the road are: kept while they work and for 60 days, and who looked is told (IA7)."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.places import service as places
from doorstep.modules.places.jobs import forget
from tests.factories.company import Company
from tests.factories.crews import crewed
from tests.factories.journeys import standing
from tests.factories.pulls import Pocket
from tests.factories.sync import Phone

TELL, MINE, LOOK = "/field/places", "/field/places/mine", "/console/places"
HOUR = timedelta(hours=1)


@pytest.fixture
async def company(company: Company) -> Company:
    """Everybody stays signed in, however far the clock is moved."""
    await core_db.execute("UPDATE session_token SET expires_at = $1", now() + timedelta(days=99))
    return company


def fix(at: datetime | None = None, **other: Any) -> dict[str, Any]:
    return {
        "id": uuid7(), "captured_at": at or now(), "mono_ms": 5_000, "lat": 25.19, "lng": 55.24,
        "accuracy_m": 12.5, "speed_mps": 8.25, "battery": "high",
    } | other  # fmt: skip


async def tell(company: Company, *fixes: Any, who: str = "delivery") -> dict[str, Any]:
    answer = await company.send(who, TELL, {"fixes": list(fixes)})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def look(company: Company, who: str = "dispatcher", **other: Any) -> httpx.Response:
    given: dict[str, Any] = {
        "person_id": company.users["delivery"].id, "from": now() - 6 * HOUR, "to": now() + HOUR,
        "reason": "Where is the van?",
    } | other  # fmt: skip
    query = {name: one.isoformat() if isinstance(one, datetime) else str(one)
             for name, one in given.items() if one is not None}  # fmt: skip
    return await company.http.get(LOOK, params=query, headers=company.users[who].headers)


async def track(company: Company, **other: Any) -> dict[str, Any]:
    answer = await look(company, **other)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def count(table: str) -> int:
    found: int = await core_db.value(f"SELECT count(*) FROM {table}")
    return found


async def test_a_batch_is_kept_once_also_when_it_comes_twice_and_two_at_once(
    company: Company,
) -> None:
    shift = await crewed(company, "VAN-1")
    batch = [fix(), fix(lat=25.2, battery=None, speed_mps=None), fix(battery="low")]
    said = await asyncio.gather(tell(company, *batch), tell(company, *batch))
    said.append(await tell(company, *batch, batch[0]))
    for one in said:
        assert (set(one["kept"]), one["refused"]) == ({str(each["id"]) for each in batch}, [])
    assert await count("place_fix") == 3
    seen = await track(company)
    assert [one["battery"] for one in seen["fixes"]].count(None) == 1
    assert {(one["duty"], one["duty_id"]) for one in seen["fixes"]} == {("shift", str(shift))}
    assert seen["last"] == seen["fixes"][-1] and not seen["more"]
    assert await core_db.value("SELECT sum(fixes) FROM place_hour") == 3


async def test_nothing_is_kept_of_a_person_who_is_not_at_work(company: Company, clock: Any) -> None:
    idle = fix()
    said = await tell(company, idle)
    assert said == {
        "kept": [],
        "refused": [{"id": str(idle["id"]), "why": "off_duty"}],
        "unreadable": [],
    }
    shift = await crewed(company, "VAN-2")
    before = fix(now() - timedelta(minutes=30))
    working = fix()
    said = await tell(company, before, working)
    assert (said["kept"], [one["why"] for one in said["refused"]]) == (
        [str(working["id"])],
        ["off_duty"],
    )
    clock.advance(HOUR)
    closed = await company.send(
        "delivery", f"/field/shifts/{shift}/close", {"event_id": uuid7(), "explanations": []}
    )
    assert closed.status_code == 200, closed.text
    clock.advance(timedelta(minutes=5))
    late, after = fix(now() - timedelta(minutes=20)), fix()
    said = await tell(company, late, after)
    assert said["kept"] == [str(late["id"])], "of the time before the end, told after it"
    assert said["refused"] == [{"id": str(after["id"]), "why": "off_duty"}]


async def test_a_shift_that_nobody_ends_is_followed_for_a_day(company: Company, clock: Any) -> None:
    await crewed(company, "VAN-3")
    clock.advance(23 * HOUR)
    assert (await tell(company, fix()))["kept"]
    clock.advance(2 * HOUR)
    assert (await tell(company, fix()))["refused"][0]["why"] == "off_duty"


async def test_work_that_was_begun_without_a_signal_counts_from_its_capture(
    company: Company, clock: Any
) -> None:
    order = await standing(company, 1011)
    run = await order.plan_run()
    phone = Phone(company, "delivery")
    accepted = phone.event("run.accept", {"run_id": run})
    clock.advance(2 * HOUR)
    on_the_way = fix(now() - HOUR)
    assert (await tell(company, on_the_way))["refused"], "nobody knows of the run yet"
    [receipt] = await phone.push(accepted)
    assert receipt["verdict"] == "applied", receipt
    assert (await tell(company, on_the_way))["kept"] == [str(on_the_way["id"])]
    assert (await tell(company, fix(now() - 3 * HOUR)))["refused"]


async def test_a_visit_is_recorded_from_its_start_to_its_end(company: Company, clock: Any) -> None:
    await standing(company, 1014)
    [visit] = await company.get("technician", "/field/visits")
    assert (await tell(company, fix(), who="technician"))["refused"]
    started = await company.send(
        "technician", f"/field/visits/{visit['id']}/start",
        {"event_id": uuid7(), "captured_at": now(), "place": None},
    )  # fmt: skip
    assert started.status_code == 200, started.text
    said = await tell(company, fix(), who="technician")
    assert len(said["kept"]) == 1
    seen = await track(company, person_id=company.users["technician"].id)
    assert seen["last"]["duty"] == "visit"


async def test_a_clock_that_is_wrong_places_nobody_where_the_server_knows_better(
    company: Company,
) -> None:
    await crewed(company, "VAN-4")
    tomorrow = fix(now() + timedelta(days=2))
    assert (await tell(company, tomorrow))["kept"]
    [seen] = (await track(company))["fixes"]
    assert datetime.fromisoformat(seen["at"]) <= now()


@pytest.mark.parametrize(
    "who", ["warehouse", "dispatcher", "support", "admin", "sales", "finance", "vendor"]
)
async def test_nobody_else_tells_a_place(company: Company, who: str) -> None:
    answer = await company.send(who, TELL, {"fixes": [fix()]})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-allowed")
    assert await count("place_fix") == 0


async def test_a_place_comes_from_an_enrolled_phone_and_is_a_place(company: Company) -> None:
    await crewed(company, "VAN-5")
    screen = await company.at_a_screen("delivery")
    answer = await company.send(screen, TELL, {"fixes": [fix()]})
    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-a-phone")
    for wrong in ({"lat": 91}, {"lng": -181}, {"accuracy_m": -1}, {"battery": "94 %"}, {"who": 1}):
        answer = await company.send("delivery", TELL, {"fixes": [fix(**wrong)]})
        assert answer.status_code == 422, wrong
    for fixes in ([], [fix() for _ in range(201)]):
        assert (await company.send("delivery", TELL, {"fixes": fixes})).status_code == 422
    assert len((await tell(company, *(fix() for _ in range(200))))["kept"]) == 200


async def test_a_place_that_cannot_be_read_costs_no_other_and_stands_in_the_phones_health(
    company: Company, clock: Any
) -> None:
    await crewed(company, "VAN-7")
    batch: list[Any] = [fix(), fix(lat=91), "no place", fix(battery="low"), fix(captured_at="soon")]
    for _ in range(2):
        said = await tell(company, *batch)
        assert said["kept"] == [str(batch[0]["id"]), str(batch[3]["id"])]
        assert (said["refused"], said["unreadable"]) == ([], [1, 2, 4])
    assert await count("place_fix") == 2
    person = company.users["delivery"].id
    [phone] = (await company.get("dispatcher", f"/console/sync-health?person_id={person}"))[
        "phones"
    ]
    assert phone["places_unreadable"] == 6
    assert "places" in [one["name"] for one in phone["troubles"]]
    clock.advance(25 * HOUR)
    [phone] = (await company.get("dispatcher", f"/console/sync-health?person_id={person}"))[
        "phones"
    ]
    assert "places" not in [one["name"] for one in phone["troubles"]]


async def test_each_look_is_written_down_with_its_reason_and_told_to_the_person(
    company: Company, clock: Any
) -> None:
    await crewed(company, "VAN-6")
    await tell(company, fix())
    for _ in range(2):
        await track(company)
    await track(company, reason="The customer asks.", who="admin")
    rows = await core_db.rows(
        "SELECT person_id, looker_id, looker_role, reason FROM place_look ORDER BY at"
    )
    own, desk = company.users["delivery"].id, company.users["dispatcher"].id
    assert [tuple(row.values()) for row in rows] == [
        (own, desk, "dispatcher", "Where is the van?"),
        (own, desk, "dispatcher", "Where is the van?"),
        (own, company.users["admin"].id, "admin", "The customer asks."),
    ]
    clock.advance(timedelta(minutes=80))
    mine = await company.get("delivery", MINE)
    [day] = mine["days"]
    assert (day["count"], day["lat"], day["lng"], mine["kept_days"]) == (1, 25.19, 55.24, 60)
    assert sorted((one["role"], one["times"], one["reason"]) for one in mine["looks"]) == [
        ("admin", 1, "The customer asks."),
        ("dispatcher", 2, "Where is the van?"),
    ]
    assert str(desk) not in str(mine), "the role looked, not a name"
    courier = await company.get("courier", MINE)
    assert (courier["days"], courier["looks"]) == ([], []), "of oneself alone"


async def test_a_look_without_a_reason_or_of_somebody_elsewhere_shows_and_writes_nothing(
    company: Company,
) -> None:
    elsewhere = await company.join("dispatcher", channel_ids=[uuid7()])
    company.users["elsewhere"] = elsewhere
    for wrong in (
        {"reason": None}, {"reason": "  "}, {"from": None}, {"to": now() - 7 * HOUR},
        {"to": now() + timedelta(days=8)}, {"from": "2026-11-27T00:00:00"},
    ):  # fmt: skip
        answer = await look(company, **wrong)
        assert answer.status_code == 422, (wrong, answer.text)
    for who in ("support", "sales", "finance", "warehouse", "delivery", "vendor"):
        assert (await look(company, who)).status_code == 403, who
    answer = await look(company, "elsewhere")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/no-such-person")
    assert (await look(company, person_id=uuid7())).status_code == 404
    assert await count("place_look") == 0


async def test_what_is_older_than_60_days_is_gone_and_who_looked_is_not(
    company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "FORGET_AT_ONCE", 2)
    await crewed(company, "VAN-7")
    await tell(company, *(fix() for _ in range(5)))
    clock.advance(20 * HOUR)
    later = await tell(company, fix())
    await track(company)
    clock.advance(timedelta(days=60) - 20 * HOUR + timedelta(minutes=1))
    seen = await track(
        company, **{"from": now() - timedelta(days=61), "to": now() - timedelta(days=58)}
    )
    assert len(seen["fixes"]) == 1, "what the job has not come to yet is not shown either"
    await forget({})
    assert [str(row["id"]) for row in await core_db.rows("SELECT id FROM place_fix")] == later[
        "kept"
    ]
    assert await count("place_hour") == 1
    await forget({})
    assert (await count("place_fix"), await count("place_look")) == (1, 2)
    stale = fix(now() - timedelta(days=59))
    assert (await tell(company, stale))["refused"][0]["why"] == "off_duty"
    clock.advance(timedelta(days=2))
    assert (await tell(company, stale))["refused"] == [{"id": str(stale["id"]), "why": "too_old"}]


async def test_a_pull_tells_it_once_an_hour_and_only_where_there_is_something(
    company: Company, clock: Any
) -> None:
    # All of it within one day of the channel's zone, whatever the hour of the run.
    start = (now() + timedelta(days=1)).replace(hour=8, minute=20, second=0, microsecond=0)
    clock.set(start)
    await crewed(company, "VAN-8")
    phone = Pocket(company, "delivery")
    await phone.pull()
    assert phone.of("my_place") == []
    await tell(company, fix())
    await track(company)
    cursor = phone.cursor
    await phone.pull()
    assert phone.cursor == cursor, "the hour is not over"
    clock.set(start + timedelta(minutes=50))
    await phone.pull()
    assert phone.of("my_place") == [await company.get("delivery", MINE)]
    cursor = phone.cursor
    for minute in (55, 70, 100):
        clock.set(start + timedelta(minutes=minute))
        await tell(company, fix())
        await phone.pull()
        assert phone.cursor == cursor, minute
    clock.set(start + timedelta(minutes=115))
    await phone.pull()
    [mine] = phone.of("my_place")
    assert mine["days"][0]["count"] == 3, "the last one is of the next hour"
