"""The face of the field app, used as its people use it: enrolled, read in each language, locked."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Playwright, expect

from doorstep.seed import sample_users
from tests.support.field_app import company, phone
from tests.support.field_face import (
    PIN,
    SETTLED,
    Screens,
    code_for,
    enrol,
    on_the_way,
    open_face,
    settled,
    sound,
    whole_app_on_the_phone,
)
from tests.support.field_hands import unlock
from tests.support.whole_stack import WholeStack

IN_EACH = {
    "en": ("ltr", "COLLECT"), "hi": ("ltr", "लें"), "ar": ("rtl", "حصّل"),
    "ur": ("rtl", "وصول کریں"), "ml": ("ltr", "വാങ്ങുക"), "bn": ("ltr", "নিন"),
}  # fmt: skip


async def test_an_executive_enrols_reads_the_day_in_any_language_and_opens_it_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        await on_the_way(people)
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await expect(page.get_by_role("heading", name="Welcome to Doorstep")).to_be_visible()
        for code in (*IN_EACH, "en"):
            await page.locator(f"button[lang={code}]").click()
            await expect(page.locator("html")).to_have_attribute("lang", code)
            await sound(page)
            await page.screenshot(path=tmp_path / f"welcome-{code}.png", full_page=True)
        # A PIN that the office would not take is not asked for: the code would be blamed.
        field = page.get_by_label("Choose a PIN")
        for typed, kept, fits in (
            ("2468", "2468", False),
            ("123456", "123456", False),
            (PIN + "9", PIN, True),
        ):
            await field.fill("")
            await field.press_sequentially(typed)
            assert await field.input_value() == kept
            assert await field.evaluate("(field) => field.checkValidity()") is fits
        # Fields refuse in the language of the person, and take the digits of any keyboard.
        for code, words in (("hi", "पिन में 6 अंक होते हैं।"), ("en", "A PIN has 6 digits.")):
            await page.locator(f"button[lang={code}]").click()
            await expect(page.locator("html")).to_have_attribute("lang", code)
            pin = page.locator("input[type=password]").first
            await pin.fill("2468")
            assert await pin.evaluate("(field) => field.validationMessage") == words
        await field.fill("٢٤٦٨١٠")
        assert await field.input_value() == PIN
        again = page.get_by_label("The PIN once more")
        await again.fill("123456")
        differ = "The two PINs are not the same."
        assert await again.evaluate("(field) => field.validationMessage") == differ
        await again.fill(PIN)
        assert await again.evaluate("(field) => field.checkValidity()")
        empty = page.get_by_label("Code from the office")
        await empty.fill("")
        said = await empty.evaluate("(field) => field.validationMessage")
        assert said == "Enter the code that the office gave you."
        await enrol(page, "NOT-A-CODE")
        await expect(page.get_by_role("alert")).to_contain_text("This code did not work")
        await enrol(page, await code_for(own, "delivery"))

        await expect(page.get_by_text("COLLECT AED").first).to_be_visible()
        await settled(page)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await sound(page)
            await page.screenshot(path=tmp_path / f"today-{scheme}.png", full_page=True)
        await page.emulate_media(color_scheme="light")

        await page.get_by_role("link", name="Deliver").first.click()
        await expect(page.get_by_role("link", name="Call")).to_have_attribute(
            "href", re.compile(r"^tel:\+971")
        )
        await sound(page)
        await page.screenshot(path=tmp_path / "job.png", full_page=True)
        _, kind, job = (await page.evaluate("location.hash")).rsplit("/", 2)
        await page.get_by_role("link", name=SETTLED).click()
        screens = Screens(page, tmp_path)
        await screens.look("sending")
        await page.goto(f"{own.base_url}/app/#/language")
        await sound(page)
        await page.screenshot(path=tmp_path / "language.png", full_page=True)

        for code, (direction, collect) in IN_EACH.items():
            await page.goto(f"{own.base_url}/app/#/language")
            await page.locator(f"button[lang={code}]").click()
            await page.goto(f"{own.base_url}/app/#/")
            await expect(page.locator("html")).to_have_attribute("dir", direction)
            await expect(page.locator(".card .money").first).to_contain_text(collect)
            await sound(page)
            await page.screenshot(path=tmp_path / f"today-{code}.png", full_page=True)
            await page.reload()
            await expect(page.locator("main form input")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / f"locked-{code}.png", full_page=True)
            await page.locator("main form input").fill(PIN)
            await page.locator("main form button").click()
            await expect(page.locator(".card .money").first).to_be_visible()

        await page.locator("header a.language").click()
        await page.locator("button[lang=en]").click()
        # A notification is tapped where there is no signal: behind the lock lies its job.
        await context.set_offline(True)
        await page.goto("about:blank")
        await page.goto(f"{own.base_url}/app/?lane={kind}:{job}&push=1")
        await page.get_by_label("PIN").fill("000000")
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("alert")).to_contain_text("9 tries left")
        await sound(page)
        await page.get_by_label("PIN").fill(PIN)
        await page.get_by_role("button", name="Open").click()
        await expect(page.get_by_role("heading", name="Deliver")).to_be_visible()
        await expect(page.get_by_text("COLLECT AED").first).to_be_visible()


async def test_a_phone_whose_storage_was_deleted_says_so_and_the_office_knows(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await enrol(page, await code_for(own, "courier"))
        await settled(page)
        cleaner = await context.new_cdp_session(page)
        everything = {"origin": own.base_url, "storageTypes": "indexeddb,local_storage"}
        await cleaner.send("Storage.clearDataForOrigin", everything)
        await page.reload()
        await enrol(page, await code_for(own, "courier"))
        await expect(page.get_by_text("This phone has lost what it had kept")).to_be_visible()
        await sound(page)
        await page.screenshot(path=tmp_path / "lost.png", full_page=True)
        await page.get_by_role("button", name="I have read it").click()
        await expect(page.get_by_text("This phone has lost")).to_have_count(0)
    [problem] = await own.rows("SELECT title FROM problem WHERE kind = 'phone_lost_data'")
    assert problem["title"].endswith("has lost what it stored")


async def test_two_people_share_a_phone_and_each_opens_it_with_the_own_pin(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await enrol(page, await code_for(own, "courier"))
        await expect(page.get_by_role("heading", name="Hello, Imran")).to_be_visible()
        await page.reload()
        await page.get_by_role("button", name="Somebody else works here").click()
        await page.get_by_role("button", name="Back", exact=True).click()
        await expect(page.get_by_label("PIN")).to_be_visible()
        # The QR code of the office holds this link.
        link = await _link_for(own, "warehouse")
        await page.goto(f"{own.base_url}/app/#{link.partition('/app/#')[2]}")
        code = page.get_by_label("Code from the office")
        await expect(code).to_have_value(re.compile("^[0-9A-Z]{26}$"))
        assert await page.evaluate("location.hash") == ""
        await enrol(page, await code.input_value())
        await expect(page.get_by_role("heading", name="Hello, Rahul")).to_be_visible()
        await whole_app_on_the_phone(page)
        await context.set_offline(True)
        await page.reload()
        await expect(page.get_by_role("heading", name="Rahul Menon")).to_be_visible()
        await sound(page)
        await page.screenshot(path=tmp_path / "shared.png")
        await page.get_by_role("button", name="Imran Sheikh").click()
        await expect(page.get_by_role("heading", name="Imran Sheikh")).to_be_visible()
        await unlock(page, PIN)
        await expect(page.get_by_role("heading", name="Hello, Imran")).to_be_visible()


async def _link_for(stack: WholeStack, role: str) -> str:
    person = next(user for user in sample_users() if (user.role, user.channel) == (role, "AE"))
    async with company(stack) as people:
        admin = await people.staff("admin")
        made = await admin.post(f"/api/people/{person.person_id}/enrolment-codes", {})
    link: str = made["link"]
    return link
