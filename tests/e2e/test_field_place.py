"""The day as a map, and the place of whoever drives: recorded openly, told back, never in the way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
from playwright.async_api import BrowserContext, Page, Playwright, expect

from doorstep.core.clock import now
from doorstep.play.visitors import Company
from doorstep.play.visitors import until as eventually
from doorstep.seed import sample_users
from tests.support.field_app import phone
from tests.support.field_face import (
    LANGUAGES,
    PIN,
    code_for,
    company,
    enrol,
    on_the_way,
    open_face,
    sound,
    whole_app_on_the_phone,
)
from tests.support.field_hands import look_for_news, unlock
from tests.support.whole_stack import WholeStack

EXECUTIVE = next(u for u in sample_users() if (u.role, u.channel) == ("delivery", "AE"))
START, FURTHER = (25.2000, 55.2600), (25.2060, 55.2600)
ON = "Your location is shown to the dispatchers while you work."
REASON = "The customer asks where the van is."

# Four more stops on the run, as documents of a later pull: two in one house, and one without a pin.
A_LONGER_DAY = """(async () => {
  const open = indexedDB.open('doorstep-outbox');
  await new Promise((done) => (open.onsuccess = done));
  const transaction = open.result.transaction('document', 'readwrite');
  const store = transaction.objectStore('document');
  const all = store.getAll();
  await new Promise((done) => (all.onsuccess = done));
  const stop = all.result.find((one) => one.kind === 'stop');
  const run = all.result.find((one) => one.kind === 'run');
  const places = [[25.19, 55.25], [25.21, 55.28], [25.175, 55.23], [25.1751, 55.2301], [null, null]];
  places.forEach(([lat, lng], n) => {
    const id = n === 0 ? stop.id : `more-${n}`;
    const number = n === 0 ? stop.body.number : `DS-90000${n}`;
    const address = { ...stop.body.address, name: `Customer ${n + 1}`, lat, lng };
    store.put({ ...stop, id, body: { ...stop.body, id, number, address } });
    if (n > 0) run.body.stop_ids.push(id);
  });
  store.put(run);
  await new Promise((done) => (transaction.oncomplete = done));
})()"""


async def track(people: Company) -> dict[str, Any]:
    desk = await people.staff("dispatcher")
    seen: dict[str, Any] = await desk.get(
        "/console/places",
        person_id=str(EXECUTIVE.person_id),
        reason=REASON,
        **{"from": (now() - timedelta(days=1)).isoformat(), "to": now().isoformat()},
    )
    return seen


async def hours_pass(own: WholeStack) -> None:
    """Let what was recorded and looked at have been hours ago: it is told by finished hours."""
    connection = await asyncpg.connect(own.environment["DATABASE_URL"])
    try:
        await connection.execute("UPDATE place_hour SET hour = hour - interval '3 hours'")
        await connection.execute(
            "INSERT INTO place_look SELECT new_id(), person_id, looker_id, looker_role, from_at,"
            " until_at, reason, at - interval '3 hours', request_id FROM place_look LIMIT 1"
        )
    finally:
        await connection.close()


async def at(context: BrowserContext, where: tuple[float, float]) -> None:
    await context.set_geolocation({"latitude": where[0], "longitude": where[1], "accuracy": 10})


async def opened(page: Page, own: WholeStack, screen: str) -> None:
    """Go to a screen of the page as it is, without loading it anew."""
    await page.goto(f"{own.base_url}/app/#{screen}")


async def in_each_look(page: Page, own: WholeStack, screen: str, picture: Path) -> None:
    """See a screen in each language and by day and night."""
    for code, scheme in (*((code, "light") for code in LANGUAGES), ("en", "light"), ("en", "dark")):
        await opened(page, own, "/language")
        await page.locator(f"button[lang={code}]").click()
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        await opened(page, own, screen)
        await expect(page.locator("html")).to_have_attribute("lang", code)
        await expect(page.locator("h1")).to_be_visible()
        await sound(page)
        await page.screenshot(
            path=picture.with_name(f"{picture.name}-{code}-{scheme}.png"), full_page=True
        )
    await page.emulate_media(color_scheme="light")


async def test_the_place_is_recorded_openly_and_the_day_is_a_map_without_a_signal(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people, phone(playwright, tmp_path / "profile") as context:
        parcel = await on_the_way(people, number=31)
        await at(context, START)
        page = await open_face(context, alone)
        await enrol(page, await code_for(alone, "delivery"))
        await expect(page.get_by_role("link", name=ON).first).to_be_visible()
        await expect(page.get_by_role("link", name=parcel.order.number)).to_contain_text(
            "in a straight line"
        )

        async def known() -> dict[str, Any] | None:
            return (await track(people))["last"]

        first = await eventually(known, "the first place")
        assert (first["lat"], first["lng"], first["duty"]) == (*START, "run")
        await at(context, FURTHER)

        await opened(page, alone, "/sending")

        async def moved() -> list[float] | None:
            await look_for_news(page)
            seen = [one["lat"] for one in (await track(people))["fixes"]]
            return seen if len(seen) > 1 else None

        assert await eventually(moved, "the place further on") == [START[0], FURTHER[0]]

        await hours_pass(alone)
        await look_for_news(page)
        await opened(page, alone, "/place")
        await expect(page.get_by_text(REASON).first).to_be_visible()
        await expect(page.get_by_text("2 places")).to_be_visible()
        await whole_app_on_the_phone(page)
        await context.set_offline(True)
        await page.evaluate(A_LONGER_DAY)
        await page.reload()
        await unlock(page, PIN)
        await in_each_look(page, alone, "/place", tmp_path / "place")
        await expect(page.get_by_text("2 places")).to_be_visible()

        await opened(page, alone, "/")
        await page.get_by_role("link", name="Map", exact=True).click()
        await expect(page.get_by_role("link", name="2. Deliver: Customer 2")).to_be_visible()
        await in_each_look(page, alone, "/map", tmp_path / "map")
        await expect(page.get_by_text("The orange dot is you.")).to_be_visible()
        await expect(page.get_by_role("link", name="Customer 5")).to_be_visible()
        await page.get_by_role("link", name="Several here: 3, 4").click()
        await expect(page.get_by_role("link", name="Customer 4").last).to_be_visible()
        await sound(page)
        await page.screenshot(path=tmp_path / "map-several.png", full_page=True)
        await page.get_by_role("button", name="All places").click()
        await page.get_by_role("link", name="2. Deliver: Customer 2").click()
        await expect(page.get_by_role("heading", name="Deliver")).to_be_visible()
        await expect(page.get_by_text("DS-900001")).to_be_visible()
        await opened(page, alone, "/")
        await sound(page)
        await page.screenshot(path=tmp_path / "today.png", full_page=True)

        await refuses(context, page, alone)


async def refuses(context: BrowserContext, page: Page, own: WholeStack) -> None:
    """Whoever says no is told once that this is fine."""
    browser = await context.new_cdp_session(page)
    await browser.send(
        "Browser.setPermission",
        {"permission": {"name": "geolocation"}, "setting": "denied", "origin": own.base_url},
    )
    await page.reload()
    await unlock(page, PIN)
    await expect(page.get_by_text("This phone does not tell its location.")).to_be_visible()
    await sound(page)
    await page.get_by_role("button", name="Understood").click()
    await page.reload()
    await unlock(page, PIN)
    await expect(page.get_by_role("link", name="My location")).to_be_visible()
    await expect(page.get_by_text("This phone does not tell its location.")).to_have_count(0)
    await expect(page.get_by_role("link", name=ON)).to_have_count(0)
