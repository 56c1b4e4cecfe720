"""The customer's page in a real browser: with and without JavaScript, in each language, light and dark."""

from __future__ import annotations

import asyncio
from pathlib import Path

from playwright.async_api import Page, Playwright, expect
from redis.asyncio import Redis

from doorstep.core import db as core_db
from doorstep.journey.timeline import describe_milestones
from tests.factories.backorders import dated
from tests.factories.claiming import done
from tests.factories.company import Company
from tests.factories.journeys import standing
from tests.factories.owners import given, secret_of
from tests.factories.slots import failed, offer, windows_of
from tests.support.page_face import DESK, PHONE, chrome, link, look, on_paper, signed_in
from tests.support.pictures import make_jpeg
from tests.support.visitor import browser as visiting

LANGUAGES = ("en", "hi", "ar")
DONE = """[...document.querySelectorAll('ol li:not(.coming) b')].map((one) => one.textContent)"""


LOOKS = [
    *(("light", PHONE, name, "en") for name in ("road", "rating", "short")),
    *(("dark", PHONE, name, language)
      for name, language in (("road", "ar"), ("rating", "en"), ("short", "hi"))),
    ("light", PHONE, "rating", "ar"), ("light", PHONE, "road", "hi"),
    ("light", DESK, "road", "en"), ("light", DESK, "short", "ar"), ("dark", DESK, "rating", "hi"),
]  # fmt: skip
"""Each page in each language, each language and page in light and dark, on a phone and a desk."""


async def test_it_is_sound_in_each_language_light_and_dark_on_a_phone_and_a_desk(
    company: Company, base: str, redis: Redis, playwright: Playwright, tmp_path: Path
) -> None:
    orders = {
        "road": await standing(company, 1012, ("WM-7KG", 1)),
        "rating": await standing(company, 1015, ("WM-7KG", 1)),
        "short": await dated(company),
    }
    async with chrome(playwright) as browser:
        for scheme, size, name, language in LOOKS:
            await redis.flushdb()
            context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = await context.new_page()
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            await page.goto(link(base, orders[name], language))
            assert "/t/orders/" in page.url
            await expect(page.locator("html")).to_have_attribute("lang", language)
            await look(page, tmp_path / f"{name}-{language}-{scheme}-{size['width']}.png")
            assert said == [], "the policy forbids something that is on the page"
            await context.close()


async def test_everything_works_without_javascript(
    company: Company, base: str, playwright: Playwright, tmp_path: Path
) -> None:
    order = await standing(company, 1015, ("WM-7KG", 1))
    async with chrome(playwright) as browser:
        context = await browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(link(base, order))
        # Two taps, words and a photo.
        await page.get_by_role("group", name="Delivery").get_by_text("5").click()
        await page.get_by_role("group", name="Installation").get_by_text("4").click()
        await page.get_by_label("In your own words").fill("Neat work.")
        photo = {"name": "wall.jpg", "mimeType": "image/jpeg", "buffer": make_jpeg(800, 600)}
        await page.get_by_label("Photos, at most six").set_input_files([photo])
        await page.get_by_role("button", name="Send my rating").click()
        await expect(page.get_by_role("status")).to_have_text("Thank you for your rating.")
        await page.get_by_role("button", name="Send me a code").click()
        await expect(page.get_by_role("status")).to_contain_text("a code is on its way")
        code = await core_db.value(
            "SELECT secret FROM message WHERE event = 'sign_in_code' AND secret IS NOT NULL"
        )
        await page.get_by_label("Code from the message").fill(code)
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("status")).to_contain_text("You are signed in")
        await expect(page.locator("address")).to_contain_text("12 Marina Walk")
        await page.screenshot(path=tmp_path / "signed-in.png", full_page=True)
        await page.get_by_role("link", name="Refresh").click()
        await expect(page.locator("address")).to_contain_text("Aisha Khan")
        await page.get_by_role("link", name="हिन्दी").click()
        await expect(page.locator("html")).to_have_attribute("lang", "hi")
        kept = await core_db.one("SELECT delivery_rating, installation_rating, words FROM feedback")
        assert tuple(kept.values()) == (5, 4, "Neat work.")
        assert await core_db.value("SELECT count(*) FROM feedback_photo") == 1


STEPS = {
    "standing": (
        "parcels/1/times/delivery",
        "parcels/1/times/visit",
        "address",
        "help",
        "messages",
    ),
    "failed": ("parcels/1/attempt",),
    "delivered": ("parcels/1/problem", "parcels/1/return"),
    "done": ("parcels/1/warranty", "parcels/1/transfer", "data"),
}
"""The pages behind the order's page, by the order that has them."""


