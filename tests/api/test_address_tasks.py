"""What an address lacks is asked before the goods leave: by a message first, then by a desk (P2)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.factories import floor
from tests.factories.at_the_page import at_page, step
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, order_of, standing
from tests.factories.snapshots import everything
from tests.factories.steps import accepted_pod, healthy
from tests.support.visitor import Visitor, browser, forms_of, words_of

KIND = "address_incomplete"
DOOR = {"building": "Tower 1", "floor": "4", "flat": "402"}
"""What stands in the form already, as a browser sends it again."""

ASKED = "SELECT * FROM message WHERE event = 'address_incomplete' AND state <> 'standby'"


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


def at(order: Order) -> str:
    return f"/console/orders/{order.order_id}/address"


async def tasks() -> list[dict[str, Any]]:
    return await core_db.rows("SELECT * FROM problem WHERE kind = $1", KIND)


async def bought(
    company: Company, language: str = "en", *, service: str = "standard", **place: Any
) -> Order:
    """Have an order placed whose address is as the shop has sent it, but for `place`."""
    body = order_body(f"T-{uuid7().hex[-12:]}") | {"delivery_service": service}
    body["ship_to"] |= place
    body["customer"]["language"] = language
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    await company.work()
    return order_of(company, body, answer.json())


async def test_the_task_opens_with_the_check_and_says_what_to_ask(company: Company) -> None:
    order = await standing(company, 1005)
    assert await tasks() == []
    await order.go_on(1006)
    [task] = await tasks()
    assert (task["order_id"], task["owner_role"]) == (order.order_id, "dispatcher")
    assert task["title"] == f"{order.number}: the address lacks whether there is a lift"
    assert "Still to be asked: whether there is a lift." in task["detail"]
    [seen] = await company.get("dispatcher", f"/problems?kind={KIND}")
    assert seen["action"]["operation_id"] == "completeOrderAddress"
    assert seen["action"]["path"] == at(order)
    await healthy()


async def test_a_whole_address_is_asked_for_by_nobody(company: Company) -> None:
    order = await bought(company, floor="G")
    await order.go_on(1012)
    assert await tasks() == []
    assert await core_db.rows(ASKED) == []


async def test_a_customer_who_collects_is_asked_for_nothing(company: Company) -> None:
    order = await bought(company, service="collection")
    await order.go_on(1006)
    assert 1006 in await order.passed()
    assert await tasks() == []
    assert await core_db.rows(ASKED) == []


async def test_the_desk_completes_the_address_and_the_task_is_over(company: Company) -> None:
    order = await bought(company, building="", floor="")
    await order.go_on(1006)
    half = await floor.ok(company, "support", at(order), {"building": "Marina Tower 4"})
    assert half["missing"] == ["floor", "lift"]
    [task] = await tasks()
    assert task["closed_at"] is None
    assert task["title"].endswith("the address lacks the floor, whether there is a lift")
    whole = await floor.ok(company, "dispatcher", at(order), {"floor": "12", "lift": True})
    assert (whole["missing"], whole["line1"]) == ([], "12 Marina Walk")
    dispatcher = company.users["dispatcher"].id
    assert whole["completed_by"] == str(dispatcher)
    [task] = await tasks()
    assert (task["closed_by"], task["closing_words"]) == (dispatcher, "The address is complete.")
    assert await company.get("admin", at(order)) == whole
    # What is taken away again asks nobody a second time.
    await floor.ok(company, "dispatcher", at(order), {"floor": ""})
    await order.go_on(1007)
    assert len(await tasks()) == 1
    await healthy()


async def test_a_number_that_cannot_be_reached_is_asked_for_by_a_desk_alone(
    company: Company, visitor: Visitor
) -> None:
    order = await bought(company, floor="G")
    # As the shop's order leaves it whose number nobody can call (`keep_contact`).
    await core_db.execute("UPDATE customer SET phone = NULL")
    await core_db.execute("UPDATE address SET phone = NULL, missing = '{phone}'")
    await order.go_on(1006)
    assert await core_db.rows(ASKED) == []
    [task] = await tasks()
    assert task["title"] == f"{order.number}: the address lacks a phone number that works"
    assert (await company.get("dispatcher", at(order)))["phone"] is None
    wrong = await company.send("dispatcher", at(order), {"phone": "12345"})
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/problems/phone-unusable")
    told = await floor.ok(company, "dispatcher", at(order), {"phone": "050 123 4567"})
    assert (told["phone"], told["missing"]) == ("+971501234567", [])
    [task] = await tasks()
    assert task["closing_words"] == "The address is complete."
    assert await core_db.value("SELECT phone FROM address") == "+971501234567"
    # From now on codes go there, and nobody sends them elsewhere; the same again is no news.
    again = await floor.ok(company, "support", at(order), {"phone": "+971 50 123 4567"})
    assert again == told
    other = await company.send("dispatcher", at(order), {"phone": "+971509999999"})
    assert (other.status_code, other.json()["type"]) == (422, "/problems/phone-is-as-sold")
    assert await company.get("dispatcher", at(order)) == told
    await healthy()


async def test_the_customer_completes_the_address_and_the_task_is_over(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1006)
    address = await at_page(visitor, order)
    form = forms_of(await step(visitor, address, "address"))["step"]
    await visitor.do(form, lift="yes", **DOOR)
    [task] = await tasks()
    assert (task["closed_by"], task["closing_words"]) == (None, "The address is complete.")
    seen = await company.get("dispatcher", at(order))
    assert seen["completed_by"] is None and seen["completed_at"] is not None


async def test_what_the_customer_answers_before_the_check_is_nobodys_task(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    form = forms_of(await step(visitor, address, "address"))["step"]
    await visitor.do(form, lift="no", **DOOR)
    await order.go_on(1009)
    assert await tasks() == []


async def test_the_task_is_over_when_the_order_is_cancelled(company: Company) -> None:
    order = await standing(company, 1006)
    body = {"event_id": uuid7(), "reason": "customer"}
    answer = await company.send("support", f"/console/orders/{order.order_id}/cancel", body)
    assert answer.status_code == 200, answer.text
    await company.work()
    [task] = await tasks()
    assert task["closing_words"] == "Nothing of the order is on its way any more."
    await healthy()


@pytest.mark.parametrize("leaves", ["scanned", "implied by the delivery"])
async def test_the_task_is_over_when_the_goods_have_left(company: Company, leaves: str) -> None:
    order = await standing(company, 1008)
    [task] = await tasks()
    assert task["closed_at"] is None
    if leaves == "scanned":
        await order.go_on(1009)
    else:
        await order.take_well(await accepted_pod(order))
    [task] = await tasks()
    assert task["closing_words"] == "The goods have left without it."
    await healthy()


async def test_a_second_check_opens_no_second_task(company: Company) -> None:
    order = await standing(company, 1006)
    [task] = await tasks()
    path = f"/problems/{task['id']}/close"
    await floor.ok(company, "dispatcher", path, {"words": "Nobody answers; the guard knows."})
    body = {"event_id": uuid7(), "kind": "repick"}
    answer = await company.send("dispatcher", f"/console/fulfilments/{order.parcel}/detours", body)
    assert answer.status_code == 200, answer.text
    await company.work()
    await order.go_on(1006)
    assert 1006 in await order.passed()
    assert len(await tasks()) == 1


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "the floor, whether there is a lift"),
        ("hi", "मंज़िल, लिफ़्ट है या नहीं"),
        ("ar", "الطابق، هل يوجد مصعد"),
    ],
)
async def test_the_customer_is_asked_once_in_his_language_with_a_link_that_opens_his_order(
    company: Company, visitor: Visitor, clock: Any, language: str, words: str
) -> None:
    await floor.at_hour(company, clock, 10)
    order = await bought(company, language, floor="")
    assert await core_db.rows(ASKED) == []
    await order.go_on(1003)
    found = {one["channel"]: one for one in await core_db.rows(ASKED)}
    assert set(found) == {"sms", "email"}
    assert all(words in one["body"] and one["state"] == "sent" for one in found.values())
    [sms] = [
        body for _, channel, _, body in company.post.sent if channel == "sms" and words in body
    ]
    links = await core_db.value("SELECT count(*) FROM order_link")
    assert links == 2
    page = await visitor.read(await visitor.open(sms.rsplit("/t/", 1)[1]))
    assert order.number in page
    await order.go_on(1009)
    assert len(await core_db.rows(ASKED)) == 2
    await healthy()


async def test_at_night_the_customer_is_left_in_peace(company: Company, clock: Any) -> None:
    await floor.at_hour(company, clock, 23)
    order = await bought(company)
    await order.go_on(1003)
    assert {one["state"] for one in await core_db.rows(ASKED)} == {"queued"}


async def test_street_and_town_stay_as_sold_and_what_was_not_sent_is_told(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1006)
    await core_db.execute(
        "UPDATE address SET postcode = '', country = 'IN', missing = '{lift,postcode}'"
    )
    before = await everything()
    for told in ({"city": "Sharjah"}, {"line1": "13 Marina Walk"}):
        await floor.refused(company, "dispatcher", at(order), told, "place-is-as-sold")
    far = {"pin": {"lat": 24.45, "lng": 54.37}}
    await floor.refused(company, "dispatcher", at(order), far, "pin-not-there")
    assert await everything() == before
    address = await at_page(visitor, order)
    page = await step(visitor, address, "address")
    assert 'name="postcode"' in page and 'name="city"' not in page
    await visitor.do(forms_of(page)["step"], postcode="400001", lift="no", **DOOR)
    seen = await company.get("dispatcher", at(order))
    assert (seen["postcode"], seen["missing"]) == ("400001", [])
    [task] = await tasks()
    assert task["closing_words"] == "The address is complete."
    refused = await visitor.send(forms_of(page)["step"], postcode="400002", lift="no", **DOOR)
    assert (refused.status_code, "stay as they were ordered" in words_of(refused.text)) == (
        422,
        True,
    )


@pytest.mark.parametrize("who", ["finance", "sales", "warehouse", "delivery", "vendor"])
async def test_who_does_not_call_customers_is_refused(company: Company, who: str) -> None:
    order = await standing(company, 1006)
    before = await everything()
    await floor.refused(company, who, at(order), {"lift": True}, "not-allowed")
    answer = await company.http.get(at(order), headers=company.users[who].headers)
    assert answer.status_code == 403
    assert await everything() == before


async def test_after_the_end_nothing_is_completed(company: Company) -> None:
    order = await standing(company, 1015)
    await floor.refused(company, "support", at(order), {"lift": True}, "nothing-is-coming")
