"""The visit that answers a claim: the technician sees the photos, the customer moves it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from doorstep.core import db as core_db
from doorstep.flows.install import LEAD
from tests.factories.at_the_page import at_page, step, times_in
from tests.factories.captures import capture
from tests.factories.claiming import CLAIM, claimed, done
from tests.factories.company import Company
from tests.factories.floor import later
from tests.factories.journeys import Order
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.support.visitor import Form, Visitor, browser, forms_of, words_of


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def repair(order: Order) -> dict[str, Any]:
    return await core_db.one(
        "SELECT id, technician_id, lower(during) AS at, moves, state FROM visit"
        " WHERE fulfilment_id = $1 AND purpose = 'warranty'",
        order.parcel,
    )


async def other_technician(company: Company) -> str:
    """Have another technician of the channel, who knows all that the first one does."""
    user = await company.join("technician", channel_ids=[company.world.channel_id])
    company.users["other technician"] = user
    await core_db.execute(
        "INSERT INTO technician (person_id, channel_id, skills, hours)"
        " SELECT $1, channel_id, skills, hours FROM technician LIMIT 1",
        user.id,
    )
    return "other technician"


# --- The photos -----------------------------------------------------------------------------------


async def test_the_technician_sees_what_the_customer_has_photographed(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order), photos=2)
    [card] = await company.get("technician", "/field/visits")
    photos = await company.get("technician", f"/field/visits/{card['id']}/claim-photos")
    assert len(photos) == card["claim"]["photos"] == 2
    for photo in photos:
        small = Image.open(BytesIO(b64decode(photo["small"])))
        assert (small.format, max(small.size)) == ("JPEG", 320)
        large = await company.http.get(photo["large_url"])
        assert (large.status_code, large.headers["content-type"]) == (200, "image/jpeg")


async def test_a_claim_without_photos_has_none(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order))
    visit = (await repair(order))["id"]
    assert await company.get("technician", f"/field/visits/{visit}/claim-photos") == []


async def test_the_photos_are_for_whoever_has_the_visit_and_until_it_is_over(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order), photos=1)
    visit = (await repair(order))["id"]
    path = f"/field/visits/{visit}/claim-photos"
    other = await other_technician(company)

    async def sees(who: str) -> int:
        answer = await company.http.get(path, headers=company.users[who].headers)
        assert (answer.status_code == 200) == (len(answer.json()) == 1 and "small" in answer.text)
        return answer.status_code

    assert (await sees("technician"), await sees(other)) == (200, 404)
    assert await sees("delivery") == 403
    # Another one goes there now: the first has nothing to look at any more.
    await core_db.execute(
        "UPDATE visit SET technician_id = $2 WHERE id = $1", visit, company.users[other].id
    )
    assert (await sees("technician"), await sees(other)) == (404, 200)
    body = capture() | {"reason": "not_home", "words": "Nobody opens.", "photos": []}
    answer = await company.send(other, f"/field/visits/{visit}/failed", body)
    assert answer.status_code == 200, answer.text
    assert await sees(other) == 404


# --- Another time ---------------------------------------------------------------------------------


async def moving(visitor: Visitor, order: Order, address: str) -> str:
    """Follow the link of the claimed piece to the times that are free."""
    number = await core_db.value(
        "SELECT w.number FROM warranty w JOIN warranty_claim c ON c.warranty_id = w.id"
    )
    claim = await step(visitor, address, CLAIM)
    path = f"{address}/parcels/1/repairs/{number}"
    assert f'href="{path}?' in claim, "no link leads there"
    return await visitor.read(path)


async def test_a_repair_is_moved_to_a_free_time_and_confirmed_once(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    await claimed(visitor, address)
    before = await repair(order)
    page = await moving(visitor, order, address)
    assert "Choose another time for the technician" in words_of(page)
    wished = times_in(page)[-1]
    for _ in range(2):
        after = await visitor.do(forms_of(page)["step"], start=wished)
        assert "The technician comes at the time you chose." in words_of(after)
    visit = await repair(order)
    assert (visit["at"].isoformat(), visit["moves"], visit["state"]) == (wished, 1, "booked")
    assert visit["id"] == before["id"] and visit["technician_id"] == before["technician_id"]
    told = "SELECT count(*) FROM message WHERE event = 'visit_chosen' AND channel = 'email'"
    assert await core_db.value(told) == 2
    await company.work()
    moved = "SELECT count(*) FROM outbox WHERE payload->>'event' = 'visit_moved'"
    assert await core_db.value(moved) == 1
    # The claim is what it was.
    assert await core_db.rows("SELECT state, type FROM ticket") == [
        {"state": "open", "type": "warranty"}
    ]
    await healthy()


async def test_another_technician_takes_it_where_the_first_is_not_free(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    await claimed(visitor, address)
    page = await moving(visitor, order, address)
    wished = times_in(page)[-1]
    other = await other_technician(company)
    await core_db.execute("UPDATE technician SET active = person_id = $1", company.users[other].id)
    await visitor.do(forms_of(page)["step"], start=wished)
    visit = await repair(order)
    assert (visit["technician_id"], visit["at"].isoformat()) == (company.users[other].id, wished)
    await healthy()


async def test_a_time_that_was_taken_meanwhile_is_refused_and_the_visit_stays(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    await claimed(visitor, address)
    page = await moving(visitor, order, address)
    wished = times_in(page)[-1]
    await core_db.execute("UPDATE technician SET active = false")
    before = await repair(order)
    answer = await visitor.send(forms_of(page)["step"], start=wished)
    assert (answer.status_code, "just been taken" in words_of(answer.text)) == (409, True)
    assert await repair(order) == before


@pytest.mark.parametrize("why", ["begun", "too near", "too far", "too soon"])
async def test_what_cannot_be_moved_or_not_to_there_stays(
    company: Company, visitor: Visitor, clock: Any, why: str
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    await claimed(visitor, address)
    page = await moving(visitor, order, address)
    visit = await repair(order)
    wished = times_in(page)[-1]
    if why == "begun":
        path = f"/field/visits/{visit['id']}/start"
        answer = await company.send("technician", path, capture())
        assert answer.status_code == 200, answer.text
    elif why == "too near":
        await later(company, clock, visit["at"] - clock.now() - LEAD + timedelta(minutes=1))
    elif why == "too far":
        wished = (datetime.fromisoformat(wished) + timedelta(days=40)).isoformat()
    else:
        wished = (clock.now() + timedelta(minutes=30)).isoformat()
    before = await repair(order)
    answer = await visitor.send(forms_of(page)["step"], start=wished)
    said = "too near to be moved" if why in ("begun", "too near") else "just been taken"
    assert (answer.status_code, said in words_of(answer.text)) == (409, True), words_of(answer.text)
    assert await repair(order) == before
    if why in ("begun", "too near"):
        again = await visitor.read(f"{address}/{CLAIM}")
        assert "/repairs/" not in again
        assert times_in(answer.text) == []


async def test_nobody_moves_a_repair_of_somebody_else_or_without_the_code(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    await claimed(visitor, address)
    page = await moving(visitor, order, address)
    form, wished = forms_of(page)["step"], times_in(page)[-1]
    number = form.action.split("?")[0].rsplit("/", 1)[1]
    stranger = await done(company)
    async with browser() as elsewhere:
        there = await at_page(elsewhere, stranger)
        before = await everything()
        for action in (f"{there}/parcels/1/repairs/{number}", form.action):
            foreign = Form(action)
            foreign.fields = form.fields
            assert (await elsewhere.send(foreign, start=wished)).status_code == 404
        assert await everything() == before
    async with browser() as linked:
        await at_page(linked, order, signed_in=False)
        before = await everything()
        answer = await linked.send(form, start=wished)
        assert (answer.status_code, "Please sign in first" in words_of(answer.text)) == (403, True)
        assert await everything() == before
