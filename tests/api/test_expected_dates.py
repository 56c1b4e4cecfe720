"""By when short goods are expected: told once per date, accepted, cancelled, over."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.flows import source_again, unrouted
from doorstep.modules.wms.service import stock
from tests.factories import floor
from tests.factories.backorders import (
    a_date,
    answer,
    date_path,
    dated,
    end_of,
    in_days,
    link_of,
    seen,
    short_order,
    told,
    watch,
)
from tests.factories.company import Company
from tests.factories.mishaps import open_kinds, parcel_of
from tests.factories.snapshots import everything
from tests.factories.steps import healthy


async def the_problem(kind: str = "short_stock") -> dict[str, Any]:
    return await db.one("SELECT * FROM problem WHERE kind = $1 AND closed_at IS NULL", kind)


# --- Short goods: the date ------------------------------------------------------------------------


async def test_a_date_of_short_goods_is_told_once_and_asks_for_an_answer(company: Company) -> None:
    order = await short_order(company)
    before = await the_problem()
    said = a_date(5)
    for _ in range(2):
        told_back = await floor.ok(company, "dispatcher", date_path(order.parcel), said)
        await company.work()
        assert told_back["verdict"] == "applied"
    same = await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(5))
    await company.work()
    assert same["verdict"] == "duplicate"
    [words] = await told("short_stock_dated")
    day = in_days(5)
    assert f"{day.day} {day:%B %Y}" in words and "accept this date or cancel" in words
    mails = await db.value(
        "SELECT count(*) FROM message WHERE event = 'short_stock_dated' AND channel = 'email'"
    )
    assert mails == 1
    task = await the_problem()
    assert task["id"] == before["id"] and f"expected on {day}" in task["title"]
    assert "The supplier said so." in task["detail"]
    assert before["due_at"] < task["due_at"] < end_of(day), "an unanswered date is asked about"
    await floor.ok(company, "support", date_path(order.parcel), a_date(6))
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(5))
    await company.work()
    assert len(await told("short_stock_dated")) == 3, "each change is news"
    await healthy()


@pytest.mark.parametrize("language", ["hi", "ar"])
async def test_a_date_is_told_in_the_customers_language(company: Company, language: str) -> None:
    order = await short_order(company)
    await db.execute("UPDATE customer_order SET language = $1", language)
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(5))
    await company.work()
    [words] = await told("short_stock_dated")
    assert {"hi": "स्टॉक", "ar": "بضاعتك"}[language] in words and str(in_days(5).year) in words


@pytest.mark.parametrize("days", [-1, 0, 367])
async def test_a_date_that_nobody_can_promise_is_refused(company: Company, days: int) -> None:
    order = await short_order(company)
    before = await everything()
    path = date_path(order.parcel)
    await floor.refused(company, "dispatcher", path, a_date(days), "date-not-ahead")
    assert await everything() == before


async def test_the_day_is_that_of_the_channels_clock(company: Company, clock: Any) -> None:
    order = await short_order(company)
    # 22:00 in London is 02:00 of the next day in Dubai.
    clock.set(datetime.combine(in_days(1), time(22), ZoneInfo("UTC")))
    await floor.later(company, clock, timedelta())
    path = date_path(order.parcel)
    await floor.refused(company, "dispatcher", path, a_date(0), "date-not-ahead")
    await floor.ok(company, "dispatcher", path, a_date(1))


async def test_only_what_waits_can_have_a_date_and_only_from_who_may_say_it(
    company: Company,
) -> None:
    order = await short_order(company)
    await floor.refused(
        company, "dispatcher", date_path(order.parcel, "dispute"), a_date(5), "not-dated"
    )
    path = date_path(order.parcel)
    await floor.refused(company, "finance", path, a_date(5), "role-not-allowed")
    late = date_path(order.parcel, "vendor_ready_later")
    await floor.refused(company, "dispatcher", late, a_date(5), "detour-known")


async def test_goods_with_a_date_are_no_order_that_nobody_routes(
    company: Company, clock: Any
) -> None:
    order = await short_order(company)
    await floor.later(company, clock, timedelta(minutes=16))
    await unrouted.find_unrouted({})
    assert str(order.parcel) in [one["ref"] for one in await floor.open_problems("unrouted")]
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(5))
    for _ in range(2):
        await unrouted.find_unrouted({})
        refs = [one["ref"] for one in await floor.open_problems("unrouted")]
        assert str(order.parcel) not in refs


# --- Short goods: the customer's answer -----------------------------------------------------------


async def test_a_customer_accepts_the_date_and_goes_on_waiting(company: Company) -> None:
    order = await dated(company)
    day = in_days(5)
    parcel = await seen(order)
    assert (parcel["may_accept"], parcel["may_cancel"]) == (True, True)
    assert parcel["detours"][0]["expected_on"] == day.isoformat()
    before = await everything()
    await company.get("", link_of(order))
    assert await everything() == before, "looking changes nothing"
    event_id = uuid7()
    for again in (event_id, event_id, uuid7()):
        taken = await answer(order, "date", event_id=again, expected_on=day)
        assert taken.status_code == 200, taken.text
    facts = await db.rows(
        "SELECT actor_role FROM journey_event WHERE name = 'short_stock_accepted'"
    )
    assert [fact["actor_role"] for fact in facts] == ["customer"]
    parcel = await seen(order)
    assert (parcel["may_accept"], parcel["may_cancel"]) == (False, True)
    assert "You have accepted the date" in parcel["detours"][0]["sentence"]
    task = await the_problem()
    assert f"accepted until {day}" in task["title"] and task["due_at"] == end_of(day)
    assert "short_stock" in await open_kinds(), "the parcel goes on waiting"
    await healthy()


async def test_the_goods_that_come_before_the_date_go_on_as_ever(company: Company) -> None:
    order = await dated(company)
    await answer(order, "date", expected_on=in_days(5))
    mixers = company.world.products["MIX-500"]
    await stock.receive(company.world.warehouse_id, mixers, None, 30, ref="more mixers")
    await source_again.source_short({})
    await company.work()
    assert "short_stock" not in await open_kinds() and 1003 in await order.passed()
    assert await floor.open_problems("short_stock") == []
    for path, body in (("date", {"expected_on": in_days(5)}), ("cancel", {})):
        before = await everything()
        late = await answer(order, path, **body)
        assert (late.status_code, late.json()["type"]) == (409, "/problems/goods-not-short")
        assert await everything() == before
    assert not (await seen(order))["may_cancel"]
    await healthy()


async def test_a_customer_who_will_not_wait_cancels_and_gets_his_money_back(
    company: Company,
) -> None:
    order = await dated(company)
    event_id = uuid7()
    for _ in range(2):
        taken = await answer(order, "cancel", event_id=event_id)
        assert (taken.status_code, taken.json()) == (200, {"verdict": "applied"})
    assert (await parcel_of(order))["ended_as"] == "cancelled"
    case = await db.one("SELECT reason, opened_role FROM detour_case WHERE kind = 'cancelled'")
    assert (case["reason"], case["opened_role"]) == ("customer", "customer")
    assert await floor.open_problems("short_stock") == []
    assert len(await floor.open_problems("refund_due")) == 1
    assert len(await told("cancelled")) == 1
    again = await answer(order, "cancel")
    assert again.json()["type"] == "/problems/nothing-to-cancel"
    await healthy()


async def test_only_the_date_that_holds_now_can_be_accepted(company: Company) -> None:
    order = await dated(company)
    await answer(order, "date", expected_on=in_days(5))
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(9))
    await company.work()
    assert (await seen(order))["may_accept"], "a new date asks for a new yes"
    old = await answer(order, "date", expected_on=in_days(5))
    assert (old.status_code, old.json()["type"]) == (409, "/problems/date-not-offered")
    assert old.json()["expected_on"] == in_days(9).isoformat()
    new = await answer(order, "date", expected_on=in_days(9))
    assert new.status_code == 200


async def test_another_link_answers_nothing_of_this_order(company: Company) -> None:
    order = await dated(company)
    stranger = await short_order(company, "KET-17")
    before = await parcel_of(order)
    for path, body in (("date", {"expected_on": in_days(5)}), ("cancel", {})):
        whole = {"event_id": uuid7(), "parcel": 9} | body
        missing = await company.send("", f"{link_of(stranger)}/{path}", whole)
        wrong = await company.send("", f"{link_of(order)[:-1]}x/{path}", whole)
        assert (missing.status_code, wrong.status_code) == (404, 404)
    assert await parcel_of(order) == before


# --- Short goods: the day is over, or goods are announced -----------------------------------------


async def test_a_date_that_passes_without_the_goods_asks_for_another(
    company: Company, clock: Any
) -> None:
    order = await dated(company)
    day = in_days(5)
    await answer(order, "date", expected_on=day)
    first = await the_problem()
    await floor.later(
        company, clock, end_of(day) - timedelta(minutes=5) - datetime.now(floor.DUBAI)
    )
    await watch(company)
    assert (await the_problem())["id"] == first["id"], "the day is not over yet"
    await floor.later(company, clock, timedelta(minutes=6))
    await watch(company)
    task = await the_problem()
    assert task["id"] != first["id"] and f"expected on {day}" in task["title"]
    assert task["due_at"] - task["opened_at"] < timedelta(days=4)
    passed = "SELECT count(*) FROM journey_event WHERE name = 'short_stock_date_passed'"
    assert await db.value(passed) == 1
    parcel = await seen(order)
    assert parcel["detours"][0]["expected_on"] is None and not parcel["may_accept"]
    late = await answer(order, "date", expected_on=day)
    assert late.json()["type"] == "/problems/date-not-offered"
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(3))
    await company.work()
    assert len(await told("short_stock_dated")) == 2
    assert (await the_problem())["id"] == task["id"]
    await healthy()


async def test_the_day_itself_may_still_be_accepted_and_the_next_not(
    company: Company, clock: Any
) -> None:
    order = await dated(company, 2)
    day = in_days(2)
    await floor.later(
        company, clock, end_of(day) + timedelta(minutes=1) - datetime.now(floor.DUBAI)
    )
    late = await answer(order, "date", expected_on=day)
    assert late.json()["type"] == "/problems/date-not-offered", "though no job has run yet"
    await floor.later(company, clock, -timedelta(minutes=5))
    assert (await answer(order, "date", expected_on=day)).status_code == 200


async def test_an_announced_arrival_gives_its_date_to_the_oldest_that_it_covers(
    company: Company,
) -> None:
    first, second = await short_order(company), await short_order(company)
    for days, quantity in ((4, 3), (-1, 50)):
        await floor.announced(
            company, ("MIX-500", quantity), owner_id=None, expected_on=in_days(days)
        )
    await watch(company)
    assert (await seen(first))["detours"][0]["expected_on"] == in_days(4).isoformat()
    assert (await seen(second))["detours"][0]["expected_on"] is None
    assert len(await told("short_stock_dated")) == 1
    await floor.ok(company, "dispatcher", date_path(first.parcel), a_date(7))
    await watch(company)
    dates = "SELECT count(*) FROM journey_event WHERE name = 'short_stock_dated'"
    assert await db.value(dates) == 2, "a person's word is not overruled"
    await healthy()
