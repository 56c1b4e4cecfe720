"""What people and the outside world do in a company, each as a request that may be sent again.

Every use-case is prepared once. What it then does is repeated word for word, with the same ids:
as a client does that got no answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from doorstep import ports
from doorstep.core import db, outbox
from doorstep.core.ids import uuid7
from tests.factories.backorders import (
    a_date,
    date_path,
    in_days,
    link_of,
    parcel_number,
    short_order,
)
from tests.factories.company import Company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import Order, Step, place, standing
from tests.factories.money import bank_body
from tests.factories.road import FRESH
from tests.factories.steps import carrier_scan, outside
from tests.factories.surrender import Surrender, device_of
from tests.factories.sync import Phone, unannounced
from tests.factories.world import an_order
from tests.support.acting import Act, UseCase, at_stage, hooked, post, sending, taken
from tests.support.pictures import make_jpeg
from tests.support.shop import Shop

CHUNK = 2048


async def _intake(company: Company) -> Act:
    body = order_body("T-INTAKE")

    async def act() -> None:
        taken(await send_order(company, body, "intake-key"))

    return act


async def _shop_poll(company: Company) -> Act:
    shop = Shop([an_order(external_id=f"SHOP-{n}") for n in (1, 2)])
    ports.bind(shop=shop)
    return _polling("one")


def _polling(key: str) -> Act:
    async def act() -> None:
        await outbox.add("flows.poll_shop", {}, key=f"poll:{key}")

    return act


async def _shop_told(company: Company) -> Act:
    incoming = msgspec.structs.replace(an_order(external_id="SHOP-9"), external_entity_id="E-9")
    ports.bind(shop=Shop([incoming]))
    await _polling("first")()
    await company.work()
    row = await db.one(
        "SELECT o.id, o.number, o.total_minor, f.id AS parcel FROM customer_order o"
        " JOIN fulfilment f ON f.order_id = o.id"
    )
    order = Order(company, "SHOP-9", row["id"], row["number"], row["parcel"], row["total_minor"])
    await order.go_on(1008)
    return sending(company, await order.scan("pickup"))


async def _payment(company: Company) -> Act:
    order = await place(company)
    return hooked(company, "checkout", order.payment("approved"), order.payment())


async def _early_payment(company: Company) -> Act:
    """The gateway is faster than the shop: its word waits for the order."""
    body = order_body("T-EARLY")
    order = Order(company, "T-EARLY", uuid7(), "", uuid7(), body["payments"][0]["amount_minor"])
    hook = order.payment()

    async def act() -> None:
        taken(await company.hook("checkout", hook))
        taken(await send_order(company, body, "early-key"))

    return act


async def _run(company: Company) -> Act:
    order = await standing(company, 1011)
    body = {
        "person_id": company.users["delivery"].id,
        "vehicle": "VAN-1",
        "planned_on": FRESH,
        "fulfilment_ids": [order.parcel],
    }
    return sending(company, Step("dispatcher", "/console/runs", body), "run-key-1")


async def _picture_after_pod(company: Company) -> Act:
    """The proof is there before its picture: the bytes come in chunks."""
    order = await standing(company, 1012)
    content = make_jpeg(64, 48)
    sha256 = hashlib.sha256(content).hexdigest()
    await order.take_well(await order.pod(photos=[{"slot": "parcel", "sha256": sha256}]))
    return lambda: _send_file(company, "delivery", sha256, content)


async def _upload(company: Company) -> Act:
    content = make_jpeg(80, 60, seed=3)
    sha256 = hashlib.sha256(content).hexdigest()
    return lambda: _send_file(company, "technician", sha256, content)


async def _send_file(company: Company, who: str, sha256: str, content: bytes) -> None:
    """Go on where the server is, as a phone does."""
    path, offset = f"/uploads/{sha256}", 0
    while True:
        answer = await company.http.patch(
            path,
            content=content[offset : offset + CHUNK],
            headers=company.users[who].headers
            | {
                "Upload-Offset": str(offset),
                "Upload-Length": str(len(content)),
                "Content-Type": "application/offset+octet-stream",
            },
        )
        if answer.headers.get("Upload-Complete") == "?1":
            return
        if answer.status_code != 409:
            taken(answer)
        offset = int(answer.headers["Upload-Offset"])


async def _approval(company: Company) -> Act:
    order = await place(company, ("MIX-500", 1), method="cod")
    return sending(company, _approve(order))


def _approve(order: Order) -> Step:
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    return Step("finance", path, {"event_id": uuid7(), "reason": "known to us"})


async def _at_the_door(company: Company) -> Order:
    # A kettle belongs to the vendor: its purchase order waits for the cash, too.
    order = await place(company, ("KET-17", 1), method="cod")
    await order.take_well(_approve(order))
    await order.go_on(1012)
    return order


async def _cash_pod(company: Company) -> Act:
    # It earns whoever hands it over, once.
    rate = {"channel_id": company.world.channel_id, "kind": "delivery", "amount_minor": 5_00}
    await company.send("finance", "/console/earning-rates", rate | {"reason": "agreed"})
    order = await _at_the_door(company)
    return sending(company, await _pod_with_cash(order))


async def _pod_with_cash(order: Order) -> Step:
    return await order.pod(tenders=[{"method": "cash", "amount_minor": order.total_minor}])


async def _cash_count(company: Company) -> Act:
    order = await _at_the_door(company)
    await order.take_well(await _pod_with_cash(order))
    body = {
        "event_id": uuid7(),
        "order_ids": [order.order_id],
        "amount_minor": order.total_minor,
        "currency": "AED",
    }
    return sending(company, Step("finance", "/console/finance/cash-counts", body))


async def _desk_refund(company: Company) -> Act:
    """The order is cancelled and paid for: finance gives the money back in cash."""
    order = await place(company, ("KET-17", 1))
    await order.pay()
    cancel = {"event_id": uuid7(), "reason": "customer"}
    await order.take_well(Step("support", f"/console/orders/{order.order_id}/cancel", cancel))
    body = {
        "event_id": uuid7(), "amount_minor": order.total_minor, "currency": "AED",
        "method": "cash", "reference": "Receipt 1",
    }  # fmt: skip
    return sending(
        company, Step("finance", f"/console/finance/orders/{order.order_id}/refunds", body)
    )


async def _silent_bank(company: Company) -> Act:
    """The bank pays and times out; the tranche of the vendor's yes is asked for again."""
    order = await standing(company, 1003)
    company.bank.mood = "pay and say nothing"
    return sending(company, await order.accept())


