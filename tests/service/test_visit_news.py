"""Technicians are told when a visit of theirs moves, goes to another one, or is off (SPEC J, C14)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.flows import install
from doorstep.flows.visit_news import tell_technician
from doorstep.modules.fsm import service as fsm
from doorstep.modules.fsm.rules import Span
from tests.factories.care import travel
from tests.factories.road import Road, make_technician, packed

pytestmark = pytest.mark.usefixtures("db")


async def reachable(road: Road, phone: str, *languages: str) -> Actor:
    """Add a technician who can be told by SMS and e-mail."""
    technician = await make_technician(road)
    await db.execute(
        "UPDATE person SET phone = $2, languages = $3, login = $2 || '@example.com',"
        " password_hash = 'none' WHERE id = $1",
        technician.person_id,
        phone,
        list(languages),
    )
    return technician


async def booked(road: Road) -> tuple[UUID, dict[str, Any]]:
    parcel = (await packed(road, ("WM-7KG", 1))).parcels[0]
    visit = await install.book_visit(parcel, actor=road.dispatcher)
    return parcel, await db.one(
        "SELECT id, lower(during) AS starts_at, upper(during) - lower(during) AS length FROM visit"
        " WHERE id = $1",
        visit.visit_id,
    )


async def tell() -> list[dict[str, Any]]:
    """Run the jobs, each twice, and tell what the technicians get by SMS."""
    jobs = await db.rows(
        "SELECT payload FROM outbox WHERE kind = 'flows.tell_technician' ORDER BY id"
    )
    for job in [*jobs, *jobs]:
        await tell_technician(job["payload"])
    return await db.rows(
        "SELECT recipient, event, body, language FROM message WHERE channel = 'sms'"
        " AND visit_id IS NOT NULL ORDER BY recipient, event"
    )


async def moved(visit: dict[str, Any], technician: Actor, later: timedelta) -> None:
    assert technician.person_id is not None
    start = visit["starts_at"] + later
    assert await fsm.move_visit(
        visit["id"], technician.person_id, Span(start, start + visit["length"])
    )


async def test_goods_that_come_late_move_the_visit_and_its_technician_hears_of_it_once(
    road: Road,
) -> None:
    await reachable(road, "+971500000001", "ur", "ar")
    await db.execute("UPDATE product SET standing_hours = 6 WHERE sku = 'WM-7KG'")
    parcel, _ = await booked(road)
    await travel(parcel, 1009, 1010, 1012, 1013)
    [told] = await tell()
    assert (told["event"], told["language"]) == ("visit_moved", "ar")
    number = await db.value("SELECT number FROM customer_order")
    assert number in told["body"] and "أصبحت" in told["body"]
    emails = await db.rows(
        "SELECT subject FROM message WHERE channel = 'email' AND visit_id IS NOT NULL"
    )
    assert len(emails) == 1


async def test_of_two_moves_only_the_last_is_news(road: Road) -> None:
    technician = await reachable(road, "+971500000001", "en")
    _, visit = await booked(road)
    await moved(visit, technician, timedelta(days=1))
    await moved(visit, technician, timedelta(days=2))
    [told] = await tell()
    last = (visit["starts_at"] + timedelta(days=2)).astimezone(ZoneInfo("Asia/Dubai"))
    expected = last.strftime("%A %-d %B, %H:%M")
    assert told["event"] == "visit_moved" and expected in told["body"]


async def test_when_another_takes_it_over_both_hear_of_it(road: Road) -> None:
    first = await reachable(road, "+971500000001", "en")
    _, visit = await booked(road)
    second = await reachable(road, "+971500000002", "hi")
    assert first != second
    await moved(visit, second, timedelta(days=1))
    assert [(one["recipient"], one["event"], one["language"]) for one in await tell()] == [
        ("+971500000001", "visit_called_off", "en"),
        ("+971500000002", "visit_moved", "hi"),
    ]


async def test_a_visit_that_is_off_is_told_and_its_move_before_is_not(road: Road) -> None:
    technician = await reachable(road, "+971500000001", "en")
    _, visit = await booked(road)
    await moved(visit, technician, timedelta(days=1))
    await install.cancel_visit(visit["id"], actor=road.dispatcher)
    [told] = await tell()
    assert told["event"] == "visit_called_off" and "Do not drive there" in told["body"]


async def test_a_technician_without_phone_and_address_is_not_written_to(road: Road) -> None:
    technician = await make_technician(road)
    _, visit = await booked(road)
    await moved(visit, technician, timedelta(days=1))
    assert await tell() == []
    assert await db.value("SELECT count(*) FROM visit WHERE lower(during) > $1", now()) == 1
