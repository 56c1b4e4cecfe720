"""A repair on the technician's phone: what the customer has photographed, also without a signal."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Playwright, expect
from redis.asyncio import Redis

from doorstep.core import db as core_db
from tests.contract.served import served
from tests.factories.at_the_page import at_page
from tests.factories.captures import capture
from tests.factories.claiming import claimed, done
from tests.factories.company import Company, open_company, the_app
from tests.support.field_app import phone, until
from tests.support.field_face import PIN, Screens, enrol, job, whole_app_on_the_phone
from tests.support.field_hands import unlock
from tests.support.visitor import browser

KEPT = "caches.open('doorstep-claim-photos').then((one) => one.keys()).then((all) => all.length === {})"
SEEN = """(() => {
  const photos = [...document.querySelectorAll('main section img')];
  return photos.length === 2 && photos.every((one) => one.naturalWidth > 0);
})()"""
LARGE = """(() => {
  const [photo] = document.querySelectorAll('main section img');
  return photo.src.includes('/pictures/') && photo.naturalWidth > 0;
})()"""


@pytest.fixture
async def company(db: Any, redis: Redis, tmp_path: Path) -> AsyncIterator[Company]:
    async with open_company(tmp_path / "company") as opened:
        yield opened


async def test_the_photos_of_a_claim_are_kept_for_a_cellar_and_go_with_the_visit(
    company: Company, playwright: Playwright, tmp_path: Path
) -> None:
    order = await done(company)
    async with browser() as visitor:
        await claimed(visitor, await at_page(visitor, order), photos=2)
    technician = company.users["technician"]
    made = await company.send("admin", f"/api/people/{technician.id}/enrolment-codes", {})
    async with (
        served(the_app(), lifespan="off") as base,
        phone(playwright, tmp_path / "profile") as context,
    ):
        page = await context.new_page()
        await page.goto(f"{base}/app/")
        await enrol(page, made.json()["code"])
        await whole_app_on_the_phone(page)
        # Fetched with the day's work, before anybody has looked.
        await until(page, KEPT.format(1))
        await context.set_offline(True)
        await job(page, order.number).click()
        await until(page, SEEN)
        await Screens(page, tmp_path).look("claim")
        await page.reload()
        await unlock(page, PIN)
        await until(page, SEEN)
        await context.set_offline(False)
        await page.reload()
        await unlock(page, PIN)
        await until(page, SEEN)
        await page.get_by_role("button", name="Photo 1 of the fault").click()
        await until(page, LARGE)

        [card] = await company.get("technician", "/field/visits")
        told = capture() | {"reason": "unit_faulty", "words": "Beyond repair.", "photos": []}
        await company.send("technician", f"/field/visits/{card['id']}/failed", told)
        ticket = await core_db.value("SELECT id FROM ticket")
        await company.send("support", f"/tickets/{ticket}/resolve", {"words": "Replaced."})
        await page.goto(f"{base}/app/")
        await unlock(page, PIN)
        await expect(job(page, order.number)).to_have_count(0)
        await until(page, KEPT.format(0))
