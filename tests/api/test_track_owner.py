"""The new owner of a warranty claims by his own link; the old one cannot, and learns nothing of it."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.at_the_page import at_page, times_in
from tests.factories.claiming import CLAIM, done, send
from tests.factories.company import Company
from tests.factories.journeys import Order
from tests.factories.owners import NAME, PHONE, PLACE, given, owner_opens, owner_signs_in
from tests.factories.snapshots import effects
from tests.factories.steps import healthy
from tests.support.visitor import OWN_PAGE, Form, Visitor, forms_of, words_of

WORDS = "It hums & <b>leaks</b>."


async def at_own_page(
    old: Visitor, owner: Visitor, order: Order, at: str = ""
) -> tuple[str, str, str]:
    """Give a piece away and let its owner sign in; return both addresses and his page."""
    address, _ = await given(old, order, at)
    own = await owner_opens(owner)
    return address, own, await owner_signs_in(owner, own)


async def claims(owner: Visitor, form: Form, photos: int = 0, **typed: str) -> httpx.Response:
    said = {"words": WORDS, "place": PLACE, "start": "call"} | typed
    return await send(owner, form, photos, **said)


async def test_he_claims_with_words_photos_and_a_time_and_the_technician_comes_to_him(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    order = await done(company)
    address, own, page = await at_own_page(old, owner, order)
    wished = times_in(page)[1]
    form = forms_of(page)["step"]
    for _ in range(2):
        answer = await claims(owner, form, 2, start=wished)
        assert answer.status_code == 303, words_of(answer.text)
    [ticket] = await core_db.rows("SELECT id, type, words FROM ticket")
    assert ticket["type"] == "warranty" and ticket["words"].startswith(WORDS)
    assert NAME in ticket["words"] and PHONE in ticket["words"]
    assert await core_db.value("SELECT count(*) FROM ticket_photo") == 2
    visits = "SELECT lower(during) FROM visit WHERE purpose = 'warranty' AND state = 'booked'"
    assert (await core_db.value(visits)).isoformat() == wished
    told = "SELECT recipient FROM message WHERE event = 'visit_chosen' AND state <> 'standby'"
    assert [row["recipient"] for row in await core_db.rows(told)] == [PHONE]
    [card] = await company.get("technician", "/field/visits")
    assert card["address"]["name"] == NAME and card["address"]["phone"] == PHONE
    assert card["address"]["line1"] == "9 Palm Street, Tower 2, flat 51, Sharjah"
    assert card["earlier"] == [] and "Marina" not in str(card)
    after = await owner.read(own)
    assert "The technician comes" in words_of(after) and "step" not in forms_of(after)
    # The old owner sees nothing of it, neither on the page nor in his data.
    page = await old.read(address)
    assert "A technician comes for your warranty claim" not in words_of(page)
    data = await old.send(forms_of(await old.read(f"{address}/data"))["data"])
    assert data.status_code == 200
    for secret in (NAME, PHONE, "hums", "Palm Street"):
        assert secret not in data.text, secret
    await healthy()


async def test_what_support_answers_goes_to_him(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    _, _, page = await at_own_page(old, owner, await done(company))
    assert (await claims(owner, forms_of(page)["step"])).status_code == 303
    ticket = await core_db.value("SELECT id FROM ticket")
    body = {"event_id": uuid7(), "author": "staff", "words": "We come on Monday."}
    answer = await company.send("support", f"/tickets/{ticket}/messages", body)
    assert answer.status_code in (200, 201, 204), answer.text
    told = await core_db.rows(
        "SELECT event, recipient, body FROM message WHERE body LIKE '%on Monday%'"
        " AND state <> 'standby'"
    )
    assert [(row["event"], row["recipient"]) for row in told] == [("owner_reply", PHONE)]


async def test_without_the_code_he_reads_and_claims_nothing(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    order = await done(company)
    _, piece = await given(old, order)
    own = await owner_opens(owner)
    page = await owner.read(own)
    assert "step" not in forms_of(page)
    for secret in (NAME, PHONE, order.number, "Aisha", "Marina"):
        assert secret not in page
    before = await effects()
    form = Form(f"{own}/claim")
    form.fields = {"event_id": str(uuid7()), "piece": piece}
    answer = await claims(owner, form)
    assert (answer.status_code, "sign in first" in words_of(answer.text)) == (403, True)
    assert await effects() == before
    wrong = await owner.send(forms_of(page)["in"], code="000000")
    assert (wrong.status_code, "is not right" in words_of(wrong.text)) == (422, True)
    signed = await owner_signs_in(owner, own)
    assert "step" in forms_of(signed)
    out = await owner.do(forms_of(signed)["out"])
    assert "step" not in forms_of(out)


async def test_neither_owner_does_what_is_the_others(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    order = await done(company)
    address = await at_page(old, order)
    claim_form = forms_of(await old.read(f"{address}/{CLAIM}"))["step"]
    _, own, page = await at_own_page(old, owner, order, address)
    piece = own.rsplit("/", 1)[1]
    # The old one with the form that he still has.
    late = await send(old, claim_form, piece=piece, words="Mine!", start="call")
    assert late.status_code == 404
    # The new one for another piece of the order.
    others = await core_db.rows("SELECT number FROM warranty WHERE number <> $1", piece)
    assert others
    for other in others:
        form = forms_of(page)["step"]
        answer = await claims(owner, form, piece=other["number"], event_id=str(uuid7()))
        assert answer.status_code == 404
        assert (await owner.http.get(f"/t/owners/{other['number']}")).status_code == 404
    # A link of an order opens no page of an owner.
    for path in (own, f"{own}/certificate"):
        assert (await old.http.get(path)).status_code == 404
    assert await core_db.value("SELECT count(*) FROM ticket") == 0


async def test_after_the_last_day_and_while_a_claim_is_open_he_is_told_why(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    _, own, page = await at_own_page(old, owner, await done(company))
    form = forms_of(page)["step"]
    assert (await claims(owner, form)).status_code == 303
    again = await claims(owner, form, event_id=str(uuid7()))
    assert (again.status_code, "we are at it" in words_of(again.text)) == (409, True)
    await core_db.execute("UPDATE ticket SET state = 'resolved', resolved_at = now()")
    ended = now().date() - timedelta(days=2)
    await core_db.execute("UPDATE warranty SET starts_on = $1::date - 300, ends_on = $1", ended)
    late = await claims(owner, form, event_id=str(uuid7()))
    assert late.status_code == 409
    assert f"ended on {ended.day} " in words_of(late.text)
    assert "step" not in forms_of(await owner.read(own))


@pytest.mark.parametrize(
    "typed", [{"place": ""}, {"place": "x" * 301}, {"words": ""}, {"start": "tomorrow"}]
)
async def test_a_claim_that_lacks_something_is_refused(
    company: Company, old: Visitor, owner: Visitor, typed: dict[str, str]
) -> None:
    _, _, page = await at_own_page(old, owner, await done(company))
    answer = await claims(owner, forms_of(page)["step"], **typed)
    assert answer.status_code == 422
    assert await core_db.value("SELECT count(*) FROM ticket") == 0


@pytest.mark.parametrize(("language", "direction"), [("hi", "ltr"), ("ar", "rtl"), ("en", "ltr")])
async def test_the_page_speaks_his_language_and_asks_nobody_else(
    company: Company, old: Visitor, owner: Visitor, language: str, direction: str
) -> None:
    order = await done(company)
    await core_db.execute("UPDATE product SET names = $1", {"hi": "मशीन", "ar": "غسالة"})
    _, own, _ = await at_own_page(old, owner, order)
    page = await owner.read(own, lang=language)
    assert f'<html lang="{language}" dir="{direction}">' in page
    named = {"hi": "मशीन", "ar": "غسالة", "en": "Kettle 1.7 l"}[language]
    assert named in words_of(page)
    assert named in words_of(await owner.read(f"{own}/transfer", lang=language))
    assert "https://" not in page and "<script" not in page
    headers = (await owner.http.get(own)).headers
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


async def test_a_form_of_somebody_elses_page_does_nothing(
    company: Company, old: Visitor, owner: Visitor
) -> None:
    _, own, page = await at_own_page(old, owner, await done(company))
    before = await effects()
    fields = forms_of(page)["step"].fields | {"words": WORDS, "place": PLACE, "start": "call"}
    files = [("photos", ("", b"", "application/octet-stream"))]
    elsewhere = OWN_PAGE | {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    for step in ("claim", "sign-in-code"):
        answer = await owner.http.post(f"{own}/{step}", data=fields, files=files, headers=elsewhere)
        assert answer.status_code == 403
    assert await effects() == before