async def test_the_pages_behind_it_are_sound_in_each_language(
    company: Company, base: str, redis: Redis, playwright: Playwright, tmp_path: Path
) -> None:
    await offer(company)
    orders = {
        "standing": await standing(company, 1004, ("WM-7KG", 1)),
        "failed": await standing(company, 1012, ("WM-7KG", 1)),
        "delivered": await standing(company, 1013, ("WM-7KG", 1)),
        "done": await done(company),
    }
    await core_db.execute("UPDATE address SET lat = 25.08, lng = 55.14, pin_at = now()")
    await failed(company, orders["failed"])
    async with chrome(playwright) as browser:
        for scheme, size, language in zip(
            ("light", "dark", "light"), (PHONE, PHONE, DESK), LANGUAGES, strict=True
        ):
            context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = await context.new_page()
            for which, order in orders.items():
                await redis.flushdb()
                await signed_in(page, link(base, order, language))
                for path in STEPS[which]:
                    await page.goto(f"{base}/t/orders/{order.number}/{path}?lang={language}")
                    await expect(page.locator("main h1")).to_be_visible()
                    await look(page, tmp_path / f"{path.replace('/', '-')}-{language}.png")
                    await on_paper(
                        page, tmp_path / f"{path.replace('/', '-')}-{language}-print.png"
                    )
            await context.close()


async def test_a_face_and_the_page_of_a_new_owner_are_sound_in_each_language(
    company: Company, base: str, redis: Redis, playwright: Playwright, tmp_path: Path
) -> None:
    path = f"/api/people/{company.users['delivery'].id}/portrait"
    face, headers = make_jpeg(900, 1200), company.users["admin"].headers
    assert (await company.http.put(path, content=face, headers=headers)).status_code == 204
    order, installed = await standing(company, 1012, ("WM-7KG", 1)), await done(company)
    async with visiting() as first_owner:
        await given(first_owner, installed)
    certificate = await core_db.value("SELECT number FROM warranty WHERE owner_n = 1")
    owners_link = (await secret_of("warranty_yours")).rsplit("/", 1)[1]
    async with chrome(playwright) as browser:
        for scheme, size, language in zip(
            ("light", "dark", "light"), (PHONE, PHONE, DESK), LANGUAGES, strict=True
        ):
            await redis.flushdb()
            context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = await context.new_page()
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            # Where pictures are allowed, browsers look for an icon; that there is none is no matter.
            await page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
            await signed_in(page, link(base, order, language))
            # Drawn, and not by what the browser shows of a picture that is not there.
            shown = page.locator(".who img")
            drawn = "(one) => one.decode().then(() => one.naturalWidth)"
            assert await shown.evaluate(drawn) == 160
            assert (await shown.bounding_box() or {})["width"] == 80
            await look(page, tmp_path / f"face-{language}.png")
            await on_paper(page, tmp_path / f"face-{language}-print.png")
            await page.goto(f"{base}/verify/{certificate}?lang={language}")
            await expect(page.locator("#link button")).to_be_visible()
            await look(page, tmp_path / f"new-link-{language}.png")
            await page.goto(f"{base}/t/warranties/{owners_link}?lang={language}")
            await look(page, tmp_path / f"owner-asked-{language}.png")
            await page.goto(f"{base}/t/owners/{certificate}?lang={language}")
            await page.locator("#ask button").click()
            await page.locator("#in input").fill(await secret_of("owner_code"))
            await page.locator("#in button").click()
            await expect(page.locator("#step textarea").first).to_be_visible()
            await look(page, tmp_path / f"owner-{language}.png")
            await page.goto(f"{base}/t/owners/{certificate}/transfer?lang={language}")
            await expect(page.locator("#step input[name=phone]")).to_be_visible()
            await look(page, tmp_path / f"owner-gives-{language}.png")
            assert said == [], "the policy forbids something that is on the page"
            await context.close()


async def test_an_owner_who_was_to_be_called_chooses_a_time_and_then_another_without_javascript(
    company: Company, base: str, playwright: Playwright, tmp_path: Path
) -> None:
    installed = await done(company)
    async with visiting() as first_owner:
        await given(first_owner, installed)
    owners_link = (await secret_of("warranty_yours")).rsplit("/", 1)[1]
    booked = "SELECT lower(during) FROM visit WHERE purpose = 'warranty' AND state = 'booked'"
    async with chrome(playwright) as browser:
        context = await browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
        page = await context.new_page()
        await page.goto(f"{base}/t/warranties/{owners_link}?lang=en")
        await page.locator("#ask button").click()
        await page.locator("#in input").fill(await secret_of("owner_code"))
        await page.locator("#in button").click()
        await page.locator("textarea[name=place]").fill("9 Palm Street, Sharjah")
        await page.locator("textarea[name=words]").fill("It hums.")
        await page.locator("input[name=start][value=call]").check()
        await page.locator("#step button").click()
        chosen = []
        for words in ("Choose a time for the technician", "Choose another time for the technician"):
            await page.get_by_role("link", name=words).click()
            await expect(page.locator("main h1")).to_have_text(words)
            await page.screenshot(path=tmp_path / f"{len(chosen)}.png", full_page=True)
            await page.locator("input[name=start]").nth(2).check()
            await page.locator("#step button").click()
            await expect(page.get_by_role("status")).to_be_visible()
            chosen.append([row["lower"] for row in await core_db.rows(booked)])
        await page.screenshot(path=tmp_path / "after.png", full_page=True)
    [[first], [second]] = chosen
    assert first != second


