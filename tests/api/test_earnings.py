"""What finished work earns: one line each by the rate that held, taken back and given again (§6.15)."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from typing import Any

import httpx

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.api.test_appeals import WORDS, close, refused
from tests.factories import floor
from tests.factories.captures import capture
from tests.factories.company import Company, strangers
from tests.factories.crews import crewed
from tests.factories.floor import later, ok
from tests.factories.journeys import place, standing
from tests.factories.mishaps import failed_attempt
from tests.factories.pulls import Pocket
from tests.factories.steps import healthy
from tests.factories.sync import Phone

RATES, OWN, DECIDE = "/console/earning-rates", "/field/earnings", "/console/earnings/decisions"
HOUR = timedelta(hours=1)


def rate(company: Company, kind: str = "delivery", amount: int = 12_50, **other: Any) -> Any:
    said = {"channel_id": company.world.channel_id, "kind": kind, "amount_minor": amount}
    return said | {"reason": "Agreed with the crews."} | other


async def set_rate(company: Company, kind: str = "delivery", amount: int = 12_50, **o: Any) -> str:
    answer = await ok(company, "finance", RATES, rate(company, kind, amount, **o), 201)
    await company.work()
    return str(answer["id"])


async def own(company: Company, who: str = "delivery") -> list[tuple[str, int, str]]:
    """The person's lines in their order: kind, amount, reason."""
    found = await company.get(who, OWN)
    lines = [line for day in found["days"] for line in day["lines"]]
    return [(line["kind"], line["amount_minor"], line["reason"]) for line in lines]


def period(**other: Any) -> dict[str, str]:
    today = now().date()
    return {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))} | other


async def read(company: Company, path: str, who: str = "finance", **other: Any) -> httpx.Response:
    headers = company.users[who].headers
    return await company.http.get(path, params=period(**other), headers=headers)


async def test_a_delivery_earns_once_by_the_rate_that_held_and_the_desk_exports_it(
    company: Company,
) -> None:
    assert await company.get("delivery", OWN) == {"rates": [], "days": []}
    await set_rate(company)
    again = await set_rate(company)
    assert again == await set_rate(company), "the same rate again is no new version"
    order = await standing(company, 1012)
    proof = await order.pod()
    answers = await asyncio.gather(order.take(proof), order.take(proof))
    assert [answer.status_code for answer in answers] == [200, 200]
    await set_rate(company, amount=15_00)
    await company.work()
    assert await own(company) == [("delivery", 12_50, "done")]
    assert await own(company, "courier") == []
    told = await company.get("delivery", OWN)
    assert [(one["kind"], one["amount_minor"], one["currency"]) for one in told["rates"]] == [
        ("delivery", 15_00, "AED")
    ]
    [line] = told["days"][0]["lines"]
    assert line["number"] == await db.value("SELECT number FROM customer_order")
    [first, second] = await company.get("finance", RATES)
    assert [first["version"], second["version"]] == [2, 1]

    person = company.users["delivery"].id
    [earned] = (await read(company, "/console/earnings")).json()
    assert (earned["person_id"], earned["amount_minor"], earned["pieces"]) == (
        str(person), 12_50, 1,
    )  # fmt: skip
    [one] = (await read(company, "/console/earnings/lines", person_id=str(person))).json()
    assert (one["rate_version"], one["reason"], one["amount_minor"]) == (1, "done", 12_50)
    exported = await read(company, "/console/earnings/export")
    assert exported.headers["content-type"].startswith("text/csv")
    [row] = csv.DictReader(io.StringIO(exported.content.decode("utf-8-sig")))
    assert (row["amount"], row["currency"], row["kind"]) == ("12.50", "AED", "delivery")
    assert (row["person"], row["work_id"]) == (one["person"], one["work_id"])
    await healthy()


async def test_who_works_elsewhere_sees_nothing_of_it(company: Company) -> None:
    await set_rate(company)
    order = await standing(company, 1013)
    work_id = await db.value("SELECT id FROM pod WHERE fulfilment_id = $1", order.parcel)
    for user in (await strangers(company)).values():
        company.users["stranger"] = user
        if user.role == "finance":
            assert (await read(company, "/console/earnings", "stranger")).json() == []
            exported = await read(company, "/console/earnings/export", "stranger")
            assert exported.content.decode("utf-8-sig").count("\n") == 1
            said = {"event_id": uuid7(), "work_id": work_id, "earns": False, "reason": "Not mine."}
            assert (await company.send("stranger", DECIDE, said)).status_code == 404
            assert (await company.send("stranger", RATES, rate(company))).status_code == 404
        elif user.role == "delivery":
            assert await own(company, "stranger") == []
    assert [amount for _, amount, _ in await own(company)] == [12_50]


