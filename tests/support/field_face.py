"""People at the screens of the field app: what they do first, and what each screen must be."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Locator, Page, expect

from doorstep.play import door, picking
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company
from doorstep.seed import SampleUser, sample_users
from tests.support.field_app import PWA, company, until
from tests.support.whole_stack import WholeStack

AXE = (PWA / "node_modules" / "axe-core" / "axe.min.js").read_text()
# What is scrolled half under a bar that stays would count as too small.
BARS_LIE_FLAT = """(() => {
  const flat = new CSSStyleSheet();
  flat.replaceSync('header, footer, .sticky { position: relative !important; inset: auto !important }');
  document.adoptedStyleSheets = [flat];
})()"""

# Contrast of 7:1 is asked of all text, above what the other rules ask (field-app.md).
AUDIT = """axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
  rules: { 'color-contrast-enhanced': { enabled: true } },
})
  .then((found) => found.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.html)}`))"""
TWICE_AS_LARGE = """(() => {
  const large = new CSSStyleSheet();
  large.replaceSync(':root { font-size: 225% !important }');
  document.adoptedStyleSheets = [large];
})()"""
"""The text of the app is 112.5 % of what the browser's is."""
WIDE = "document.documentElement.scrollWidth > screen.width"
TOO_WIDE = """document.documentElement.scrollWidth <= screen.width ? [] :
  [...document.body.querySelectorAll('*')]
    .filter((one) => one.getBoundingClientRect().right > screen.width + 1
      || one.getBoundingClientRect().left < -1)
    .map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 60)}`)"""
SMALL_TARGETS = """[...document.querySelectorAll('a, button, input')]
  .map((one) => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
  .filter(([, box]) => box.height > 0 && (box.height < 48 || box.width < 48)).map(([html]) => html)"""

# As patient as `until`: the machine may be busy with other tests.
expect.set_options(timeout=60_000)

LANGUAGES = ("hi", "ar", "ur", "ml", "bn") if os.environ.get("LANGUAGES") == "all" else ("hi", "ar")
"""Beside English."""

PIN = "246810"
SETTLED = re.compile("All confirmed|Nothing to send")
"""What the badge says where nothing waits on the phone, whatever was sent before."""

LEFT = """new Promise((tell) => {
  indexedDB.open('doorstep-outbox').onsuccess = ({ target: { result: database } }) => {
    const rows = database.transaction(['entry', 'media', 'meta']);
    const left = { now: Date.now() };
    const ask = (name, of) =>
      (rows.objectStore(name).getAll().onsuccess = ({ target }) => (left[name] = target.result.map(of)));
    ask('entry', ({ event, ...about }) => ({ ...about, type: event.type }));
    ask('media', (picture) => picture);
    ask('meta', (known) => (known?.failures === undefined ? null : known));
    rows.oncomplete = () => (database.close(), tell(JSON.stringify(left)));
  };
})"""
"""What waits on the phone, and how each way to the server does."""

Lines = tuple[tuple[str, int], ...]

TO_COLLECT: Lines = ("WM-7KG", 1), ("KET-17", 1)


async def on_the_way(people: Company, *, number: int = 1, accepted: bool = True) -> ParcelPlay:
    """Have an order that is paid at the door come as far as the executive's phone."""
    parcel = await to_pick(people, number=number)
    await picking.pick_check_pack(parcel)
    await parcel.book()
    await parcel.carry()
    await (door.go_out(parcel) if accepted else door.plan_run(parcel))
    return parcel


async def to_pick(people: Company, *, number: int, lines: Lines = TO_COLLECT) -> ParcelPlay:
    """Have an order come as far as the picker's list (1004)."""
    order = OrderPlay(people, Plan(number=number, lines=lines, payment="cashondelivery"))
    await order.place()
    await order.pay()
    await order.stage_reached(1003)
    parcel = ParcelPlay(order, (await order.order())["parcels"][0])
    await parcel.accept()
    await parcel.reached(1004)
    return parcel


async def code_for(stack: WholeStack, role: str) -> str:
    """Have the office make a code for the channel's person of a role."""
    person = next(user for user in sample_users() if (user.role, user.channel) == (role, "AE"))
    return await code_of(stack, person)


async def code_of(stack: WholeStack, person: SampleUser) -> str:
    """Have the office make a code for a person; a desk that signs in too often waits."""
    async with company(stack) as people:
        return await people.enrolment_code(person)


def job(page: Page, number: str) -> Locator:
    """The card of a job of an order that is still to be done."""
    return page.locator("a.card:not([href*='/done/'])").filter(has_text=number)


async def enrol(page: Page, code: str) -> None:
    """Do what a new person does."""
    await page.get_by_label("Code from the office").fill(code)
    await page.get_by_label("Choose a PIN").fill(PIN)
    await page.get_by_label("The PIN once more").fill(PIN)
    await page.get_by_role("button", name="Begin").click()


async def sound(page: Page) -> None:
    """Nothing is hard to reach, to read or to hit."""
    await page.evaluate(AXE)
    await page.evaluate(BARS_LIE_FLAT)
    found: list[Any] = await page.evaluate(AUDIT)
    await page.evaluate(TWICE_AS_LARGE)
    too_wide = await page.evaluate(TOO_WIDE)
    await page.evaluate("document.adoptedStyleSheets = []")
    assert found == []
    assert too_wide == [], "with text of twice the size"
    assert not await page.evaluate(WIDE)
    assert await page.evaluate(SMALL_TARGETS) == []


async def open_face(context: BrowserContext, stack: WholeStack) -> Page:
    page = await context.new_page()
    await page.goto(f"{stack.base_url}/app/")
    return page


async def whole_app_on_the_phone(page: Page) -> None:
    """Wait until the worker has everything that the app needs without a signal."""
    await until(page, "navigator.serviceWorker.controller !== null")


async def settled(page: Page, *, seconds: float = 60) -> None:
    """Wait until nothing waits on the phone any more; tell what does if something stays."""
    try:
        await expect(page.get_by_text(SETTLED)).to_be_visible(timeout=seconds * 1000)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{await page.evaluate(LEFT)}") from late


class Screens:
    """Looks at every screen it is shown in each language, and keeps a picture of it.

    English, Hindi and Arabic; with `LANGUAGES=all` the other three as well.
    """

    def __init__(self, page: Page, folder: Path) -> None:
        self.page, self.folder, self.count = page, folder, 0

    async def look(self, name: str) -> None:
        """Nothing is hard to reach, to read or to hit, in any of them."""
        self.count += 1
        await expect(self.page.locator("main h1")).to_be_visible()
        await self._sound(name, "en")
        here = await self.page.evaluate("location.hash")
        for code in LANGUAGES:
            await self._speak(code, here)
            await self._sound(name, code)
        await self._speak("en", here)

    async def _sound(self, name: str, code: str) -> None:
        path = self.folder / f"{self.count:02}-{name}-{code}.png"
        await self.page.screenshot(path=path, full_page=True)
        await sound(self.page)

    async def _speak(self, code: str, then: str) -> None:
        await self.page.evaluate("location.hash = '#/language'")
        await self.page.locator(f"button[lang={code}]").click()
        await expect(self.page.locator("html")).to_have_attribute("lang", code)
        await self.page.evaluate(f"location.hash = '{then or '#/'}'")
        await expect(self.page.locator(f"main button[lang={code}]")).to_have_count(0)
        await expect(self.page.locator("main h1")).to_be_visible()
