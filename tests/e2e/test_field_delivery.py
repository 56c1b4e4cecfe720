"""A delivery through the screens of the field app, as an executive does it with one hand."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.core.ids import uuid7
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, until
from tests.support.field_app import phone
from tests.support.field_face import (
    PIN,
    Screens,
    code_for,
    company,
    enrol,
    on_the_way,
    open_face,
    sound,
    whole_app_on_the_phone,
)
from tests.support.field_hands import scan, take_photo, unlock
from tests.support.pictures import make_12mp_jpeg, make_film, make_jpeg
from tests.support.whole_stack import WholeStack


async def labels_of(parcel: ParcelPlay) -> list[str]:
    executive = await parcel.company.of("delivery", "AE")
    for run in await executive.get("/field/runs"):
        for stop in run["stops"]:
            if stop["fulfilment_id"] == parcel.id:
                return [piece["label_no"] for piece in stop["pieces"]]
    raise AssertionError("The parcel stands on no run.")


async def promise(people: Company, parcel: ParcelPlay) -> None:
    """Have a desk promise the customer that the goods come tomorrow between two and four."""
    day = datetime.now().astimezone() + timedelta(days=1)
    hours = {"from_at": day.replace(hour=14), "until_at": day.replace(hour=16)}
    window = {
        name: hour.replace(minute=0, second=0, microsecond=0).isoformat()
        for name, hour in hours.items()
    }
    asked = {"event_id": str(uuid7()), "window": window, "reason": "The customer works."}
    await (await people.staff("dispatcher")).post(f"/console/parcels/{parcel.id}/window", asked)


async def test_an_executive_accepts_the_run_and_hands_over_by_the_recipe(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=11, accepted=False)
        labels = await labels_of(parcel)
        await promise(people, parcel)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("button", name="Yes, I drive this run").click()
            await expect(page.get_by_role("button", name="Yes, I drive this run")).to_have_count(0)
            await expect(
                page.locator(".kept", has_text="You have accepted this run")
            ).to_be_visible()
            code = await parcel.order.handover_code()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            card = page.get_by_role("link", name=parcel.order.number)
            await expect(card).to_contain_text("14:00 to 16:00")
            await card.click()
            await expect(page.get_by_role("link", name="Hand over")).to_be_visible()
            await expect(page.get_by_text("14:00 to 16:00")).to_be_visible()
            await screens.look("job")
            await page.get_by_role("link", name="Hand over").click()

            await expect(page.get_by_role("heading", name="Who takes it?")).to_be_visible()
            await screens.look("who")
            await page.get_by_role("button", name="· customer").click()

            await expect(page.get_by_role("heading", name="Scan the pieces")).to_be_visible()
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("Not the right one: ANOTHER-1")).to_be_visible()
            await screens.look("scan")
            for label in labels:
                await scan(page, label)

            await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
            await screens.look("photo")
            await take_photo(page, "The goods at the door", make_12mp_jpeg())

            # The phone's memory runs out, and the page with it: everything is where it was.
            await page.reload()
            await unlock(page, PIN)
            await expect(page.get_by_role("heading", name="Money")).to_be_visible()
            await screens.look("money")
            # A note larger than what is due: what is too much is given back, and the rest is noted.
            await page.get_by_role("button", name="Cash · Another amount").click()
            await page.get_by_label("Amount").fill("9000")
            await page.get_by_role("button", name="Note it").click()
            await expect(page.get_by_text("GIVE BACK AED")).to_be_visible()
            await screens.look("too-much")
            await page.get_by_role("button", name="Given back").click()

            await expect(page.get_by_role("heading", name="Code")).to_be_visible()
            await screens.look("code")
            for before in ("Money", "Photos", "Scan the pieces", "Who takes it?"):
                await page.get_by_role("button", name="Back", exact=True).click()
                await expect(page.get_by_role("heading", name=before)).to_be_visible(timeout=5000)
            steps = page.get_by_role("navigation", name="Steps")
            await steps.get_by_text("Code").click()
            await page.get_by_label("The customer's code").fill(code)
            await expect(page.get_by_text("Noted, not checked yet")).to_be_visible()
            await page.get_by_role("button", name="Handed over").click()

            await expect(page.get_by_text("Done on this phone")).to_be_visible()
            await screens.look("done")
            await page.get_by_role("button", name="Undo").click()
            await page.get_by_role("link", name="Hand over").click()
            await page.get_by_role("button", name="Handed over").click()
            await page.get_by_role("link", name=parcel.order.number).click()
            await expect(page.get_by_text("taken in cash")).to_be_visible()
            await expect(page.get_by_text("COLLECT")).to_have_count(0)
            await screens.look("over")
            await context.set_offline(False)
            await parcel.reached(1013)
            # What was just done is not said to be somebody else's once the office has it.
            await expect(page.get_by_text("Done, the office has it")).to_be_visible()
            await screens.look("recorded")


async def test_of_a_part_only_what_is_handed_over_is_scanned_and_paid(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=15)
        code = await parcel.order.handover_code()
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("link", name=parcel.order.number).click()
            await page.get_by_role("link", name="Hand over").click()
            await page.get_by_role("button", name="· customer").click()
            steps = page.get_by_role("navigation", name="Steps")
            await steps.get_by_text("The customer takes only a part").click()
            await page.get_by_role("button", name=re.compile("One more: .Electric kettle")).click()
            await expect(page.get_by_role("button", name="Go on", exact=True)).to_be_disabled()
            await page.get_by_label("Why").select_option("The customer refuses")
            await page.get_by_role("button", name="Go on", exact=True).click()
            await expect(page.get_by_text("0 of 1 scanned")).to_be_visible()
            kettle = page.locator("li.card", has_text="Electric kettle")
            await expect(kettle).to_contain_text("Comes back with you")
            await scan(page, (await kettle.locator("[dir=ltr]").first.inner_text()).strip())
            await expect(page.get_by_text("One like this is not handed over")).to_be_visible()
            await screens.look("part")
            machine = page.locator("li.card", has_text="washing machine")
            await scan(page, (await machine.locator("[dir=ltr]").first.inner_text()).strip())
            await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
            # What was scanned by a slip is taken back, also after the step.
            await steps.get_by_text("Scan the pieces").click()
            await page.get_by_role("button", name="Undo the scan").click()
            await expect(page.get_by_text("0 of 1 scanned")).to_be_visible()
            await scan(page, (await machine.locator("[dir=ltr]").first.inner_text()).strip())
            await take_photo(page, "The goods at the door", make_jpeg(1200, 900))
            await page.get_by_role("button", name="Go on", exact=True).click()
            await expect(page.get_by_text("less, for what is not handed over")).to_be_visible()
            await page.get_by_role("button", name="in cash").click()
            await page.get_by_label("The customer's code").fill(code)
            await page.get_by_role("button", name="Handed over").click()
            await parcel.reached(1013)
            done = page.get_by_role("link", name=parcel.order.number)
            await expect(done).to_contain_text("not handed over: The customer refuses")
            await expect(done).to_contain_text("stays with you until you hand it in")
            await screens.look("part-done")


async def test_nobody_home_is_told_in_a_few_taps_with_the_door(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=12)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("link", name=parcel.order.number).click()
            await page.get_by_role("link", name="Cannot deliver").click()
            await screens.look("why")
            await page.get_by_role("button", name="Nobody home").click()
            # Whoever leaves is told what was filled in, and may keep it or delete it.
            await page.get_by_role("button", name="Back", exact=True).click()
            await expect(page.get_by_role("heading", name="Why not?")).to_be_visible()
            await page.get_by_role("button", name="Back", exact=True).click()
            await expect(page.get_by_role("dialog")).to_contain_text("Filled in so far: Why")
            await sound(page)
            await page.screenshot(path=tmp_path / "leaving.png")
            await page.get_by_role("button", name="Delete what was filled in").click()
            await page.get_by_role("link", name="Cannot deliver").click()
            await page.get_by_role("button", name="Nobody home").click()
            await screens.look("called")
            await page.get_by_role("button", name="Yes").click()
            await page.get_by_role("button", name="Close").click()
            await page.get_by_role("button", name="Keep it for later").click()
            begun = page.get_by_role("link", name="Cannot deliver – begun, go on")
            await expect(begun).to_be_visible()
            await screens.look("kept")
            await page.get_by_role("link", name="Today").click()
            card = page.get_by_role("link", name=parcel.order.number)
            await expect(card).to_contain_text("Begun, not handed in yet")
            await card.click()
            await begun.click()
            await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
            await take_photo(page, "The door", make_jpeg(1200, 900))
            await page.get_by_role("button", name="Not delivered").click()
            await expect(page.get_by_text("Not done, kept on this phone")).to_be_visible()
            # The browser's way back leads into no form; nothing is told twice.
            await page.go_back()
            await expect(page.get_by_role("heading", name="Deliver")).to_be_visible()
            await expect(page.get_by_role("link", name="Cannot deliver")).to_have_count(0)

            async def failed() -> dict[str, Any] | None:
                order = await parcel.order.order()
                found = parcel.order.parcel_of(order, parcel.id)["detours"]
                return next((one for one in found if one["kind"] == "delivery_failed"), None)

            detour = await until(failed, "the failed delivery")
            assert detour["reason"] == "not_home"
            await expect(page.get_by_text("Not done, the office knows")).to_be_visible()


async def test_labels_are_read_by_the_camera_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=13)
        labels = await labels_of(parcel)
        make_film(tmp_path / "seen.mjpeg", *labels)
        camera = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={tmp_path / 'seen.mjpeg'}",
        )
        async with phone(playwright, tmp_path / "profile", flags=camera) as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "delivery"))
            await expect(page.get_by_role("link", name=parcel.order.number)).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name=parcel.order.number).click()
            await page.get_by_role("link", name="Hand over").click()
            await page.get_by_role("button", name="· customer").click()
            await page.get_by_role("button", name="Scan with the camera").click()
            await page.screenshot(path=tmp_path / "camera.png", full_page=True)
            await expect(page.get_by_role("heading", name="Photos")).to_be_visible()
