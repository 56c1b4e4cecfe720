"""What others try with the customer's page, and never get: every attack of reliability §5.4."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.crm import service as crm
from doorstep.settings import settings
from tests.factories.care import Travelling, place, travel
from tests.factories.company import Company, open_company
from tests.factories.intake import order_body, send_order
from tests.factories.journeys import standing
from tests.factories.snapshots import everything
from tests.support.visitor import OWN_PAGE, Visitor, browser, forms_of, in_parts, words_of

TO_DELIVERY = tuple(range(1002, 1014))
CANARIES = 50


def cookie(kind: str, number: str, value: str) -> dict[str, str]:
    return {"Cookie": f"__Host-{kind}-{number}={value}"}


async def sent_code(order_id: Any) -> str:
    code: str = await core_db.value(
        "SELECT secret FROM message WHERE order_id = $1 AND event = 'sign_in_code'"
        " ORDER BY attempt DESC LIMIT 1",
        order_id,
    )
    return code


async def delivered(**given: Any) -> Travelling:
    order = await place(("KET-17", 1), **given)
    await travel(order.parcels[0], *TO_DELIVERY)
    return order


# --- Canaries -------------------------------------------------------------------------------------


async def _canary(company: Company, n: int) -> list[str]:
    """Place somebody else's order; return all that is only his."""
    name, street, words = f"Canaria{n}x", f"{n}7 Kanarenweg", f"Canary words {n}y"
    body = order_body(f"CANARY-{n}", ("MIX-500", 1), method="cod")
    body["customer"] |= {
        "name": name, "email": f"canary{n}@example.net", "phone": f"+97150765{n:04}",
    }  # fmt: skip
    body["ship_to"] |= {"name": name, "street": [street], "phone": f"+97150765{n:04}"}
    taken = (await send_order(company, body)).json()
    await core_db.execute("UPDATE address SET instructions = $1 WHERE line1 = $2", words, street)
    ids = [taken["order_id"], *taken["fulfilment_ids"]]
    return [name, street, words, f"canary{n}@", f"50765{n:04}", taken["number"], *ids]


async def test_no_answer_holds_anything_of_fifty_other_orders(
    db: Any, redis: Any, tmp_path: Any
) -> None:
    async with open_company(tmp_path) as company:
        order = await standing(company, 1018)
        canaries: list[str] = []
        await core_db.execute("UPDATE stock SET on_hand = on_hand + $1", CANARIES)
        for n in range(CANARIES):
            canaries += await _canary(company, n)
        await company.work()
        # The last one's goods are delivered too, on the same day by the same people.
        other = await standing(company, 1018, ("WM-7KG", 1))
        canaries += [other.number, str(other.order_id), str(other.parcel)]
        number = await core_db.value(
            "SELECT number FROM warranty WHERE order_id = $1", order.order_id
        )
        foreign = await core_db.value(
            "SELECT number FROM warranty WHERE order_id = $1", other.order_id
        )
        async with browser() as visitor:
            answers: list[httpx.Response] = []
            visitor.http.event_hooks["response"] = [lambda answer: _keep(answers, answer)]
            address = await visitor.open(company.told(r"/t/([\w-]{20,})", order.number))
            await visitor.read(address)
            form = forms_of(await visitor.read(address))["ask"]
            asked = await visitor.do(form)
            code = await sent_code(order.order_id)
            page = await visitor.do(forms_of(asked)["in"], code=code)
            assert "Marina Walk" in page
            paths = ["", "/invoice", f"/certificates/{number}", f"/certificates/{foreign}",
                     f"/receipts/{other.number}-1", "/parcels/1/proof"]  # fmt: skip
            for path in paths:
                await visitor.http.get(address + path)
            for path in ("rating", "date", "cancel", "handover-code"):
                for parcel in (1, 2, 51):
                    typed = {
                        "event_id": str(uuid7()), "parcel": str(parcel), "delivery_rating": "5",
                        "expected_on": "2030-01-01", "sure": "yes",
                    }  # fmt: skip
                    wanted = {
                        "rating": ("event_id", "parcel", "delivery_rating"),
                        "date": ("event_id", "parcel", "expected_on"),
                        "cancel": ("event_id", "parcel", "sure"),
                        "handover-code": ("parcel",),
                    }[path]
                    data = {name: typed[name] for name in wanted}
                    body = in_parts(data) if path == "rating" else {"data": data}
                    await visitor.http.post(f"{address}/{path}", headers=OWN_PAGE, **body)
            await visitor.http.get(f"/t/orders/{other.number}")
            await visitor.http.get(f"/verify/{number}")
            said = b"".join(answer.content for answer in answers)
            headers = str([answer.headers for answer in answers])
    assert len(answers) > 20
    assert not [one for one in canaries if one.encode() in said]
    assert not [one for one in canaries if one in headers]


