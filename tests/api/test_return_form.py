"""The QR code of the return form leads to a page that sends the order's link to its customer alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.flows import papers
from doorstep.modules.wms import documents as wms_papers
from tests.factories.claiming import done
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.support.visitor import OWN_PAGE, Visitor, browser, forms_of, words_of

SENT = (
    "SELECT event, recipient, secret FROM message WHERE event = 'new_link' ORDER BY created_at, id"
)
OLDER = "UPDATE order_link SET created_at = created_at - interval '1 day'"


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def ask(visitor: Visitor, number: str) -> httpx.Response:
    return await visitor.http.post(f"/t/returns/{number}/link", headers=OWN_PAGE)


async def form_in_the_box(order: Order, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the form printed; give the path of what its QR code holds (tests/unit/test_documents.py)."""
    printed: list[Any] = []
    monkeypatch.setattr(wms_papers, "render_return_form", printed.append)
    papers.return_form(await core_db.one(papers.FACTS, order.parcel, now()))
    path: str = urlsplit(printed[0].return_url).path
    return path


async def test_the_paper_in_the_box_brings_the_customer_to_his_order(
    company: Company, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await done(company)
    await core_db.execute(OLDER)
    path = await form_in_the_box(order, monkeypatch)
    before = await everything()
    page = await visitor.http.get(path)
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
    assert await everything() == before, "to look changes nothing"
    answer = await visitor.send(forms_of(page.text)["link"])
    assert "a link is on its way there" in words_of(answer.text)
    [told] = await core_db.rows(SENT)
    assert told["recipient"] == await core_db.value("SELECT phone FROM customer")
    token = str(told["secret"]).rsplit("/t/", 1)[1]
    assert token not in answer.text
    assert await visitor.open(token) == f"/t/orders/{order.number}"
    await healthy()


async def test_whoever_asks_learns_nothing_and_floods_nobody(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await done(company)
    await core_db.execute(OLDER)
    real = await ask(visitor, order.number)
    for other in ("DS-999999", "x" * 300, order.number):
        async with browser(client=(f"127.0.0.{len(other)}", 50000)) as stranger:
            answer = await ask(stranger, other)
        assert (answer.status_code, answer.text) == (real.status_code, real.text)
    assert len(await core_db.rows(SENT)) == 1
    assert (await visitor.http.get("/t/returns/" + "x" * 300)).status_code == 404


async def test_nothing_is_sent_before_the_goods_are_there_or_after_their_days(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    early = await standing(company, 1012)
    await core_db.execute(OLDER)
    await ask(visitor, early.number)
    late = await done(company)
    clock.set(now() + timedelta(days=200))
    await ask(visitor, late.number)
    assert await core_db.rows(SENT) == []
