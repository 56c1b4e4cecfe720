"""The new owner of a warranty moves the visit he was promised, and gives the warranty on."""

from __future__ import annotations

from datetime import timedelta

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows import erasure, warranty_transfers
from tests.factories.at_the_page import times_in
from tests.factories.claiming import done, send
from tests.factories.company import Company
from tests.factories.owners import PHONE, PLACE, given, owner_opens, owner_signs_in, secret_of
from tests.factories.snapshots import effects
from tests.factories.steps import healthy
from tests.support.visitor import Form, Visitor, browser, forms_of, words_of

NEXT_NAME, NEXT_PHONE = "Omar Haddad", "+971502223344"
STARTS = "SELECT lower(during) FROM visit WHERE purpose = 'warranty' AND state = 'booked'"


async def at_own_page(company: Company, old: Visitor, owner: Visitor) -> str:
    """Give a piece away and let its owner sign in; return the address of his page."""
    await given(old, await done(company))
    own = await owner_opens(owner)
    await owner_signs_in(owner, own)
    return own


async def claim(owner: Visitor, own: str, start: str = "") -> str:
    """Claim for a time, or for the second one that is offered; return it."""
    page = await owner.read(own)
    wished = start or times_in(page)[1]
    said = {"words": "It hums.", "place": PLACE, "start": wished}
    answer = await send(owner, forms_of(page)["step"], 0, **said)
    assert answer.status_code == 303, words_of(answer.text)
    return wished


async def give_on(owner: Visitor, own: str) -> Form:
    """Name the next owner; return the form that asks for his code."""
    form = forms_of(await owner.read(f"{own}/transfer"))["step"]
    piece = own.rsplit("/", 1)[1]
    answer = await owner.send(form, piece=piece, name=NEXT_NAME, phone=NEXT_PHONE)
    assert answer.status_code in (200, 201), words_of(answer.text)
    return forms_of(answer.text)["code"]


