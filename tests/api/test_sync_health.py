"""How phones stand: told with a push, read by desks, and a problem where work may be lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from doorstep import settings
from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import dispatch
from doorstep.flows.phones_at_risk import find_phones_at_risk
from tests.factories.company import Company, session_of
from tests.factories.crews import crewed
from tests.factories.journeys import standing
from tests.factories.phones import a_phone
from tests.factories.pulls import PULL
from tests.factories.sync import Phone, unannounced

HOUR = 3_600_000
CALM: dict[str, Any] = {
    "entries": 0, "entry_bytes": 0, "pictures": 0, "picture_bytes": 0, "quarantined": 0,
    "oldest_age_ms": None, "storage_used": 10_000_000, "storage_quota": 100_000_000,
    "storage_persisted": True, "clock_offset_ms": 1_500,
}  # fmt: skip


async def page(company: Company, query: str = "", who: str = "dispatcher") -> dict[str, Any]:
    found: dict[str, Any] = await company.get(who, f"/console/sync-health{query}")
    return found


async def row_of(company: Company, who: str) -> dict[str, Any]:
    found = await page(company, f"?person_id={company.users[who].id}")
    [row] = found["phones"]
    assert isinstance(row, dict)
    return row


async def say(phone: Phone, **other: Any) -> None:
    answer = await phone.send(health=CALM | other)
    assert answer.status_code == 200, answer.text


async def last_heard(ago: timedelta) -> None:
    """Let no phone have been heard since."""
    for column, table in (
        ("last_seen_at", "device"), ("last_push_at", "sync_health"), ("last_pull_at", "sync_health"),
    ):  # fmt: skip
        await core_db.execute(f"UPDATE {table} SET {column} = $1", now() - ago)


async def open_problems() -> dict[str, str]:
    await find_phones_at_risk({})
    rows = await core_db.rows("SELECT kind, detail FROM problem WHERE closed_at IS NULL")
    return {row["kind"]: row["detail"] for row in rows}


async def test_a_phone_is_known_before_it_says_anything_and_then_by_its_own_words(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse", app_version="1.4.2")
    before = await row_of(company, "warehouse")
    assert (before["reported_at"], before["entries"], before["state"]) == (None, None, "well")
    assert (before["last_push_at"], before["last_receipt_at"]) == (None, None)
    await phone.push()
    silent = await row_of(company, "warehouse")
    assert silent["last_push_at"] and not silent["last_receipt_at"] and not silent["reported_at"]
    waiting = {"entries": 3, "entry_bytes": 900, "pictures": 2, "picture_bytes": 80_000}
    await phone.send(
        unannounced(phone), health=CALM | waiting | {"oldest_age_ms": HOUR, "from_tomorrow": 1}
    )
    told = await row_of(company, "warehouse")
    assert {name: told[name] for name in waiting} == waiting
    assert abs(datetime.fromisoformat(told["oldest_at"]) - now() + timedelta(hours=1)) < (
        timedelta(seconds=30)
    )
    assert told["last_receipt_at"] and told["reported_at"] == told["last_push_at"]
    assert (told["app_version"], told["clock_offset_ms"]) == ("1.4.2", 1_500)
    assert (told["storage_used"], told["storage_persisted"]) == (10_000_000, True)
    assert (told["state"], told["troubles"], told["role"]) == ("well", [], "warehouse")
    await say(phone)
    assert (await row_of(company, "warehouse"))["oldest_at"] is None, "the newest counts"


NONSENSE: list[Any] = [
    7, "well", [], {}, CALM | {"entries": -1}, CALM | {"entries": 2**40}, {"entries": 1},
]  # fmt: skip


async def test_nonsense_about_itself_costs_no_capture_and_no_earlier_word(
    company: Company,
) -> None:
    phone = Phone(company, "warehouse")
    await say(phone, entries=4)
    for said in NONSENSE:
        answer = await phone.send(unannounced(phone), health=said)
        assert [one["verdict"] for one in answer.json()["receipts"]] == ["applied"], said
        assert (await row_of(company, "warehouse"))["entries"] == 4, said


async def test_a_pull_is_noted_once_a_minute(company: Company, clock: Any) -> None:
    await company.get("warehouse", PULL)
    first = (await row_of(company, "warehouse"))["last_pull_at"]
    clock.advance(timedelta(seconds=59))
    await company.get("warehouse", PULL)
    assert (await row_of(company, "warehouse"))["last_pull_at"] == first
    clock.advance(timedelta(seconds=2))
    await company.get("warehouse", PULL)
    assert (await row_of(company, "warehouse"))["last_pull_at"] > first


async def test_a_row_says_what_is_wrong_and_what_to_do(
    company: Company, oldest_app: Callable[[str], None]
) -> None:
    oldest_app("0.9")
    await crewed(company, "VAN-7")
    phone = Phone(company, "delivery")
    await say(phone, clock_offset_ms=-400_000, storage_used=99_000_000)
    row = await row_of(company, "delivery")
    assert (row["state"], row["work"]) == ("storage", "shift")
    assert [one["name"] for one in row["troubles"]] == ["storage", "clock"]
    assert all(one["words"] and one["remedy"] for one in row["troubles"])
    for column, table in (
        ("last_seen_at", "device"), ("last_push_at", "sync_health"), ("opened_at", "shift"),
    ):  # fmt: skip
        old = f"UPDATE {table} SET {column} = {column} - interval '5 hours'"
        await core_db.execute(old)
    row = await row_of(company, "delivery")
    assert (row["state"], row["troubles"][0]["name"]) == ("silent", "silent")
    oldest_app("2")
    assert "old_version" in [one["name"] for one in (await row_of(company, "delivery"))["troubles"]]


async def test_a_phone_that_shows_nothing_of_what_it_is_told_is_named(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    courier = company.users["courier"].id
    device = await a_phone(courier)
    await core_db.execute(
        "INSERT INTO push_message (id, device_id, kind, lane, key, state, created_at, expires_at,"
        " sent_at) SELECT gen_random_uuid(), $1, 'run_given', 'run:1', 'a', 'sent', t, t + interval"
        " '9 days', t FROM (SELECT $2::timestamptz - interval '25 hours' AS t) x",
        device, now(),
    )  # fmt: skip

    async def found() -> dict[str, Any]:
        phones = (await page(company, f"?person_id={courier}"))["phones"]
        return next(one for one in phones if one["device_id"] == str(device))

    assert (await found())["troubles"] == [], "without a key nobody is told anything"
    monkeypatch.setenv("VAPID_PRIVATE_KEY", "k" * 43)
    settings.reload()
    row = await found()
    monkeypatch.undo()
    settings.reload()
    assert (row["state"], row["push_subscribed"], row["push_unshown"]) == ("push_dead", True, 1)
    assert row["last_push_shown_at"] is None and row["push_unshown_since"]


async def test_filters_pages_and_sight(company: Company) -> None:
    for who in ("warehouse", "delivery", "courier"):
        await say(Phone(company, who), quarantined=int(who == "courier"))
    everyone = await page(company)
    assert everyone["total"] == len(everyone["phones"]) == 4
    bad = await page(company, "?needs_attention=true")
    assert [(one["role"], one["state"]) for one in bad["phones"]] == [("courier", "quarantine")]
    assert (await page(company, "?needs_attention=false"))["total"] == 3
    place = company.world.warehouse_id
    here = await page(company, f"?location_id={place}")
    assert [one["role"] for one in here["phones"]] == ["warehouse"]
    ids = [one["device_id"] for one in everyone["phones"]]
    parts = [await page(company, f"?limit=3&offset={n}") for n in (0, 3)]
    assert [one["device_id"] for part in parts for one in part["phones"]] == ids
    assert {part["total"] for part in parts} == {4}
    assert (await page(company, who="support"))["total"] == 4
    other = await company.join("dispatcher", channel_ids=[uuid7()])
    company.users["stranger"] = other
    assert (await page(company, who="stranger"))["total"] == 0
    answer = await company.http.get(
        "/console/sync-health", headers=company.users["finance"].headers
    )
    assert answer.status_code == 403


async def test_each_phone_of_a_person_has_a_row_and_one_that_was_shut_out_none(
    company: Company,
) -> None:
    user = company.users["courier"]
    await session_of(user.id, "phone")
    query = f"?person_id={user.id}"
    assert (await page(company, query))["total"] == 2
    [first, second] = (await page(company, query))["phones"]
    assert first["device_id"] != second["device_id"]
    answer = await company.send("admin", f"/api/devices/{first['device_id']}/revoke", {})
    assert answer.status_code < 300, answer.text
    left = (await page(company, query))["phones"]
    assert [one["device_id"] for one in left] == [second["device_id"]]


async def test_work_that_waits_for_a_day_on_a_phone_at_work_is_a_problem_until_it_is_in(
    company: Company,
) -> None:
    phone = Phone(company, "delivery")
    await say(phone, entries=2, pictures=1, oldest_age_ms=25 * HOUR)
    await last_heard(timedelta(days=2))
    assert await open_problems() == {}, "nobody is at work with it"
    await crewed(company, "VAN-8")
    found = await open_problems()
    assert found["captures_waiting"].startswith(
        "2 capture(s) and 1 picture(s), the oldest for 25 h"
    )
    assert await open_problems() == found, "once"
    assert await core_db.value("SELECT count(*) FROM problem") == 1
    assert await core_db.value("SELECT channel_id FROM problem") == company.world.channel_id
    await core_db.execute("UPDATE shift_member SET on_duty = false")
    await last_heard(timedelta(days=1))
    assert await open_problems() == found, "the end of the working day does not bring it in"
    await say(phone)
    assert await open_problems() == {}


async def noon() -> None:
    """Let it be about noon where everybody works, so that five hours ago was today."""
    zone = f"Etc/GMT{now().hour - 12:+d}"
    await core_db.execute("UPDATE channel SET zone = $1", zone)


async def work_of(company: Company, who: str) -> tuple[str | None, list[str]]:
    row = await row_of(company, who)
    return row["work"], [one["name"] for one in row["troubles"]]


async def test_everybody_with_a_phone_is_at_work_by_what_is_theirs_today(
    company: Company,
) -> None:
    await noon()
    everybody = ("warehouse", "technician", "delivery", "courier")
    await last_heard(timedelta(days=1))
    for who in everybody:
        assert await work_of(company, who) == (None, [])
    # Whoever works at a place is missed until the end of the shift is answered.
    await last_heard(timedelta(hours=5))
    assert await work_of(company, "warehouse") == ("floor", ["silent"])
    for who in ("technician", "delivery", "courier"):
        assert await work_of(company, who) == ("active", [])
    await core_db.execute(
        "INSERT INTO shift_answer VALUES (new_id(), $1, 'warehouse', $2, '[]', $3, $3)",
        company.users["warehouse"].id, company.world.warehouse_id, now(),
    )  # fmt: skip
    assert await work_of(company, "warehouse") == ("active", [])


async def test_a_technician_is_missed_once_a_visit_of_today_has_begun(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    await company.send("dispatcher", "/console/visits", {"fulfilment_id": order.parcel})
    visit = await core_db.value("SELECT id FROM visit WHERE state = 'booked'")
    await noon()
    for begins, found in (
        (timedelta(days=1), (None, [])),
        (timedelta(hours=3), ("visit", [])),
        (timedelta(hours=-4, minutes=1), ("visit", [])),
        (timedelta(hours=-5), ("visit", ["silent"])),
    ):
        await core_db.execute(
            "UPDATE visit SET during = tstzrange($2::timestamptz, $2 + interval '1 hour') WHERE id = $1",
            visit, now() + begins,
        )  # fmt: skip
        await last_heard(timedelta(days=1))
        assert await work_of(company, "technician") == found, begins
    phone = Phone(company, "technician")
    await say(phone, entries=1, oldest_age_ms=25 * HOUR)
    assert list(await open_problems()) == ["captures_waiting"]
    await core_db.execute("UPDATE visit SET state = 'cancelled'")
    await last_heard(timedelta(days=1))
    assert (await work_of(company, "technician"))[0] is None


async def test_a_driver_without_a_shift_is_at_work_by_his_run_and_a_courier_by_his_parcels(
    company: Company,
) -> None:
    order, parcel = await standing(company, 1011), await standing(company, 1007)
    courier = company.users["courier"]
    await order.plan_run()
    await noon()
    for later, found in ((0, "run"), (1, None)):
        await core_db.execute(
            "UPDATE delivery_run SET planned_on = $2::int"
            " + ($1 AT TIME ZONE (SELECT min(zone) FROM channel))::date",
            now(), later,
        )  # fmt: skip
        await last_heard(timedelta(days=1))
        assert await work_of(company, "delivery") == (found, []), "it has not begun"
    accepted = "UPDATE delivery_run SET state = 'accepted', accept_event_id = $1, accepted_at = $2"
    await core_db.execute(accepted, uuid7(), now() - timedelta(hours=5))
    assert await work_of(company, "delivery") == ("run", ["silent"])
    assert (await work_of(company, "courier"))[0] is None
    place = "SELECT location_id FROM fulfilment WHERE id = $1"
    await dispatch.give_to_courier(
        [parcel.parcel], location_id=await core_db.value(place, parcel.parcel),
        courier_id=courier.id, actor=Actor.system("test"),
    )  # fmt: skip
    await last_heard(timedelta(days=1))
    assert await work_of(company, "courier") == ("manifest", [])
    await core_db.execute("UPDATE manifest SET created_at = $1", now() - timedelta(hours=5))
    assert await work_of(company, "courier") == ("manifest", ["silent"])


async def test_a_quarantine_that_comes_back_rings_at_once(company: Company) -> None:
    phone = Phone(company, "technician")
    for _ in range(2):
        await say(phone, quarantined=1)
        assert list(await open_problems()) == ["captures_quarantined"]
        await say(phone)
        assert await open_problems() == {}


async def test_a_quarantine_is_a_problem_that_a_person_may_put_aside_for_a_day(
    company: Company, clock: Any
) -> None:
    phone = Phone(company, "technician")
    await say(phone, quarantined=2)
    assert list(await open_problems()) == ["captures_quarantined"]
    problem = await core_db.value("SELECT id FROM problem")
    closed = await company.send("dispatcher", f"/problems/{problem}/close", {"words": "Known."})
    assert closed.status_code == 200, closed.text
    assert await open_problems() == {}
    clock.advance(timedelta(hours=25))
    assert list(await open_problems()) == ["captures_quarantined"]
