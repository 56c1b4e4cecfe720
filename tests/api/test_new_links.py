"""Whoever has a warranty gets a new link from its certificate's page; who asks for it learns nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.flows import new_links
from tests.factories.at_the_page import sign_in, token_of
from tests.factories.claiming import claimed, done
from tests.factories.company import Company
from tests.factories.journeys import Order
from tests.factories.owners import PHONE, given, owner_opens
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.support.visitor import OWN_PAGE, Form, Visitor, browser, forms_of, words_of

SENT = "SELECT event, recipient, secret FROM message WHERE event LIKE 'new%link' ORDER BY created_at, id"
HTML = {"Accept": "text/html"}


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def number_of(order: Order) -> str:
    found: str = await core_db.value(
        "SELECT min(number) FROM warranty WHERE fulfilment_id = $1", order.parcel
    )
    return found


async def form_of(visitor: Visitor, number: str, **params: str) -> Form:
    page = await visitor.http.get(f"/verify/{number}", headers=HTML, params=params)
    assert page.status_code == 200
    return forms_of(page.text)["link"]


async def ask(visitor: Visitor, number: str) -> httpx.Response:
    return await visitor.http.post(f"/t/certificates/{number}/link", headers=OWN_PAGE)


async def test_after_the_links_end_a_new_one_opens_the_order_and_its_warranty(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await done(company)
    old, number = token_of(order), await number_of(order)
    clock.set(now() + timedelta(days=200))
    await core_db.execute("UPDATE warranty SET ends_on = $1", (now() + timedelta(days=90)).date())
    assert (await visitor.http.get(f"/t/{old}")).status_code == 404
    before = await everything()
    form = await form_of(visitor, number)
    assert await everything() == before, "to look changes nothing"
    answer = await visitor.send(form)
    assert answer.status_code == 200
    assert "a new link is on its way there" in words_of(answer.text)
    assert answer.headers["cache-control"] == "no-store"
    [told] = await core_db.rows(SENT)
    phone = await core_db.value("SELECT phone FROM customer")
    assert (told["event"], told["recipient"]) == ("new_link", phone)
    token = str(told["secret"]).rsplit("/t/", 1)[1]
    assert token != old and token not in answer.text and phone not in answer.text
    ends = await core_db.value("SELECT max(expires_at) FROM order_link")
    assert now() + timedelta(days=29) < ends < now() + timedelta(days=31)
    address = await visitor.open(token)
    await sign_in(visitor, address, order.order_id)
    await claimed(visitor, address, start="call")
    assert await core_db.value("SELECT type FROM ticket") == "warranty"
    await healthy()


async def test_one_link_at_a_time_and_three_a_day_whoever_asks(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await done(company)
    number = await number_of(order)
    clock.set(now() + timedelta(days=2))
    sent = []
    for _ in range(6):
        for _ in range(2):
            await new_links.send_new_link(number)
        clock.set(now() + timedelta(minutes=11))
        sent.append(len(await core_db.rows(SENT)))
    assert sent == [1, 2, 3, 3, 3, 3]
    clock.set(now() + timedelta(days=1))
    await new_links.send_new_link(number)
    assert len(await core_db.rows(SENT)) == 4
    # What is asked for twice in one moment is told as if it had been done.
    [first, second] = [await ask(visitor, number) for _ in range(2)]
    assert (first.status_code, first.text) == (second.status_code, second.text)
    assert len(await core_db.rows(SENT)) == 4


async def test_nobody_learns_what_there_is(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    number = await number_of(order)
    await core_db.execute("UPDATE order_link SET created_at = created_at - interval '1 day'")
    real = await ask(visitor, number)
    async with browser(client=("127.0.0.2", 50000)) as other:
        unknown = await ask(other, "WR-000000000000")
        odd = await ask(other, "x" * 300)
    assert len(await core_db.rows(SENT)) == 1
    for answer in (unknown, odd):
        assert (answer.status_code, answer.text) == (real.status_code, real.text)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE warranty SET starts_on = starts_on - 800, ends_on = (now() - interval '2 days')::date",
        "UPDATE warranty SET state = 'void', certificate_sha256 = NULL",
        "WITH a AS (UPDATE address SET phone = NULL) UPDATE customer SET phone = NULL",
    ],
)
async def test_nothing_is_sent_where_there_is_nothing_to_claim_or_nobody_to_write_to(
    company: Company, visitor: Visitor, change: str
) -> None:
    order = await done(company)
    number = await number_of(order)
    await core_db.execute("UPDATE order_link SET created_at = created_at - interval '1 day'")
    await core_db.execute(change)
    links = await core_db.value("SELECT count(*) FROM order_link")
    answer = await ask(visitor, number)
    assert (answer.status_code, "on its way" in words_of(answer.text)) == (200, True)
    assert await core_db.rows(SENT) == []
    assert await core_db.value("SELECT count(*) FROM order_link") == links


async def test_it_is_limited_by_certificate_and_by_address(
    company: Company, visitor: Visitor
) -> None:
    number = await number_of(await done(company))
    for _ in range(5):
        assert (await ask(visitor, number)).status_code == 200
    assert (await ask(visitor, "WR-000000000000")).status_code == 429
    async with browser(client=("127.0.0.3", 50000)) as elsewhere:
        assert (await ask(elsewhere, number)).status_code == 429
        assert (await ask(elsewhere, "WR-000000000000")).status_code == 200


async def test_a_form_of_somebody_elses_page_sends_nothing(
    company: Company, visitor: Visitor
) -> None:
    number = await number_of(await done(company))
    await core_db.execute("UPDATE order_link SET created_at = created_at - interval '1 day'")
    answer = await visitor.http.post(
        f"/t/certificates/{number}/link",
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"},
    )
    assert answer.status_code == 403
    assert (await visitor.http.get(f"/t/certificates/{number}/link")).status_code in (404, 405)
    assert await core_db.rows(SENT) == []


@pytest.mark.parametrize(("language", "said"), [("hi", "नया लिंक"), ("ar", "رابط جديد")])
async def test_it_speaks_the_language_of_the_page(
    company: Company, visitor: Visitor, language: str, said: str
) -> None:
    number = await number_of(await done(company))
    answer = await visitor.send(await form_of(visitor, number, lang=language))
    assert said in answer.text and f'lang="{language}"' in answer.text


async def test_after_a_transfer_the_new_owner_gets_it_and_the_old_one_nothing(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await done(company)
    _, piece = await given(visitor, order)
    await company.work()
    clock.set(now() + timedelta(days=40))
    async with browser() as new_owner:
        assert (await ask(new_owner, piece)).status_code == 200
        told = await core_db.rows(SENT)
        assert [(row["event"], row["recipient"]) for row in told] == [("new_owner_link", PHONE)]
        assert order.number not in await core_db.value(
            "SELECT body FROM message WHERE event = 'new_owner_link'"
        )
        address = await owner_opens(new_owner, "new_owner_link")
        assert address.endswith(piece)
        # It opens no page of the order.
        token = str(told[0]["secret"]).rsplit("/", 1)[1]
        for path in (f"/t/{token}", f"/track/{token}", f"/t/orders/{order.number}"):
            assert (await new_owner.http.get(path)).status_code == 404
    await healthy()
