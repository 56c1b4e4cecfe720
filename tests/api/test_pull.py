"""What a phone gets to work without a signal: only its person's, only what has changed (F1, IA2)."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core import pulls
from doorstep.core.ids import uuid7
from doorstep.core.upkeep import prune
from doorstep.modules.fsm import service as fsm
from doorstep.modules.wms.service import stock as shelves
from tests.factories.captures import capture
from tests.factories.company import Company, session_of
from tests.factories.crews import crewed
from tests.factories.days import copy_job
from tests.factories.floor import announced, later, ok
from tests.factories.journeys import Order, standing
from tests.factories.mishaps import failed_attempt
from tests.factories.pulls import PULL, Pocket, applied, kinds, pulled
from tests.factories.road import ALWAYS, FRESH

KETTLE = ("KET-17", 1)
JOBS = 60
DAY_PACKET = 300_000
"""Bytes of a day of sixty jobs, gzipped (field-app 4.13)."""


@pytest.fixture
def statements(db: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that reads rows."""
    seen: list[str] = []
    for name in ("rows", "row", "value"):
        real = getattr(core_db, name)

        def counting(sql: str, *args: Any, _real: Any = real) -> Any:
            seen.append(sql)
            return _real(sql, *args)

        monkeypatch.setattr(core_db, name, counting)
    return seen


# --- What it holds ------------------------------------------------------------------------------