async def _keep(answers: list[httpx.Response], answer: httpx.Response) -> None:
    await answer.aread()
    answers.append(answer)


# --- Links and cookies ----------------------------------------------------------------------------


async def test_whatever_opens_nothing_looks_the_same(visitor: Visitor, clock: Any) -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    page = f"/t/orders/{order.number}"

    async def refusal(path: str, headers: dict[str, str] | None = None) -> tuple[Any, ...]:
        async with browser() as one:
            answer = await one.http.get(path, headers=headers)
        kept = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
        return answer.status_code, answer.text, kept

    missing = await refusal(page)
    assert missing[0] == 404 and "does not open an order" in missing[1]
    own = cookie("order", order.number, order.token)
    assert (await refusal(page, own))[0] == 200
    foreign = cookie("order", order.number, other.token)
    assert await refusal(page, foreign) == missing
    assert await refusal(page, cookie("order", other.number, order.token)) == missing
    assert await refusal(page, cookie("order", order.number, "wrong")) == missing
    assert await refusal("/t/orders/DS-999999", own) == missing
    assert await refusal("/t/wrong") == missing
    await crm.revoke_links(other.order_id)
    assert await refusal(f"/t/{other.token}") == missing
    clock.advance(timedelta(days=200))
    assert await refusal(f"/t/{order.token}") == missing
    # What the limits have counted till then says the rest.


async def test_beside_the_pages_a_wrong_address_is_a_page_too(visitor: Visitor) -> None:
    for path in (
        "/t/orders/DS-1/parcels/first/who",
        "/t/orders/DS-1/nothing/at/all",
        "/verify/a/b",
    ):
        answer = await visitor.http.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html"), path
        assert answer.headers["cache-control"] == "no-store"
    problem = await visitor.http.get("/trucks")
    assert problem.headers["content-type"] == "application/problem+json"


