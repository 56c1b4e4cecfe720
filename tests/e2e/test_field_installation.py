"""Visits through the screens of the field app: not finished in three taps, then installed and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.play import door, installation
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import StepFailed, until
from tests.support.field_app import phone
from tests.support.field_face import (
    PIN,
    Screens,
    code_of,
    company,
    enrol,
    job,
    on_the_way,
    open_face,
    whole_app_on_the_phone,
)
from tests.support.field_hands import scan, sign, take_photo, unlock
from tests.support.pictures import make_12mp_jpeg, make_jpeg
from tests.support.whole_stack import WholeStack

NOT_FINISHED = ("Cannot finish", "It is not safe", "Save and book the next visit")
"""The three taps; the first one leads to the form."""


async def test_a_visit_is_not_finished_in_three_taps_and_the_next_one_installs_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=21, accepted=False)
        await door.deliver(parcel)
        await parcel.reached(1014)
        technician, first = await installation.visit_of(parcel)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_of(own, technician.user))
            await whole_app_on_the_phone(page)
            await job(page, parcel.order.number).click()
            await context.set_offline(True)
            for n, name in enumerate(NOT_FINISHED, 1):
                tap = page.get_by_role("link" if n == 1 else "button", name=name)
                await expect(tap).to_be_visible()
                await screens.look(f"cannot-{n}")
                await tap.click()
            await expect(page.get_by_text("Not done, kept on this phone")).to_be_visible()
            await context.set_offline(False)

            second = await until(lambda: _visit_after(parcel, first["id"]), "the next visit")
            assert (second["state"], second["missing_part"]) == ("booked", False)
            await expect(page.get_by_text("Not done, kept on this phone")).to_have_count(0)
            await job(page, parcel.order.number).click()
            await expect(page.get_by_text("It is not safe")).to_be_visible()
            await context.set_offline(True)
            await screens.look("visit")
            await _install(screens, second["units"][0])
            await context.set_offline(False)
            await parcel.reached(1015)


async def _install(screens: Screens, unit: dict[str, Any]) -> None:
    """Do the work as the card of the visit asks for it, one step after the other."""
    page = screens.page
    await page.get_by_role("button", name="Start the work").click()
    await page.get_by_role("link", name="Go through the work, step by step").click()

    await expect(page.get_by_role("heading", name="First a photo")).to_be_visible()
    # What cannot be taken later comes first, with nothing beside it.
    await expect(page.get_by_role("button", name="Go on without this photo")).to_be_visible()
    await expect(page.get_by_role("button", name="Scan with the camera")).to_have_count(0)
    await expect(page.get_by_role("button", name="Go on without:")).to_have_count(0)
    await screens.look("before")
    await take_photo(page, "Before", make_12mp_jpeg())
    await scan(page, "ANOTHER-1")
    await expect(page.get_by_text("Another number than was packed")).to_be_visible()
    await screens.look("other-serial")
    await scan(page, unit["serials"][0].lower())
    await expect(page.get_by_text("Another number than was packed")).to_have_count(0)
    for item in unit["checklist"]["items"]:
        await expect(page.get_by_role("button", name="Go on", exact=True)).to_have_count(0)
        await page.get_by_role("button", name=item["text"]).click()
    await page.get_by_role("button", name="Go on", exact=True).click()

    await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
    await screens.look("photos")
    await take_photo(page, "After", make_jpeg(800, 600, seed=1))

    # The phone's memory runs out, and the page with it: everything is where it was.
    await page.reload()
    await unlock(page, PIN)
    await expect(page.get_by_role("heading", name="Show the customer")).to_be_visible()
    shown, last = unit["checklist"]["demo_topics"]
    await page.get_by_role("button", name=shown["text"]).click()
    await screens.look("topics")
    await page.get_by_role("button", name=last["text"]).click()
    await page.get_by_role("button", name="Go on", exact=True).click()

    await expect(
        page.get_by_role("heading", name="The customer signs for the work")
    ).to_be_visible()
    await expect(page.get_by_label("Name of the customer")).not_to_have_value("")
    await screens.look("sign")
    await sign(page)
    await page.get_by_role("button", name="Installed and shown").click()
    await expect(page.get_by_text("Done on this phone")).to_be_visible()


async def _visit_after(parcel: ParcelPlay, before: str) -> dict[str, Any] | None:
    try:
        _, card = await installation.visit_of(parcel)
    except StepFailed:
        return None
    return card if card["id"] != before else None
