"""What returns from a run is scanned back by the floor's phone, and the van's cargo shrinks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.core.ids import uuid7
from doorstep.play import door, picking
from doorstep.play.captures import step, today
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Company, Visitor, until
from doorstep.seed.people import crew_of
from tests.support.field_app import company, phone
from tests.support.field_face import (
    Screens,
    code_for,
    enrol,
    open_face,
    to_pick,
    whole_app_on_the_phone,
)
from tests.support.whole_stack import WholeStack


async def in_vain(people: Company, *, number: int) -> tuple[ParcelPlay, Visitor, str]:
    """Have a crew drive to a customer who is not at home; tell its lead and its shift."""
    parcel = await to_pick(people, number=number)
    await picking.pick_check_pack(parcel)
    await parcel.book()
    await parcel.carry()
    desk, lead = (
        await people.staff("dispatcher"),
        await people.person(people.users("delivery", "AE")[1]),
    )
    vans = {one["code"]: one["id"] for one in await desk.get("/console/vehicles")}
    crew_id, _ = crew_of("AE", 1)
    shift = {"id": str(uuid7()), "crew_id": str(crew_id), "vehicle_id": vans["VAN-AE-1"]}
    await desk.post("/console/shifts", shift | {"planned_on": today("AE").isoformat()})
    await lead.post(f"/field/shifts/{shift['id']}/open", {"event_id": str(uuid7())})
    work = {"shift_id": shift["id"], "fulfilment_ids": [parcel.id]}
    run = await desk.post("/console/runs", work)
    await lead.post(f"/field/runs/{run['id']}/accept", step())
    _, stop = await door.stop_of(parcel, lead)
    told = {"reason": "not_home", "called": True, "dwell_seconds": 480}
    await lead.post(f"/field/stops/{stop['id']}/failed", step() | told)
    return parcel, lead, shift["id"]


BEEPS = """(labels) => {
  for (const label of labels) {
    for (const key of [...label, 'Enter']) window.dispatchEvent(new KeyboardEvent('keydown', { key }));
  }
}"""


async def test_the_floor_scans_back_what_returns_without_a_signal(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        _, lead, shift_id = await in_vain(people, number=61)

        async def held() -> list[str]:
            parcels = (await lead.get("/field/shift"))["holding"]["parcels"]
            return [label for parcel in parcels for label in parcel["labels"]]

        labels = await held()
        assert labels
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            await enrol(page, await code_for(own, "warehouse"))
            screens = Screens(page, tmp_path)
            await expect(page.get_by_text("VAN-AE-1")).to_be_visible()
            await expect(page.get_by_text(labels[0])).to_be_visible()
            await screens.look("today")
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await page.get_by_role("link", name="Scan back what returns").click()
            # Two beeps in one moment, as from a slow phone's queue of keys: each is kept.
            await expect(page.get_by_label("Or type the number")).to_be_visible()
            await page.evaluate(BEEPS, labels)
            await expect(page.get_by_text(f"{len(labels)} pieces taken over")).to_be_visible()
            await screens.look("scanned")
            await page.get_by_role("button", name="All of it is here").click()
            # The phone knows it before the office does.
            await page.get_by_role("link", name="Today").click()
            await expect(page.get_by_text("Nothing comes back yet")).to_be_visible()
            await expect(page.get_by_text(labels[0])).not_to_be_visible()
            await context.set_offline(False)

            async def empty() -> Any:
                return not await held() or None

            await until(empty, "the van to be empty")
            await expect(page.get_by_text("VAN-AE-1")).not_to_be_visible()
        ended = {"event_id": str(uuid7()), "explanations": []}
        await lead.post(f"/field/shifts/{shift_id}/close", ended)
