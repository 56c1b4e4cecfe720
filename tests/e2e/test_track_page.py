"""The customer's page in a real browser: with and without JavaScript, in each language, light and dark."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Playwright, expect
from redis.asyncio import Redis

from doorstep.core import db as core_db
from doorstep.doors.track import page_events
from doorstep.journey.timeline import describe_milestones
from tests.contract.served import served
from tests.factories.backorders import dated
from tests.factories.company import Company, open_company, the_app
from tests.factories.journeys import Order, standing
from tests.factories.slots import failed, offer, windows_of
from tests.support import chromium
from tests.support.field_face import AXE, WIDE

LANGUAGES = ("en", "hi", "ar")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}

AUDIT = """axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
    rules: { 'color-contrast-enhanced': { enabled: true } } })
  .then((found) => found.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.html)}`))"""

TWICE_AS_LARGE = """(() => {
  const large = new CSSStyleSheet();
  large.replaceSync('html { font-size: 200% }');
  document.adoptedStyleSheets = [large];
})()"""

SMALL_TARGETS = """[...document.querySelectorAll('a, button, summary, textarea, label:has(input)')]
  .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && (box.height < 44 || box.width < 44)).map(([html]) => html)"""

DONE = """[...document.querySelectorAll('ol li:not(.coming) b')].map((one) => one.textContent)"""


@pytest.fixture
async def company(db: Any, redis: Redis, tmp_path: Path) -> AsyncIterator[Company]:
    async with open_company(tmp_path / "company") as opened:
        yield opened


@pytest.fixture
async def base(company: Company, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """Where this process serves the company's doors."""
    monkeypatch.setattr(page_events, "EVERY_S", 0.2)
    page_events.begin_anew()
    async with served(the_app(), lifespan="off") as url:
        yield url
    page_events.begin_anew()


@asynccontextmanager
async def chrome(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(
        executable_path=chromium.find(), args=[*chromium.FLAGS]
    )
    try:
        yield browser
    finally:
        await browser.close()


LOOKS = [
    *(("light", PHONE, name, "en") for name in ("road", "rating", "short")),
    *(("dark", PHONE, name, language)
      for name, language in (("road", "ar"), ("rating", "en"), ("short", "hi"))),
    ("light", PHONE, "rating", "ar"), ("light", PHONE, "road", "hi"),
    ("light", DESK, "road", "en"), ("light", DESK, "short", "ar"), ("dark", DESK, "rating", "hi"),
]  # fmt: skip
"""Each page in each language, each language and page in light and dark, on a phone and a desk."""


def link(base: str, order: Order, language: str = "en") -> str:
    token = order.company.told(r"/t/([\w-]{20,})", order.number)
    return f"{base}/t/{token}?lang={language}"


async def look(page: Page, path: Path) -> None:
    """Nothing is hard to read, to hit or to reach, also in letters twice as large."""
    await page.evaluate(
        "document.querySelectorAll('details').forEach((one) => { one.open = true })"
    )
    await page.screenshot(path=path, full_page=True)
    await page.evaluate(AXE)
    found: list[str] = await page.evaluate(AUDIT)
    assert found == [], path.name
    assert await page.evaluate(SMALL_TARGETS) == [], path.name
    assert not await page.evaluate(WIDE), path.name
    await page.evaluate(TWICE_AS_LARGE)
    assert not await page.evaluate(WIDE), f"{path.name} at 200 %"


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
        # Two taps and words.
        await page.get_by_role("group", name="Delivery").get_by_text("5").click()
        await page.get_by_role("group", name="Installation").get_by_text("4").click()
        await page.get_by_label("In your own words").fill("Neat work.")
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
    }
    await failed(company, orders["failed"])
    async with chrome(playwright) as browser:
        for scheme, size, language in zip(
            ("light", "dark", "light"), (PHONE, PHONE, DESK), LANGUAGES, strict=True
        ):
            context = await browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = await context.new_page()
            for name, order in orders.items():
                await redis.flushdb()
                await signed_in(page, link(base, order, language))
                for path in STEPS[name]:
                    await page.goto(f"{base}/t/orders/{order.number}/{path}?lang={language}")
                    await expect(page.locator("main h1")).to_be_visible()
                    await look(page, tmp_path / f"{path.replace('/', '-')}-{language}.png")
            await context.close()


async def signed_in(page: Page, address: str) -> None:
    """Open a link and type the code that comes to the phone."""
    await page.goto(address)
    await page.locator("#ask button").click()
    await expect(page.get_by_role("status").first).to_be_visible()
    code = await core_db.value(
        "SELECT secret FROM message WHERE event = 'sign_in_code' AND secret IS NOT NULL"
        " ORDER BY created_at DESC LIMIT 1"
    )
    await page.locator("#in input").fill(code)
    await page.locator("#in button").click()
    await expect(page.locator("address")).to_be_visible()


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
