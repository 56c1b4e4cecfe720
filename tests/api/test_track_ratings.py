"""A rating on the customer's page: two taps, words and photos; who is not content is asked (1016)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.factories.at_the_page import at_page
from tests.factories.care import place, travel
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.support.pictures import make_jpeg
from tests.support.visitor import OWN_PAGE, Form, Visitor, browser, forms_of, in_parts, words_of

TO_DELIVERY = tuple(range(1002, 1014))
CONTENT = {"delivery_rating": "5", "installation_rating": "4", "words": "Neat <b>work</b>."}
NOT_CONTENT = {"delivery_rating": "5", "installation_rating": "2", "words": "He drilled the wall."}


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def form_of(visitor: Visitor, order: Order) -> Form:
    page = await visitor.read(await at_page(visitor, order, signed_in=False))
    return forms_of(page)["rate1"]


async def send(
    visitor: Visitor, form: Form, said: dict[str, str], *photos: bytes
) -> httpx.Response:
    """Send the form as a browser does: one part for each field, and one for each photo."""
    parts: list[tuple[str, Any]] = in_parts(form.fields | said)["files"]
    parts += [("photos", (f"{n}.jpg", photo, "image/jpeg")) for n, photo in enumerate(photos)]
    if not photos:
        parts.append(("photos", ("", b"", "application/octet-stream")))
    return await visitor.http.post(form.action, files=parts, headers=OWN_PAGE)


async def taken(visitor: Visitor, answer: httpx.Response) -> str:
    assert answer.status_code == 303, words_of(answer.text)
    return words_of(await visitor.read(answer.headers["location"]))


async def test_a_rating_is_taken_once_with_its_photos_and_desks_see_it(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1015, ("WM-7KG", 1))
    form = await form_of(visitor, order)
    photos = [make_jpeg(320, 240 + n) for n in range(2)]
    said = await taken(visitor, await send(visitor, form, CONTENT, *photos))
    assert "Thank you for your rating." in said and "How did it go?" not in said
    before = await everything()
    # The button was pressed twice.
    await taken(visitor, await send(visitor, form, CONTENT, *photos))
    after = await everything()
    assert after["feedback"] == before["feedback"]
    assert after["feedback_photo"] == before["feedback_photo"]
    assert after["journey_event"] == before["journey_event"]
    [rating] = await company.get("support", f"/console/orders/{order.order_id}/ratings")
    assert (rating["delivery_rating"], rating["installation_rating"]) == (5, 4)
    assert rating["words"] == "Neat <b>work</b>."
    assert [one["shown"] for one in rating["photos"]] == ["photo", "photo"]
    pictures = await company.get("support", f"/console/fulfilments/{order.parcel}/pictures")
    assert [one["what"] for one in pictures].count("rating") == 2
    assert await core_db.value("SELECT count(*) FROM ticket") == 0
    await healthy()


async def test_a_rating_needs_no_photo(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1013, ("KET-17", 1))
    form = await form_of(visitor, order)
    await taken(visitor, await send(visitor, form, {"delivery_rating": "3", "words": ""}))
    assert await core_db.rows("SELECT delivery_rating, words FROM feedback") == [
        {"delivery_rating": 3, "words": ""}
    ]
    assert await core_db.value("SELECT count(*) FROM feedback_photo") == 0


async def test_who_is_not_content_is_asked_what_went_wrong(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1015, ("WM-7KG", 1))
    form = await form_of(visitor, order)
    said = await taken(visitor, await send(visitor, form, NOT_CONTENT, make_jpeg(320, 240)))
    assert "Our support looks at what went wrong." in said
    await taken(visitor, await send(visitor, form, NOT_CONTENT, make_jpeg(320, 240)))
    [ticket] = await core_db.rows("SELECT id, type, title, words, order_id FROM ticket")
    assert ticket["type"] == "complaint" and ticket["order_id"] == order.order_id
    assert ticket["title"] == ("The customer is not content: delivery 5 of 5, installation 2 of 5")
    assert ticket["words"] == "He drilled the wall."
    shown = await core_db.rows("SELECT sha256 FROM ticket_photo WHERE ticket_id = $1", ticket["id"])
    assert shown == await core_db.rows("SELECT sha256 FROM feedback_photo")
    assert len(shown) == 1
    await healthy()


@pytest.mark.parametrize(
    ("photos", "status", "reason"),
    [
        ([b"<svg onload=alert(1)>"], 415, "One of the files is not a photo."),
        ([make_jpeg(64, 64 + n) for n in range(7)], 422, "six photos"),
    ],
)
async def test_a_file_that_cannot_be_shown_is_refused_and_what_was_said_stays(
    company: Company, visitor: Visitor, photos: list[bytes], status: int, reason: str
) -> None:
    order = await standing(company, 1015, ("WM-7KG", 1))
    form = await form_of(visitor, order)
    before = await everything()
    answer = await send(visitor, form, NOT_CONTENT, *photos)
    assert answer.status_code == status and reason in words_of(answer.text)
    assert 'value="2" required checked' in answer.text
    assert "He drilled the wall." in answer.text
    assert await everything() == before
    await taken(visitor, await send(visitor, form, NOT_CONTENT))


async def test_no_photo_is_looked_at_of_a_rating_that_cannot_count(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1013, ("WM-7KG", 1))
    address = await at_page(visitor, order, signed_in=False)
    pictures = "SELECT count(*) FROM blob WHERE mime = 'image/jpeg'"
    before = await core_db.value(pictures)
    early = Form(f"{address.partition('?')[0]}/rating")
    early.fields = {"event_id": "0190f3c0-0000-7000-8000-000000000001", "parcel": "1"}
    answer = await send(visitor, early, CONTENT, make_jpeg(320, 240))
    assert answer.status_code == 409 and "once everything is delivered" in words_of(answer.text)
    assert await core_db.value(pictures) == before
    ready = await standing(company, 1015, ("WM-7KG", 1))
    form = await form_of(visitor, ready)
    await taken(visitor, await send(visitor, form, CONTENT))
    other = Form(form.action)
    other.fields = form.fields | {"event_id": "0190f3c0-0000-7000-8000-000000000002"}
    again = await send(visitor, other, CONTENT, make_jpeg(330, 240))
    assert again.status_code == 409 and "already rated" in words_of(again.text)
    assert await core_db.value("SELECT count(*) FROM feedback_photo") == 0


async def test_a_rating_is_taken_once_and_a_second_tap_is_the_same(
    company: Company, visitor: Visitor
) -> None:
    order = await place(("KET-17", 1), world=company.world)
    address = await visitor.open(order.token)
    assert "rate1" not in forms_of(await visitor.read(address))
    await travel(order.parcels[0], *TO_DELIVERY)
    form = forms_of(await visitor.read(address))["rate1"]
    typed = {"delivery_rating": "4", "words": "Quick!\nand kind"}
    for _ in range(2):
        page = await visitor.do(form, **typed)
        assert "Thank you for your rating." in words_of(page)
        assert "rate1" not in forms_of(page)
    kept = await core_db.one("SELECT delivery_rating, words FROM feedback")
    assert kept == {"delivery_rating": 4, "words": "Quick!\nand kind"}
    other = await visitor.send(form, event_id=str(uuid7()), **typed)
    assert other.status_code == 409
    assert "You have already rated this parcel" in words_of(other.text)


async def test_what_was_typed_is_kept_when_it_is_not_taken(
    company: Company, visitor: Visitor
) -> None:
    order = await place(("KET-17", 1), world=company.world)
    address = await visitor.open(order.token)
    await travel(order.parcels[0], *TO_DELIVERY)
    form = forms_of(await visitor.read(address))["rate1"]
    typed = {
        "delivery_rating": "2", "installation_rating": "3",
        "words": "First line\n  <b>second</b>",
    }  # fmt: skip
    answer = await visitor.send(form, **typed)
    assert answer.status_code == 422
    assert "Nothing was installed with this parcel" in words_of(answer.text)
    assert "First line&#10;  &lt;b&gt;second&lt;/b&gt;</textarea>" in answer.text
    assert re.search(r'name="delivery_rating" value="2" required checked', answer.text)
    assert await core_db.value("SELECT count(*) FROM feedback") == 0
