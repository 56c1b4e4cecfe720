"""The customer claims under a warranty: a ticket, a visit, a technician who knows what it is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.at_the_page import at_page, step, times_in
from tests.factories.captures import capture
from tests.factories.claiming import CLAIM, claimed, done, pieces_in, send
from tests.factories.company import Company, picture
from tests.factories.journeys import STROKES, Order
from tests.factories.snapshots import effects
from tests.factories.steps import healthy
from tests.support.visitor import Visitor, browser, forms_of, words_of


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def visits(order: Order) -> list[dict[str, Any]]:
    return await core_db.rows(
        "SELECT id, lower(during) AS at, state FROM visit WHERE fulfilment_id = $1"
        " AND purpose = 'warranty' ORDER BY booked_at",
        order.parcel,
    )


async def report(company: Company, order: Order, **other: Any) -> dict[str, Any]:
    """Let the technician do what his card says of the repair."""
    [card] = await company.get("technician", "/field/visits")
    [unit] = card["units"]
    body = capture() | {
        "units": [
            {
                "fulfilment_line_id": unit["fulfilment_line_id"],
                "checklist_id": None,
                "serial": (unit["serials"] or [""])[0],
                "answers": {},
            }
        ],
        "photos": [{"slot": slot, "sha256": picture()} for slot in unit["photo_slots"]],
        "demo_topics": [],
        "sign_off": {"name": "Aisha Khan", "strokes": STROKES},
    }
    path = f"/field/visits/{card['id']}/complete"
    answer = await company.send("technician", path, body | other)
    assert answer.status_code == 200, answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_a_claim_opens_a_ticket_and_books_a_visit_once(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    before = await core_db.one(
        "SELECT passed, head_seq FROM fulfilment WHERE id = $1", order.parcel
    )
    address = await at_page(visitor, order)
    wished = await claimed(visitor, address, photos=2)
    [ticket] = await core_db.rows("SELECT id, type, words, fulfilment_id FROM ticket")
    assert (ticket["type"], ticket["words"]) == ("warranty", "It <b>leaks</b>.")
    assert await core_db.value("SELECT count(*) FROM ticket_photo") == 2
    [problem] = await core_db.rows("SELECT kind, owner_role FROM problem WHERE closed_at IS NULL")
    assert problem == {"kind": "ticket_warranty", "owner_role": "support"}
    [visit] = await visits(order)
    assert (visit["at"].isoformat(), visit["state"]) == (wished, "booked")
    confirmed = "SELECT count(*) FROM message WHERE event = 'visit_chosen' AND channel = 'email'"
    assert await core_db.value(confirmed) == 1
    page = words_of(await visitor.read(address))
    assert "A technician comes for your warranty claim:" in page
    after = await core_db.one("SELECT passed, head_seq FROM fulfilment WHERE id = $1", order.parcel)
    assert after == before, "a claim moves no journey"
    await healthy()


async def test_a_piece_is_claimed_once_while_it_is_open(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    page = await step(visitor, address, CLAIM)
    form, first = forms_of(page)["step"], pieces_in(page)[0]
    await claimed(visitor, address)
    kept = await effects()
    said = {"piece": first, "words": "Again.", "start": "call", "event_id": str(uuid7())}
    answer = await send(visitor, form, **said)
    assert (answer.status_code, "we are at it" in words_of(answer.text)) == (409, True)
    assert first not in pieces_in(answer.text)
    assert await effects() == kept


async def test_after_the_last_day_the_refusal_names_it(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    page = await step(visitor, address, CLAIM)
    yesterday = now().date() - timedelta(days=2)
    await core_db.execute("UPDATE warranty SET starts_on = $1::date - 300, ends_on = $1", yesterday)
    form, first = forms_of(page)["step"], pieces_in(page)[0]
    answer = await send(visitor, form, piece=first, words="It leaks.", start="call")
    said = words_of(answer.text)
    assert (answer.status_code, str(yesterday.year) in said) == (409, True)
    assert "The warranty of this piece ended on" in said and str(yesterday.day) in said
    assert forms_of(answer.text) == {}
    assert await core_db.value("SELECT count(*) FROM ticket") == 0


async def test_a_time_that_is_not_free_any_more_keeps_the_words(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    page = await step(visitor, address, CLAIM)
    form, wished = forms_of(page)["step"], times_in(page)[0]
    await core_db.execute("UPDATE technician SET active = false")
    said = {"piece": pieces_in(page)[0], "words": "It leaks & hums.", "start": wished}
    answer = await send(visitor, form, **said)
    assert (answer.status_code, "It leaks &amp; hums." in answer.text) == (409, True)
    assert "just been taken" in words_of(answer.text)
    assert await core_db.value("SELECT count(*) FROM ticket") == 0
    # Without any time support agrees on one.
    await claimed(visitor, address, start="call")
    assert await visits(order) == []


@pytest.mark.parametrize(
    "start", ["2026-13-45T99:99:99+00:00", "2026-11-30T10:00:00", "2019-11-30T10:00:00+00:00"]
)
async def test_a_time_that_nobody_offered_is_refused(
    company: Company, visitor: Visitor, start: str
) -> None:
    order = await done(company)
    page = await step(visitor, await at_page(visitor, order), CLAIM)
    said = {"piece": pieces_in(page)[0], "words": "It leaks.", "start": start}
    answer = await send(visitor, forms_of(page)["step"], **said)
    assert answer.status_code in (409, 422)
    assert await core_db.value("SELECT count(*) FROM ticket") == 0


async def test_the_link_alone_claims_nothing(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    address = await at_page(visitor, order, signed_in=False)
    answer = await visitor.http.get(f"{address}/{CLAIM}")
    assert (answer.status_code, "Please sign in first" in words_of(answer.text)) == (403, True)


async def test_the_technician_reads_the_claim_and_his_report_settles_it(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order), photos=1)
    [card] = await company.get("technician", "/field/visits")
    assert card["purpose"] == "warranty"
    assert (card["claim"]["words"], card["claim"]["photos"]) == ("It <b>leaks</b>.", 1)
    [unit] = card["units"]
    assert (unit["checklist"], unit["quantity"]) == (None, 1)
    answer = await report(company, order)
    assert answer["verdict"] == "applied"
    assert await core_db.value("SELECT state FROM ticket") == "resolved"
    assert await core_db.value(
        "SELECT count(*) FROM problem WHERE kind = 'ticket_warranty' AND closed_at IS NULL"
    ) == 0  # fmt: skip
    [visit] = await visits(order)
    assert visit["state"] == "completed"
    # What is repaired may break again.
    page = await visitor.read(f"/t/orders/{order.number}/{CLAIM}")
    assert pieces_in(page)
    await healthy()


async def test_a_repair_of_another_piece_waits_for_support(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    # The last one in the list has a serial.
    await claimed(visitor, await at_page(visitor, order), nth=-1)
    [card] = await company.get("technician", "/field/visits")
    line = card["units"][0]["fulfilment_line_id"]
    other = {"fulfilment_line_id": line, "checklist_id": None, "serial": "OTHER-1", "answers": {}}
    assert (await report(company, order, units=[other]))["verdict"] == "applied"
    assert await core_db.value("SELECT state FROM ticket") == "open"
    words = await core_db.value("SELECT words FROM ticket_message WHERE author = 'internal'")
    assert "OTHER-1" in words
    await healthy()


async def test_a_repair_that_fails_gets_the_next_free_time(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order))
    [visit] = await visits(order)
    body = capture() | {"reason": "not_home", "words": "Nobody opens.", "photos": []}
    for _ in range(2):
        answer = await company.send("technician", f"/field/visits/{visit['id']}/failed", body)
        assert answer.status_code == 200, answer.text
    assert [one["state"] for one in await visits(order)] == ["failed", "booked"]
    assert await core_db.value("SELECT count(*) FROM detour_case") == 0
    assert await core_db.value("SELECT state FROM ticket") == "open"
    await healthy()


async def test_a_claim_that_support_settles_calls_the_visit_off(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    await claimed(visitor, await at_page(visitor, order))
    ticket = await core_db.value("SELECT id FROM ticket")
    answer = await company.send(
        "support", f"/tickets/{ticket}/resolve", {"words": "Solved by phone."}
    )
    assert answer.status_code == 200, answer.text
    assert [one["state"] for one in await visits(order)] == ["cancelled"]
    assert await core_db.value(
        "SELECT count(*) FROM outbox WHERE payload->>'event' = 'visit_called_off'"
    ) == 1  # fmt: skip