async def _slow_bank(company: Company) -> Act:
    """The bank takes the payouts and tells by webhook that they are paid, each twice."""
    company.bank.mood = "take time"
    await standing(company, 1004)
    keys = list(company.bank.paid)
    assert keys
    return hooked(
        company, "bank", *(bank_body(key, "processed", f"pout_{key[:8]}") for key in keys * 2)
    )


async def _refused_payout(company: Company) -> Act:
    """The bank refuses every payout: nothing is paid, a person is told once."""
    order = await standing(company, 1003)
    company.bank.mood = "refuse"
    return sending(company, await order.accept())


async def _awb(company: Company) -> Act:
    order = await outside(company, 1007)
    return sending(company, await order.record_awb("CP-1"))


async def _carrier(company: Company) -> Act:
    """An outside carrier tells its whole way, out of order."""
    order = await outside(company, 1008)
    return hooked(
        company, "clickpost", *(carrier_scan(order.awb, code) for code in (5, 4, 1004, 6))
    )


async def _unknown_awb(company: Company) -> Act:
    """The carrier's word comes before we know the AWB."""
    order = await outside(company, 1007)
    step = await order.record_awb("CP-1")
    early = carrier_scan("CP-1", 4)

    async def act() -> None:
        taken(await company.hook("clickpost", early))
        await post(company, step.who, step.path, step.body)

    return act


async def _early_pickup(company: Company) -> Act:
    """The line is bad: the departure arrives before the pick-up and is held until then."""
    order = await standing(company, 1008)
    early, later = await order.scan("departure"), await order.scan("pickup")

    async def act() -> None:
        for step in (early, later):
            await post(company, step.who, step.path, step.body)

    return act


async def _short(company: Company) -> Order:
    order = await short_order(company)
    await order.pay()
    await post(company, "dispatcher", date_path(order.parcel), a_date(5))
    await company.work()
    return order


async def _dated(company: Company) -> Act:
    order = await short_order(company)
    return sending(company, Step("dispatcher", date_path(order.parcel), a_date(5)))


