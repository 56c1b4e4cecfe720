"""Who is told to look at his phone, by what happens to his work."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.auth import service as auth
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import dispatch, install, phones, transport, van_down
from doorstep.flows.visit_news import tell_technician
from doorstep.journey.facts import Fact
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.rules import Span
from tests.factories.company import Company
from tests.factories.fleet import make_team
from tests.factories.journeys import place, standing
from tests.factories.phones import a_phone, told
from tests.factories.road import (
    FRESH,
    Road,
    a_parcel,
    make_actor,
    make_technician,
    packed,
)
from tests.factories.sync import Phone

pytestmark = pytest.mark.usefixtures("db")


async def plan(road: Road, *parcels: UUID, who: Actor | None = None) -> dict[str, Any]:
    return await transport.plan_run(
        parcels,
        person_id=(who or road.courier).person_id,
        vehicle="VAN-1",
        planned_on=FRESH,
        actor=road.dispatcher,
    )


async def hear() -> None:
    """Run the jobs that tell; none of them runs twice into another message."""
    for kind, job in (
        ("flows.tell_stop_removed", phones.tell_stop_removed),
        ("flows.tell_capture_rejected", phones.tell_capture_rejected),
        ("flows.tell_technician", tell_technician),
        ("flows.tell_device_command", phones.tell_device_command),
    ):
        for row in await db.rows("SELECT payload FROM outbox WHERE kind = $1 ORDER BY id", kind):
            for _ in range(2):
                await job(row["payload"])


async def test_a_run_is_told_when_it_is_planned_when_work_is_taken_and_when_none_is_left(
    road: Road,
) -> None:
    phone = await a_phone(road.courier.person_id)
    stranger = await a_phone((await make_actor("courier")).person_id)
    parcels = [await a_parcel(road), await a_parcel(road)]
    run = await plan(road, *parcels)
    lane = f"run:{run['id']}"
    assert await told(phone) == [("run_planned", lane)]
    for stop in run["stops"]:
        await transport.remove_stop(stop["id"], actor=road.dispatcher)
        await hear()
    assert await told(phone) == [
        (kind, lane) for kind in ("run_planned", "work_taken", "run_cancelled")
    ]
    assert await told(stranger) == []


async def test_a_shift_is_told_as_a_whole_and_both_crews_when_a_van_is_down(road: Road) -> None:
    down, other = await make_team(road, "VAN-1"), await make_team(road, "VAN-2")
    parcels = [await a_parcel(road), await a_parcel(road)]
    left = [await a_phone(one.person_id) for one in down.people]
    right = [await a_phone(one.person_id) for one in other.people]
    await transport.plan_run(parcels, shift_id=down.shift_id, actor=road.dispatcher)
    assert [len(await told(phone)) for phone in left] == [1, 1]
    await van_down.van_down(
        down.shift_id,
        event_id=uuid7(),
        to_shift_id=other.shift_id,
        reason="a flat tyre",
        actor=road.dispatcher,
    )
    await hear()
    for phone in left:
        # Told after both have gone, so that the last word is the one that counts.
        assert [kind for kind, _ in await told(phone)] == ["run_planned", *["run_cancelled"] * 2]
    for phone in right:
        assert [kind for kind, _ in await told(phone)] == ["run_changed"] * 2


async def test_a_courier_is_told_of_his_manifest(road: Road) -> None:
    phone = await a_phone(road.courier.person_id)
    parcel = await a_parcel(road)
    location_id = await db.value("SELECT location_id FROM fulfilment WHERE id = $1", parcel)
    assert road.courier.person_id
    manifest = await dispatch.give_to_courier(
        [parcel], location_id=location_id, courier_id=road.courier.person_id, actor=road.dispatcher
    )
    assert await told(phone) == [("manifest_given", f"manifest:{manifest['id']}")]


async def test_a_technician_is_told_of_a_visit_when_it_is_booked_moved_and_off(road: Road) -> None:
    technician = await make_technician(road)
    phone = await a_phone(technician.person_id)
    parcel = (await packed(road, ("WM-7KG", 1))).parcels[0]
    visit = await install.book_visit(parcel, actor=road.dispatcher)
    later = visit.starts_at + timedelta(days=1)
    span = Span(later, later + (visit.ends_at - visit.starts_at))
    assert await fsm.move_visit(visit.visit_id, visit.technician_id, span)
    await hear()
    await install.cancel_visit(visit.visit_id, actor=road.dispatcher)
    await hear()
    lane = f"visit:{visit.visit_id}"
    assert await told(phone) == [
        ("visit_booked", lane), ("visit_moved", lane), ("visit_called_off", lane),
    ]  # fmt: skip


async def test_money_that_changes_on_the_way_is_told_to_who_drives_there(company: Company) -> None:
    phone = await a_phone(company.users["delivery"].id)
    order = await place(company, ("MIX-500", 1), method="cod")
    if await db.value("SELECT 1 FROM approval WHERE verdict = 'waiting'"):
        reason = {"event_id": uuid7(), "reason": "known to us"}
        path = f"/console/finance/orders/{order.order_id}/approve"
        await company.send("finance", path, reason)
    await order.go_on(1012)
    stop_id = await db.value("SELECT id FROM delivery_stop WHERE state = 'open'")
    before = await told(phone)
    fact = Fact(
        name="payment_captured", event_id=uuid7(), order_id=order.order_id,
        fulfilment_id=order.parcel, fulfilment={}, actor=Actor.system("test"), attempt=1,
        evidence=(), data={},
    )  # fmt: skip

    async def captured(minor: int) -> int:
        """Let so much of it be paid before the door; count what was told of it."""
        paid = "UPDATE payment_line SET captured_minor = $1 WHERE due = 'at_door'"
        await db.execute(paid, minor)
        fields = {name: getattr(fact, name) for name in fact.__struct_fields__}
        known = len(await told(phone))
        for _ in range(2):
            await phones.tell_drivers_of_money(Fact(**fields | {"event_id": uuid7()}))
        return len(await told(phone)) - known

    assert await captured(100_00) == 0, "the amount is the one they took over with"
    assert await captured(99_00) == 1
    assert await told(phone) == [*before, ("stop_changed", f"stop:{stop_id}")]
    assert await captured(99_00) == 0
    assert await captured(100_00) == 1, "back to what it was is news too"
    await db.execute("UPDATE delivery_stop SET state = 'done', closed_at = now()")
    assert await captured(99_00) == 0, "nobody drives there any more"


async def test_money_that_changes_is_told_at_the_parcel_that_asks_for_less(
    company: Company,
) -> None:
    """Of two parcels that are out the first asks less for what was paid; the other asks as before."""
    phone = await a_phone(company.users["delivery"].id)
    order = await place(company, ("WM-7KG", 1), ("MIX-500", 2), method="cod")
    await db.execute("UPDATE customer SET phone_verified_at = $1", now())
    path = f"/console/finance/orders/{order.order_id}/payment-approval"
    approval = {"event_id": uuid7(), "reason": "A known customer."}
    await company.send("finance", path, approval)
    await company.work()
    for row in await db.rows("SELECT id FROM fulfilment ORDER BY parcel"):
        await replace(order, parcel=row["id"]).go_on(1012)
    stops = await db.rows("SELECT id, told_due_minor FROM delivery_stop WHERE state = 'open'")
    assert sorted(stop["told_due_minor"] for stop in stops) == [100_00, 200_00]
    before = len(await told(phone))
    await db.execute("UPDATE payment_line SET captured_minor = 500 WHERE due = 'at_door'")
    fact = Fact(
        name="payment_captured", event_id=uuid7(), order_id=order.order_id,
        fulfilment_id=order.parcel, fulfilment={}, actor=Actor.system("test"), attempt=1,
        evidence=(), data={},
    )  # fmt: skip
    await phones.tell_drivers_of_money(fact)
    after = await db.rows("SELECT id, told_due_minor FROM delivery_stop WHERE state = 'open'")
    dues = {stop["id"]: stop["told_due_minor"] for stop in after}
    [(kind, lane)] = (await told(phone))[before:]
    changed = next(stop for stop in stops if lane == f"stop:{stop['id']}")
    assert kind == "stop_changed"
    assert dues[changed["id"]] == changed["told_due_minor"] - 500
    assert sum(dues.values()) == 295_00


async def test_a_capture_that_is_rejected_is_told_to_the_phone_it_came_from(
    company: Company,
) -> None:
    user = company.users["delivery"]
    device_id = await db.value("SELECT id FROM device WHERE person_id = $1", user.id)
    await db.execute(
        "INSERT INTO push_subscription SELECT $1, 'https://fcm.googleapis.com/own', p256dh, auth,"
        " NULL, now() FROM push_subscription WHERE device_id = $2",
        device_id,
        await a_phone(user.id),
    )
    phone = Phone(company, "delivery")
    event = phone.event("pod.record", {"stop_id": "none"})
    [receipt] = await phone.push(event)
    assert receipt["verdict"] == "rejected"
    await hear()
    assert await told(device_id) == [("capture_rejected", "captures")]


async def test_a_delivery_that_is_cancelled_on_the_way_is_told_to_its_driver(
    company: Company,
) -> None:
    phone = await a_phone(company.users["delivery"].id)
    order = await standing(company, 1012)
    await db.execute("DELETE FROM push_message")
    run_id = await db.value("SELECT run_id FROM delivery_stop WHERE state = 'open'")
    stop_id = await db.value("SELECT id FROM delivery_stop WHERE state = 'open'")
    await transport.remove_stop(stop_id, actor=Actor.system("test"))
    await company.work()
    assert await told(phone) == [("run_cancelled", f"run:{run_id}")]
    assert order.parcel


@pytest.mark.parametrize(
    ("verdict", "kind"), [("look", "proof_doubtful"), ("failed", "proof_failed")]
)
async def test_a_proof_that_is_doubted_is_told_to_who_took_it(
    road: Road, verdict: str, kind: str
) -> None:
    phone = await a_phone(road.courier.person_id)
    pod = {"id": uuid7(), "stop_id": uuid7(), "person_id": road.courier.person_id, "checks": 0}
    await phones.tell_proof(pod, "passed")
    assert await told(phone) == []
    for _ in range(2):
        await phones.tell_proof(pod, verdict)
    assert await told(phone) == [(kind, f"stop:{pod['stop_id']}")]


async def test_a_phone_is_told_of_each_command_for_it(company: Company) -> None:
    by = Actor.system("test")
    person = company.users["courier"].id
    phone, other = await a_phone(person), await a_phone(person)
    await auth.sign_out_device(phone, by=by)
    await auth.lock_device(phone, by=by)
    await hear()
    assert await told(phone) == [("device_command", "device")] * 2
    assert await told(other) == []
    await auth.revoke_device(phone, by=by)
    await hear()
    assert len(await told(phone)) == 2, "it hears nothing any more"
