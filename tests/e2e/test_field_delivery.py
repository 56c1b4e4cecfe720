"""A delivery through the screens of the field app, as an executive does it with one hand."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, Playwright, expect

from doorstep.play.parcel import ParcelPlay
from tests.support.field_app import phone
from tests.support.field_face import code_for, company, enrol, on_the_way, open_face, sound
from tests.support.pictures import make_12mp_jpeg
from tests.support.whole_stack import WholeStack


async def photo(page: Page, name: str, content: bytes) -> None:
    """Take the photo of a slot; the phone has it when its picture is shown."""
    shot = page.locator(".shot", has_text=name)
    file = {"name": "shot.jpg", "mimeType": "image/jpeg", "buffer": content}
    await shot.locator("input").set_input_files([file])  # type: ignore[list-item]
    await expect(shot.locator("img")).to_be_visible()


async def scan(page: Page, code: str) -> None:
    """Scan as a scanner on a cable does: it types, and ends with Enter."""
    field = page.get_by_label("Or type the code")
    await field.fill(code)
    await field.press("Enter")


async def labels_of(parcel: ParcelPlay) -> list[str]:
    executive = await parcel.company.of("delivery", "AE")
    for run in await executive.get("/field/runs"):
        for stop in run["stops"]:
            if stop["fulfilment_id"] == parcel.id:
                return [piece["label_no"] for piece in stop["pieces"]]
    raise AssertionError("The parcel stands on no run.")


async def test_an_executive_accepts_the_run_and_hands_over_by_the_recipe(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=11, accepted=False)
        labels = await labels_of(parcel)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("button", name="Accept the run").click()
            await expect(page.get_by_role("button", name="Accept the run")).to_have_count(0)
            code = await parcel.order.handover_code()
            await context.set_offline(True)
            await page.get_by_role("link", name=parcel.order.number).click()
            await sound(page)
            await page.screenshot(path=tmp_path / "1-job.png", full_page=True)
            await page.get_by_role("link", name="Hand over").click()

            await expect(page.get_by_role("heading", name="Who takes it?")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "2-who.png", full_page=True)
            await page.get_by_role("button", name="· customer").click()

            await expect(page.get_by_role("heading", name="Scan the pieces")).to_be_visible()
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("Not the right one: ANOTHER-1")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "3-scan.png", full_page=True)
            for label in labels:
                await scan(page, label)

            await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
            await photo(page, "The goods at the door", make_12mp_jpeg())
            await sound(page)
            await page.screenshot(path=tmp_path / "4-photo.png", full_page=True)

            # The phone's memory runs out, and the page with it: everything is where it was.
            await page.reload()
            await page.get_by_label("PIN").fill("246810")
            await page.get_by_role("button", name="Open").click()
            await expect(page.get_by_role("heading", name="Money")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "5-money.png", full_page=True)
            await page.get_by_role("button", name="Cash taken").click()

            await expect(page.get_by_role("heading", name="Code")).to_be_visible()
            await page.get_by_label("The customer's code").fill(code)
            await sound(page)
            await page.screenshot(path=tmp_path / "6-code.png", full_page=True)
            await page.get_by_role("button", name="Handed over").click()

            await expect(page.get_by_text("Done on this phone")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "7-done.png", full_page=True)
            await page.get_by_role("button", name="Undo").click()
            await page.get_by_role("link", name="Hand over").click()
            await page.get_by_role("button", name="Handed over").click()
            await context.set_offline(False)
            await parcel.reached(1013)
