"""Work offered on the road over the API: told to the phone, answered by captures, seen by the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from doorstep.core import db as core_db
from doorstep.core.clock import now
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import Order, standing
from tests.factories.pulls import applied, pulled
from tests.factories.sync import Phone


async def offered(company: Company) -> tuple[Order, str]:
    """Offer a parcel to the delivery executive, whose run has begun."""
    await standing(company, 1012)
    order = await standing(company, 1008)
    asked = {"fulfilment_id": order.parcel, "person_ids": [company.users["delivery"].id]}
    made = await ok(company, "dispatcher", "/console/offers", asked, 201)
    return order, made["id"]


async def on_the_phone(company: Company) -> list[dict[str, Any]]:
    """List the offers as the phone gets them."""
    held = applied({}, await pulled(company, "delivery"))
    return [one for (kind, _), one in held.items() if kind == "offer"]


async def end(minutes_ago: int) -> None:
    """Let all offers have ended so long ago."""
    await core_db.execute(
        "UPDATE work_offer SET offered_at = $1::timestamptz - interval '3 minutes', ends_at = $1",
        now() - timedelta(minutes=minutes_ago),
    )


async def test_an_offer_is_told_without_the_customers_door_and_taken_by_a_capture(
    company: Company,
) -> None:
    order, offer_id = await offered(company)
    [told] = await on_the_phone(company)
    assert (told["number"], told["city"], told["state"]) == (order.number, "Dubai", "open")
    assert (told["cash_due_minor"], told["currency"]) == (0, "AED")
    assert "12 Marina Walk" not in str(told) and "Aisha" not in str(told)
    phone = Phone(company, "delivery")
    [receipt] = await phone.push(phone.event("offer.accept", {"offer_id": offer_id}))
    assert receipt["verdict"] == "applied"
    await company.work()
    assert 1012 in await order.passed()
    assert await on_the_phone(company) == []
    stops = [
        s["number"] for run in await company.get("delivery", "/field/runs") for s in run["stops"]
    ]
    assert order.number in stops
    [seen] = await company.get("dispatcher", "/console/offers")
    assert (seen["state"], seen["answers"][0]["outcome"]) == ("taken", "counted")


async def test_what_was_captured_in_time_counts_however_late_it_comes_and_whatever_the_clock(
    company: Company,
) -> None:
    order, offer_id = await offered(company)
    await end(minutes_ago=1)
    # A phone that was enrolled after the end would not be believed.
    await core_db.execute("UPDATE device SET created_at = created_at - interval '1 hour'")
    phone = Phone(company, "delivery")
    heard: dict[str, Any] = {"server_at": now() - timedelta(minutes=3), "server_mono_ms": 0}
    wrong = now() + timedelta(days=9)
    yes = phone.event(
        "offer.accept", {"offer_id": offer_id}, captured_at=wrong, mono_ms=60_000, **heard
    )
    await phone.push(yes)
    await company.work()
    assert 1012 in await order.passed()


async def test_what_is_too_late_by_trusted_time_is_kept_and_told_to_its_person(
    company: Company,
) -> None:
    order, offer_id = await offered(company)
    await end(minutes_ago=2)
    phone = Phone(company, "delivery")
    heard: dict[str, Any] = {"server_at": now() - timedelta(minutes=3), "server_mono_ms": 0}
    early = now() - timedelta(minutes=4)
    yes = phone.event(
        "offer.accept", {"offer_id": offer_id}, captured_at=early, mono_ms=150_000, **heard
    )
    [receipt] = await phone.push(yes)
    assert (receipt["verdict"], receipt["reason"][:8]) == ("applied", "Too late")
    await company.work()
    assert 1012 not in await order.passed()
    # Its end comes with its job, and the person reads what became of the answer.
    await core_db.execute("UPDATE work_offer SET state = 'lapsed', ended_at = now()")
    [told] = await on_the_phone(company)
    assert told["state"] == "too_late"


async def test_a_decline_says_why_and_the_desk_has_it(company: Company) -> None:
    _, offer_id = await offered(company)
    phone = Phone(company, "delivery")
    no = phone.event("offer.decline", {"offer_id": offer_id, "reason": "vehicle_full"})
    [receipt] = await phone.push(no)
    assert receipt["verdict"] == "applied"
    assert await on_the_phone(company) == []
    [seen] = await company.get("dispatcher", "/console/offers")
    assert (seen["state"], seen["answers"][0]["reason"]) == ("declined", "vehicle_full")
