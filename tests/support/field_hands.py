"""What people do with their hands on the screens of the field app."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Page, expect

from tests.support.pictures import make_jpeg


async def take_photo(page: Page, name: str, content: bytes) -> None:
    """Take the photo of a slot; the phone has it when its picture is shown."""
    shot = page.locator(".shot", has_text=name).first
    await shot.locator("input").set_input_files(
        {"name": "shot.jpg", "mimeType": "image/jpeg", "buffer": content}
    )
    await expect(shot.locator("img")).to_be_visible()


async def scan(page: Page, code: str) -> None:
    """Scan as a scanner on a cable does: it types, and ends with Enter."""
    field = page.get_by_label(re.compile("Or type the (serial )?number"))
    await field.fill(code)
    await field.press("Enter")


async def beep(page: Page, code: str) -> None:
    """Scan as such a scanner does while no field has the focus: nobody taps a field first."""
    await page.evaluate("document.activeElement?.blur()")
    await page.keyboard.type(code)
    await page.keyboard.press("Enter")


async def look_for_news(page: Page) -> None:
    """Have the phone send and ask now, on the screen of what is sent."""
    await page.get_by_role("button", name=re.compile("Send now|Look for news")).click()


async def sign(page: Page) -> None:
    """Sign with a finger, in two strokes."""
    pad = page.locator("canvas")
    await pad.evaluate("pad => pad.scrollIntoView({ block: 'center' })")
    box = await pad.bounding_box()
    assert box is not None
    for height in (0.3, 0.6):
        await page.mouse.move(box["x"] + 40, box["y"] + box["height"] * height)
        await page.mouse.down()
        for step in range(1, 9):
            y = box["y"] + box["height"] * (height + 0.1 * (step % 2))
            await page.mouse.move(box["x"] + 40 + 25 * step, y)
        await page.mouse.up()


async def unlock(page: Page, pin: str) -> None:
    """Open the screen with the PIN."""
    await page.get_by_label("PIN").fill(pin)
    await page.get_by_role("button", name="Open").click()


async def up_to_the_money(page: Page, labels: list[str]) -> None:
    """Begin to hand a parcel over to its customer: who, which boxes, and the photo."""
    await page.get_by_role("button", name="· customer").click()
    for label in labels:
        await scan(page, label)
    await take_photo(page, "The goods at the door", make_jpeg(1600, 1200))
    await page.get_by_role("button", name="Go on").click()


async def hand_over(page: Page, stop: dict[str, Any], pictures: list[bytes], code: str) -> int:
    """Hand one prepaid parcel over with a signature; tell how many taps it took after the photos."""
    await page.goto(page.url.split("#")[0] + f"#/do/deliver/stop/{stop['id']}")
    await page.get_by_role("button", name="· customer").click()
    for piece in stop["pieces"]:
        await scan(page, piece["label_no"])
    await take_photo(page, "The goods at the door", pictures[0])
    for picture in pictures[1:]:
        # The last of the tiles is the empty one.
        count = await page.locator(".shot").count()
        await (
            page.locator(".shot")
            .last.locator("input")
            .set_input_files({"name": "shot.jpg", "mimeType": "image/jpeg", "buffer": picture})
        )
        await expect(page.locator(".shot img")).to_have_count(count)
    await page.get_by_role("navigation", name="Steps").get_by_text("Signature").click()
    await sign(page)
    taps = 0
    await page.get_by_role("button", name="Go on").click()
    taps += 1
    await page.get_by_label("The customer's code").fill(code)
    taps += 1
    await page.get_by_role("button", name="Handed over").click()
    taps += 1
    # The bar of the door before may still be there: kept it is once the list is shown again.
    await expect(page).to_have_url(re.compile("#/$"))
    return taps


async def install(page: Page, unit: dict[str, Any]) -> None:
    """Install one machine by its card: photos, serial, checklist, what is shown, and the signature."""
    await page.get_by_role("button", name="start the work").click()
    await page.get_by_role("link", name="Go through the work, step by step").click()
    await take_photo(page, "Before", make_jpeg(800, 600, seed=1))
    await scan(page, unit["serials"][0])
    for item in unit["checklist"]["items"]:
        await page.get_by_role("button", name=item["text"]).click()
    await page.get_by_role("button", name="Go on").click()
    await take_photo(page, "After", make_jpeg(800, 600, seed=2))
    await page.get_by_role("button", name="Go on").click()
    for topic in unit["checklist"]["demo_topics"]:
        await page.get_by_role("button", name=topic["text"]).click()
    await page.get_by_role("button", name="Go on").click()
    await sign(page)
    await page.get_by_role("button", name="Installed and shown").click()
    await expect(page.get_by_text("Done on this phone")).to_be_visible()
