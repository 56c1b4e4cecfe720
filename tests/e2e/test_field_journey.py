"""The demo's order once more: whatever is done on a phone is done on its screens, by four people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Page, Playwright

from doorstep.play import door, installation, picking
from doorstep.play.demo import judge
from doorstep.play.order import OrderPlay, Plan
from doorstep.play.parcel import ParcelPlay
from doorstep.seed import SampleUser
from tests.support.field_app import company, phone
from tests.support.field_face import code_of, enrol, open_face, settled, whole_app_on_the_phone
from tests.support.field_hands import hand_over, install, scan
from tests.support.pictures import make_jpeg
from tests.support.whole_stack import WholeStack

LEGS = (
    ("Leave: scan what goes with you", "Leaving now"),
    ("Arrived at a hub: scan in", "All that came is in"),
)
"""What a courier does with what is in his hands, and how each ends."""


class FourPhones:
    """The phones of the people who walk a parcel, each with a profile of its own."""

    def __init__(self, stack: WholeStack, playwright: Playwright, folder: Path) -> None:
        self.stack, self.playwright, self.folder = stack, playwright, folder
        self.used: list[str] = []

    @asynccontextmanager
    async def of(self, user: SampleUser) -> AsyncIterator[Page]:
        """Give somebody a new phone, and see in the end that nothing is left on it."""
        async with phone(self.playwright, self.folder / user.role) as context:
            page = await open_face(context, self.stack)
            await enrol(page, await code_of(self.stack, user))
            await whole_app_on_the_phone(page)
            yield page
            await page.evaluate("location.hash = '#/'")
            await settled(page)
            await page.screenshot(path=self.folder / f"{user.role}.png", full_page=True)
        self.used.append(user.role)


class ParcelOnPhones(ParcelPlay):
    """Walks its parcel as the demo's does, with screens in place of requests of phones."""

    phones: FourPhones

    async def brought_in(self, page: Page, stage: int) -> None:
        """Let the phone have a signal until the office has what was done on it."""
        await page.context.set_offline(False)
        await self.reached(stage)

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[None]], int]]:
        mine = {
            "pick_check_pack": self.pick_check_pack,
            "carry": self.carry,
            "deliver": self.deliver,
            "install": self.install,
        }
        return [(name, mine.get(name, do), stage) for name, do, stage in super().steps()]

    async def pick_check_pack(self) -> None:
        """Find the goods by the list, scan each code and close the boxes, in a cellar (1005 to 1007)."""
        picker, work = await picking.list_of(self)
        async with self.phones.of(picker.user) as page:
            await page.get_by_role("link", name=self.order.number).click()
            await page.context.set_offline(True)
            await page.get_by_role("button", name="Start picking").click()
            await page.get_by_role("link", name="Check by scan").click()
            for code in picking.codes_of(work["lines"]):
                await scan(page, code)
            for line in work["lines"]:
                for serial in line["serials"][: line["quantity"]]:
                    await scan(page, serial)
            await page.get_by_role("button", name="Checked").click()
            await page.get_by_role("link", name="Pack", exact=True).click()
            await page.get_by_role("button", name="Packed").click()
            await self.brought_in(page, 1007)

    async def carry(self) -> None:
        """Pick up, depart and pass the hub, every piece by scan (1009 to 1011)."""
        courier, manifest = await self.give_to_courier()
        async with self.phones.of(courier.user) as page:
            await page.get_by_role("link", name=manifest["number"]).click()
            await page.get_by_role("link", name="Pick up", exact=True).click()
            labels = [piece["label_no"] for piece in manifest["pieces"]]
            for label in labels:
                await scan(page, label)
            await page.get_by_role("button", name="Picked up").click()
            for form, done in LEGS:
                await page.get_by_role("link", name=form).click()
                for label in labels:
                    await scan(page, label)
                await page.get_by_role("button", name=done).click()
            await self.brought_in(page, 1011)

    async def deliver(self) -> None:
        """Yes, I drive this run, then hand over without a signal, the code last (1012, 1013)."""
        executive = await door.plan_run(self)
        async with self.phones.of(executive.user) as page:
            await page.get_by_role("button", name="Yes, I drive this run").click()
            code = await self.order.handover_code()
            _, stop = await door.stop_of(self, executive)
            await page.context.set_offline(True)
            # A picture of no other test: the office holds a proof with one that it has seen.
            await hand_over(page, stop, [make_jpeg(800, 600, seed=900_001)], code)
            await self.brought_in(page, 1013)

    async def install(self) -> None:
        """Install by the checklist, show it and have it signed (1015)."""
        technician, card = await installation.visit_of(self)
        async with self.phones.of(technician.user) as page:
            await page.get_by_role("link", name=self.order.number).click()
            await page.context.set_offline(True)
            await install(page, card["units"][0])
            await self.brought_in(page, 1015)


async def test_the_demo_order_goes_its_whole_way_on_the_screens_of_four_phones(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    phones = FourPhones(own, playwright, tmp_path)

    class OrderOnPhones(OrderPlay):
        @staticmethod
        def walked_by(order: OrderPlay, parcel: dict[str, Any]) -> ParcelPlay:
            walk = ParcelOnPhones(order, parcel)
            walk.phones = phones
            return walk

    async with company(own) as people:
        play = OrderOnPhones(people, Plan(number=1))
        await play.play()
        assert judge(await play.order(), play.tranches) == []
    assert phones.used == ["warehouse", "courier", "delivery", "technician"]