async def test_he_moves_the_visit_and_is_written_to_himself(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    own = await at_own_page(company, old, owner)
    first = await claim(owner, own)
    page = await owner.read(own)
    assert "Choose another time for the technician" in words_of(page)
    choice = await owner.read(f"{own}/repair")
    wished = next(one for one in times_in(choice) if one != first)
    form = forms_of(choice)["step"]
    for _ in range(2):
        answer = await owner.send(form, start=wished)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{own}?lang=en")
    assert (await core_db.value(STARTS)).isoformat() == wished
    told = "SELECT recipient FROM message WHERE event = 'visit_chosen' AND state <> 'standby'"
    assert [row["recipient"] for row in await core_db.rows(told)] == [PHONE, PHONE]
    await healthy()


async def test_whoever_was_to_be_called_chooses_a_time_himself(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    own = await at_own_page(company, old, owner)
    await claim(owner, own, "call")
    assert "Choose a time for the technician" in words_of(await owner.read(own))
    page = await owner.read(f"{own}/repair")
    assert "need not wait for the call" in words_of(page)
    wished = times_in(page)[0]
    for _ in range(2):
        assert (await owner.send(forms_of(page)["step"], start=wished)).status_code == 303
    assert [row["lower"].isoformat() for row in await core_db.rows(STARTS)] == [wished]
    told = "SELECT recipient FROM message WHERE event = 'visit_chosen' AND state <> 'standby'"
    assert [row["recipient"] for row in await core_db.rows(told)] == [PHONE]
    # Once somebody has been there, support says how it goes on.
    await core_db.execute("UPDATE visit SET state = 'failed' WHERE purpose = 'warranty'")
    assert (await owner.http.get(f"{own}/repair")).status_code == 404
    assert "Choose" not in words_of(await owner.read(own))


async def test_a_visit_that_is_near_or_not_there_is_not_moved(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    own = await at_own_page(company, old, owner)
    assert (await owner.http.get(f"{own}/repair")).status_code == 404
    await claim(owner, own)
    form = forms_of(await owner.read(f"{own}/repair"))["step"]
    wished = times_in(await owner.read(f"{own}/repair"))[3]
    soon = now() + timedelta(minutes=20)
    await core_db.execute(
        "UPDATE visit SET during = tstzrange($1, $2) WHERE purpose = 'warranty'",
        soon,
        soon + timedelta(hours=1),
    )
    late = await owner.send(form, start=wished)
    assert late.status_code == 409
    assert "step" not in forms_of(await owner.read(f"{own}/repair"))
    assert "Choose another time" not in words_of(await owner.read(own))


async def test_he_gives_the_warranty_on_and_his_own_link_opens_nothing_more(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    own = await at_own_page(company, old, owner)
    form = await give_on(owner, own)
    wrong = await owner.send(form, code="000000")
    assert (wrong.status_code, "is not right" in words_of(wrong.text)) == (422, True)
    code = await secret_of("warranty_transfer", NEXT_PHONE)
    answer = await owner.send(form, code=code)
    assert answer.status_code in (200, 201)
    assert "The warranty belongs to the new owner now." in words_of(answer.text)
    for path in (own, f"{own}/certificate", f"{own}/transfer", f"{own}/repair"):
        assert (await owner.http.get(path)).status_code == 404
    number = own.rsplit("/", 1)[1]
    warranty_id = await core_db.value("SELECT id FROM warranty WHERE number = $1", number)
    await warranty_transfers.print_for_new_owner({"warranty_id": str(warranty_id)})
    async with browser(client=("127.0.0.10", 50000)) as third:
        link = await secret_of("warranty_yours", NEXT_PHONE)
        sent_on = await third.http.get("/t/warranties/" + link.rsplit("/", 1)[1])
        assert (sent_on.status_code, sent_on.headers["location"]) == (303, own)
        page = await third.read(own)
        assert PHONE not in page and NEXT_PHONE not in page
    await healthy()


async def test_whoever_has_given_it_on_is_forgotten_after_a_while(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    own = await at_own_page(company, old, owner)
    form = await give_on(owner, own)
    await owner.send(form, code=await secret_of("warranty_transfer", NEXT_PHONE))
    await erasure.forget_past_owners({})
    known = "SELECT phone FROM warranty_transfer ORDER BY n"
    assert [row["phone"] for row in await core_db.rows(known)] == [PHONE, NEXT_PHONE]
    await core_db.execute(
        "UPDATE warranty_transfer SET asked_at = asked_at - interval '100 days',"
        " expires_at = expires_at - interval '100 days',"
        " confirmed_at = confirmed_at - interval '100 days'"
    )
    await erasure.forget_past_owners({})
    assert [row["phone"] for row in await core_db.rows(known)] == ["", NEXT_PHONE]
    await healthy()


async def test_without_the_code_or_of_another_piece_he_moves_and_gives_nothing(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    await given(old, await done(company))
    own = await owner_opens(owner)
    before = await effects()
    for step in ("repair", "transfer"):
        assert (await owner.http.get(f"{own}/{step}")).status_code == 403
    form = Form(f"{own}/transfer")
    form.fields = {"piece": own.rsplit("/", 1)[1], "name": NEXT_NAME, "phone": NEXT_PHONE}
    assert (await owner.send(form)).status_code == 403
    form = Form(f"{own}/repair")
    form.fields = {"event_id": str(uuid7()), "start": now().isoformat()}
    assert (await owner.send(form)).status_code == 403
    assert await effects() == before
    await owner_signs_in(owner, own)
    other = await core_db.value(
        "SELECT number FROM warranty WHERE number <> $1", own.rsplit("/", 1)[1]
    )
    form = forms_of(await owner.read(f"{own}/transfer"))["step"]
    answer = await owner.send(form, piece=other, name=NEXT_NAME, phone=NEXT_PHONE)
    assert answer.status_code == 404
    assert await core_db.value("SELECT count(*) FROM warranty_transfer") == 1
