"""The customer says where his door is: the parts of the address, and a pin that he looks at first (P2)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest

from doorstep.core import db as core_db
from doorstep.doors.track import page_files
from tests.factories.at_the_page import at_page, sign_in, step
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.factories.snapshots import everything
from tests.support.visitor import OWN_PAGE, Form, Visitor, browser, forms_of, words_of

THERE = "SELECT a.lat, a.lng FROM address a JOIN customer_order o ON o.address_id = a.id WHERE o.id = $1"


@pytest.fixture
async def visitor(company: Company) -> AsyncIterator[Visitor]:
    async with browser() as one:
        yield one


async def pinned(company: Company, visitor: Visitor) -> tuple[Order, str, Form]:
    """Have an order whose address has a pin; return it, its page and the form of the door."""
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    await core_db.execute("UPDATE address SET lat = 25.08, lng = 55.14, pin_at = now()")
    return order, address, forms_of(await step(visitor, address, "address"))["step"]


async def looked(visitor: Visitor, form: Form, **typed: str) -> tuple[int, str]:
    """Press one of the buttons that only show; return the status and the page."""
    path, _, query = form.action.partition("?")
    there = Form(f"{path}/look?{query}")
    there.fields = form.fields
    answer = await visitor.send(there, **typed)
    return answer.status_code, answer.text


def place_in(page: str) -> str:
    [found] = re.findall(r'name="place"[^>]* value="([^"]*)"', page)
    return str(found)


async def test_the_door_is_completed(company: Company, visitor: Visitor) -> None:
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    form = forms_of(await step(visitor, address, "address"))["step"]
    after = await visitor.do(form, lift="no", floor="4", instructions='Ring "Khan", then wait.')
    assert "Whoever comes sees it now." in words_of(after)
    again = await visitor.read(f"{address}/address")
    assert 'value="4"' in again and "Ring &#34;Khan&#34;, then wait." in again
    assert await core_db.value(
        "SELECT a.lift FROM address a JOIN customer_order o ON o.address_id = a.id WHERE o.id = $1",
        order.order_id,
    ) is False  # fmt: skip


async def test_the_pin_is_pasted_and_a_far_one_is_asked_about(
    company: Company, visitor: Visitor
) -> None:
    order = await standing(company, 1004)
    address = await at_page(visitor, order)
    await core_db.execute("UPDATE address SET lat = 25.08, lng = 55.14, pin_at = now()")
    form = forms_of(await step(visitor, address, "address"))["step"]
    there = "SELECT a.lat, a.lng FROM address a JOIN customer_order o ON o.address_id = a.id WHERE o.id = $1"
    for text, said in (
        ("28.61, 77.21", "This place is far from the address of the order."),
        ("https://maps.app.goo.gl/abc", "No place can be read from this."),
    ):
        answer = await visitor.send(form, place=text, floor="4", lift="no")
        assert (answer.status_code, said in words_of(answer.text)) == (422, True)
        # Nothing that was typed has to be typed again.
        assert text in answer.text and 'value="4"' in answer.text
        assert await core_db.one(there, order.order_id) == {"lat": 25.08, "lng": 55.14}
    link = "https://www.google.com/maps/@25.0805,55.1409,17z"
    after = await visitor.do(form, place=link, floor="4")
    assert "Whoever comes sees it now." in words_of(after)
    assert await core_db.one(there, order.order_id) == {"lat": 25.0805, "lng": 55.1409}
    assert 'href="geo:25.0805,55.1409?' in await visitor.read(f"{address}/address")


async def test_a_pin_is_looked_at_and_moved_before_anything_is_saved(
    company: Company, visitor: Visitor
) -> None:
    order, address, form = await pinned(company, visitor)
    assert "unsaved" not in (before := await visitor.read(f"{address}/address"))
    assert 'data-reach="100"' in before and place_in(before) == ""
    kept = await everything()
    status, page = await looked(visitor, form, move="north 100", floor="4", lift="no")
    assert (status, place_in(page)) == (200, "25.08090, 55.14000")
    assert "This place is not saved yet." in words_of(page)
    # Where we look today lies 100 m to the south of it; what was typed stays.
    assert '<circle cx="0.0" cy="50.0"' in page and 'data-reach="200"' in page
    assert 'value="4"' in page and re.search(r'value="no" checked', page)
    _, page = await looked(visitor, form, move="east 20", place=place_in(page))
    assert place_in(page) == "25.08090, 55.14020"
    _, page = await looked(visitor, form, place=place_in(page), around="150")
    assert re.search(r'<circle r="75.0" fill-opacity', page), "how far the phone may be wrong"
    assert await everything() == kept
    after = await visitor.do(form, place=place_in(page), floor="4")
    assert "Whoever comes sees it now." in words_of(after)
    assert await core_db.one(THERE, order.order_id) == {"lat": 25.0809, "lng": 55.1402}


async def test_what_cannot_be_shown_says_why(company: Company, visitor: Visitor) -> None:
    order, address, form = await pinned(company, visitor)
    for typed, said in (
        ({"place": "Villa 7"}, "No place can be read from this."),
        ({"place": "28.61, 77.21"}, "This place is far from the address of the order."),
        ({"move": "up 5"}, ""),
        ({"around": "-1"}, ""),
    ):
        status, page = await looked(visitor, form, **typed)
        assert (status, said in words_of(page)) == (422, True), typed
    await core_db.execute("UPDATE address SET lat = NULL, lng = NULL, pin_at = NULL")
    assert "<svg" not in await visitor.read(f"{address}/address")
    status, _ = await looked(visitor, form, move="north 20")
    assert status == 422, "there is no pin to move"
    status, page = await looked(visitor, form, place="28.61, 77.21")
    assert (status, "<svg" in page) == (200, True), "without a pin any place will do"
    assert (await core_db.one(THERE, order.order_id))["lat"] is None


async def test_a_look_is_for_whoever_has_typed_the_code_from_a_page_of_ours(
    company: Company, visitor: Visitor
) -> None:
    mine, other = await standing(company, 1004), await standing(company, 1004)
    address = await at_page(visitor, mine, signed_in=False)
    body = {"place": "25.08, 55.14"}
    answer = await visitor.http.post(f"{address}/address/look", data=body, headers=OWN_PAGE)
    assert answer.status_code == 403 and "Please sign in first" in words_of(answer.text)
    await sign_in(visitor, address, mine.order_id)
    foreign = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.test"}
    for path, headers, status in (
        (f"{address}/address/look", foreign, 403),
        (f"/t/orders/{other.number}/address/look", OWN_PAGE, 404),
        (f"{address}/address/look", OWN_PAGE, 200),
    ):
        answer = await visitor.http.post(path, data=body, headers=headers)
        assert answer.status_code == status, path


async def test_its_script_is_given_and_no_other_file(company: Company, visitor: Visitor) -> None:
    _, address, _ = await pinned(company, visitor)
    script = page_files.script_path("door")
    assert script and script in await visitor.read(f"{address}/address")
    answer = await visitor.http.get(script)
    assert (answer.status_code, len(answer.content) < 2_000) == (200, True)
    assert (await visitor.http.get("/t/files/doors-00000000.js")).status_code == 404
