"""The proof of the pull: what a phone had, changed by the answer, is what a fresh phone gets.

Whole orders are played through the real doors in a drawn interleaving, detours too. After every
step every phone asks, with its newest cursor, an older one or none, as after answers that were
lost; whatever it asked with, it must end with exactly the documents of an empty phone.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.factories.captures import capture
from tests.factories.company import Company, session_of
from tests.factories.crews import crewed
from tests.factories.floor import announced, beep, ok
from tests.factories.journeys import DEEDS, Order, place
from tests.factories.mishaps import failed_attempt, kept
from tests.factories.pulls import Documents, applied, pulled
from tests.factories.steps import healthy

SEED = int(os.environ.get("PULL_SEED") or 7)
PEOPLE = ("delivery", "delivery's second phone", "courier", "technician", "warehouse")
REMEMBERED = 8
"""Answers that a phone may ask with again: more than the server keeps, so that some are too old."""

Play = Callable[[Company], AsyncIterator[str]]


async def _on(order: Order, until: int) -> AsyncIterator[str]:
    for code, deed in DEEDS.items():
        if code <= until and code not in await order.passed():
            await deed(order)
            yield f"{order.number} {code}"


async def whole_order(company: Company) -> AsyncIterator[str]:
    order = await place(company)
    async for step in _on(order, 1018):
        yield step


async def nobody_home_twice(company: Company) -> AsyncIterator[str]:
    order = await place(company, ("WM-7KG", 1))
    async for step in _on(order, 1012):
        yield step
    for _ in range(2):
        await failed_attempt(order)
        yield f"{order.number} nobody home"
        await order.take_well(await order.accept_run())
        yield f"{order.number} out again"
    async for step in _on(order, 1014):
        yield step


async def picked_wrongly(company: Company) -> AsyncIterator[str]:
    order = await place(company)
    async for step in _on(order, 1005):
        yield step
    path = f"/field/fulfilments/{order.parcel}/repick"
    await ok(company, "warehouse", path, capture(words="The wrong one."))
    yield f"{order.number} picked anew"
    async for step in _on(order, 1008):
        yield step
    body = {
        "location_id": company.world.warehouse_id, "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }  # fmt: skip
    made = await ok(company, "dispatcher", "/console/manifests", body, 201)
    yield f"{order.number} waits for its courier"
    await ok(company, "courier", f"/field/manifests/{made['id']}/confirm", capture(counted=2))
    yield f"{order.number} fetched"


async def cancelled_on_the_way(company: Company) -> AsyncIterator[str]:
    order = await place(company, ("KET-17", 2))
    async for step in _on(order, 1012):
        yield step
    body = {"event_id": uuid7(), "reason": "customer", "words": "Changed her mind."}
    await ok(company, "support", f"/console/orders/{order.order_id}/cancel", body)
    await company.work()
    yield f"{order.number} cancelled"


async def a_part_by_a_crew(company: Company) -> AsyncIterator[str]:
    shift = await crewed(company, f"VAN-{uuid7().hex[-4:]}")
    yield "a shift begins"
    order = await place(company, ("KET-17", 3))
    order.shift_id = shift
    async for step in _on(order, 1012):
        yield step
    back = [await kept(order, "KET-17", 1, "refused")]
    await order.take_well(await order.pod(kept_back=back))
    yield f"{order.number} delivered in part"
    close = {"event_id": uuid7(), "explanations": []}
    answer = await company.send("delivery", f"/field/shifts/{shift}/close", close)
    if answer.status_code == 409:
        close["explanations"] = [
            {
                "fulfilment_id": parcel["fulfilment_id"],
                "reason": "at_hub",
                "words": "At the desk.",
            }
            for parcel in answer.json()["parcels"]
        ]
        await ok(company, "delivery", f"/field/shifts/{shift}/close", close)
    await company.work()
    yield "the shift is over"


async def a_visit_for_nothing(company: Company) -> AsyncIterator[str]:
    order = await place(company, ("WM-7KG", 1))
    async for step in _on(order, 1014):
        yield step
    visit = "SELECT id FROM visit WHERE fulfilment_id = $1 AND state = 'booked'"
    path = f"/field/visits/{await core_db.value(visit, order.parcel)}"
    await ok(company, "technician", f"{path}/start", capture())
    yield f"{order.number} begun"
    await ok(company, "technician", f"{path}/failed", capture(reason="not_home", words="Nobody."))
    await company.work()
    yield f"{order.number} visited for nothing"
    await ok(
        company, "dispatcher",
        f"/console/visits/{await core_db.value(visit, order.parcel)}/cancel", {},
    )  # fmt: skip
    yield f"{order.number} called off"
    await order.take_well(await order.book())
    yield f"{order.number} booked anew"


async def a_day_on_the_floor(company: Company) -> AsyncIterator[str]:
    arrival = await announced(company, ("KET-17", 2), ("MIX-500", 1), owner_id=None)
    yield "goods are announced"
    path = f"/field/arrivals/{arrival}"
    scans = {"scans": [beep("6291100000024", quantity=2)]}
    await ok(company, "warehouse", f"{path}/scans", scans)
    yield "goods are scanned in"
    await ok(company, "warehouse", f"{path}/finish", capture())
    yield "a part is booked"
    await ok(company, "warehouse", f"{path}/scans", {"scans": [beep("6291100000031")]})
    await ok(company, "warehouse", f"{path}/finish", capture())
    yield "all is booked"
    count = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "skus": ["MIX-500"],
        "why": "A customer was told wrong.",
    }  # fmt: skip
    made = await ok(company, "dispatcher", "/console/counts", count, 201)
    yield "a count is opened"
    counts = await company.get("warehouse", "/field/counts")
    lines = next(one for one in counts if one["id"] == made["id"])["lines"]
    entries = {"entries": [capture(line_id=line["id"], quantity=20) for line in lines]}
    await ok(company, "warehouse", f"/field/counts/{made['id']}/entries", entries)
    yield "shelves are counted"
    items = (await company.get("warehouse", "/field/shift-checklist"))["items"]
    answers = [{"code": item["code"], "ok": True} for item in items]
    await ok(company, "warehouse", "/field/shift-checklist", capture(answers=answers))
    yield "the checklist is answered"


PLAYS: tuple[Play, ...] = (
    whole_order, nobody_home_twice, picked_wrongly, cancelled_on_the_way, a_part_by_a_crew,
    a_visit_for_nothing, a_day_on_the_floor,
)  # fmt: skip


@dataclass
class Holder:
    """A phone, and all that it has held of late."""

    company: Company
    who: str
    draw: random.Random
    held: list[tuple[str | None, Documents]] = field(default_factory=lambda: [(None, {})])
    seen: Counter[str] = field(default_factory=Counter)

    async def asks(self, step: str) -> None:
        """Ask with any cursor of late; end with what a fresh phone has."""
        newest = len(self.held) - 1
        asked_with = newest if self.draw.random() < 0.6 else self.draw.randint(0, newest)
        since, before = self.held[asked_with]
        answer = await pulled(self.company, self.who, since)
        state = applied(before, answer)
        fresh = applied({}, await pulled(self.company, self.who))
        assert state == fresh, (step, self.who, since, answer)
        assert answer["full"] or answer["since"] == since
        if answer["cursor"] == since:
            assert (answer["upserts"], answer["tombstones"]) == ([], [])
        self.seen["full" if answer["full"] else "delta"] += 1
        self.seen["upserts"] += 0 if answer["full"] else len(answer["upserts"])
        self.seen["tombstones"] += len(answer["tombstones"])
        lost_on_the_way = self.draw.random() < 0.3
        if not lost_on_the_way:
            self.held = [*self.held, (answer["cursor"], state)][-REMEMBERED:]


async def _step(plays: dict[str, AsyncIterator[str]], draw: random.Random) -> str | None:
    """Go one step on in one of the plays; None when it has come to its end."""
    name = draw.choice(sorted(plays))
    try:
        return await anext(plays[name])
    except StopAsyncIteration:
        del plays[name]
        return None


async def test_what_a_phone_had_and_the_answer_are_what_a_fresh_phone_gets(
    company: Company, record_property: Any
) -> None:
    draw = random.Random(SEED)
    same = company.users["delivery"]
    company.users[PEOPLE[1]] = replace(same, headers=await session_of(same.id, "phone"))
    phones = [Holder(company, who, draw) for who in PEOPLE]
    plays = {play.__name__: play(company) for play in PLAYS}
    steps = 0
    while plays:
        step = await _step(plays, draw)
        if step is None:
            continue
        steps += 1
        for phone in phones:
            await phone.asks(step)
    await healthy()
    seen = sum((phone.seen for phone in phones), Counter[str]())
    record_property(
        "counts",
        f"pull replay: seed {SEED}, {steps} steps, {len(phones)} phones, "
        + ", ".join(f"{many} {what}" for what, many in sorted(seen.items())),
    )
    for phone in phones:
        assert phone.seen["upserts"] and phone.seen["delta"], phone.who
    assert seen["tombstones"] > len(PLAYS)
