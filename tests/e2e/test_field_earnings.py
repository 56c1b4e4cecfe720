"""What a person has earned, on the phone: with its reasons, without a signal, plainly without rates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from playwright.async_api import Playwright, expect

from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.play import door
from doorstep.seed import sample_users
from tests.support.field_app import phone
from tests.support.field_face import (
    code_for,
    code_of,
    company,
    enrol,
    on_the_way,
    open_face,
    sound,
    whole_app_on_the_phone,
)
from tests.support.field_hands import look_for_news
from tests.support.whole_stack import WholeStack

WHY = "It was the neighbour's parcel."


async def test_what_was_earned_is_read_with_its_reasons_and_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=51, accepted=False)
        await door.deliver(parcel)
        desk = await people.staff("finance")
        today = now().date()
        days = {"from": str(today - timedelta(days=1)), "to": str(today + timedelta(days=1))}
        whose = str(people.find("delivery", "AE").person_id)
        earned = await desk.get("/console/earnings/lines", person_id=whose, **days)
        line = next(one for one in earned if one["number"] == parcel.order.number)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "delivery"))
            await page.get_by_role("link", name="My earnings").click()
            await expect(page.get_by_text(parcel.order.number)).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "1-earned.png", full_page=True)

            word = {"work_id": line["work_id"], "earns": False, "reason": WHY}
            await desk.post("/console/earnings/decisions", word | {"event_id": str(uuid7())})
            await page.goto(f"{own.base_url}/app/#/sending")
            await look_for_news(page)
            await page.goto(f"{own.base_url}/app/#/earnings")
            await expect(page.get_by_text(WHY)).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name="Today").click()
            await page.get_by_role("link", name="My earnings").click()
            await expect(page.get_by_text("Decided by the office")).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "2-taken-back.png", full_page=True)
            await page.goto(f"{own.base_url}/app/#/language")
            await page.get_by_role("button", name="العربية").click()
            await page.goto(f"{own.base_url}/app/#/earnings")
            await expect(page.get_by_text(WHY)).to_be_visible()
            await sound(page)
            await page.screenshot(path=tmp_path / "3-arabic.png", full_page=True)


async def test_where_the_office_has_set_no_rates_the_phone_says_so(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    there = next(one for one in sample_users() if (one.role, one.channel) == ("delivery", "KW"))
    async with phone(playwright, tmp_path / "profile") as context:
        page = await open_face(context, own)
        await enrol(page, await code_of(own, there))
        await page.get_by_role("link", name="My earnings").click()
        await expect(page.get_by_text("has not set rates")).to_be_visible()
        await sound(page)
        await page.screenshot(path=tmp_path / "4-no-rates.png", full_page=True)