def _customer(path: str, *, dated: bool) -> Callable[..., Any]:
    async def prepare(company: Company) -> Act:
        order = await _short(company)
        body = {"event_id": uuid7(), "parcel": await parcel_number(order)}
        body |= {"expected_on": in_days(5)} if dated else {}
        return sending(company, Step("", f"{link_of(order)}/{path}", body))

    return prepare


async def _batch(company: Company) -> Act:
    """A phone hands in what it captured without a signal, until it has every receipt."""
    order = await standing(company, 1004)
    phone = Phone(company, "warehouse")
    steps = [await order.pick(), await order.check(), await order.pack()]
    events = [phone.of(step.path, step.body) for step in steps]
    events.insert(1, phone.event("pod.lost", {}, lane="poison"))
    return _pushing(phone, events)


async def _run_by_sync(company: Company) -> Act:
    order = await standing(company, 1011)
    phone = Phone(company, "delivery")
    step = await order.accept_run()
    return _pushing(phone, [phone.of(step.path, step.body)])


async def _surrendered(company: Company) -> Act:
    """A phone that was shut out hands in what it still has, signed anew each time."""
    phone = Phone(company, "warehouse")
    events = [unannounced(phone), unannounced(phone, sig="A" * 86)]
    device_id = await device_of(phone)
    taken(await company.send("admin", f"/api/devices/{device_id}/revoke", {}))

    async def act() -> None:
        answer = taken(await (await Surrender.of(phone, *events)).send())
        assert [one["verdict"] for one in answer.json()["receipts"]] == ["review"] * 2

    return act


def _pushing(phone: Phone, events: list[dict[str, Any]]) -> Act:
    async def act() -> None:
        answer = taken(await phone.send(*events))
        assert len(answer.json()["receipts"]) == len(events)

    return act


USE_CASES: tuple[UseCase, ...] = (
    UseCase("an order comes in by our API", _intake),
    UseCase("orders come in from the shop", _shop_poll),
    UseCase("a payment is captured", _payment),
    UseCase("a date of short goods is set", _dated),
    UseCase("the customer accepts the date", _customer("date", dated=True)),
    UseCase("the customer cancels short goods", _customer("cancel", dated=False)),
    UseCase("a payment comes before its order", _early_payment),
    UseCase("finance approves cash at the door", _approval),
    UseCase("the vendor accepts", at_stage(Order.accept, 1003)),
    UseCase("the bank pays and says nothing", _silent_bank),
    UseCase("the bank takes its time", _slow_bank),
    UseCase("the bank refuses", _refused_payout),
    UseCase("the goods are picked", at_stage(Order.pick, 1004)),
    UseCase("the goods are checked", at_stage(Order.check, 1005)),
    UseCase("the boxes are closed", at_stage(Order.pack, 1006)),
    UseCase("a carrier's AWB is recorded", _awb),
    UseCase("a carrier scans before its AWB is known", _unknown_awb),
    UseCase("a carrier tells its way out of order", _carrier, frozenset({"verdicts"})),
    UseCase("the courier picks up", at_stage(lambda order: order.scan("pickup"), 1008)),
    UseCase("the shop is told of a shipment", _shop_told),
    UseCase("the courier scans out of order", _early_pickup),
    UseCase("the goods reach the hub", at_stage(lambda order: order.scan("hub_in"), 1010)),
    UseCase("a run is planned", _run),
    UseCase("a run is accepted", at_stage(Order.accept_run, 1011)),
    UseCase("a phone hands in a batch", _batch),
    UseCase("a run is accepted without a signal", _run_by_sync),
    UseCase("a phone that was shut out surrenders", _surrendered),
    UseCase("the goods are handed over", at_stage(Order.pod, 1012)),
    UseCase("cash is taken at the door", _cash_pod),
    UseCase("the cash is counted", _cash_count),
    UseCase("a desk gives money back", _desk_refund),
    UseCase("a picture is uploaded", _upload),
    UseCase("the picture of a proof arrives", _picture_after_pod),
    UseCase("a visit is booked", at_stage(Order.book, 1013, key="visit-key-1")),
    UseCase("a visit is completed", at_stage(Order.report, 1014)),
    UseCase("the customer rates", at_stage(Order.feedback, 1015)),
)