async def test_a_door_that_failed_first_earns_for_what_it_came_to(company: Company) -> None:
    await set_rate(company, "failed_attempt", 4_00)
    await set_rate(company)
    order = await standing(company, 1012)
    proof = await order.pod()
    await failed_attempt(order)
    assert await own(company) == [("failed_attempt", 4_00, "done")]
    # The same door after all, while the office still had it as failed.
    await order.take(proof)
    await company.work()
    assert sorted(await own(company)) == [
        ("delivery", 12_50, "done"),
        ("failed_attempt", -4_00, "replaced"),
        ("failed_attempt", 4_00, "done"),
    ]
    await healthy()


async def test_what_a_desk_does_not_accept_is_taken_back_and_given_again_when_it_is(
    company: Company,
) -> None:
    await set_rate(company)
    order, path = await refused(company)
    assert await own(company) == [("delivery", 12_50, "done")], "in question is not refused"
    await close(company, "The customer has nothing.")
    assert await own(company) == [
        ("delivery", 12_50, "done"),
        ("delivery", -12_50, "not_accepted"),
    ]
    await ok(company, "delivery", path, capture(words=WORDS))
    assert len(await own(company)) == 2, "an appeal by itself gives nothing back"
    await ok(company, "dispatcher", path.replace("field", "console").replace("appeals", "accept"),
             {"reason": "The neighbour had it."})  # fmt: skip
    assert await own(company) == [
        ("delivery", 12_50, "done"),
        ("delivery", -12_50, "not_accepted"),
        ("delivery", 12_50, "given_back"),
    ]
    assert 1013 in await order.passed()
    await healthy()


async def test_a_proof_that_lacks_something_earns_once_it_counts(company: Company) -> None:
    await set_rate(company)
    _order, path = await refused(company, scanned_labels=[])
    assert await own(company) == []
    await close(company, "Never scanned.")
    assert await own(company) == []
    await ok(company, "delivery", path, capture(words=WORDS))
    await ok(company, "dispatcher", path.replace("field", "console").replace("appeals", "accept"),
             {"reason": "It was torn off."})  # fmt: skip
    assert await own(company) == [("delivery", 12_50, "done")]
    await healthy()


async def test_a_desk_takes_back_what_was_amended_away_and_is_read_by_whoever_did_it(
    company: Company,
) -> None:
    await set_rate(company)
    await standing(company, 1013)
    pod = await db.value("SELECT id FROM pod")
    said = {"event_id": uuid7(), "work_id": pod, "earns": False, "reason": "It was another door."}
    for _ in range(2):
        await ok(company, "dispatcher", DECIDE, said)
    found = await company.get("delivery", OWN)
    assert [one["words"] for one in found["days"][0]["lines"]] == ["", "It was another door."]
    assert await own(company) == [("delivery", 12_50, "done"), ("delivery", -12_50, "decided")]
    other = await company.send("dispatcher", DECIDE, said | {"earns": True})
    assert other.json()["type"].endswith("event-id-reused")
    await ok(company, "finance", DECIDE, said | {"event_id": uuid7(), "earns": True})
    assert [reason for _, _, reason in await own(company)] == ["done", "decided", "decided"]
    strange = said | {"event_id": uuid7(), "work_id": uuid7()}
    assert (await company.send("dispatcher", DECIDE, strange)).status_code == 404
    await healthy()