async def test_the_documents_are_word_for_word_what_the_routes_tell(company: Company) -> None:
    shift = await crewed(company, "VAN-4")
    order = await standing(company, 1012, ("MIX-500", 2), shift_id=shift)
    done = await standing(company, 1012, KETTLE, shift_id=shift)
    await done.take_well(await done.pod())
    driver = Pocket(company, "delivery")
    await driver.pull()
    runs = await company.get("delivery", "/field/runs")
    assert len(runs) == 1, "the other one is done"
    stops = [stop for run in runs for stop in run.pop("stops")]
    assert sorted(driver.of("stop"), key=str) == sorted(stops, key=str)
    tours = driver.of("run")
    assert [id_ for tour in tours for id_ in tour.pop("stop_ids")] == [one["id"] for one in stops]
    assert tours == runs
    assert driver.of("shift") == [await company.get("delivery", "/field/shift")]
    [proof] = driver.of("proof")
    assert proof == await company.get("delivery", f"/field/pods/{proof['pod_id']}")
    assert driver.of("shift_checklist") == [await company.get("delivery", "/field/shift-checklist")]
    assert order.number in str(driver.of("stop"))
    await standing(company, 1014)
    await standing(company, 1004)
    await announced(company, KETTLE)
    count = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["KET-17"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    await ok(company, "dispatcher", "/console/counts", count, 201)
    manifest = {
        "location_id": company.world.warehouse_id, "courier_id": company.users["courier"].id,
        "fulfilment_ids": [(await standing(company, 1008)).parcel],
    }  # fmt: skip
    await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    for who, kind, path in (
        ("technician", "visit", "/field/visits"),
        ("warehouse", "pick_list", "/field/pick-lists"),
        ("warehouse", "arrival", "/field/arrivals"),
        ("warehouse", "waiting", "/field/waiting-parcels"),
        ("warehouse", "count", "/field/counts"),
        ("courier", "manifest", "/field/manifests"),
    ):
        phone = Pocket(company, who)
        await phone.pull()
        assert phone.of(kind) == await company.get(who, path) != [], who


async def test_a_technician_is_told_of_the_visits_before(company: Company) -> None:
    order = await standing(company, 1014)
    visit = await core_db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    broken = capture(reason="not_home", words="Nobody opened.")
    await ok(company, "technician", f"/field/visits/{visit}/failed", broken)
    await company.work()
    phone = Pocket(company, "technician")
    await phone.pull()
    [card] = phone.of("visit")
    assert [(one["state"], one["reason"], one["words"]) for one in card["earlier"]] == [
        ("failed", "not_home", "Nobody opened.")
    ]


# --- Only what has changed ----------------------------------------------------------------------


async def test_while_nothing_changes_the_cursor_stays_and_no_row_is_written(
    company: Company,
) -> None:
    await standing(company, 1012)
    phone = Pocket(company, "delivery")
    first = await phone.pull()
    assert first["full"] and first["since"] is None
    kept = await core_db.rows("SELECT * FROM pull_state")
    for _ in range(3):
        answer = await phone.pull()
        assert (answer["cursor"], answer["since"]) == (first["cursor"], first["cursor"])
        assert (answer["upserts"], answer["tombstones"], answer["full"]) == ([], [], False)
    assert await core_db.rows("SELECT * FROM pull_state") == kept


async def test_a_change_of_one_stop_brings_that_stop_alone(company: Company) -> None:
    order = await standing(company, 1012)
    await standing(company, 1012, KETTLE)
    phone = Pocket(company, "delivery")
    await phone.pull()
    await core_db.execute("UPDATE address SET floor = '9' WHERE id = (SELECT address_id FROM"
                          " customer_order WHERE id = $1)", order.order_id)  # fmt: skip
    answer = await phone.pull()
    assert [one["kind"] for one in answer["upserts"]] == ["stop"]
    assert answer["upserts"][0]["body"]["address"]["floor"] == "9"
    assert phone.documents == await phone.fresh()


async def test_lost_answers_cost_nothing_however_many(company: Company) -> None:
    order = await standing(company, 1012)
    phone = Pocket(company, "delivery")
    await phone.pull()
    for floor in range(3 * pulls.KEPT):
        await core_db.execute("UPDATE address SET floor = $1", f"{floor}th")
        lost = await pulled(company, "delivery", phone.cursor)
        assert (lost["full"], len(lost["upserts"])) == (False, 1)
    await order.take_well(await order.pod())
    answer = await phone.pull()
    assert not answer["full"]
    assert phone.documents == await phone.fresh()
    rows = await core_db.value("SELECT count(*) FROM pull_state")
    assert rows <= pulls.KEPT + 1


async def test_a_change_whose_commit_came_late_is_found(company: Company) -> None:
    """It began before the pull and ended after it, with a time of long before."""
    await standing(company, 1012)
    phone = Pocket(company, "delivery")
    before = await phone.pull()
    async with core_db.unit_of_work():
        await core_db.execute("UPDATE address SET floor = '77'")
        # In another task, as another request: it does not see what is not committed.
        answer = await asyncio.get_running_loop().create_task(
            pulled(company, "delivery", phone.cursor), context=contextvars.Context()
        )
        assert answer["cursor"] == before["cursor"]
    answer = await phone.pull()
    assert answer["upserts"][0]["body"]["address"]["floor"] == "77"


async def test_an_unknown_a_foreign_or_a_too_old_cursor_gets_everything(
    company: Company, clock: Any
) -> None:
    await standing(company, 1012)
    same = company.users["delivery"]
    company.users["second phone"] = replace(same, headers=await session_of(same.id, "phone"))
    first, second = Pocket(company, "delivery"), Pocket(company, "second phone")
    await first.pull()
    await second.pull()
    assert first.documents == second.documents
    assert first.cursor != second.cursor, "a cursor is one phone's"
    for cursor in ("f" * 64, "", "not a cursor", second.cursor):
        answer = await pulled(company, "delivery", cursor)
        assert answer["full"] and answer["since"] is None, cursor
        assert applied({}, answer) == first.documents
    await later(company, clock, timedelta(days=8))
    await prune({})
    assert await core_db.value("SELECT count(*) FROM pull_state") == 0
    await core_db.execute("UPDATE address SET floor = '5'")
    # Its device is another one after signing in anew; under its own it has nothing kept either.
    answer = await pulled(company, "delivery", first.cursor)
    assert answer["full"]


async def test_the_upkeep_forgets_what_no_phone_has_asked_with_for_a_week(
    company: Company, clock: Any
) -> None:
    await Pocket(company, "delivery").pull()
    await prune({})
    assert await core_db.value("SELECT count(*) FROM pull_state") == 1
    clock.advance(timedelta(days=7, seconds=1))
    await prune({})
    assert await core_db.value("SELECT count(*) FROM pull_state") == 0


# --- What is not the person's any more ----------------------------------------------------------


async def _reassigned(order: Order) -> None:
    stop = await core_db.value("SELECT id FROM delivery_stop WHERE state = 'open'")
    await ok(order.company, "dispatcher", f"/console/stops/{stop}/remove", {})


async def _cancelled(order: Order) -> None:
    body = {"event_id": uuid7(), "reason": "customer", "words": "Changed her mind."}
    await ok(order.company, "support", f"/console/orders/{order.order_id}/cancel", body)


async def _failed(order: Order) -> None:
    assert (await failed_attempt(order)).json()["verdict"] == "applied"


async def _delivered(order: Order) -> None:
    await order.take_well(await order.pod())


@pytest.mark.parametrize("end", [_reassigned, _cancelled, _failed, _delivered])
async def test_a_delivery_that_ends_or_goes_to_somebody_else_is_a_tombstone(
    company: Company, end: Any
) -> None:
    order = await standing(company, 1012, KETTLE)
    phone = Pocket(company, "delivery")
    await phone.pull()
    [stop] = phone.of("stop")
    await end(order)
    await company.work()
    answer = await phone.pull()
    gone = {(one["kind"], one["id"]) for one in answer["tombstones"]}
    assert ("stop", stop["id"]) in gone, answer
    assert not answer["full"]
    assert phone.of("stop") == []
    assert phone.documents == await phone.fresh()


async def test_when_the_shift_is_over_its_work_is_gone(company: Company) -> None:
    shift = await crewed(company, "VAN-5")
    order = await standing(company, 1012, KETTLE, shift_id=shift)
    phone = Pocket(company, "delivery")
    await phone.pull()
    assert kinds(phone.documents) == ["run", "shift", "shift_checklist", "stop"]
    await order.take_well(await order.pod())
    await ok(company, "delivery", f"/field/shifts/{shift}/close", {"event_id": uuid7()})
    await company.work()
    await phone.pull()
    assert kinds(phone.documents) == ["day", "proof", "shift_checklist"]


async def test_a_visit_that_is_called_off_is_gone_and_comes_back_when_it_is_booked_anew(
    company: Company,
) -> None:
    order = await standing(company, 1014)
    phone = Pocket(company, "technician")
    await phone.pull()
    [before] = phone.of("visit")
    await ok(company, "dispatcher", f"/console/visits/{before['id']}/cancel", {})
    await phone.pull()
    assert phone.of("visit") == []
    await ok(company, "dispatcher", "/console/visits", {"fulfilment_id": order.parcel}, 201)
    answer = await phone.pull()
    assert [one["kind"] for one in answer["upserts"]] == ["visit"]
    assert answer["upserts"][0]["id"] != before["id"]


# --- Whose --------------------------------------------------------------------------------------


async def test_nothing_of_fifty_other_people_is_in_it(company: Company, tamper: Any) -> None:
    """Fifty jobs of a colleague, a technician, a floor elsewhere and another channel."""
    own = await standing(company, 1012)
    at_home = await standing(company, 1014)
    to_pick = await standing(company, 1004)
    channel_id = company.world.channel_id
    driver = await company.join("delivery", channel_ids=[channel_id])
    expert = await company.join("technician", channel_ids=[channel_id])
    await fsm.create_technician(expert.id, channel_id, ["laundry"], ALWAYS)
    store_id = await shelves.save_location(
        {"code": "CANARY-STORE", "name": "CANARY-STORE", "kind": "store", "channel_id": channel_id,
         "erp_store_id": "CANARY-STORE"}
    )  # fmt: skip
    store = await company.join("store", source="phone", location_id=store_id)
    company.users |= {"other driver": driver, "other expert": expert, "store": store}
    other = await standing(company, 1009, KETTLE)
    run = await ok(
        company, "dispatcher", "/console/runs",
        {"person_id": driver.id, "vehicle": "CANARY-VAN", "planned_on": FRESH,
         "fulfilment_ids": [other.parcel]}, 201,
    )  # fmt: skip
    await copy_job(tamper, other.parcel, 20, called="CANARY", run_id=run["id"])
    await copy_job(tamper, at_home.parcel, 15, called="CANARY", technician_id=expert.id)
    await copy_job(tamper, to_pick.parcel, 15, called="CANARY", location_id=store_id)
    owners = {"delivery": "stop", "technician": "visit", "warehouse": "pick_list", "courier": ""}
    for who, kind in owners.items():
        answer = await company.http.get(PULL, headers=company.users[who].headers)
        assert "CANARY" not in answer.text, who
        found = [one for one in answer.json()["upserts"] if one["kind"] == kind]
        assert len(found) == bool(kind), who
    for who, kind, many in (
        ("other driver", "stop", 21), ("other expert", "visit", 15), ("store", "pick_list", 15),
    ):  # fmt: skip
        phone = Pocket(company, who)
        await phone.pull()
        assert len(phone.of(kind)) == many, "the canaries sing where they belong"
        assert own.number not in str(phone.documents)


async def test_only_a_phone_whose_session_lives_pulls(company: Company) -> None:
    async def refusal(who: str) -> httpx.Response:
        return await company.http.get(PULL, headers=company.users[who].headers)

    screen = await company.at_a_screen("warehouse")
    for who, problem in ((screen, "not-a-phone"), ("dispatcher", "not-allowed")):
        answer = await refusal(who)
        assert (answer.status_code, answer.json()["type"]) == (403, f"/problems/{problem}")
    assert (await refusal("courier")).status_code == 200
    await core_db.execute("UPDATE device SET state = 'revoked'")
    assert (await refusal("courier")).status_code == 401
    assert (await company.http.get(PULL)).status_code == 401


# --- A day of sixty jobs ------------------------------------------------------------------------


async def test_a_day_of_sixty_jobs_is_small_and_takes_as_many_statements_as_one_job(
    company: Company, tamper: Any, statements: list[str], record_property: Any
) -> None:
    shift = await crewed(company, "VAN-6")
    order = await standing(company, 1012, KETTLE, ("MIX-500", 2), shift_id=shift)
    expert = await standing(company, 1014)
    to_pick = await standing(company, 1004)
    counts: dict[str, int] = {}
    for who in ("delivery", "technician", "warehouse"):
        statements.clear()
        await pulled(company, who)
        counts[who] = len(statements)
    await copy_job(tamper, order.parcel, JOBS - 1, called="of the day")
    await copy_job(tamper, expert.parcel, JOBS - 1, called="at home")
    await copy_job(tamper, to_pick.parcel, JOBS - 1, called="to pick")
    for who, kind in (("delivery", "stop"), ("technician", "visit"), ("warehouse", "pick_list")):
        statements.clear()
        phone = Pocket(company, who)
        answer = await phone.pull()
        assert len(phone.of(kind)) >= JOBS, who
        assert len(statements) == counts[who], who
        content = httpx.Response(200, json=answer).content
        packet = len(gzip.compress(content))
        # Copies of one job shrink better than sixty jobs would, so the plain text must fit too.
        assert packet < len(content) < DAY_PACKET
        took = []
        for _ in range(5):
            began = time.perf_counter()
            again = await phone.pull()
            took.append(time.perf_counter() - began)
            assert again["upserts"] == []
        record_property(
            "counts",
            f"pull, {JOBS} jobs of {who}: {len(content)} bytes, {packet} gzipped; unchanged in"
            f" {min(took) * 1000:.0f} ms, {counts[who]} statements",
        )
        assert min(took) < 5 * 0.1


async def test_a_phone_of_a_role_without_work_gets_its_checklist(company: Company) -> None:
    for who in ("courier", "technician", "warehouse", "delivery"):
        phone = Pocket(company, who)
        await phone.pull()
        assert kinds(phone.documents) == ["shift_checklist"], who
        [given] = [one for kind, one in phone.documents if kind == "shift_checklist"]
        assert UUID(given) == company.users[who].id
