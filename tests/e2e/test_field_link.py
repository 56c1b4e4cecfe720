"""A customer pays at the door by a link, on his own phone; the courier's phone hears of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, Playwright, expect

from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import until
from tests.e2e.test_field_delivery import labels_of
from tests.support.field_app import phone
from tests.support.field_face import code_for, company, enrol, on_the_way, open_face, sound
from tests.support.field_hands import look_for_news, up_to_the_money
from tests.support.whole_stack import WholeStack


async def test_a_link_is_scanned_paid_and_counted_in_the_middle_of_a_handover(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=24)
        code = await parcel.order.handover_code()
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("link", name=parcel.order.number).click()
            # Begun by a slip of the finger: it is over with the job, and nothing asks for it any more.
            await page.get_by_role("link", name="Cannot deliver").click()
            await page.get_by_role("button", name="Nobody home").click()
            await page.get_by_role("button", name="Close").click()
            await page.get_by_role("button", name=re.compile("keep", re.I)).click()
            await expect(page.get_by_text("begun, go on")).to_be_visible()
            await page.get_by_role("link", name="Hand over").click()
            await up_to_the_money(page, await labels_of(parcel))
            await expect(page.get_by_role("heading", name="Money")).to_be_visible()
            await page.get_by_role("button", name="Let the customer pay by link").click()
            await expect(page.get_by_text("The link is being made")).to_be_visible()
            link = await until(lambda: _link(parcel), "the link")
            await look(page, page.get_by_role("img", name="Payment link"))
            await sound(page)
            await page.screenshot(path=tmp_path / "1-link.png", full_page=True)
            await people.outside("POST", urlsplit(link["url"]).path)
            await until(lambda: _paid(parcel), "the money of the link")
            # Money in the hand is asked about at once, if the screen has not heard by itself.
            cash = page.get_by_role("button", name="I have received")
            if await cash.is_visible():
                await cash.click()
            said = page.get_by_label("The customer's code")
            await expect(said).to_be_visible()
            await page.get_by_role("navigation").get_by_role("button", name="Money").click()
            await expect(page.get_by_text("paid by link")).to_be_visible()
            await expect(
                page.get_by_role("listitem").filter(has_text="Payment link")
            ).to_be_visible()
            await expect(page.get_by_role("button", name="I have received")).to_have_count(0)
            await expect(page.get_by_text("Cash · ")).to_have_count(0)
            await sound(page)
            await page.screenshot(path=tmp_path / "2-paid.png", full_page=True)
            await page.get_by_role("button", name="Go on", exact=True).click()
            await said.fill(code[:-1] + str((int(code[-1]) + 1) % 10))
            await expect(page.get_by_text("let the customer look again. 4 tries")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "3-wrong-code.png", full_page=True)
            await expect(page.get_by_text("4 of 5 done")).to_be_visible()
            doubted = page.get_by_role("button", name="Handed over – without: Code")
            await expect(doubted).to_be_visible()
            await said.fill(code)
            await expect(doubted).to_have_count(0)
            await expect(page.get_by_text("The code is right")).to_be_visible()
            await page.get_by_role("button", name="Handed over").click()
            await parcel.reached(1013)
            await page.goto(f"{own.base_url}/app/#/sending")
            await look_for_news(page)
            await expect(page.get_by_text("not handed in yet")).to_have_count(0)
            finance = await people.staff("finance")
            asked = await finance.get("/problems", kind="door_payment_differs")
            mine = [one for one in asked if parcel.order.number in str(one)]
            assert mine == []


async def look(page: Page, seen: Locator) -> None:
    """Look for news until it is there: it may also come by itself."""
    again = page.get_by_role("button", name="Has it been paid?")
    for _ in range(20):
        if await seen.is_visible():
            return
        if await again.is_visible():
            await again.dispatch_event("click")
        await page.wait_for_timeout(500)
    await expect(seen).to_be_visible()


async def _link(parcel: ParcelPlay) -> dict[str, Any] | None:
    """Return the link that the gateway has made."""
    executive = await parcel.company.of("delivery", "AE")
    for run in await executive.get("/field/runs"):
        for stop in run["stops"]:
            if stop["fulfilment_id"] == parcel.id and (stop["link"] or {}).get("url"):
                found: dict[str, Any] = stop["link"]
                return found
    return None


async def _paid(parcel: ParcelPlay) -> dict[str, Any] | None:
    """Return the link once the office knows that it is paid."""
    link = await _link(parcel)
    return link if link is not None and link["paid_minor"] > 0 else None
