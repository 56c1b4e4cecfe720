"""A payment link at the door is money by the gateway's word alone, and is paid once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from doorstep import ports
from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.api.test_money_at_the_door import cod, hand_over, money_problems, stop_of
from tests.factories import floor
from tests.factories.care import outside
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import Order
from tests.factories.steps import healthy


class Links:
    """A gateway that makes a link for every key, or refuses all."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.asked: list[tuple[str, str, int, str, str]] = []
        self._refuses = refuses

    async def make(
        self, key: str, reference: str, amount_minor: int, currency: str, country: str, seconds: int
    ) -> ports.MadeLink:
        if self._refuses:
            raise ports.OutsideRefused
        self.asked.append((key, reference, amount_minor, currency, country))
        ends = now() + timedelta(seconds=seconds)
        return ports.MadeLink("pl_1", f"https://pay.example/{key}", ends)


async def ask(order: Order) -> dict[str, Any]:
    """Ask for a link as the courier's phone does, and let it be made; tell the stop."""
    stop = await stop_of(order)
    told = floor.capture()
    for _ in range(2):
        await ok(order.company, "delivery", f"/field/stops/{stop['id']}/payment-link", told)
    await order.company.work()
    return await stop_of(order)


async def pay(company: Company, reference: str, minor: int) -> None:
    data = {"id": "pay_1", "action_id": "act_1", "reference": reference, "amount": minor}
    for name in ("evt_1", "evt_2"):
        event = {"id": name, "type": "payment_captured", "data": data | {"currency": "AED"}}
        assert (await company.hook("checkout", msgspec.json.encode(event))).status_code == 200
    await company.work()


async def test_what_is_paid_by_link_is_due_no_more_and_may_be_named_at_the_handover(
    company: Company,
) -> None:
    gateway = Links()
    with outside(payment_links=gateway):
        [order] = await cod(company, 1012, ("KET-17", 1))
        stop = await ask(order)
        [(key, reference, *asked)] = gateway.asked
        assert reference == f"{order.number}-L{key[-8:].upper()}"
        assert asked == [100_00, "AED", "AE"]
        assert stop["link"]["url"] == f"https://pay.example/{key}"
        assert (stop["link"]["paid_minor"], stop["cash_due_minor"]) == (0, 100_00)
        again = await ask(order)
        assert (again["link"]["url"], len(gateway.asked)) == (stop["link"]["url"], 1), (
            "still payable"
        )
        await pay(company, reference, 100_00)
        paid = await stop_of(order)
        told = await company.get("delivery", f"/field/stops/{stop['id']}/payment-link")
        assert (told["paid_minor"], told["qr"]) == (100_00, [])
        assert (paid["link"]["paid_minor"], paid["cash_due_minor"]) == (100_00, 0)
        # A phone that heard of it in the middle of the handover names what it was for.
        link = {"method": "payment_link", "amount_minor": 100_00, "reference": reference}
        await order.take_well(await order.pod(tenders=[link], shown_minor=100_00))
        assert await money_problems() == []
        assert await db.value("SELECT count(*) FROM problem WHERE kind = 'refund_due'") == 0
        await healthy()


async def test_a_link_that_the_gateway_has_no_money_of_is_asked_about(company: Company) -> None:
    with outside(payment_links=Links()):
        [order] = await cod(company, 1012, ("KET-17", 1))
        await ask(order)
        link = {"method": "payment_link", "amount_minor": 100_00, "reference": "seen on his phone"}
        await order.take_well(await order.pod(tenders=[link]))
        [words] = await money_problems()
        assert "The gateway has 0.00 AED of it by link." in words
        await healthy()


async def test_a_customer_who_pays_in_cash_after_all_leaves_nothing_open(company: Company) -> None:
    with outside(payment_links=Links(refuses=True)):
        [order] = await cod(company, 1012, ("KET-17", 1))
        stop = await ask(order)
        assert (stop["link"]["url"], stop["link"]["refused"] != "") == ("", True)
        await hand_over(order, 100_00)
        assert await money_problems() == []
        await healthy()


@pytest.mark.parametrize("prepaid", [True, False])
async def test_only_the_courier_of_the_stop_may_ask_and_only_for_what_is_due(
    company: Company, prepaid: bool
) -> None:
    gateway = Links()
    with outside(payment_links=gateway):
        [order] = await cod(company, 1012, ("KET-17", 1))
        stop = await stop_of(order)
        path = f"/field/stops/{stop['id']}/payment-link"
        if prepaid:
            await pay(company, order.number, 100_00)
            kept = await ok(company, "delivery", path, floor.capture())
            assert kept["reason"] == "Nothing is due at this door."
        else:
            assert (await company.send("courier", path, floor.capture())).status_code == 404
            assert await company.get("delivery", path) is None
            other = f"/field/stops/{uuid7()}/payment-link"
            assert (await company.send("delivery", other, floor.capture())).status_code == 404
        await company.work()
        assert gateway.asked == []
