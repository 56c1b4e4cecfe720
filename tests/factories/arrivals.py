"""Ten webhooks each, of carrier and gateway, about an order that has come to a certain point.

The webhooks stand in the order in which their senders' clocks show them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, order_of

AWB = "CP-4711"
NUMBER = "T-PERMUTED"

Deed = Callable[[], Awaitable[None]]
"""Something that a person does among the webhooks, once."""


@dataclass(frozen=True)
class Carrier:
    """A scan by ClickPost's status code, with the number of its reason."""

    code: int
    reason: int = 0
    awb: str = AWB

    def arrival(self, at: datetime) -> Arrival:
        content: dict[str, Any] = {
            "waybill": self.awb,
            "clickpost_status_code": self.code,
            "timestamp": at.isoformat(),
            "location": "Dubai",
            "remark": f"status {self.code}",
        }
        if self.reason:
            content["additional"] = {"ndr_status_code": self.reason}
        return Arrival(f"{self.code}/{self.reason} {at:%S.%f}", "clickpost", content)


@dataclass(frozen=True)
class Gateway:
    """A word of the gateway about a payment."""

    kind: str
    amount_minor: int = 200_00
    payment: str = "pay_1"
    reference: str = NUMBER

    def arrival(self, at: datetime) -> Arrival:
        data = {
            "id": self.payment,
            "action_id": f"act_{self.payment}_{at.timestamp()}",
            "reference": self.reference,
            "amount": self.amount_minor,
            "currency": "AED",
            "processed_on": at.isoformat(),
        }
        content = {"id": "", "type": f"payment_{self.kind}", "data": data}
        return Arrival(f"{self.payment} {self.kind} {at:%S.%f}", "checkout", content)


@dataclass(frozen=True)
class Arrival:
    """One webhook; each time it is sent it is the same, or the same under the gateway's new id."""

    name: str
    source: str
    content: dict[str, Any]

    def body(self, event: str) -> bytes:
        """Write it down; the gateway gives each sending the id `event`."""
        named = {"id": event} if self.source == "checkout" else {}
        return json.dumps(self.content | named).encode()


@dataclass(frozen=True)
class Ten:
    """Ten webhooks, and what brings the company to the point before them."""

    name: str
    said: tuple[Carrier | Gateway, ...]
    prepare: Callable[[Company], Awaitable[Deed | None]]

    def arrivals(self) -> list[Arrival]:
        """Let them all happen now, in their order, by their senders' clocks."""
        began = now()
        return [one.arrival(began + timedelta(milliseconds=n)) for n, one in enumerate(self.said)]


async def _place(
    company: Company, *lines: tuple[str, int], method: str, payments: Sequence[dict[str, Any]] = ()
) -> Order:
    await db.execute("DELETE FROM carrier_service")
    body = order_body(NUMBER, *lines, method=method)
    if payments:
        body["payments"] = [body["payments"][0] | payment for payment in payments]
    answer = await send_order(company, body)
    assert answer.status_code == 201, answer.text
    await db.execute("UPDATE customer SET phone_verified_at = $1", now())
    await company.work()
    order = order_of(company, body, answer.json())
    order.awb = AWB
    return order


async def _prepaid_with_carrier(company: Company) -> None:
    await (await _place(company, method="credit_card")).go_on(1008)


async def _cod_with_carrier(company: Company) -> None:
    order = await _place(company, method="cod")
    assert 1003 in await order.passed()
    await order.go_on(1008)


async def _packed(company: Company) -> Deed:
    order = await _place(company, method="credit_card")
    await order.go_on(1007)

    async def name_the_awb() -> None:
        await order.take_well(await order.record_awb(AWB))

    return name_the_awb


async def _unpaid(company: Company) -> None:
    await _place(company, method="credit_card")


async def _unpaid_in_two(company: Company) -> None:
    two = [
        {"reference": f"{NUMBER}-{line}", "amount_minor": amount}
        for line, amount in (("A", 120_00), ("B", 80_00))
    ]
    await _place(company, method="credit_card", payments=two)


async def _partly_paid_with_carrier(company: Company) -> None:
    now_and_then = (
        {"amount_minor": 120_00},
        {"amount_minor": 80_00, "method": "cod", "due": "at_door", "reference": f"{NUMBER}-D"},
    )
    await (await _place(company, method="credit_card", payments=now_and_then)).go_on(1008)


def _of(payment: str, kind: str, amount: int) -> Gateway:
    return Gateway(kind, amount, f"pay_{payment}", f"{NUMBER}-{payment[0]}")


NOT_HOME, REFUSED, UNREACHABLE, NO_CASH = 1, 2, 5, 7
# ClickPost's codes.
PICKUP_MISSED = 3
MANIFESTED, PICKUP, TRANSIT, HUB, OUT, DELIVERED = 1, 4, 5, 1004, 6, 8
DELAYED, MISROUTED, LOST, DAMAGED, FAILED, UNDELIVERED = 18, 20, 16, 17, 9, 7
RETURNING, RETURN_OUT, RETURN_MOVES, RETURNED = 11, 12, 13, 14


def _c(code: int, reason: int = 0) -> Carrier:
    return Carrier(code, reason)


