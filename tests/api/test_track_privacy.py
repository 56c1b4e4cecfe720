"""The customer's own data behind the order's page: read by him alone, and erased when he says so."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from doorstep.core import db as core_db
from tests.factories import erasing
from tests.factories.at_the_page import at_page, sign_in, step, token_of
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import order_of, standing
from tests.support.visitor import Visitor, browser, forms_of, words_of


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def downloaded(visitor: Visitor, address: str) -> dict[str, Any]:
    """Download what is kept."""
    page = await step(visitor, address, "data")
    answer = await visitor.send(forms_of(page)["data"])
    assert answer.status_code == 200, words_of(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith('attachment; filename="DS-')
    told: dict[str, Any] = json.loads(answer.text)
    return told


async def test_a_customer_gets_everything_of_all_his_orders_and_nothing_of_others(
    company: Company, visitor: Visitor
) -> None:
    mine = await erasing.the_whole_way(company)
    second = await erasing.place_canary(company, ("KET-17", 1))
    await standing(company, 1013)
    address = await at_page(visitor, mine)
    told = await downloaded(visitor, address)
    assert told["person"]["phone"] == erasing.PHONE
    assert {one["number"] for one in told["orders"]} == {mine.number, second.number}
    text = json.dumps(told, ensure_ascii=False)
    assert [canary for canary in erasing.CANARIES if canary.lower() not in text.lower()] == []
    for other in ("Aisha", "501234567", "12 Marina Walk", "dst_", str(mine.order_id)):
        assert other not in text
    for part in ("goods", "payments", "parcels", "deliveries", "visits", "installation_reports",
                 "messages", "ratings", "tickets", "warranties", "papers", "sign_ins"):  # fmt: skip
        assert told[part], part
    # What our people photographed at his door is his too.
    taken = {photo["of"]: photo["jpeg_base64"] for photo in told["photos"]}
    assert {"delivery", "installation report"} <= set(taken)
    assert base64.b64decode(taken["delivery"]).startswith(b"\xff\xd8")
    # Of this one only the name is there, as of one whose time in the store is over.
    assert taken["installation report"] is None


async def test_the_phone_of_an_address_gets_its_order_alone_and_cannot_erase_anybody(
    company: Company, visitor: Visitor
) -> None:
    body = order_body("GIFT-1", ("KET-17", 1))
    body["customer"] |= {"name": "The giver", "email": "giver@example.com"}
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    await company.work()
    gift = order_of(company, body, answer.json())
    # As a shop leaves it that has no usable number of whoever has ordered.
    await core_db.execute("UPDATE customer SET phone = NULL")
    address = await visitor.open(token_of(gift))
    await sign_in(visitor, address, gift.order_id)
    told = await downloaded(visitor, address)
    assert "person" not in told and len(told["orders"]) == 1
    assert "giver" not in json.dumps(told["orders"])
    form = forms_of(await visitor.read(f"{address}/data"))["step"]
    refused = await visitor.send(form, sure="yes")
    assert refused.status_code == 409
    assert "We cannot tell that this phone is the customer’s." in words_of(refused.text)
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 0


async def test_with_the_link_alone_nothing_is_told_or_erased(
    company: Company, visitor: Visitor
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order, signed_in=False)
    assert f"{address}/data" not in await visitor.read(address)
    own = {"Sec-Fetch-Site": "same-origin"}
    for answer in (
        await visitor.http.get(f"{address}/data"),
        await visitor.http.post(f"{address}/data", headers=own),
        await visitor.http.post(f"{address}/erasure", data={"sure": "yes"}, headers=own),
    ):
        assert answer.status_code == 403
        assert "Zahra" not in answer.text
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 0


async def test_another_page_cannot_send_the_forms(company: Company, visitor: Visitor) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for path in ("data", "erasure"):
        answer = await visitor.http.post(
            f"{address}/{path}", data={"sure": "yes"}, headers=elsewhere
        )
        assert answer.status_code == 403
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 0


async def test_the_file_is_not_given_out_again_and_again(
    company: Company, visitor: Visitor
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    form = forms_of(await visitor.read(f"{address}/data"))["data"]
    assert [(await visitor.send(form)).status_code for _ in range(4)] == [200, 200, 200, 429]


async def test_an_erasure_that_waits_says_what_for_and_one_without_being_sure_is_none(
    company: Company, visitor: Visitor
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    form = forms_of(await step(visitor, address, "data"))["step"]
    assert (await visitor.send(form)).status_code == 422
    after = await visitor.do(form, sure="yes")
    assert "We have your wish." in words_of(after)
    await company.work()
    page = words_of(await visitor.read(f"{address}/data"))
    assert "It still waits for: an order that is under way" in page
    request = await core_db.one("SELECT * FROM erasure_request")
    assert (request["way"], request["gives_up_warranty"], request["state"]) == (
        "page", False, "waiting",
    )  # fmt: skip


async def test_a_wish_that_waits_is_taken_back_and_asked_for_anew(
    company: Company, visitor: Visitor
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    page = await visitor.read(f"{address}/data")
    assert "withdraw" not in forms_of(page)
    await visitor.do(forms_of(page)["step"], sure="yes")
    form = forms_of(await visitor.read(f"{address}/data"))["withdraw"]
    for _ in range(2):
        assert "We keep your data." in words_of(await visitor.do(form))
        assert await core_db.rows("SELECT * FROM erasure_request") == []
    # What was set off before finds nothing to do.
    await company.work()
    assert await core_db.value("SELECT count(*) FROM customer WHERE name = 'Erased'") == 0
    page = await visitor.read(f"{address}/data")
    await visitor.do(forms_of(page)["step"], sure="yes")
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 1


async def test_what_the_time_has_asked_for_nobody_takes_back(
    company: Company, visitor: Visitor
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    await visitor.do(forms_of(await visitor.read(f"{address}/data"))["step"], sure="yes")
    form = forms_of(await visitor.read(f"{address}/data"))["withdraw"]
    await core_db.execute("UPDATE erasure_request SET way = 'retention', link_hash = NULL")
    assert "withdraw" not in forms_of(await visitor.read(f"{address}/data"))
    await visitor.do(form)
    assert await core_db.value("SELECT count(*) FROM erasure_request") == 1


@pytest.mark.parametrize("language", ["en", "hi", "ar"])
async def test_the_page_speaks_every_language(
    company: Company, visitor: Visitor, language: str
) -> None:
    order = await erasing.place_canary(company, ("KET-17", 1))
    address = await at_page(visitor, order)
    page = await visitor.read(f"{address}/data", lang=language)
    assert f'lang="{language}"' in page
    assert len(forms_of(page)) == 2


async def test_after_the_erasure_the_page_is_that_of_a_dead_link(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await erasing.long_over(company, clock)
    token = token_of(order)
    address = await at_page(visitor, order)
    await company.work()
    form = forms_of(await step(visitor, address, "data"))["step"]
    await visitor.do(form, sure="yes", gives_up="yes")
    await erasing.carried_out(company)
    assert (await core_db.one("SELECT state, waits_for FROM erasure_request")) == {
        "state": "done", "waits_for": [],
    }  # fmt: skip
    dead = await visitor.http.get(f"/t/{'x' * len(token)}")
    for path in (f"/t/{token}", address, f"{address}/data"):
        answer = await visitor.http.get(path)
        assert (answer.status_code, words_of(answer.text)) == (404, words_of(dead.text))
    assert (await visitor.http.get(f"/track/{token}")).status_code == 404
    assert await erasing.traces() == {}
