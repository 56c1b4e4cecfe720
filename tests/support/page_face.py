"""The customer's page in a real browser: opened, signed in to, and looked at as his eyes and hands would."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Page, Playwright, expect

from doorstep.core import db as core_db
from tests.factories.journeys import Order
from tests.support import chromium
from tests.support.field_face import AXE, WIDE

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

WHITE = "rgb(255, 255, 255)"

SMALL_TARGETS = """[...document.querySelectorAll('a, button, summary, textarea, label:has(input)')]
  .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && (box.height < 44 || box.width < 44)).map(([html]) => html)"""


@asynccontextmanager
async def chrome(playwright: Playwright) -> AsyncIterator[Browser]:
    browser = await playwright.chromium.launch(
        executable_path=chromium.find(), args=[*chromium.FLAGS]
    )
    try:
        yield browser
    finally:
        await browser.close()


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


async def on_paper(page: Page, path: Path) -> None:
    """What is printed has no buttons, and no ink for a ground."""
    await page.emulate_media(media="print")
    await page.screenshot(path=path, full_page=True)
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == WHITE
    links = page.locator(".go:visible:not([href^=tel])")
    assert not await page.locator("button:visible").or_(links).count(), path.name
    await page.emulate_media(media="screen")


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
