"""The pin of the customer's door, in a real browser: where the phone is, a tap on the sketch, or presses."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Playwright, expect

from doorstep.core import db as core_db
from tests.factories.company import Company
from tests.factories.journeys import Order, standing
from tests.support.page_face import PHONE, chrome, link, look, on_paper, signed_in

HERE = {"latitude": 25.0812, "longitude": 55.1391, "accuracy": 30}


async def _at_the_door(page: Page, base: str, order: Order) -> None:
    await signed_in(page, link(base, order))
    await page.goto(f"{base}/t/orders/{order.number}/address?lang=en")


async def _pin() -> tuple[float, float]:
    row = await core_db.one("SELECT lat, lng FROM address")
    return round(row["lat"], 5), round(row["lng"], 5)


async def test_where_the_phone_is_and_a_tap_on_the_sketch_become_the_pin(
    company: Company, base: str, playwright: Playwright, tmp_path: Path
) -> None:
    order = await standing(company, 1004, ("WM-7KG", 1))
    await core_db.execute("UPDATE address SET lat = 25.08, lng = 55.14, pin_at = now()")
    async with chrome(playwright) as browser:
        context = await browser.new_context(
            viewport=PHONE,  # type: ignore[arg-type]
            geolocation=HERE,  # type: ignore[arg-type]
            permissions=["geolocation"],
        )
        page = await context.new_page()
        await _at_the_door(page, base, order)
        place = page.get_by_label("Coordinates or link")
        await page.get_by_label("Floor").fill("7")
        await page.get_by_role("button", name="Use the place where I am now").click()
        await expect(page.get_by_text("This place is not saved yet.")).to_be_visible()
        await expect(place).to_have_value("25.08120, 55.13910")
        await expect(page.get_by_label("Floor")).to_have_value("7")
        await on_paper(page, tmp_path / "here-print.png")
        await look(page, tmp_path / "here.png")
        # Half the way from the middle to the right edge: half of what the sketch reaches, to the east.
        reach = float(await page.locator("#sketch").get_attribute("data-reach") or 0)
        await page.locator("#sketch").click(position={"x": 225, "y": 150})
        await expect(place).not_to_have_value("25.08120, 55.13910")
        lat, lng = (float(one) for one in (await place.input_value()).split(","))
        assert abs(lat - HERE["latitude"]) < 0.00005
        assert abs((lng - HERE["longitude"]) * 100_700 - reach / 2) < 5
        assert await _pin() == (25.08, 55.14), "nothing is saved by looking"
        await page.get_by_role("button", name="Send").last.click()
        await expect(page.get_by_role("status")).to_contain_text("Whoever comes sees it now.")
        assert await _pin() == (round(lat, 5), round(lng, 5))


async def test_a_phone_that_does_not_tell_its_place_says_what_to_do(
    company: Company, base: str, playwright: Playwright
) -> None:
    order = await standing(company, 1004, ("WM-7KG", 1))
    async with chrome(playwright) as browser:
        page = await browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        await _at_the_door(page, base, order)
        here = page.get_by_role("button", name="Use the place where I am now")
        await here.click()
        await expect(page.get_by_role("alert")).to_contain_text("does not tell its place")
        await expect(here).to_be_enabled()


async def test_without_javascript_the_pin_is_moved_by_presses(
    company: Company, base: str, playwright: Playwright
) -> None:
    order = await standing(company, 1004, ("WM-7KG", 1))
    await core_db.execute("UPDATE address SET lat = 25.08, lng = 55.14, pin_at = now()")
    async with chrome(playwright) as browser:
        context = await browser.new_context(viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]
        page = await context.new_page()
        await _at_the_door(page, base, order)
        await expect(page.get_by_role("button", name="Use the place")).to_have_count(0)
        await page.get_by_role("group", name="by 20 metres").get_by_text("West").click()
        await expect(page.get_by_label("Coordinates or link")).to_have_value("25.08000, 55.13980")
        # Enter in a field sends the form, and does not press one of the buttons that only show.
        await page.get_by_label("Floor").press("Enter")
        await expect(page.get_by_role("status")).to_contain_text("Whoever comes sees it now.")
    assert await _pin() == (25.08, 55.1398)
