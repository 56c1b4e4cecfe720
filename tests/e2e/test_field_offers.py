"""Work that is offered on the road: the card with its time, a yes by one tap, and the door on the list."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.async_api import Playwright, expect

from doorstep.play import picking
from tests.support.field_app import company, phone
from tests.support.field_face import Screens, code_of, enrol, on_the_way, open_face, to_pick
from tests.support.whole_stack import WholeStack

TIME_LEFT = re.compile(r"^[0-2]:[0-5][0-9]$")


async def test_one_more_delivery_is_offered_with_its_time_and_taken_by_one_tap(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people:
        await on_the_way(people, number=21)
        more = await to_pick(people, number=22)
        await picking.pick_check_pack(more)
        await more.book()
        await more.carry()
        executive = people.find("delivery", "AE")
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            await enrol(page, await code_of(alone, executive))
            await expect(page.get_by_text("1 job", exact=True)).to_be_visible()
            asked = {"fulfilment_id": more.id, "person_ids": [str(executive.person_id)]}
            await (await people.staff("dispatcher")).post("/console/offers", asked)
            await page.reload()
            await page.get_by_label("PIN").fill("246810")
            await page.get_by_role("button", name="Open").click()
            card = page.get_by_role("region", name="Can you take one more?")
            await expect(card.get_by_role("timer")).to_have_text(TIME_LEFT)
            await expect(card).to_contain_text(more.order.number)
            await Screens(page, tmp_path).look("offer")
            await card.get_by_role("button", name=re.compile("Yes")).click()
            await expect(page.get_by_text("2 jobs", exact=True)).to_be_visible()
            await expect(card).to_have_count(0)
            await page.screenshot(path=tmp_path / "taken.png", full_page=True)
        [seen] = await (await people.staff("dispatcher")).get("/console/offers")
        assert (seen["state"], seen["answers"][0]["outcome"]) == ("taken", "counted")
