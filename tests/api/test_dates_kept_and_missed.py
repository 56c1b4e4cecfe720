"""A date of short goods that could not be kept, and one that a rest keeps when a part has come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.flows import source_again
from doorstep.modules.wms.service import stock
from tests.factories import floor
from tests.factories.backorders import (
    a_date,
    answer,
    date_path,
    dated,
    end_of,
    in_days,
    seen,
    told,
    watch,
)
from tests.factories.company import Company
from tests.factories.journeys import Order
from tests.factories.mishaps import open_kinds
from tests.factories.steps import healthy


async def let_pass(company: Company, clock: Any, day: date) -> None:
    """Let a day be over by a minute, and the clock's job run."""
    await floor.later(
        company, clock, end_of(day) + timedelta(minutes=1) - datetime.now(floor.DUBAI)
    )
    await watch(company)


async def mixers_come(company: Company, pieces: int) -> None:
    mixers = company.world.products["MIX-500"]
    await stock.receive(company.world.warehouse_id, mixers, None, pieces, ref=f"mixers:{uuid7()}")


async def rest_of(order: Order) -> Order:
    """The parcel of an order that is still short."""
    parcel = await db.value(
        "SELECT id FROM fulfilment WHERE order_id = $1 AND location_id IS NULL AND state = 'open'",
        order.order_id,
    )
    return Order(order.company, order.external_id, order.order_id, order.number, parcel, 0)


# --- The date could not be kept -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "We could not keep the date"),
        ("hi", "तारीख नहीं निभा सके"),
        ("ar", "لم نتمكن من الالتزام"),
    ],
)
async def test_a_date_that_could_not_be_kept_is_told_once_in_the_customers_language(
    company: Company, clock: Any, language: str, words: str
) -> None:
    order = await dated(company, 2)
    await db.execute("UPDATE customer_order SET language = $1", language)
    day = in_days(2)
    await let_pass(company, clock, day)
    await let_pass(company, clock, day + timedelta(days=1))
    [text] = await told("short_stock_date_passed")
    assert words in text and str(day.year) in text and order.number in text
    mail = await db.one(
        "SELECT subject, body FROM message"
        " WHERE event = 'short_stock_date_passed' AND channel = 'email'"
    )
    assert order.number in mail["subject"] and words in mail["body"]
    parcel = await seen(order)
    assert (parcel["may_accept"], parcel["may_cancel"]) == (False, True)
    await healthy()


async def test_each_date_that_could_not_be_kept_is_told_by_itself_and_then_cancelled(
    company: Company, clock: Any
) -> None:
    order = await dated(company, 1)
    for missed in (1, 2):
        await let_pass(company, clock, in_days(1))
        assert len(await told("short_stock_date_passed")) == missed
        await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(1))
        await company.work()
    assert (await answer(order, "cancel")).status_code == 200
    await let_pass(company, clock, in_days(1))
    assert len(await told("short_stock_date_passed")) == 2, "the order has ended"
    await healthy()


@pytest.mark.parametrize("given_out", [True, False])
async def test_nobody_hears_of_a_missed_date_whose_goods_have_come(
    company: Company, clock: Any, given_out: bool
) -> None:
    await dated(company, 1)
    day = in_days(1)
    await mixers_come(company, 30)
    if given_out:
        await source_again.source_short({})
    await let_pass(company, clock, day)
    assert await told("short_stock_date_passed") == []
    assert "short_stock" not in await open_kinds()
    await healthy()


async def test_a_date_that_was_moved_in_time_is_not_missed(company: Company, clock: Any) -> None:
    order = await dated(company, 1)
    await floor.ok(company, "dispatcher", date_path(order.parcel), a_date(3))
    await company.work()
    await let_pass(company, clock, in_days(1))
    assert await told("short_stock_date_passed") == []
    await healthy()


# --- A part has come ------------------------------------------------------------------------------


@pytest.mark.parametrize("accepts", [True, False])
async def test_the_rest_keeps_its_date_and_the_customers_yes_when_a_part_comes(
    company: Company, accepts: bool
) -> None:
    order = await dated(company, pieces=3)
    day = in_days(5)
    if accepts:
        await answer(order, "date", expected_on=day)
    await mixers_come(company, 1)
    for _ in range(2):
        await source_again.source_short({})
        await company.work()
    assert 1003 in await order.passed(), "what has come goes on"
    rest = await rest_of(order)
    parcel = await seen(rest)
    [detour] = parcel["detours"]
    assert detour["expected_on"] == day.isoformat()
    assert ("You have accepted the date" in detour["sentence"]) is accepts
    assert parcel["may_accept"] is not accepts
    assert len(await told("short_stock_dated")) == 1, "nobody is asked again"
    first, second = await told("short_stock")
    spoken = f"{day.day} {day:%B %Y}"
    assert spoken not in first and spoken in second and "(2 × Hand mixer)" in second
    [task] = await floor.open_problems("short_stock")
    assert task["ref"] == str(rest.parcel) and str(day) in task["title"]
    due_at = await db.value("SELECT due_at FROM problem WHERE ref = $1", task["ref"])
    assert (due_at == end_of(day)) is accepts
    await healthy()
    if not accepts:
        assert (await answer(rest, "date", expected_on=day)).status_code == 200
    await mixers_come(company, 2)
    await source_again.source_short({})
    await company.work()
    assert 1003 in await rest.passed() and await floor.open_problems("short_stock") == []
    await healthy()


async def test_the_kept_date_of_a_rest_passes_and_may_be_moved_like_any_other(
    company: Company, clock: Any
) -> None:
    order = await dated(company, 1, pieces=3)
    await mixers_come(company, 1)
    await source_again.source_short({})
    await company.work()
    rest = await rest_of(order)
    await let_pass(company, clock, in_days(1))
    [missed] = await told("short_stock_date_passed")
    assert "(2 × Hand mixer)" in missed
    [task] = await floor.open_problems("short_stock")
    assert task["ref"] == str(rest.parcel) and "are not here" in task["title"]
    await floor.ok(company, "dispatcher", date_path(rest.parcel), a_date(4))
    await company.work()
    assert len(await told("short_stock_dated")) == 2
    await healthy()


async def test_a_part_that_comes_when_the_day_is_over_leaves_a_rest_that_is_told_the_truth(
    company: Company, clock: Any
) -> None:
    order = await dated(company, 1, pieces=3)
    await mixers_come(company, 1)
    await let_pass(company, clock, in_days(1))
    assert 1003 in await order.passed()
    rest = await rest_of(order)
    assert len(await told("short_stock")) == 1, "a day that is over is promised to nobody"
    [missed] = await told("short_stock_date_passed")
    assert "(2 × Hand mixer)" in missed
    assert [one["ref"] for one in await floor.open_problems("short_stock")] == [str(rest.parcel)]
    await healthy()


async def test_a_rest_without_a_date_is_asked_about_as_ever(company: Company) -> None:
    order = await dated(company, pieces=3)
    await db.execute(
        "UPDATE detour_case SET expected_on = NULL WHERE fulfilment_id = $1", order.parcel
    )
    await mixers_come(company, 1)
    await source_again.source_short({})
    await company.work()
    parcel = await seen(await rest_of(order))
    assert parcel["detours"][0]["expected_on"] is None
    assert len(await told("short_stock")) == 2