async def test_misses_and_requests_are_counted(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    assert 29 <= await _until_refused(visitor, [address] * 90, 200) < 90
    async with browser(client=("198.51.100.7", 1)) as stranger:
        guesses = [f"/t/guess-{n}" for n in range(40)]
        assert 10 <= await _until_refused(stranger, guesses, 404) < 40
        late = await stranger.http.get("/t/guess-11")
        assert late.headers["content-type"].startswith("text/html")
        assert int(late.headers["retry-after"]) > 0


async def _until_refused(visitor: Visitor, paths: list[str], answer: int) -> int:
    """Tell how many are answered before 429; a slow machine leaves a share time to fill again."""
    for n, path in enumerate(paths):
        code = (await visitor.http.get(path)).status_code
        if code == 429:
            return n
        assert code == answer
    return len(paths)


async def test_a_form_from_elsewhere_changes_nothing(visitor: Visitor) -> None:
    order = await delivered()
    address = await visitor.open(order.token)
    form = forms_of(await visitor.read(address))["rate1"]
    before = await everything()
    for headers in (
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://other.doorstep.test"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": settings().public_url + ".evil.example"},
    ):
        for name in ("rating", "sign-in-code", "sign-out"):
            body = form.body(delivery_rating="1") if name == "rating" else {"data": {}}
            answer = await visitor.http.post(f"{address}/{name}", headers=headers, **body)
            assert answer.status_code == 403, (name, headers)
            assert "sent from another page" in words_of(answer.text)
    assert await everything() == before
    # A browser of before 2023 says nothing but its origin; on our page it is opaque.
    old = await visitor.http.post(
        form.action, headers={"Origin": "null"}, **form.body(delivery_rating="5")
    )
    assert old.status_code == 303


async def test_a_form_acts_on_the_order_of_its_address_only(visitor: Visitor) -> None:
    order = await delivered()
    other = await delivered(world=order.world)
    form = forms_of(await visitor.read(await visitor.open(order.token)))["rate1"]
    before = await everything()
    stolen = {"event_id": form.fields["event_id"], "parcel": "1", "delivery_rating": "1"}
    for headers in (
        OWN_PAGE,
        OWN_PAGE | cookie("order", other.number, order.token),
        OWN_PAGE | cookie("session", other.number, "dst_" + "x" * 43),
    ):
        answer = await visitor.http.post(
            f"/t/orders/{other.number}/rating", headers=headers, **in_parts(stolen)
        )
        assert answer.status_code == 404
    two = await visitor.send(form, parcel="2", delivery_rating="1")
    assert two.status_code == 404
    extra = await visitor.send(form, delivery_rating="1", order_id=str(other.order_id))
    assert extra.status_code == 422
    assert await everything() == before


async def test_reading_never_writes(visitor: Visitor) -> None:
    order = await delivered()
    address = await visitor.open(order.token)
    before = await everything()
    for path in ("", "/invoice", "/receipts/1", "/certificates/1", "/sign-in-code", "/rating"):
        for method in ("GET", "HEAD"):
            answer = await visitor.http.request(method, address + path)
            assert answer.status_code in (200, 404, 405)
    assert await everything() == before


async def test_nothing_can_be_put_into_headers_or_the_page(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    for evil in ("x%0d%0aSet-Cookie:%20a=b", '"><script>alert(1)</script>', "..%2f..%2fadmin"):
        for path in (f"/t/{evil}", f"/t/orders/{evil}", f"{address}/certificates/{evil}",
                     f"{address}?lang={evil}", f"/t/files/{evil}", f"/verify/{evil}"):  # fmt: skip
            answer = await visitor.http.get(path, headers={"Accept": "text/html"})
            assert "a=b" not in str(answer.headers.get_list("set-cookie"))
            assert "alert(1)" not in answer.text
            assert answer.status_code in (200, 404, 429)
    said = await visitor.http.get(
        address, headers=cookie("said", order.number, "<b>x</b>") | {"Referer": "https://e.example"}
    )
    assert "<b>x</b>" not in said.text


async def test_words_of_others_stand_on_the_page_as_words(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    evil = "<img src=x onerror=alert(1)>{{ 7*7 }}"
    await core_db.execute("UPDATE product SET name = $1, names = '{}'", evil)
    await core_db.execute("UPDATE order_line SET name = $1", evil)
    page = await visitor.read(await visitor.open(order.token))
    assert "&lt;img src=x onerror=alert(1)&gt;{{ 7*7 }}" in page and "<img" not in page


# --- The code -------------------------------------------------------------------------------------


async def test_codes_cannot_be_guessed_nor_phones_flooded(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    form = forms_of(await visitor.do(forms_of(await visitor.read(address))["ask"]))["in"]
    code = await sent_code(order.order_id)
    for n in range(5):
        answer = await visitor.send(form, code=f"{(int(code) + 1 + n) % 10**6:06}")
        assert answer.status_code == 422
    sixth = await visitor.send(form, code=code)
    assert sixth.status_code == 422
    assert '<details id="have" open>' in sixth.text
    assert await core_db.value("SELECT count(*) FROM link_session") == 0
    sent = [(await visitor.http.post(f"{address}/sign-in-code", headers=OWN_PAGE)).status_code
            for _ in range(5)]  # fmt: skip
    assert sent[-1] == 429, "five at once, then one a minute"
    assert await core_db.value("SELECT count(*) FROM message WHERE event = 'sign_in_code'") <= 5


async def test_the_answer_is_the_same_without_a_phone(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    pages = []
    for one in (order, other):
        address = await visitor.open(one.token)
        page = await visitor.do(forms_of(await visitor.read(address))["ask"])
        pages.append(words_of(page).replace(one.number, "DS"))
        await core_db.execute("UPDATE customer SET phone = NULL")
        await core_db.execute("UPDATE address SET phone = NULL")
    assert pages[0] == pages[1]
    assert await core_db.value("SELECT count(*) FROM message WHERE event = 'sign_in_code'") == 1


async def test_a_session_opens_its_own_order_and_ends_with_its_link(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    other = await place(("KET-17", 1), world=order.world)
    address = await visitor.open(order.token)
    asked = await visitor.do(forms_of(await visitor.read(address))["ask"])
    page = await visitor.do(forms_of(asked)["in"], code=await sent_code(order.order_id))
    assert "Marina" in page
    session = visitor.http.cookies[f"__Host-session-{order.number}"]
    async with browser() as thief:
        foreign = await thief.open(other.token)
        thief.http.cookies.set(f"__Host-session-{other.number}", session, domain="doorstep.test")
        assert "Marina" not in await thief.read(foreign)
        alone = await thief.http.get(address, headers=cookie("session", order.number, session))
        assert alone.status_code == 404
    await crm.revoke_links(order.order_id)
    assert (await visitor.http.get(address)).status_code == 404


async def test_no_secret_is_stored_or_said(visitor: Visitor, capsys: Any) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    asked = await visitor.do(forms_of(await visitor.read(address))["ask"])
    code = await sent_code(order.order_id)
    await visitor.do(forms_of(asked)["in"], code=code)
    session = visitor.http.cookies[f"__Host-session-{order.number}"]
    await core_db.execute("UPDATE message SET secret = NULL")
    await core_db.execute("UPDATE outbox SET payload = payload - 'secret'")
    stored = str(await everything())
    said = capsys.readouterr()
    for secret in (order.token, session):
        assert secret not in stored
        assert secret not in said.out + said.err