TENS = (
    Ten(
        "a delay, a failed attempt and a second one",
        (
            _c(MANIFESTED), _c(PICKUP), _c(TRANSIT), _c(DELAYED), _c(HUB), _c(OUT),
            _c(FAILED, NOT_HOME), Gateway("declined"), _c(OUT), _c(DELIVERED),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "a payment by link at the door, at the second attempt",
        (
            _c(PICKUP), _c(TRANSIT), _c(OUT), Gateway("declined"), _c(UNDELIVERED, NO_CASH), _c(OUT),
            Gateway("approved"), Gateway("captured", 150_00), Gateway("captured", 50_00),
            _c(DELIVERED),
        ),
        _cod_with_carrier,
    ),
    Ten(
        "lost, found, damaged and delivered, and a part of the price given back",
        (
            _c(PICKUP), _c(TRANSIT), _c(LOST), _c(HUB), _c(MISROUTED), _c(OUT), _c(DAMAGED),
            Gateway("captured"), _c(DELIVERED), Gateway("refunded", 30_00),
        ),
        _cod_with_carrier,
    ),
    Ten(
        "three failed attempts, and the way back",
        (
            _c(PICKUP), _c(HUB), _c(OUT), _c(FAILED, NOT_HOME), _c(OUT), _c(FAILED, UNREACHABLE),
            _c(OUT), _c(FAILED, NOT_HOME), _c(RETURNING), _c(RETURN_MOVES),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "refused at the door, and on the way back",
        (
            _c(PICKUP), _c(TRANSIT), _c(DELAYED), _c(HUB), _c(OUT), _c(UNDELIVERED, REFUSED),
            _c(RETURNING), _c(RETURN_OUT), _c(RETURN_MOVES), _c(RETURNED),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "a pickup that was missed, and attempts that nobody scanned out",
        (
            _c(PICKUP_MISSED), _c(PICKUP), _c(DELAYED), _c(UNDELIVERED, NOT_HOME), _c(MISROUTED),
            _c(HUB), _c(UNDELIVERED, UNREACHABLE), _c(TRANSIT), _c(DELAYED), Gateway("declined"),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "a delay among the attempts, and one that lasts",
        (
            _c(PICKUP), _c(OUT), _c(DELAYED), _c(OUT), _c(UNDELIVERED, NOT_HOME), _c(HUB), _c(DELAYED),
            _c(FAILED, NOT_HOME), _c(DAMAGED), _c(MISROUTED),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "refused at the door, and delivered all the same",
        (
            _c(PICKUP), _c(OUT), _c(FAILED, NOT_HOME), _c(OUT), _c(UNDELIVERED, REFUSED),
            _c(RETURNING), _c(DAMAGED), _c(OUT), _c(DELIVERED), _c(MISROUTED),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "on the way back, and delivered all the same",
        (
            _c(PICKUP), _c(LOST), _c(HUB), _c(OUT), _c(FAILED, NOT_HOME), _c(RETURNING),
            _c(RETURN_OUT), _c(DELAYED), _c(OUT), _c(DELIVERED),
        ),
        _prepaid_with_carrier,
    ),
    Ten(
        "paid on the road, then damaged and lost for good",
        (
            _c(PICKUP), Gateway("approved"), _c(TRANSIT), _c(OUT), _c(FAILED, NOT_HOME),
            Gateway("captured"), _c(DAMAGED), _c(DELAYED), _c(LOST), Gateway("refunded"),
        ),
        _cod_with_carrier,
    ),
    Ten(
        "an AWB that its carrier's scans overtake",
        (
            _c(MANIFESTED), _c(PICKUP), _c(TRANSIT), _c(LOST), _c(HUB), _c(OUT),
            _c(FAILED, NOT_HOME), _c(OUT), _c(DAMAGED), Gateway("captured", 1),
        ),
        _packed,
    ),
    Ten(
        "a part paid before, and the rest by link at the door",
        (
            _c(PICKUP), _c(TRANSIT), _c(HUB), _c(OUT), _of("D2", "declined", 80_00),
            _of("D3", "captured", 30_00), _of("D3", "captured", 50_00), _c(DELIVERED),
            _of("D3", "refunded", 20_00), Gateway("chargeback", 120_00, f"pay_{NUMBER}"),
        ),
        _partly_paid_with_carrier,
    ),
    Ten(
        "two payment lines, captured in parts, and a refund",
        (
            _of("A1", "declined", 120_00), _of("A2", "approved", 120_00),
            _of("B1", "approved", 80_00), _of("A2", "captured", 70_00),
            _of("B1", "capture_declined", 80_00), _of("B2", "declined", 80_00),
            _of("A2", "captured", 50_00), _of("B3", "captured", 80_00),
            _of("A2", "refunded", 30_00), _of("B3", "chargeback", 80_00),
        ),
        _unpaid_in_two,
    ),
    Ten(
        "a payment that fails and is taken back and made again",
        (
            Gateway("declined", payment="pay_1"), Gateway("approved", payment="pay_2"),
            Gateway("voided", payment="pay_2"), Gateway("declined", payment="pay_3"),
            Gateway("approved", payment="pay_4"), Gateway("captured", 120_00, "pay_4"),
            Gateway("captured", 80_00, "pay_4"), Gateway("refunded", 120_00, "pay_4"),
            Gateway("refunded", 80_00, "pay_4"), Gateway("canceled", payment="pay_5"),
        ),
        _unpaid,
    ),
)  # fmt: skip
"""Each set is ten webhooks that can happen to one order."""


def new_event() -> str:
    """Make an id as the gateway gives to each sending."""
    return f"evt_{uuid7()}"