async def test_installations_failed_visits_and_pickups_earn_by_their_own_rates(
    company: Company,
) -> None:
    for kind, amount in (("installation", 40_00), ("failed_visit", 15_00), ("pickup", 6_00)):
        await set_rate(company, kind, amount)
    await standing(company, 1015)
    assert await own(company, "technician") == [("installation", 40_00, "done")]
    order = await place(company, ("WM-7KG", 1))
    await order.go_on(1014)
    visit = await db.value("SELECT id FROM visit WHERE fulfilment_id = $1", order.parcel)
    body = floor.capture(reason="site_not_ready")
    await ok(company, "technician", f"/field/visits/{visit}/failed", body)
    assert ("failed_visit", 15_00, "done") in await own(company, "technician")
    order = await standing(company, 1008)
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    taken = capture(counted=1)
    for _ in range(2):
        await ok(company, "courier", f"/field/manifests/{made['id']}/confirm", taken)
    assert await own(company, "courier") == [("pickup", 6_00, "done")]
    await healthy()


async def test_hours_of_a_shift_are_those_between_its_opening_and_its_end(
    company: Company, clock: Any
) -> None:
    await set_rate(company, "shift_hour", 20_00)
    for hours, reads in ((7.5, [150_00]), (30, [150_00])):
        van = f"VAN-{round(hours)}"
        helper = await company.join("delivery")
        company.users["helper"] = helper
        shift_id = await crewed(company, van, helper.id)
        await later(company, clock, timedelta(hours=hours))
        ended = {"event_id": uuid7(), "explanations": []}
        for _ in range(2):
            await ok(company, "delivery", f"/field/shifts/{shift_id}/close", ended)
        found = await own(company)
        assert [amount for _, amount, _ in found] == reads, (
            "a shift left open says nothing of hours"
        )
        assert [amount for _, amount, _ in await own(company, "helper")] == (
            reads if hours < 24 else []
        )
    said = {
        "event_id": uuid7(),
        "work_id": ended["event_id"],
        "earns": True,
        "reason": "All night.",
    }
    await ok(company, "finance", DECIDE, said)
    assert [amount for _, amount, _ in await own(company)] == [150_00, 600_00]
    await healthy()


async def test_a_first_rate_may_begin_earlier_and_a_later_one_changes_nothing_earned(
    company: Company,
) -> None:
    await standing(company, 1013)
    await set_rate(company, valid_from=(now() - timedelta(days=61)).isoformat())
    assert await own(company) == [("delivery", 12_50, "done")]
    await healthy()
    before = (now() - HOUR).isoformat()
    refused = await company.send("finance", RATES, rate(company, amount=1, valid_from=before))
    assert refused.json()["type"].endswith("rate-begins-too-early")
    await set_rate(company, amount=0)
    assert (await company.get("delivery", OWN))["rates"] == []
    await standing(company, 1013)
    assert await own(company) == [("delivery", 12_50, "done")]
    await healthy()


async def test_a_clock_that_is_set_forward_earns_nothing_by_the_rate_of_tomorrow(
    company: Company,
) -> None:
    """The phone's time counts as far as it is possible: never outside of what the server knows (IC6)."""
    await set_rate(company)
    tomorrow = (now() + timedelta(days=1)).isoformat()
    await set_rate(company, amount=99_00, valid_from=tomorrow)
    order = await standing(company, 1012)
    step = await order.pod()
    body = step.body | {"captured_at": (now() + timedelta(days=2)).isoformat()}
    phone = Phone(company, "delivery")
    [receipt] = await phone.push(phone.of(step.path, body))
    assert receipt["verdict"] == "applied", receipt
    assert await own(company) == [("delivery", 12_50, "done")]
    assert await db.value("SELECT worked_at <= made_at FROM earning_line")
    await healthy()


async def test_a_phone_holds_each_day_by_itself_and_is_sent_only_the_one_that_changed(
    company: Company,
) -> None:
    pocket = Pocket(company, "delivery")
    await pocket.pull()
    assert (pocket.of("earning_rates"), pocket.of("earned_day")) == ([], [])
    await set_rate(company)
    await standing(company, 1013)
    await pocket.pull()
    [day] = pocket.of("earned_day")
    assert [line["amount_minor"] for line in day["lines"]] == [12_50]
    [rates] = pocket.of("earning_rates")
    assert [one["kind"] for one in rates["rates"]] == ["delivery"]


async def test_a_period_is_whole_days_and_not_endless(company: Company) -> None:
    today = now().date()
    for last in (today - timedelta(days=2), today + timedelta(days=99)):
        answer = await read(company, "/console/earnings", to=str(last))
        assert answer.json()["type"].endswith("period-too-long")
