"""A parcel and a delivery of goods through the screens of the field app, as the floor does them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.play.visitors import Company, new_event, until
from tests.support.field_app import company, phone
from tests.support.field_face import (
    Screens,
    code_for,
    enrol,
    open_face,
    settled,
    sound,
    to_pick,
    whole_app_on_the_phone,
)
from tests.support.field_hands import beep, look_for_news, scan
from tests.support.whole_stack import WholeStack

MACHINE, KETTLE, MIXER, SCREEN = "6291100000017", "6291100000024", "6291100000031", "6291100000048"


async def announce(people: Company, place: str) -> str:
    """Have the desk announce goods with and without serials; tell the number of the arrival."""
    desk = await people.staff("dispatcher")
    lines = [{"sku": "MIX-500", "quantity": 3}, {"sku": "TV-55", "quantity": 1}]
    body = {"event_id": new_event(), "ref": "PO-4711", "location_id": place, "lines": lines}
    return str((await desk.post("/console/arrivals", body))["number"])


async def received(people: Company, number: str) -> list[tuple[str, str]]:
    """Wait until nothing more of the arrival is awaited; list the codes and grades that count."""
    desk = await people.staff("dispatcher")

    async def ended() -> dict[str, Any] | None:
        found = await desk.get("/console/arrivals", state="received", limit=500)
        return next((one for one in found if one["number"] == number), None)

    arrival = await until(ended, f"the receipt of {number}")
    detail = await desk.get(f"/console/arrivals/{arrival['id']}")
    return [
        (scan["serial"] or scan["code"], scan["grade"])
        for scan in detail["scans"]
        if scan["verdict"] == "right"
    ]


async def test_a_picker_picks_checks_and_packs_a_parcel_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await to_pick(people, number=21)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "warehouse"))
            screens = Screens(page, tmp_path)
            await expect(page.get_by_text("to pack", exact=False).first).to_be_visible()
            await screens.look("today")
            await page.get_by_role("link", name=parcel.order.number).click()
            await page.get_by_role("button", name="Start picking").click()
            await parcel.reached(1005)

            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await expect(page.get_by_text("Leave the transport bolts in.")).to_be_visible()
            await screens.look("list")
            words = (await page.locator(".card", has_text="Any of these").inner_text()).split()
            serial = next(word for word in words if word.startswith("WM-7KG-"))
            await page.get_by_role("link", name="Check by scan").click()
            await expect(page.get_by_text("0 of 4 scanned")).to_be_visible()
            await scan(page, MIXER)
            await expect(page.get_by_text(f"Not the right one: {MIXER}")).to_be_visible()
            await beep(page, MACHINE)
            await expect(page.get_by_text("1 of 4 scanned")).to_be_visible()
            # A serial that was typed wrongly is taken back also after the next scan.
            mistyped = f"{serial[:-1]}{'1' if serial[-1] != '1' else '2'}"
            if mistyped in words:
                mistyped = f"{serial[:-1]}9"
            await scan(page, mistyped)
            await scan(page, "ACC-WM-HOSE")
            await expect(page.get_by_text("3 of 4 scanned")).to_be_visible()
            await screens.look("check")
            await page.get_by_role(
                "button", name=re.compile(f"Undo the scan: .?{mistyped}")
            ).click()
            await page.get_by_role(
                "button", name=re.compile("Undo the scan: .?ACC-WM-HOSE")
            ).click()
            await expect(page.get_by_text("1 of 4 scanned")).to_be_visible()
            await page.get_by_role("button", name="Save this part").click()

            # Half of it is checked: the job is still there, and says what is missing.
            await expect(page.get_by_text("1 of 4 scanned")).to_be_visible()
            await expect(page.get_by_text(re.compile("1 × accessory: .Inlet hose"))).to_be_visible()
            await screens.look("half")
            await page.get_by_role("link", name="Check by scan").click()
            await scan(page, "ACC-WM-HOSE")
            await scan(page, KETTLE)
            await scan(page, serial)
            await expect(page.get_by_text("4 of 4 scanned")).to_be_visible()
            await page.get_by_role("button", name="Checked").click()

            await page.get_by_role("link", name="Pack", exact=True).click()
            # Put together by mistake, and each piece back into a box of its own.
            await page.get_by_role("button", name="All of it is in one box").click()
            await screens.look("one-box")
            await page.get_by_role("button", name="Change box 1").click()
            await sound(page)
            apart = page.get_by_role("combobox", name=re.compile("Electric kettle"))
            await apart.select_option(label="In a box of its own")
            await expect(page.get_by_text("Box 2 of 2")).to_be_visible()
            await page.get_by_role("button", name="Change box 2").click()
            await page.get_by_label("Weight (kg)").fill("0")
            await page.get_by_label("Weight (kg)").blur()
            await expect(page.get_by_text("must be more than 0")).to_be_visible()
            await expect(page.get_by_role("button", name="Packed")).to_be_disabled()
            await screens.look("no-weight")
            await page.get_by_label("Weight (kg)").fill("1.35")
            await page.get_by_label("Height (cm)").fill("26.5")
            await page.get_by_label("Height (cm)").blur()
            await expect(page.get_by_text("1.35 kg")).to_be_visible()
            await screens.look("pack")
            await page.get_by_role("button", name="Packed").click()
            # What is packed is labelled next, as soon as the office has its number.
            await expect(page.get_by_text("stick one on each box")).to_be_visible()
            await screens.look("labels-later")
            await context.set_offline(False)
            await parcel.reached(1008)
            labels = page.url
            await page.goto(f"{own.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(labels)
            await expect(page.get_by_role("button", name="Print the labels")).to_be_visible()
            first, second = page.locator(".label").nth(0), page.locator(".label").nth(1)
            await expect(first.get_by_text("washing machine")).to_be_visible()
            await expect(second.get_by_text("1 × Electric kettle")).to_be_visible()
            await screens.look("labels")
            # What was done is told after it has gone out as well.
            await page.get_by_role("link", name="Today").click()
            packed = page.locator("li.row", has_text=parcel.order.number)
            await expect(packed).to_contain_text("2 pieces")


async def test_goods_come_in_with_their_grade_and_what_nobody_expects_is_told(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        floor = await people.of("warehouse", "AE")
        number = await announce(people, (await floor.get("/api/me"))["location_id"])
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "warehouse"))
            screens = Screens(page, tmp_path)
            await page.get_by_role("link", name=number).click()
            await screens.look("arrival")
            await page.get_by_role("link", name="Receive by scan").click()
            pieces = page.get_by_label("Pieces with the next scan")
            await pieces.focus()
            await page.keyboard.type("2")
            await page.wait_for_timeout(400)
            # The scanner's keys go into the field that somebody has just filled in: they are no count.
            await page.keyboard.type(MIXER)
            await page.keyboard.press("Enter")
            await expect(page.get_by_text("2 of 3 received")).to_be_visible()
            await expect(page.get_by_text("2 × Like new")).to_be_visible()
            condition = page.get_by_label("Condition")
            await condition.select_option("Opened box")
            await condition.focus()
            await page.keyboard.type(SCREEN)
            await page.keyboard.press("Enter")
            await expect(condition).to_have_value("open_box")
            await expect(page.get_by_text("Now scan its serial number")).to_be_visible()
            await scan(page, "TV-WRONG")
            await page.get_by_role("button", name=re.compile("Undo the scan: .TV-WRONG")).click()
            await expect(page.get_by_text("0 of 1 received")).to_be_visible()
            await scan(page, SCREEN)
            await scan(page, "TV-NEW-1")
            await expect(page.get_by_text("1 of 1 received")).to_be_visible()
            await screens.look("receive")
            await page.get_by_role("button", name="Save what is scanned").click()

            # Part of it is in and nothing is booked yet: the job is open, and shows how far it is.
            await expect(page.get_by_text("2 of 3 received")).to_be_visible()
            await screens.look("some-in")
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name="Receive by scan").click()
            await scan(page, MIXER)
            await page.get_by_role("button", name="Save what is scanned").click()
            await expect(page.get_by_text("3 of 3 received")).to_be_visible()
            await page.get_by_role("button", name="Everything is in").click()
            # Nothing more is to be done there: the list is next.
            await expect(page).to_have_url(re.compile("#/$"))
            await page.get_by_role("link", name="Goods nobody expected").click()
            await scan(page, "AWB-OF-ANOTHER")
            await screens.look("unexpected")
            await page.get_by_role("button", name="Report it").click()
            await expect(page.get_by_role("heading", name="Something else")).to_be_visible()
            await page.get_by_role("link", name="Stock differs").click()
            # This phone has never heard of it; it stands there as it was scanned.
            await scan(page, "6291100000999")
            await expect(page.get_by_text("The office looks it up")).to_be_visible()
            await scan(page, MIXER)
            await page.get_by_role("button", name="Fewer").click()
            await page.get_by_label("By how many pieces?").fill("1")
            await page.get_by_label("By how many pieces?").blur()
            await screens.look("differs")
            # What is filled in was left and taken up again: the next question is open.
            await page.get_by_role("button", name="Damaged").click()
            await page.get_by_label("In your own words").fill("Fell off the rack.")
            await page.get_by_label("In your own words").blur()
            await page.get_by_role("button", name="Report it").click()
            await expect(page.get_by_role("heading", name="Something else")).to_be_visible()
            await context.set_offline(False)
            assert await received(people, number) == [
                (MIXER, "sellable"),
                ("TV-NEW-1", "open_box"),
                (MIXER, "open_box"),
            ]
            await settled(page)