async def test_a_delivery_is_chosen_in_a_browser_without_javascript(
    company: Company, base: str, playwright: Playwright
) -> None:
    await offer(company)
    order = await standing(company, 1004, ("WM-7KG", 1))
    async with chrome(playwright) as browser:
        context = await browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
        page = await context.new_page()
        await signed_in(page, link(base, order))
        await page.get_by_role("link", name="Choose when it is delivered").click()
        await page.locator("input[name=start]").nth(2).check()
        await page.get_by_role("button", name="Take this time").click()
        await expect(page.get_by_role("status")).to_contain_text("planned for the time you chose")
    assert len(await windows_of(order)) == 1


async def test_an_open_page_follows_the_order_and_is_never_ahead_of_it(
    company: Company, base: str, playwright: Playwright
) -> None:
    order = await standing(company, 1003, ("WM-7KG", 1))
    names = {row["title"]["en"]: row["stage"] for row in describe_milestones()}
    over = asyncio.Event()
    seen: list[int] = []

    async def watch(page: Page) -> None:
        while not over.is_set():
            shown: list[str] = await page.evaluate(DONE)
            # Read after the page: what it shows must be committed by now.
            committed = await order.passed()
            assert {names[one] for one in shown} <= {*committed}
            seen.append(len(shown))
            await asyncio.sleep(0.02)

    async with chrome(playwright) as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        await page.goto(link(base, order))
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(page))
            await order.go_on(1012)
            await expect(page.locator("h1")).to_have_text("Out For Delivery")
            await order.go_on(1014)
            await expect(page.locator("h1")).to_have_text("Installation Scheduled")
            over.set()
    assert {3, 8} <= {*seen}, "it has followed, not only begun and ended"


async def test_a_page_that_has_refused_a_form_follows_the_order_all_the_same(
    company: Company, base: str, playwright: Playwright
) -> None:
    order = await standing(company, 1011, ("WM-7KG", 1))
    async with chrome(playwright) as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        await page.goto(link(base, order))
        await page.get_by_text("I have a code").click()
        await page.get_by_label("Code from the message").fill("000000")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("alert")).to_contain_text("This code is not right")
        await expect(page.get_by_label("Code from the message")).to_be_in_viewport()
        await order.go_on(1012)
        await expect(page.locator("h1")).to_have_text("Out For Delivery")


async def test_news_takes_neither_typed_words_nor_the_place_of_the_cursor(
    company: Company, base: str, playwright: Playwright
) -> None:
    order = await standing(company, 1015, ("WM-7KG", 1))
    async with chrome(playwright) as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        await page.goto(link(base, order))
        words = page.get_by_label("In your own words")
        await words.fill("It humms.")
        await page.get_by_role("group", name="Delivery").get_by_text("3").click()
        await page.get_by_text("Where the parcel is").click()
        await words.focus()
        await page.evaluate("document.activeElement.setSelectionRange(3, 6)")
        before = await page.locator("main").get_attribute("data-version")
        # Something happens that this page shows elsewhere.
        await core_db.execute(
            "INSERT INTO order_document (id, order_id, kind, sha256, created_at)"
            " VALUES (gen_random_uuid(), $1, 'note', repeat('a', 64), now())",
            order.order_id,
        )
        await expect(page.locator("main")).not_to_have_attribute("data-version", before or "")
        await expect(words).to_have_value("It humms.")
        await expect(words).to_be_focused()
        at = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
        assert await page.evaluate(at) == [3, 6]
        assert await page.locator("[name=delivery_rating]:checked").get_attribute("value") == "3"
        await expect(page.locator("#way1")).to_have_attribute("open", "")
        # Rated at another device meanwhile: the words stay, and the reader is told.
        await order.take_well(await order.feedback())
        await expect(page.locator("#news")).to_be_visible()
        await expect(words).to_have_value("It humms.")
        await page.locator("#news a").click()
        await expect(page.get_by_text("Thank you for your rating.")).to_be_visible()
