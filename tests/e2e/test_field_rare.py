"""Screens that only a phone in trouble shows: they too are read, reached and hit in each language."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Playwright, expect

from tests.support import chromium
from tests.support.field_app import phone
from tests.support.field_face import LANGUAGES, code_for, enrol, open_face, sound
from tests.support.whole_stack import WholeStack

NO_DATABASE = "IDBFactory.prototype.open = () => { throw new DOMException('x', 'UnknownError') }"

SPEAK = "localStorage.setItem('doorstep-language', {code!r})"

WRONG_PIN, TRIES = "135791", 10


async def in_each_language(page: Page, heading: str, folder: Path) -> None:
    """Read the screen that is open after each start in every language."""
    for code in ("en", *LANGUAGES):
        await page.evaluate(SPEAK.format(code=code))
        await page.reload()
        await expect(page.locator("html")).to_have_attribute("lang", code)
        await expect(page.locator("main h1")).to_be_visible()
        if code == "en":
            await expect(page.get_by_role("heading", name=heading)).to_be_visible()
        await page.screenshot(path=folder / f"{heading}-{code}.png", full_page=True)
        await sound(page)


async def test_a_phone_whose_store_does_not_open_says_what_helps(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        await context.add_init_script(NO_DATABASE)
        page = await open_face(context, own)
        await in_each_language(page, "The app cannot open its storage", tmp_path)


async def test_whoever_forgets_the_pin_signs_in_with_the_office(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await enrol(page, await code_for(own, "delivery"))
        await expect(page.locator("header")).to_be_visible()
        for code in ("en", *LANGUAGES):
            await page.evaluate(SPEAK.format(code=code))
            await page.reload()
            await expect(page.locator("html")).to_have_attribute("lang", code)
            for _ in range(TRIES):
                if await page.locator("main > p.soft").count():
                    break
                await page.locator("main input").fill(WRONG_PIN)
                await page.locator("main button.main").click()
                await expect(page.locator("main input").first).to_have_value("")
            await expect(page.locator("main > p.soft")).to_be_visible()
            await page.screenshot(path=tmp_path / f"sign-in-{code}.png", full_page=True)
            await sound(page)


async def test_a_part_that_has_not_come_yet_says_so(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    context = await playwright.chromium.launch_persistent_context(
        tmp_path / "profile",
        executable_path=chromium.find(),
        args=[*chromium.FLAGS],
        viewport={"width": 360, "height": 740},
        service_workers="block",
    )
    await context.route("**/assets/Earnings-*.js", lambda route: route.abort())
    page = await open_face(context, own)
    await enrol(page, await code_for(own, "delivery"))
    await expect(page.locator("header")).to_be_visible()
    for code in ("en", *LANGUAGES):
        await page.evaluate("location.hash = '#/language'")
        await page.locator(f"button[lang={code}]").click()
        await expect(page.locator("html")).to_have_attribute("lang", code)
        await page.evaluate("location.hash = '#/earnings'")
        await expect(page.locator("main button.main")).to_be_visible()
        await page.screenshot(path=tmp_path / f"not-loaded-{code}.png", full_page=True)
        await sound(page)
        await page.evaluate("location.hash = '#/'")
    await context.close()
