"""A courier's way from the pickup to the hub through the screens of the field app."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image
from playwright.async_api import Playwright, expect

from doorstep.play import picking
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, until
from tests.support.field_app import company, phone
from tests.support.field_face import (
    Screens,
    code_for,
    enrol,
    open_face,
    settled,
    to_pick,
    whole_app_on_the_phone,
)
from tests.support.field_hands import look_for_news, scan, take_photo
from tests.support.pictures import make_jpeg
from tests.support.whole_stack import WholeStack


async def given(people: Company, *, number: int) -> tuple[ParcelPlay, list[str]]:
    """Have a parcel packed and given to the courier; tell its labels."""
    parcel = await to_pick(people, number=number)
    await picking.pick_check_pack(parcel)
    await parcel.reached(1008)
    courier = people.find("courier", "AE")
    desk = await people.staff("dispatcher")
    manifest = {
        "location_id": parcel.location_id,
        "courier_id": str(courier.person_id),
        "fulfilment_ids": [parcel.id],
    }
    made = await desk.post("/console/manifests", manifest)
    waiting = await (await people.person(courier)).get("/field/manifests")
    own = next(one for one in waiting if one["id"] == made["id"])
    return parcel, [piece["label_no"] for piece in own["pieces"]]


async def test_a_courier_fetches_leaves_arrives_and_tells_of_damage_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel, labels = await given(people, number=31)
        assert len(labels) > 1
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "courier"))
            screens = Screens(page, tmp_path)
            await expect(page.get_by_text("Pick up").first).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name="Pick up").first.click()
            await screens.look("manifest")
            await page.get_by_role("link", name="Pick up").click()
            # A box of others is told to be none of these, and its scan is kept all the same.
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("It is not on this list: put it aside.")).to_be_visible()
            await screens.look("pick-up")
            for label in labels:
                await scan(page, label)
            await page.get_by_role("button", name="Picked up").click()

            # What was fetched is in the hands before the office knows.
            await expect(page.get_by_role("heading", name="Your boxes")).to_be_visible()
            await screens.look("today")
            await page.get_by_role("link", name="Leave: scan what goes with you").click()
            await expect(page.get_by_text(f"0 of {len(labels)} scanned")).to_be_visible()
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("Not the right one: ANOTHER-1")).to_be_visible()
            await scan(page, labels[0])
            await expect(page.get_by_text(f"1 of {len(labels)} scanned")).to_be_visible()
            await screens.look("depart")
            # The screen was left and opened again: what was scanned counts.
            await expect(page.get_by_text(f"1 of {len(labels)} scanned")).to_be_visible()
            for label in labels[1:]:
                await scan(page, label)
            await expect(page.get_by_text("{0} of {0} scanned".format(len(labels)))).to_be_visible()
            await page.get_by_role("button", name="Leaving now").click()
            await expect(page.get_by_role("heading", name="On the way")).to_be_visible()
            await screens.look("hands")

            await page.get_by_role("link", name="Piece damaged or missing").click()
            await page.get_by_role("button", name=labels[1]).click()
            await screens.look("which")
            await page.get_by_role("button", name="Damaged").click()
            await take_photo(page, "The damage", make_jpeg(1200, 900))
            await screens.look("damage")
            await page.get_by_role("button", name="Report it").click()
            await expect(page.locator(".card", has_text=labels[1])).to_contain_text("Damaged")

            await page.get_by_role("link", name="Arrived at a hub: scan in").click()
            for label in labels:
                await scan(page, label)
            # Left without its last tap: each scan counts, and the next arrival begins anew.
            await page.go_back()
            await expect(page.get_by_role("heading", name="At the hub")).to_be_visible()
            await page.get_by_role("link", name="Leave the hub: scan out").click()
            await scan(page, labels[0])
            await page.get_by_role("button", name="Leaving the hub").click()
            await page.get_by_role("link", name="Leave the hub: scan out").click()
            await scan(page, labels[0])
            await expect(page.get_by_text("It is one of yours")).to_be_visible()
            await page.go_back()
            await expect(page.get_by_role("heading", name="On the way")).to_be_visible()
            await page.get_by_role("link", name="Arrived at a hub: scan in").click()
            await expect(page.get_by_text("1 of 2 scanned")).to_be_visible()
            await scan(page, labels[0])
            await page.get_by_role("button", name="All that came is in").click()
            await expect(page.get_by_role("heading", name="At the hub")).to_be_visible()
            await context.set_offline(False)
            await parcel.reached(1011)

            async def damaged() -> dict[str, Any] | None:
                order = await parcel.order.order()
                found = parcel.order.parcel_of(order, parcel.id)["detours"]
                return next((one for one in found if one["kind"] == "carrier_damaged"), None)

            await until(damaged, "the damage")
            await settled(page)
            desk = await people.staff("dispatcher")

            async def shown() -> bool:
                found = await desk.get(f"/console/fulfilments/{parcel.id}/pictures")
                return [one["picture"]["shown"] for one in found] == ["photo"]

            await until(shown, "the picture of the damage")


async def test_the_floor_sees_what_waits_for_its_pickup_and_prints_its_labels(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel, labels = await given(people, number=32)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "warehouse"))
            screens = Screens(page, tmp_path)
            await expect(
                page.get_by_text(re.compile("for (its|their) pickup")).first
            ).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name=parcel.order.number).click()
            await expect(page.get_by_text(f"0 of {len(labels)} fetched")).to_be_visible()
            await screens.look("labels")
            # As many pixels as a phone has: at one for each point a bar is one and a half wide.
            await page.set_viewport_size({"width": 720, "height": 740})
            for label in labels:
                seen = await page.locator("li", has_text=label).screenshot()
                assert label in [one.text for one in zxingcpp.read_barcodes(read(seen))]
            await page.emulate_media(media="print")
            await expect(page.get_by_role("button", name="Print the labels")).to_be_hidden()
            await expect(page.get_by_text(labels[0])).to_be_visible()
            await page.screenshot(path=tmp_path / "printed.png", full_page=True)
            await page.emulate_media(media="screen")
            await page.set_viewport_size({"width": 360, "height": 740})
            await page.get_by_role("link", name="Piece damaged or missing").click()
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("This phone does not know it")).to_be_visible()
            await page.get_by_role("button", name="ANOTHER-1").click()
            await page.get_by_role("button", name=labels[0]).click()
            await screens.look("which")
            await page.get_by_role("button", name="Damaged").click()
            await take_photo(page, "The damage", make_jpeg(1200, 900, seed=3))
            await page.get_by_role("button", name="Report it").click()
            await context.set_offline(False)
            floor = await people.of("warehouse", "AE")

            async def told() -> bool | None:
                waiting = await floor.get("/field/waiting-parcels")
                return any(p["reported"] for one in waiting for p in one["pieces"]) or None

            await until(told, "the report")
            back = page.url
            await page.goto(f"{own.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(back)
            await expect(page.get_by_text("ask before it leaves")).to_be_visible()
            await screens.look("torn")


def read(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))
