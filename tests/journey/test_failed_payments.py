"""A payment that fails is a detour until 1002, and the gateway's clock says what was first."""

from __future__ import annotations

from datetime import timedelta

from doorstep.core import db
from doorstep.core.clock import now
from tests.factories.arrivals import Gateway, new_event
from tests.factories.company import Company
from tests.factories.journeys import Order, place
from tests.factories.steps import healthy

NUMBER = "T-REFUSED"


async def say(company: Company, kind: str, amount_minor: int = 200_00, *, after: int = 0) -> None:
    """Let the gateway tell what happened so many seconds after now."""
    word = Gateway(kind, amount_minor, reference=NUMBER).arrival(now() + timedelta(seconds=after))
    assert (await company.hook("checkout", word.body(new_event()))).status_code == 200
    await company.work()


async def cases() -> list[str | None]:
    rows = await db.rows(
        "SELECT closed_as FROM detour_case WHERE kind = 'payment_failed' ORDER BY opened_at, id"
    )
    return [row["closed_as"] for row in rows]


async def problems() -> list[str]:
    rows = await db.rows("SELECT kind FROM problem WHERE closed_at IS NULL ORDER BY kind")
    return [row["kind"] for row in rows]


async def failed(company: Company, *lines: tuple[str, int]) -> Order:
    order = await place(company, *lines, external_id=NUMBER)
    await say(company, "declined")
    return order


async def test_the_customer_is_told_and_finance_has_the_task(company: Company) -> None:
    await failed(company)
    assert await cases() == [None]
    assert await problems() == ["payment_failed"]
    told = await db.rows("SELECT event, channel FROM message WHERE event = 'payment_failed'")
    assert {row["channel"] for row in told} == {"sms", "email"}
    assert any("did not go through" in body for *_, body in company.post.sent)
    await healthy()


async def test_it_is_open_on_every_living_parcel_of_the_order(company: Company) -> None:
    await failed(company, ("WM-7KG", 1), ("MIX-500", 1))
    assert await db.value("SELECT count(*) FROM fulfilment") == 2
    assert await cases() == [None, None]
    await say(company, "captured")
    assert await cases() == ["settled", "settled"]
    await healthy()


async def test_paying_after_all_settles_it_and_ends_the_task(company: Company) -> None:
    order = await failed(company)
    await say(company, "captured")
    assert 1003 in await order.passed()
    assert (await cases(), await problems()) == (["settled"], [])
    await healthy()


async def test_a_failure_that_is_heard_of_after_1002_is_kept_and_bothers_nobody(
    company: Company,
) -> None:
    await place(company, external_id=NUMBER)
    await say(company, "captured")
    await say(company, "declined", after=-60)
    assert (await cases(), await problems()) == (["overtaken"], [])
    assert await db.value("SELECT count(*) FROM message WHERE event = 'payment_failed'") == 0
    await healthy()


async def test_a_refund_that_is_heard_of_before_its_capture_does_not_keep_1002_back(
    company: Company,
) -> None:
    order = await place(company, external_id=NUMBER)
    await say(company, "refunded", 50_00, after=20)
    assert 1002 not in await order.passed()
    await say(company, "captured", after=10)
    assert 1003 in await order.passed()
    assert await db.value("SELECT captured_minor FROM payment_line") == 150_00
    await healthy()


async def test_money_that_was_given_back_before_the_rest_came_lets_nothing_go(
    company: Company,
) -> None:
    order = await place(company, external_id=NUMBER)
    await say(company, "captured", 150_00, after=10)
    await say(company, "refunded", 150_00, after=20)
    await say(company, "captured", 50_00, after=30)
    assert 1002 not in await order.passed()
    assert "payment_held" in await problems()


async def test_a_refund_before_the_vendor_accepts_keeps_v1_back(company: Company) -> None:
    order = await place(company, external_id=NUMBER)
    await say(company, "captured", after=-20)
    first = "SELECT state FROM tranche WHERE number = 1"
    assert await db.value(first) == "eligible"
    await say(company, "refunded", after=-10)
    assert await db.value(first) == "waiting"
    await order.take_well(await order.accept())
    assert await db.value(first) == "waiting"
    await healthy()
