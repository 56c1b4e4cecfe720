"""A shift through the screens of the field app: begun, loaded, asked about, and ended with nothing open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Page, Playwright, expect

from doorstep.core.ids import uuid7
from doorstep.play import picking
from doorstep.play.captures import today
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, until
from doorstep.seed import SampleUser
from tests.support.field_app import company, phone
from tests.support.field_face import (
    SETTLED,
    TO_COLLECT,
    Lines,
    Screens,
    code_of,
    enrol,
    open_face,
    settled,
    to_pick,
    whole_app_on_the_phone,
)
from tests.support.field_hands import look_for_news, scan, take_photo
from tests.support.pictures import make_jpeg
from tests.support.whole_stack import WholeStack

LIGHT = (("KET-17", 1),)
"""What one person carries alone."""

CREW = """
SELECT c.id AS crew_id, v.id AS vehicle_id, c.lead_id FROM crew c
  JOIN vehicle v ON v.channel_id = c.channel_id JOIN channel h ON h.id = c.channel_id
 WHERE h.code = 'AE' ORDER BY c.name LIMIT 1"""


async def test_a_shift_ends_once_its_cash_is_counted_and_its_goods_are_explained(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people:
        delivered, *kept = [await _carried(people, number) for number in (41, 42, 44)]
        lead, shift_id, stops = await _shift(alone, people, [delivered, *kept])
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            await enrol(page, await code_of(alone, lead))
            screens = Screens(page, tmp_path)
            await page.get_by_role("button", name="Start the shift").click()
            await page.get_by_role("button", name="Yes, I drive this run").click()
            await _load(page, screens, [stops[one.id] for one in (delivered, *kept)])
            code = await delivered.order.handover_code()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await _hand_over(page, stops[delivered.id], code)
            await expect(page.get_by_text("From jobs that are not sent yet")).to_be_visible()
            await context.set_offline(False)
            await delivered.reached(1013)

            await _checklist(page, screens)
            await _cash_first(people, page, screens, shift_id)
            await page.get_by_label("Where is it?").first.select_option("At the hub")
            await screens.look("explained")
            await page.get_by_role("button", name="The same for the other one").click()
            await expect(page.get_by_label("Where is it?").last).to_have_value("at_hub")
            await page.get_by_role("button", name="End the shift").click()
            await until(lambda: _closed(people, shift_id), "the end of the shift")


async def test_another_van_takes_over_what_the_one_that_is_down_had_to_deliver(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(alone) as people:
        parcel = await _carried(people, 43, LIGHT)
        lead, shift_id, stops = await _shift(alone, people, [parcel])
        other, their_shift = await _second_van(alone, people, lead)
        down = {"event_id": str(uuid7()), "to_shift_id": their_shift, "reason": "flat battery"}
        desk = await people.staff("dispatcher")
        said = await desk.post(f"/console/shifts/{shift_id}/van-down", down)
        assert [one["state"] for one in said["parcels"]] == ["moved"]
        [piece] = stops[parcel.id]["pieces"]
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            await enrol(page, await code_of(alone, other))
            await page.get_by_role("button", name="Start the shift").click()
            await page.get_by_role("link", name="Take over from another van").click()
            await expect(page.get_by_text("0 pieces taken over")).to_be_visible()
            await Screens(page, tmp_path).look("take-over")
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await scan(page, piece["label_no"])
            await expect(page.get_by_text("1 piece taken over")).to_be_visible()
            await scan(page, "ANOTHER-1")
            await expect(page.get_by_text("told nothing of")).to_be_visible()
            await expect(page.get_by_text("1 piece taken over")).to_be_visible()
            await page.get_by_role("button", name="Everything is taken over").click()
            await expect(page.get_by_role("link", name=parcel.order.number)).to_be_visible()
            await context.set_offline(False)
            await until(lambda: _aboard(people, other), "the piece on the other van")
            gives = await (await people.person(lead)).get("/field/shift")
            assert gives["gives_to"] == "VAN-2"


async def _second_van(
    stack: WholeStack, people: Company, lead: SampleUser
) -> tuple[SampleUser, str]:
    """Have a second crew with a van of its own for today."""
    other = next(u for u in people.users("delivery", "AE") if u.person_id != lead.person_id)
    [channel] = await stack.rows("SELECT id::text FROM channel WHERE code = 'AE'")
    desk, crew_id, shift_id = await people.staff("dispatcher"), str(uuid7()), str(uuid7())
    van = {"code": "VAN-2", "channel_id": channel["id"], "plate": "AE 2002"}
    made = await desk.post("/console/vehicles", van | {"capacity_kg": 900, "capacity_l": 9_000})
    person = str(other.person_id)
    crew = {"id": crew_id, "channel_id": channel["id"], "name": "Second", "lead_id": person}
    await desk.post("/console/crews", crew | {"member_ids": [person]})
    day = {"crew_id": crew_id, "vehicle_id": made["id"], "planned_on": today("AE").isoformat()}
    await desk.post("/console/shifts", {"id": shift_id} | day)
    return other, shift_id


async def _aboard(people: Company, crew: SampleUser) -> bool | None:
    shift = await (await people.person(crew)).get("/field/shift")
    return len(shift["holding"]["parcels"]) == 1 or None


async def _carried(people: Company, number: int, lines: Lines = TO_COLLECT) -> ParcelPlay:
    """Have an order that is paid at the door come as far as the van."""
    parcel = await to_pick(people, number=number, lines=lines)
    await picking.pick_check_pack(parcel)
    await parcel.book()
    await parcel.carry()
    return parcel


async def _shift(
    stack: WholeStack, people: Company, parcels: list[ParcelPlay]
) -> tuple[SampleUser, str, dict[str, Any]]:
    """Give the crew its van for today and a run with these parcels."""
    [crew] = await stack.rows(CREW)
    desk, shift_id = await people.staff("dispatcher"), str(uuid7())
    day = {"id": shift_id, "planned_on": today("AE").isoformat()}
    ids = {name: str(crew[name]) for name in ("crew_id", "vehicle_id")}
    await desk.post("/console/shifts", day | ids)
    run = {"shift_id": shift_id, "fulfilment_ids": [parcel.id for parcel in parcels]}
    await desk.post("/console/runs", run)
    lead = next(u for u in people.users("delivery", "AE") if u.person_id == crew["lead_id"])
    runs = await (await people.person(lead)).get("/field/runs")
    return lead, shift_id, {stop["fulfilment_id"]: stop for run in runs for stop in run["stops"]}


async def _load(page: Page, screens: Screens, stops: list[dict[str, Any]]) -> None:
    labels = [piece["label_no"] for stop in stops for piece in stop["pieces"]]
    await page.get_by_role("link", name="Load by scan").click()
    await expect(page.get_by_text(f"0 of {len(labels)} scanned")).to_be_visible()
    await screens.look("load")
    for label in labels:
        await scan(page, label)
    await page.get_by_role("button", name="Loading is done").click()
    await screens.look("shift")


async def _hand_over(page: Page, stop: dict[str, Any], code: str) -> None:
    await page.goto(page.url.split("#")[0] + f"#/do/deliver/stop/{stop['id']}")
    await page.get_by_role("button", name="· customer").click()
    for piece in stop["pieces"]:
        await scan(page, piece["label_no"])
    await take_photo(page, "The goods at the door", make_jpeg(800, 600, seed=4))
    await page.get_by_role("button", name="Go on", exact=True).click()
    await page.get_by_role("button", name="in cash").click()
    await page.get_by_label("The customer's code").fill(code)
    await page.get_by_role("button", name="Handed over").click()


async def _checklist(page: Page, screens: Screens) -> None:
    """Say of each thing that it is there; one is not."""
    await page.get_by_role("link", name="End-of-shift check").click()
    await expect(page.get_by_role("heading", name="Look at each of these")).to_be_visible()
    # What is still to be done and still held is told before the day is over.
    await expect(page.get_by_text("2 jobs are still on your list.")).to_be_visible()
    await expect(page.get_by_text("You hold AED")).to_be_visible()
    await screens.look("checklist")
    cards = page.locator("li.card")
    await expect(cards.first).to_be_visible()
    for n in range(1, await cards.count()):
        await cards.nth(n).get_by_role("button").first.click()
    await cards.first.get_by_role("button").last.click()
    await page.get_by_label("What is not in order?").fill("The trolley is broken.")
    await page.get_by_label("What is not in order?").blur()
    await page.get_by_role("button", name="Everything is looked at").click()


async def _cash_first(people: Company, page: Page, screens: Screens, shift_id: str) -> None:
    """The phone sends its cash to the desk first; once it is counted there is none to hand in."""
    await settled(page)
    await page.get_by_role("link", name="End the shift").click()
    due = page.get_by_text("counted at the desk first")
    await expect(due).to_be_visible()
    await screens.look("end")
    finance = await people.staff("finance")
    held = await (await people.staff("dispatcher")).get("/console/shifts")
    assert any(shift["id"] == shift_id and shift["state"] == "open" for shift in held)
    cash = {"event_id": str(uuid7()), "shift_id": shift_id, "amount_minor": 135_345}
    await finance.post("/console/finance/cash-counts", cash | {"currency": "AED"})
    await page.get_by_role("button", name="Back", exact=True).click()
    await page.get_by_role("link", name=SETTLED).click()
    await look_for_news(page)
    await page.get_by_role("link", name="Today").click()
    await expect(page.get_by_text("You hold AED")).to_have_count(0)
    await page.get_by_role("link", name="End the shift").click()
    await expect(due).to_have_count(0)


async def _closed(people: Company, shift_id: str) -> bool | None:
    shifts = await (await people.staff("dispatcher")).get("/console/shifts")
    return any(one["id"] == shift_id and one["state"] == "closed" for one in shifts) or None
