"""The customer's page without JavaScript: what it shows, to whom, and what its forms do."""

from __future__ import annotations

import re
from datetime import timedelta

import brotli
import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.doors.track import page_files
from tests.factories.at_the_page import sign_in, token_of
from tests.factories.backorders import dated, parcel_number
from tests.factories.care import place, travel
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.road import FRESH
from tests.factories.snapshots import everything
from tests.support.visitor import Visitor, browser, forms_of, words_of

TO_DELIVERY = tuple(range(1002, 1014))
PERSONAL = ("Aisha", "Khan", "501234567", "example.com", "Marina", "Tower")
MOST_BYTES = 8_000
"""Of the page with all that it needs, as it travels."""


# --- Opening a link -------------------------------------------------------------------------------


async def test_a_link_is_swapped_for_a_cookie_and_changes_nothing(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    before = await everything()
    answer = await visitor.http.get(f"/t/{order.token}", params={"lang": "hi"})
    assert (answer.status_code, answer.headers["location"]) == (
        303, f"/t/orders/{order.number}?lang=hi"
    )  # fmt: skip
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith(f"__Host-order-{order.number}={order.token};")
    assert {"Secure", "HttpOnly", "SameSite=lax", "Path=/"} <= {*cookie.split("; ")}
    assert "Domain" not in cookie
    page = await visitor.read(answer.headers["location"])
    assert order.token not in page
    # Messengers open links for their previews, again and again.
    await visitor.http.get(f"/t/{order.token}")
    assert await everything() == before


async def test_several_orders_are_open_in_one_browser_without_mixing(visitor: Visitor) -> None:
    one = await place(("KET-17", 1))
    two = await place(("MIX-500", 1), world=one.world)
    addresses = [await visitor.open(order.token) for order in (one, two)]
    for address, order, other in ((addresses[0], one, two), (addresses[1], two, one)):
        page = await visitor.read(address)
        assert order.number in page and other.number not in page
    for order in (one, two):
        for parcel in order.parcels:
            await travel(parcel, *TO_DELIVERY)
    form = forms_of(await visitor.read(addresses[0]))["rate1"]
    await visitor.do(form, delivery_rating="5")
    rated = await core_db.rows("SELECT order_id FROM feedback")
    assert [row["order_id"] for row in rated] == [one.order_id]


async def test_every_answer_is_kept_by_nobody_and_runs_nothing_foreign(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    for path in (f"/t/{order.token}", address, "/t/wrong", "/t/orders/DS-999999"):
        headers = (await visitor.http.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-robots-tag"] == "noindex, nofollow"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
    page = await visitor.read(address)
    assert not re.search(r"https?://", page), "nothing is asked of anybody else"
    assert not re.search(r"\sstyle=|\son\w+=", page), "the policy would forbid it"
    assert page.count("<script") == page.count('<script type="module" src="/t/files/')


# --- What it shows --------------------------------------------------------------------------------


async def test_it_shows_each_milestone_with_its_sentence_and_time(visitor: Visitor) -> None:
    order = await place(("KET-17", 2))
    await travel(order.parcels[0], 1002, 1003)
    page = await visitor.read(await visitor.open(order.token))
    words = words_of(page)
    assert f"Order {order.number} Stock Reserved 2 × KET-17" in words
    assert "Inventory allocated from warehouse." in words and "15 % done" in words
    assert "Packing Started. We will tell you when it happens." in words
    assert words.count("still to come") == 7
    assert not [word for word in (*PERSONAL, str(order.order_id)) if word in page]


async def test_two_parcels_are_told_apart_and_counted(visitor: Visitor) -> None:
    order = await place(("KET-17", 1), ("MIX-500", 1))
    await travel(order.parcels[1], *TO_DELIVERY)
    words = words_of(await visitor.read(await visitor.open(order.token)))
    assert "1 of 2 delivered Parcel 1 of 2: 1 × KET-17" in words
    assert "Parcel 2 of 2: 1 × MIX-500" in words


@pytest.mark.parametrize(
    ("language", "direction", "said"),
    [
        ("hi", "ltr", "ऑर्डर की पुष्टि हुई"),
        ("ar", "rtl", "تم تأكيد الطلب"),
        ("en", "ltr", "Order Confirmed"),
    ],
)
async def test_it_speaks_the_orders_language_and_any_that_is_asked_for(
    visitor: Visitor, language: str, direction: str, said: str
) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    for page in (
        await visitor.read(address, lang=language),
        await _in_its_own(visitor, address, language),
    ):
        assert f'<html lang="{language}" dir="{direction}">' in page
        assert said in words_of(page)
    # Nobody's order says how to speak here: the browser does.
    nothing = await visitor.http.get("/t/wrong", headers={"Accept-Language": f"{language};q=0.9"})
    assert f'lang="{language}"' in nothing.text


async def _in_its_own(visitor: Visitor, address: str, language: str) -> str:
    await core_db.execute("UPDATE customer_order SET language = $1", language)
    # Another language of the browser is no matter: the order was placed in this one.
    visitor.http.headers["Accept-Language"] = "fr"
    return await visitor.read(address)


async def test_on_the_road_it_tells_the_stops_before_and_who_comes_by_a_letter(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        page = await visitor.read(address)
        words = words_of(page)
        assert "Out For Delivery" in words and "You are the next stop." in words
        # The minutes before midnight say tomorrow's day.
        assert re.search(r"Delivery (Today|\w+ \d+ \w+,) between \d\d:\d\d and \d\d:\d\d", words)
        assert "Reckoned with 15 minutes for each stop" in words
        assert "C. brings your parcel." in words and "Canary" not in page
        awb = await core_db.value("SELECT awb FROM shipment")
        assert awb in words and "Picked up" in words
        signed = words_of(await sign_in(visitor, address, order.order_id))
        assert "Canary brings your parcel." in signed


async def test_the_stops_before_are_counted_down_as_the_van_goes_on(company: Company) -> None:
    first, second = [await standing(company, 1011, ("MIX-500", 1)) for _ in range(2)]
    plan = {
        "person_id": company.users["delivery"].id, "vehicle": "VAN-1", "planned_on": FRESH,
        "fulfilment_ids": [first.parcel, second.parcel],
    }  # fmt: skip
    planned = await company.send("dispatcher", "/console/runs", plan)
    async with browser() as visitor:
        address = await visitor.open(token_of(second))
        assert "stop before you" not in words_of(await visitor.read(address))
        await second.take_well(await second.accept_run(planned.json()["id"]))
        page = await visitor.read(address)
        assert "1 stop before you." in words_of(page)
        assert first.number not in page
        await first.take_well(await first.pod())
        assert "You are the next stop." in words_of(await visitor.read(address))


async def test_a_promised_window_a_visit_and_the_hours_to_stand_are_told(
    company: Company,
) -> None:
    order = await standing(company, 1008)
    await core_db.execute("UPDATE product SET standing_hours = 6")
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        start = now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
        promise = {
            "event_id": uuid7(), "reason": "asked for",
            "window": {"from_at": start, "until_at": start + timedelta(hours=4)},
        }  # fmt: skip
        path = f"/console/parcels/{order.parcel}/window"
        assert (await company.send("dispatcher", path, promise)).status_code == 200
        words = words_of(await visitor.read(address))
        assert re.search(r"Delivery \w+day \d+ \w+, between \d\d:00 and \d\d:00", words)
        await order.go_on(1013)
        words = words_of(await visitor.read(address))
        assert "We are planning the installation" in words
        assert re.search(r"Plug in after .*\d\d:\d\d", words)
        await order.go_on(1014)
        words = words_of(await visitor.read(address))
        assert re.search(r"Installation .*between \d\d:\d\d and \d\d:\d\d", words)


async def test_a_detour_leads_and_the_percentage_stands_still(company: Company) -> None:
    order = await standing(company, 1010)
    report = {"event_id": uuid7(), "kind": "carrier_delayed", "words": "Canary: the road is shut."}
    path = f"/console/fulfilments/{order.parcel}/detours"
    answer = await company.send("dispatcher", path, report)
    assert answer.status_code == 200, answer.text
    await company.work()
    async with browser() as visitor:
        words = words_of(await visitor.read(await visitor.open(token_of(order))))
    told = "Your delivery is delayed on the way."
    assert "Canary" not in words
    assert words.index(told) < words.index("On hold at 50 %") < words.index("Order Confirmed")
    assert "We will tell you when it happens" not in words


# --- What its forms do ----------------------------------------------------------------------------


async def test_what_is_said_after_a_form_is_said_once(visitor: Visitor) -> None:
    order = await place(("KET-17", 1))
    address = await visitor.open(order.token)
    await travel(order.parcels[0], *TO_DELIVERY)
    page = await visitor.do(forms_of(await visitor.read(address))["rate1"], delivery_rating="5")
    assert 'role="status">Thank you' in page
    assert 'role="status">Thank you' not in await visitor.read(address)


async def test_a_customer_accepts_the_date_of_short_goods(company: Company) -> None:
    order = await dated(company)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        form = forms_of(await visitor.read(address))[f"date{await parcel_number(order)}"]
        page = await visitor.do(form)
        assert "You have accepted the date" in words_of(page)
        assert not [name for name in forms_of(page) if name.startswith("date")]
    accepted = "SELECT accepted_at FROM detour_case WHERE fulfilment_id = $1"
    assert await core_db.value(accepted, order.parcel) is not None


async def test_a_customer_cancels_short_goods_only_when_he_says_so_twice(company: Company) -> None:
    order = await dated(company)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        form = forms_of(await visitor.read(address))[f"cancel{await parcel_number(order)}"]
        unsure = await visitor.send(form)
        assert unsure.status_code == 422
        ended = "SELECT ended_as FROM fulfilment WHERE id = $1"
        assert await core_db.value(ended, order.parcel) is None
        page = await visitor.do(form, sure="yes")
        assert "The goods are cancelled." in words_of(page)
        assert await core_db.value(ended, order.parcel) == "cancelled"


async def test_after_the_code_he_sees_his_name_address_and_papers(company: Company) -> None:
    order = await standing(company, 1018)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        level_0 = await visitor.read(address)
        assert not [word for word in PERSONAL if word in level_0]
        for paper in ("invoice", "parcels/1/proof"):
            assert (await visitor.http.get(f"{address}/{paper}")).status_code == 404
        number = await core_db.value("SELECT number FROM warranty")
        certificate = await visitor.http.get(f"{address}/certificates/{number}")
        assert certificate.content.startswith(b"%PDF")
        goods = await core_db.value(
            "SELECT p.name FROM warranty w JOIN product p ON p.id = w.product_id"
        )
        assert f"Warranty certificate (PDF) {goods} {number}" in words_of(level_0)

        page = await sign_in(visitor, address, order.order_id)
        words = words_of(page)
        assert "You are signed in on this device for 24 hours." in words
        assert "Aisha Khan 12 Marina Walk Tower 1, 4, 402 Dubai" in words
        assert "501234567" not in page and "example.com" not in page
        invoice = await visitor.http.get(f"{address}/invoice")
        assert invoice.content.startswith(b"%PDF")
        assert invoice.headers["cache-control"] == "no-store"
        proof = await visitor.http.get(f"{address}/parcels/1/proof")
        assert proof.content.startswith(b"%PDF")
        assert f'filename="{order.number}-1-proof.pdf"' in proof.headers["content-disposition"]
        assert (await visitor.http.get(f"{address}/parcels/2/proof")).status_code == 404

        await core_db.execute(
            "UPDATE address SET line1 = 'Road 214, Tower 1, floor 4, flat 402', region = city,"
            " postcode = '00000'"
        )
        told = "Aisha Khan Road 214, Tower 1, floor 4, flat 402 Dubai Help us find the door"
        assert told in words_of(await visitor.read(address))

        after = await visitor.do(forms_of(page)["out"])
        assert "Marina" not in after
        assert (await visitor.http.get(f"{address}/invoice")).status_code == 404


async def test_the_companys_number_can_be_called_where_it_is_known(company: Company) -> None:
    order = await standing(company, 1005)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        assert "tel:" not in await visitor.read(address)
        await core_db.execute(
            "INSERT INTO message_rule (channel_id, support_phone) VALUES ($1, '+97143211234')",
            company.world.channel_id,
        )
        assert 'href="tel:+97143211234"' in await visitor.read(address)


async def test_the_code_for_the_door_is_shown_while_somebody_is_on_the_way(
    company: Company,
) -> None:
    order = await standing(company, 1012)
    code = company.told(r"(?<!\d)(\d{6})(?!\d)", order.number)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        assert code not in words_of(await visitor.read(address)), "whoever has the link"
        assert code in words_of(await sign_in(visitor, address, order.order_id))
        made_by_another_key = "UPDATE handover_code SET code_hash = sha256(code_hash)"
        await core_db.execute(made_by_another_key)
        page = await visitor.read(address)
        assert code not in words_of(page) and "door1" in forms_of(page)
        await visitor.do(forms_of(page)["door1"])
        assert code in words_of(await visitor.read(address)), "sent again by the key in use"
        await order.take_well(await order.pod(handover_code=code))
        assert code not in words_of(await visitor.read(address)), "delivered"


async def test_the_code_for_the_door_is_sent_again_and_is_the_same(company: Company) -> None:
    order = await standing(company, 1012)
    six = r"(?<!\d)(\d{6})(?!\d)"
    first = company.told(six, order.number)
    async with browser() as visitor:
        address = await visitor.open(token_of(order))
        assert "door1" not in forms_of(await visitor.read(address))
        page = await sign_in(visitor, address, order.order_id)
        await company.work()
        for _ in range(3):
            page = await visitor.do(forms_of(page)["door1"])
            await company.work()
            assert company.told(six, order.number) == first
        told_often = await visitor.send(forms_of(page)["door1"])
        assert told_often.status_code == 409
    sent = [body for *_, body in company.post.sent if first in body]
    assert len(sent) == 4
    kept = "SELECT count(*) FROM message WHERE secret IS NOT NULL AND event LIKE 'handover_code%'"
    assert await core_db.value(kept) == 0
    await order.take_well(await order.pod(handover_code=first))
    assert await core_db.value("SELECT code_ok FROM pod")


# --- Size, certificates ---------------------------------------------------------------------------


async def test_the_page_with_all_it_needs_stays_small(company: Company) -> None:
    orders = [await standing(company, stage) for stage in (1012, 1015)]
    script = page_files.script_path()
    assert script, "`make setup` builds it"
    async with browser() as visitor:
        packed = (await visitor.http.get(script, headers={"Accept-Encoding": "identity"})).content
        for order in orders:
            address = await visitor.open(token_of(order))
            for language in ("en", "hi", "ar"):
                request = visitor.http.build_request(
                    "GET", address, params={"lang": language}, headers={"Accept-Encoding": "br"}
                )
                answer = await visitor.http.send(request, stream=True)
                page = b"".join([part async for part in answer.aiter_raw()])
                assert answer.headers["content-encoding"] == "br"
                size = len(page) + len(brotli.compress(packed, quality=4))
                print(f"{order.number} {language}: {size} bytes")
                assert size <= MOST_BYTES


async def test_the_code_on_a_certificate_opens_a_page_for_a_browser_and_json_for_others(
    company: Company,
) -> None:
    await standing(company, 1018)
    number = await core_db.value("SELECT number FROM warranty")
    async with browser() as visitor:
        for accept, kind in (("text/html,*/*;q=0.8", "text/html"), ("*/*", "application/json")):
            answer = await visitor.http.get(f"/verify/{number}", headers={"Accept": accept})
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["vary"].startswith("Accept")
            assert "genuine" in answer.text or kind != "text/html"
            assert not [word for word in (*PERSONAL, "DS-0") if word in answer.text]
        missing = await visitor.http.get("/verify/WR-0", headers={"Accept": "text/html"})
        assert missing.status_code == 404
        assert "no certificate with this number" in words_of(missing.text)
