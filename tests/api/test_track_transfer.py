"""A warranty goes to a new owner: his code, his certificate, and nothing of him behind the old link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from doorstep.core import blobs
from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.flows import erasure, warranty_reminders, warranty_transfers
from tests.factories import erasing
from tests.factories.at_the_page import at_page, token_of
from tests.factories.claiming import CLAIM, claimed, done, pieces_in
from tests.factories.company import Company
from tests.factories.owners import NAME, PHONE, TRANSFER, asked, given, owner_opens, secret_of
from tests.factories.steps import healthy
from tests.support.visitor import OWN_PAGE, Visitor, browser, forms_of, words_of


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def test_the_new_owner_gets_his_certificate_and_the_old_link_shows_nothing_of_it(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    old = {
        row["paper"]
        for row in await core_db.rows("SELECT certificate_sha256 AS paper FROM warranty")
    }
    address, piece = await given(visitor, order)
    assert await core_db.value("SELECT count(*) FROM message WHERE event = 'warranty_yours'") == 1
    async with browser() as new_owner:
        own = await owner_opens(new_owner)
        assert own.endswith(piece)
        paper = await new_owner.http.get(f"{own}/certificate")
        assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-")
        assert (await new_owner.http.get("/t/warranties/" + "x" * 24)).status_code == 404
    there = await core_db.one(
        "SELECT certificate_sha256 AS paper, owner_n FROM warranty WHERE number = $1", piece
    )
    assert (there["paper"] in old, there["owner_n"]) == (False, 1)
    page = await visitor.read(address)
    assert piece not in page and NAME not in page and PHONE not in page
    for path in (
        f"{address}/certificates/{piece}",
        f"/track/{token_of(order)}/certificate/{piece}",
    ):
        assert (await visitor.http.get(path)).status_code == 404
    for path in (CLAIM, TRANSFER):
        assert piece not in await visitor.read(f"{address}/{path}")
    # Whoever holds the paper can still have it checked, and learns nobody's name.
    check = await visitor.http.get(f"/verify/{piece}")
    assert (check.status_code, check.json()["valid"]) == (200, True)
    assert NAME not in check.text and PHONE not in check.text
    await healthy()


async def test_the_certificate_is_printed_for_the_new_owner(
    company: Company, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    printed: list[Any] = []
    draw = warranty_transfers.documents.render_warranty
    monkeypatch.setattr(
        warranty_transfers.documents,
        "render_warranty",
        lambda data: (printed.append(data), draw(data))[1],
    )
    order = await done(company)
    printed.clear()
    await given(visitor, order)
    assert printed[0].customer_name == "F. N."


async def test_a_wrong_code_uses_up_a_try_and_gives_nothing(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    page, piece = await asked(visitor, await at_page(visitor, order))
    form = forms_of(page)["code"]
    right = await secret_of("warranty_transfer")
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for _ in range(5):
        answer = await visitor.send(form, code=wrong)
        assert (answer.status_code, "is not right" in words_of(answer.text)) == (422, True)
    assert await core_db.value("SELECT failed_tries FROM warranty_transfer") == 5
    # The right one comes too late, and a new one can be had from there.
    late = await visitor.send(form, code=right)
    assert late.status_code == 422
    assert f'href="{form.action.removesuffix("/code?lang=en")}?lang=en"' in late.text
    assert await core_db.value("SELECT owner_n FROM warranty WHERE number = $1", piece) == 0


async def test_a_number_that_is_no_phone_is_typed_again_beside_the_name(
    company: Company, visitor: Visitor
) -> None:
    address = await at_page(visitor, await done(company))
    page = await visitor.read(f"{address}/{TRANSFER}")
    step = forms_of(page)["step"]
    answer = await visitor.send(step, piece=pieces_in(page)[0], name=NAME, phone="12345")
    assert answer.status_code == 422
    assert f'value="{NAME}"' in answer.text and 'value="12345"' in answer.text


async def test_a_confirmation_whose_answer_was_lost_is_sent_again(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    page, _ = await asked(visitor, await at_page(visitor, order))
    form, code = forms_of(page)["code"], await secret_of("warranty_transfer")
    for _ in range(2):
        after = await visitor.do(form, code=code)
        assert "The warranty belongs to the new owner now." in words_of(after)
    assert await core_db.value("SELECT max(owner_n) FROM warranty") == 1
    # Any other code finds nothing of his to give away.
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert (await visitor.send(form, code=wrong)).status_code == 404


async def test_what_is_claimed_or_over_stays_with_its_owner(
    company: Company, visitor: Visitor
) -> None:
    order = await done(company)
    address = await at_page(visitor, order)
    page = await visitor.read(f"{address}/{TRANSFER}")
    form, piece = forms_of(page)["step"], pieces_in(page)[0]
    await claimed(visitor, address)
    answer = await visitor.send(form, piece=piece, name=NAME, phone=PHONE)
    assert (answer.status_code, "we are at it" in words_of(answer.text)) == (409, True)
    bad = await visitor.send(form, piece=piece, name=NAME, phone="12345")
    assert bad.status_code in (409, 422)
    assert await core_db.value("SELECT count(*) FROM warranty_transfer") == 0


async def test_the_reminder_goes_to_the_new_owner_once(company: Company, visitor: Visitor) -> None:
    order = await done(company)
    _, piece = await given(visitor, order)
    await core_db.execute(
        "UPDATE warranty SET starts_on = $1::date - 365, ends_on = $1 WHERE number = $2",
        now().date() + timedelta(days=20),
        piece,
    )
    for _ in range(2):
        await warranty_reminders.remind({})
    told = await core_db.rows(
        "SELECT recipient, body FROM message WHERE event LIKE 'warranty_ending%' AND state <> 'standby'"
    )
    assert [row["recipient"] for row in told] == [PHONE]
    assert "ends on" in told[0]["body"]


async def test_nobody_claims_or_gives_away_what_is_of_another_order(
    company: Company, visitor: Visitor
) -> None:
    mine, other = await done(company), await done(company)
    foreign = await core_db.value(
        "SELECT min(number) FROM warranty WHERE fulfilment_id = $1", other.parcel
    )
    address = await at_page(visitor, mine)
    claim = forms_of(await visitor.read(f"{address}/{CLAIM}"))["step"]
    give = forms_of(await visitor.read(f"{address}/{TRANSFER}"))["step"]
    none = [("photos", ("", b"", "application/octet-stream"))]
    said = claim.fields | {"piece": foreign, "words": "It leaks.", "start": "call"}
    answer = await visitor.http.post(claim.action, data=said, files=none, headers=OWN_PAGE)
    assert answer.status_code == 404
    answer = await visitor.send(give, piece=foreign, name=NAME, phone=PHONE)
    assert answer.status_code == 404
    assert await core_db.value("SELECT count(*) FROM ticket") == 0
    assert await core_db.value("SELECT count(*) FROM warranty_transfer") == 0


async def test_the_old_owner_is_forgotten_and_the_new_ones_warranty_stays(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await done(company)
    _, piece = await given(visitor, order)
    await erasing.settled(company, clock)
    support = company.users["support"].id
    desk = Actor(
        role="support", source="person", person_id=support, channel_ids=(company.world.channel_id,)
    )
    await erasure.ask_at_desk(order.order_id, "mail", gives_up_warranty=True, actor=desk)
    await company.work()
    assert await core_db.value("SELECT state FROM erasure_request") == "done"
    kept = await core_db.one(
        "SELECT w.state, w.certificate_sha256, t.name, t.phone FROM warranty w"
        " JOIN warranty_transfer t ON t.warranty_id = w.id AND t.n = w.owner_n WHERE number = $1",
        piece,
    )
    assert (kept["state"], kept["name"], kept["phone"]) == ("active", NAME, PHONE)
    # The customer's own links are gone, the new owner's still opens his warranty.
    assert [row["owner_n"] for row in await core_db.rows("SELECT owner_n FROM order_link")] == [1]
    assert await blobs.get(kept["certificate_sha256"])
    ends = await core_db.value("SELECT ends_on FROM warranty WHERE number = $1", piece)
    clock.set(datetime.combine(ends, time(12), UTC) + timedelta(days=91))
    await erasure.forget_past_owners({})
    left = await core_db.rows("SELECT name, phone FROM warranty_transfer")
    assert left == [{"name": "", "phone": ""}]
    assert await core_db.value("SELECT count(*) FROM order_link") == 0
