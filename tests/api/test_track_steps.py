"""The pages behind the order's page: times, an attempt, damage, the door, help."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.at_the_page import at_page, code_of, sign_in, step, times_in
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.mishaps import failed_attempt
from tests.factories.slots import failed, offer, windows_of
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.support.pictures import make_jpeg
from tests.support.visitor import OWN_PAGE, Visitor, browser, forms_of, words_of

LANGUAGES = ("en", "hi", "ar")


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def test_a_delivery_time_is_chosen_and_shown(company: Company, visitor: Visitor) -> None:
    await offer(company)
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    page = await step(visitor, address, "parcels/1/times/delivery")
    wished = times_in(page)[2]
    after = await visitor.do(forms_of(page)["step"], start=wished)
    assert "The delivery is planned for the time you chose." in words_of(after)
    [(begins, _)] = await windows_of(order)
    assert begins.isoformat() == wished
    # He gets it in writing, once however often it is sent.
    await visitor.send(forms_of(page)["step"], start=wished)
    chosen = "SELECT count(*) FROM message WHERE event = $1 AND channel = 'email'"
    assert await core_db.value(chosen, "window_chosen") == 1
    assert await core_db.value(chosen, "window_changed") == 0
    again = await visitor.read(f"{address}/parcels/1/times/delivery")
    assert re.search(rf'value="{re.escape(wished)}" required checked', again)


async def test_whoever_must_sign_in_for_a_step_does_so_there_and_goes_on(
    company: Company, visitor: Visitor
) -> None:
    await offer(company)
    order = await standing(company, 1004)
    address = await at_page(visitor, order, signed_in=False)
    wanted = f"{address}/parcels/1/times/delivery"
    # The order's customer is written to in English, whatever the browser would like.
    first = await visitor.http.get(wanted, headers={"Accept-Language": "hi"})
    assert f'href="{wanted}?lang=ar"' in first.text
    assert (first.status_code, "Please sign in first" in words_of(first.text)) == (403, True)
    asked = await visitor.send(forms_of(first.text)["ask"])
    assert asked.headers["location"] == f"{wanted}?lang=en"
    there = await visitor.http.get(wanted)
    assert "a code is on its way" in words_of(there.text) and "autofocus" in there.text
    wrong = await visitor.send(forms_of(there.text)["in"], code="000000")
    assert wrong.status_code == 422 and "autofocus" in wrong.text
    page = await visitor.do(forms_of(there.text)["in"], code=await code_of(order.order_id))
    assert times_in(page)
    # Signed in by its own page he is led to what that opens, and nowhere else.
    home = await visitor.read(address)
    out = await visitor.send(forms_of(home)["out"])
    assert out.headers["location"] == f"{address}?lang=en"
    await visitor.http.get(wanted)
    page = await visitor.read(address)
    await visitor.send(forms_of(page)["ask"])
    opened = await visitor.send(forms_of(page)["in"], code=await code_of(order.order_id))
    assert opened.headers["location"] == f"{address}?lang=en#mine"


async def test_who_is_too_late_is_shown_what_is_left(company: Company, visitor: Visitor) -> None:
    await offer(company)
    mine, other = await standing(company, 1004), await standing(company, 1004)
    address = await at_page(visitor, mine)
    page = await step(visitor, address, "parcels/1/times/delivery")
    [wished, *_] = times_in(page)
    async with browser() as quicker:
        there = await at_page(quicker, other)
        form = forms_of(await quicker.read(f"{there}/parcels/1/times/delivery"))["step"]
        await quicker.do(form, start=wished)
    answer = await visitor.send(forms_of(page)["step"], start=wished)
    assert answer.status_code == 409
    assert "This time has just been taken." in words_of(answer.text)
    assert wished not in times_in(answer.text)
    assert await windows_of(mine) == []


async def test_a_visit_is_chosen_and_moved(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1013)
    address = await at_page(visitor, order)
    for n in (3, 7):
        page = await step(visitor, address, "parcels/1/times/visit")
        wished = times_in(page)[n]
        after = await visitor.do(forms_of(page)["step"], start=wished)
        assert "The technician comes at the time you chose." in words_of(after)
        [visit] = await core_db.rows(
            "SELECT lower(during) AS at FROM visit WHERE state = 'booked' AND fulfilment_id = $1",
            order.parcel,
        )
        assert visit["at"].isoformat() == wished
    told = "SELECT count(DISTINCT attempt) FROM message WHERE event = 'visit_chosen'"
    assert await core_db.value(told) == 2
    await healthy()


async def test_an_attempt_is_contradicted_with_the_link_alone(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1012)
    await failed(company, order)
    address = await at_page(visitor, order, signed_in=False)
    page = await step(visitor, address, "parcels/1/attempt")
    assert "nobody was home." in words_of(page)
    after = await visitor.do(forms_of(page)["step"], said="was_here", words="I waited.")
    assert "We are asking the driver right now." in words_of(after)
    assert (
        await core_db.value("SELECT count(*) FROM problem WHERE kind = 'attempt_contradicted'") == 1
    )
    answer = await visitor.send(forms_of(page)["step"], said="true")
    assert (answer.status_code, "answered this already" in answer.text) == (409, True)
    for seen in (after, await visitor.read(f"{address}/parcels/1/attempt"), answer.text):
        words = words_of(seen)
        assert "nobody was home. You have answered: No, somebody was here." in words
        assert "step" not in forms_of(seen) and "Was it really so?" not in words


async def test_what_was_answered_of_one_attempt_is_not_said_of_the_next(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1012)
    await failed(company, order)
    address = await at_page(visitor, order, signed_in=False)
    await visitor.do(
        forms_of(await step(visitor, address, "parcels/1/attempt"))["step"], said="true"
    )
    await order.go_on(until=1012)
    assert "nobody was home." not in words_of(await visitor.read(address))
    await failed_attempt(order, "no_access")
    page = words_of(await visitor.read(address))
    assert "there was no way to the door. Was it really so? Tell us" in page
    assert "You have answered" not in page


async def test_damage_is_reported_with_photos(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1013)
    address = await at_page(visitor, order)
    form = forms_of(await step(visitor, address, "parcels/1/problem"))["step"]
    photos = [("photos", (f"{n}.jpg", make_jpeg(320, 240 + n), "image/jpeg")) for n in range(2)]
    said = form.fields | {"kind": "hidden_damage", "words": "A dent <b>here</b>."}
    for _ in range(2):
        answer = await visitor.http.post(form.action, data=said, files=photos, headers=OWN_PAGE)
        assert answer.status_code == 303, words_of(answer.text)
    assert await core_db.value("SELECT count(*) FROM ticket_photo") == 2
    assert await core_db.value("SELECT words FROM ticket") == "A dent <b>here</b>."
    await healthy()


async def test_what_is_no_photo_is_refused_and_the_words_stay(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1013)
    address = await at_page(visitor, order)
    form = forms_of(await visitor.read(f"{address}/parcels/1/problem"))["step"]
    said = form.fields | {"kind": "part_missing", "words": "No hose & no clamp."}
    bad = [("photos", ("x.jpg", b"<svg onload=alert(1)>", "image/jpeg"))]
    answer = await visitor.http.post(form.action, data=said, files=bad, headers=OWN_PAGE)
    assert answer.status_code == 415
    assert "One of the files is not a photo." in words_of(answer.text)
    assert "No hose &amp; no clamp." in answer.text
    many = [("photos", (f"{n}.jpg", make_jpeg(64, 64), "image/jpeg")) for n in range(7)]
    answer = await visitor.http.post(form.action, data=said, files=many, headers=OWN_PAGE)
    assert (answer.status_code, "At most six photos" in answer.text) == (422, True)
    assert await core_db.value("SELECT count(*) FROM ticket") == 0
    # A browser sends an empty file where none was chosen.
    parts = [f'name="{name}"\r\n\r\n{text}' for name, text in said.items()]
    parts.append('name="photos"; filename=""\r\nContent-Type: application/octet-stream\r\n\r\n')
    body = "".join(f"--XX\r\nContent-Disposition: form-data; {part}\r\n" for part in parts)
    answer = await visitor.http.post(
        form.action,
        content=(body + "--XX--\r\n").encode(),
        headers=OWN_PAGE | {"Content-Type": "multipart/form-data; boundary=XX"},
    )
    assert answer.status_code == 303, words_of(answer.text)


async def test_help_is_asked_once(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1003)
    address = await at_page(visitor, order, signed_in=False)
    form = forms_of(await step(visitor, address, "help"))["step"]
    for _ in range(2):
        after = await visitor.do(form, words="May I pay by card?")
        assert "We will answer you by e-mail." in words_of(after)
    [ticket] = await core_db.rows("SELECT type, words, order_id FROM ticket")
    assert ticket == {
        "type": "question", "words": "May I pay by card?", "order_id": order.order_id,
    }  # fmt: skip


async def test_goods_are_given_back(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1013)
    address = await at_page(visitor, order)
    page = await step(visitor, address, "parcels/1/return")
    [line, *_] = re.findall(r'<option value="([0-9a-f-]{36}:1)"', page)
    form = forms_of(page)["step"]
    none = await visitor.send(form, reason="other", how="home", words="", lines="")
    assert (none.status_code, "Please choose what" in words_of(none.text)) == (422, True)
    for _ in range(2):
        said = {"reason": "changed_mind", "how": "home", "words": "Too loud.", "lines": line}
        after = await visitor.do(form, **said)
        assert "We will tell you when we fetch it." in words_of(after)
    [ticket] = await core_db.rows("SELECT type, words FROM ticket")
    assert ticket["type"] == "return" and "fetched at home" in ticket["words"]
    assert (
        await core_db.value("SELECT count(*) FROM expected_arrival WHERE kind = 'customer_return'")
        == 1
    )
    await healthy()


async def test_goods_are_not_given_back_once_their_time_is_over(
    company: Company, visitor: Visitor, clock: Any
) -> None:
    order = await standing(company, 1013)
    address = await at_page(visitor, order)
    form = forms_of(await visitor.read(f"{address}/parcels/1/return"))["step"]
    line = await core_db.value(
        "SELECT id FROM fulfilment_line WHERE fulfilment_id = $1", order.parcel
    )
    clock.advance(timedelta(days=15))
    await sign_in(visitor, address, order.order_id)
    assert "Nothing of this parcel" in words_of(await visitor.read(f"{address}/parcels/1/return"))
    answer = await visitor.send(form, reason="other", how="store", lines=f"{line}:1")
    assert (answer.status_code, "time for returns is over" in answer.text) == (409, True)


async def test_ways_of_writing_are_chosen_and_honoured_at_once(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    page = await step(visitor, address, "messages")
    form = forms_of(page)["step"]
    assert {"sms", "email"} <= {
        *re.findall(r'type="checkbox" name="(\w+)" value="yes" checked', page)
    }
    await visitor.do(form, email="yes")
    kept = await core_db.rows("SELECT channel, wanted, why FROM contact_preference")
    assert kept == [{"channel": "sms", "wanted": False, "why": "page"}]
    again = await visitor.read(f"{address}/messages")
    assert re.findall(r'name="(\w+)" value="yes" checked', again) == ["email"]
    await order.go_on(1009)
    told = await core_db.rows("SELECT channel, state FROM message WHERE event = '1009'")
    assert {row["channel"]: row["state"] for row in told} == {"sms": "skipped", "email": "sent"}
    # A code that is asked for comes all the same.
    await visitor.do(forms_of(await visitor.read(address))["out"])
    await sign_in(visitor, address, order.order_id)
    await healthy()


STEPS = {
    "parcels/1/times/delivery": {"start": now().isoformat()},
    "parcels/1/times/visit": {"start": now().isoformat()},
    "parcels/1/problem": {"kind": "part_missing", "words": "x"},
    "parcels/1/return": {"reason": "other", "how": "home", "lines": ""},
    "address": {"floor": "4"},
    "messages": {"sms": "yes"},
}
"""Those that ask for the code."""

FREE = {"parcels/1/attempt": {"said": "was_here"}, "help": {"words": "x"}}


def sent_to(path: str) -> dict[str, str]:
    """Write what a form sends; what only is as it is has no event."""
    event = {} if path in ("address", "messages") else {"event_id": str(uuid7())}
    return (STEPS | FREE)[path] | event


@pytest.mark.parametrize("path", STEPS)
async def test_the_link_alone_changes_nothing_that_others_rely_on(
    company: Company, visitor: Visitor, path: str
) -> None:
    await offer(company)
    order = await standing(company, 1013)
    address = await at_page(visitor, order, signed_in=False)
    before = await everything()
    assert (await visitor.http.get(f"{address}/{path}")).status_code == 403
    body = sent_to(path)
    sent = {"files": {"photos": b""}} if path.endswith("problem") else {}
    answer = await visitor.http.post(f"{address}/{path}", data=body, headers=OWN_PAGE, **sent)
    assert answer.status_code == 403
    assert "Please sign in first" in words_of(answer.text)
    assert await everything() == before


@pytest.mark.parametrize("path", [*STEPS, *FREE])
async def test_no_other_page_no_other_order_and_no_other_parcel(
    company: Company, visitor: Visitor, path: str
) -> None:
    mine, other = await standing(company, 1013), await standing(company, 1013)
    address = await at_page(visitor, mine)
    body = sent_to(path)
    sent: dict[str, Any] = {"files": {"photos": b""}} if path.endswith("problem") else {}
    before = await everything()
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    answer = await visitor.http.post(f"{address}/{path}", data=body, headers=foreign, **sent)
    assert answer.status_code == 403
    wrong = [f"/t/orders/{other.number}/{path}"]
    if path.startswith("parcels/1/"):
        wrong.append(f"{address}/{path.replace('parcels/1/', 'parcels/2/')}")
    for url in wrong:
        answer = await visitor.http.post(url, data=body, headers=OWN_PAGE, **sent)
        assert answer.status_code == 404, (url, answer.status_code)
        assert (await visitor.http.get(url)).status_code == 404
    assert await everything() == before


@pytest.mark.parametrize("language", LANGUAGES)
async def test_each_is_read_in_each_language_by_its_own_words(
    company: Company, visitor: Visitor, language: str
) -> None:
    await offer(company)
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    paths = ("parcels/1/times/delivery", "parcels/1/times/visit", "address", "help", "messages")
    for path in paths:
        page = await visitor.read(f"{address}/{path}", lang=language)
        assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">' in page
        # Whoever changes the language stays where he is.
        assert all(f'href="{address}/{path}?lang={other}"' in page for other in LANGUAGES)
        if language != "en":
            assert not re.search(r"\b(Choose|Send|Take|Ask)\b", words_of(page))
