"""What a customer does on the pages behind his order's page, each as a form that may be sent again."""

from __future__ import annotations

from typing import Any

import httpx

from doorstep.core import db
from doorstep.core.ids import uuid7
from doorstep.flows.closing import close_orders
from tests.factories import at_the_page
from tests.factories.claiming import CLAIM, done, pieces_in
from tests.factories.company import Company
from tests.factories.journeys import Order, Step, place, standing
from tests.factories.slots import offer
from tests.support.acting import Act, NotTaken, UseCase, sending
from tests.support.visitor import OWN_PAGE, Form, Visitor, client_of, forms_of

NO_PHOTO = [("photos", ("", b"", "application/octet-stream"))]


def _form(visitor: Visitor, form: Form, files: Any = None, **typed: str) -> Act:
    """Send a form until the page after it is shown."""

    async def act() -> httpx.Response:
        body = form.fields | typed
        answer = await visitor.http.post(form.action, data=body, files=files, headers=OWN_PAGE)
        if answer.status_code != 303:
            raise NotTaken(f"{form.action}: {answer.status_code} {answer.text[-300:]}")
        return answer

    return act


async def _at(order: Order) -> tuple[Visitor, str]:
    """Sign somebody in at an order's page; his browser stays open."""
    visitor = Visitor(client_of())
    return visitor, await at_the_page.at_page(visitor, order)


async def _door(company: Company) -> Act:
    visitor, address = await _at(await standing(company, 1004))
    form = forms_of(await visitor.read(f"{address}/address"))["step"]
    return _form(visitor, form, floor="4", lift="no", place="25.08, 55.14")


async def _time(company: Company) -> Act:
    await offer(company)
    visitor, address = await _at(await standing(company, 1004))
    page = await visitor.read(f"{address}/parcels/1/times/delivery")
    return _form(visitor, forms_of(page)["step"], start=at_the_page.times_in(page)[1])


async def _claim(company: Company) -> Act:
    visitor, address = await _at(await done(company))
    page = await visitor.read(f"{address}/{CLAIM}")
    start = at_the_page.times_in(page)[1]
    said = {"piece": pieces_in(page)[0], "words": "It leaks.", "start": start}
    return _form(visitor, forms_of(page)["step"], NO_PHOTO, **said)


async def _transfer(company: Company) -> Act:
    visitor, address = await _at(await done(company))
    page = await visitor.read(f"{address}/parcels/1/transfer")
    named = {"piece": pieces_in(page)[0], "name": "Farida Noor", "phone": "+971501112233"}
    asked = await visitor.send(forms_of(page)["step"], **named)
    code = await db.value(
        "SELECT secret FROM message WHERE event = 'warranty_transfer' AND secret IS NOT NULL"
    )
    return _form(visitor, forms_of(asked.text)["code"], code=code)


async def _erasure(company: Company) -> Act:
    """An order came to nothing, and its customer wants to be forgotten."""
    order = await place(company, ("KET-17", 1))
    cancel = {"event_id": uuid7(), "reason": "customer"}
    await order.take_well(Step("support", f"/console/orders/{order.order_id}/cancel", cancel))
    await company.work()
    await close_orders({})
    await company.work()
    asked = {"way": "phone", "gives_up_warranty": True}
    return sending(company, Step("support", f"/console/orders/{order.order_id}/erasure", asked))


PAGE_USE_CASES: tuple[UseCase, ...] = (
    UseCase("the customer completes his address", _door),
    UseCase("the customer chooses a delivery", _time),
    UseCase("the customer claims under his warranty", _claim),
    UseCase("a warranty goes to a new owner", _transfer),
    UseCase("a customer is forgotten", _erasure),
)
