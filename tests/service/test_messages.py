"""What customers and vendors are told: rows with the fact, one per message (IQ1, IQ3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest

from doorstep import journey, ports
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows import notify
from doorstep.modules.messages import jobs
from tests.factories.care import Postbox, Travelling, outside, pass_stage, place, reacting, travel
from tests.factories.world import an_order


@pytest.fixture(autouse=True)
def _bound() -> Any:
    with reacting():
        yield


@pytest.fixture
async def postbox() -> AsyncIterator[Postbox]:
    box = Postbox()
    with outside(messenger=box):
        yield box


async def confirm(order: Travelling) -> None:
    """Run the reactions of 1001 as the intake's job does."""
    await journey.announce(
        "1001",
        order.parcels,
        actor=Actor.system("flows.order_placed"),
        data={"how": "done", "tracking_token": order.token},
    )


async def messages(db: Any, event: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = await db.rows(
        "SELECT * FROM message WHERE event = $1 ORDER BY channel", event
    )
    return rows


async def deliver_all(db: Any) -> None:
    for row in await db.rows("SELECT payload FROM outbox WHERE kind = 'messages.deliver'"):
        await jobs.deliver(row["payload"])


async def test_the_first_message_is_one_row_per_channel_with_its_job(db: Any) -> None:
    order = await place()
    await confirm(order)
    email, sms = await messages(db, "1001")
    assert (sms["recipient"], email["recipient"]) == ("+971501234567", "aisha@example.com")
    assert email["subject"] == f"Order {order.number}: Order Confirmed"
    assert "Customer order successfully received." in sms["body"] and order.number in sms["body"]
    assert sms["fulfilment_id"] is None and sms["state"] == "queued"
    jobs_waiting = await db.rows("SELECT payload FROM outbox WHERE kind = 'messages.deliver'")
    assert {row["payload"]["message_id"] for row in jobs_waiting} == {
        str(email["id"]), str(sms["id"])
    }  # fmt: skip


async def test_an_order_of_two_parcels_is_confirmed_once(db: Any) -> None:
    order = await place(("WM-7KG", 1), ("MIX-500", 1))
    assert len(order.parcels) == 2
    await confirm(order)
    await confirm(order)
    assert len(await messages(db, "1001")) == 2
    assert await db.value("SELECT count(*) FROM outbox WHERE kind = 'messages.deliver'") == 2


async def test_each_parcel_tells_of_itself_and_once_only(db: Any) -> None:
    order = await place(("WM-7KG", 1), ("MIX-500", 1))
    for parcel in order.parcels:
        await travel(parcel, 1002, 1003, 1004, 1005)
    picked = await messages(db, "1005")
    assert {row["fulfilment_id"] for row in picked} == set(order.parcels)
    assert [row["channel"] for row in picked] == ["email", "email"]
    assert len(await messages(db, "1002")) == 2  # One order, two channels.


async def test_1004_and_1017_are_never_told(db: Any) -> None:
    order = await place(("KET-17", 1))
    await travel(order.parcels[0], 1002, 1003, 1004)
    assert await messages(db, "1004") == []


async def test_what_a_later_scan_implies_is_not_told(db: Any) -> None:
    order = await place(("KET-17", 1))
    await travel(order.parcels[0], *range(1002, 1009))
    actor = Actor.system("carrier", source="carrier")
    proof = [journey.Evidence("carrier_event", "x")]
    await journey.advance(uuid7(), order.parcels[0], 1012, actor=actor, evidence=proof)
    assert await messages(db, "1009") == [] == await messages(db, "1010")
    assert len(await messages(db, "1012")) == 2


async def test_the_customers_language_is_spoken(db: Any) -> None:
    order = an_order(("KET-17", 1))
    arabic = msgspec.structs.replace(order.customer, language="ar")
    placed = await place(order=msgspec.structs.replace(order, customer=arabic))
    await confirm(placed)
    _, sms = await messages(db, "1001")
    assert sms["language"] == "ar" and "تم استلام طلب العميل بنجاح." in sms["body"]


async def test_cash_on_delivery_is_told_with_its_amount(db: Any) -> None:
    order = await place(order=an_order(("KET-17", 1), method="cod", price_minor=314800))
    await travel(order.parcels[0], 1002)
    _, sms = await messages(db, "1002")
    assert "To pay at the door: AED 3,148.00." in sms["body"]


async def test_a_customer_without_email_gets_the_sms_alone(db: Any) -> None:
    order = an_order(("KET-17", 1))
    reachable = msgspec.structs.replace(order.customer, email="")
    await confirm(await place(order=msgspec.structs.replace(order, customer=reachable)))
    assert [row["channel"] for row in await messages(db, "1001")] == ["sms"]


async def test_the_link_is_sent_and_then_known_to_nobody(db: Any, postbox: Postbox) -> None:
    order = await place(("KET-17", 1))
    await confirm(order)
    await deliver_all(db)
    assert {channel for _, channel, _, _ in postbox.sent} == {"sms", "email"}
    assert all(order.token in body for *_, body in postbox.sent)
    stored = await messages(db, "1001")
    assert all(row["state"] == "sent" and row["provider_id"] for row in stored)
    assert all(row["secret"] is None and order.token not in row["body"] for row in stored)


async def test_a_delivery_that_runs_twice_sends_once(db: Any, postbox: Postbox) -> None:
    await confirm(await place(("KET-17", 1)))
    await deliver_all(db)
    await deliver_all(db)
    assert len(postbox.sent) == 2


async def test_a_messenger_out_of_reach_leaves_the_message_queued(
    db: Any, postbox: Postbox
) -> None:
    await confirm(await place(("KET-17", 1)))
    postbox.failure = ports.OutsideUnavailable("busy")
    with pytest.raises(ports.OutsideUnavailable):
        await deliver_all(db)
    assert {row["state"] for row in await messages(db, "1001")} == {"queued"}


async def test_a_refused_message_is_given_up_and_becomes_a_problem(
    db: Any, postbox: Postbox
) -> None:
    await confirm(await place(("KET-17", 1)))
    postbox.failure = ports.OutsideRefused("no such number", system="sms")
    await deliver_all(db)
    stored = await messages(db, "1001")
    assert {row["state"] for row in stored} == {"failed"}
    assert all(row["secret"] is None for row in stored)
    refs = await db.rows("SELECT payload FROM outbox WHERE kind = 'helpdesk.open_problem'")
    assert {row["payload"]["ref"] for row in refs} == {str(row["id"]) for row in stored}


async def test_the_handover_code_goes_by_sms_and_is_forgotten(db: Any, postbox: Postbox) -> None:
    order = await place(("KET-17", 1))
    payload = {
        "order_id": str(order.order_id),
        "fulfilment_id": str(order.parcels[0]),
        "secret": "482915",
    }
    await notify.tell_handover_code(payload)
    await notify.tell_handover_code(payload)
    await deliver_all(db)
    ((_, channel, to, body),) = postbox.sent
    assert (channel, to) == ("sms", "+971501234567") and "482915" in body
    (stored,) = await messages(db, "handover_code")
    assert stored["secret"] is None and "482915" not in stored["body"]


async def test_a_rolled_back_step_tells_nobody(db: Any) -> None:
    order = await place(("KET-17", 1))
    with pytest.raises(RuntimeError, match="crash"):
        async with db.unit_of_work():
            await pass_stage(order.parcels[0], 1002)
            raise RuntimeError("crash")
    assert await messages(db, "1002") == []


async def purchase_order(db: Any, order: Travelling, po_id: UUID) -> None:
    await db.execute(
        "INSERT INTO purchase_order (id, vendor_id, order_id, fulfilment_id, currency,"
        " total_minor, state, created_at)"
        " VALUES ($1, $2, $3, $4, 'AED', 100001, 'draft', now())",
        po_id,
        order.world.vendor_id,
        order.order_id,
        order.parcels[0],
    )


async def test_a_vendor_is_written_to_about_the_purchase_order(db: Any) -> None:
    order = await place(("KET-17", 1))
    po_id = uuid7()
    await purchase_order(db, order, po_id)
    payload = {
        "vendor_id": str(order.world.vendor_id),
        "po_id": str(po_id),
        "template": "po_sent",
    }
    await notify.tell_vendor(payload)
    await notify.tell_vendor(payload)
    (stored,) = await messages(db, "po_sent")
    assert stored["recipient"] == "po@gulf.example" and "AED 1,000.01" in stored["body"]


async def test_a_vendor_without_email_becomes_a_problem(db: Any) -> None:
    order = await place(("KET-17", 1))
    po_id = uuid7()
    await purchase_order(db, order, po_id)
    await db.execute("UPDATE vendor SET email = ''")
    await notify.tell_vendor(
        {"vendor_id": str(order.world.vendor_id), "po_id": str(po_id), "template": "po_sent"}
    )
    assert await messages(db, "po_sent") == []
    assert await db.value("SELECT kind FROM problem") == "vendor_unreachable"
