"""Shelves are counted through the screens of the field app without a signal, blind, and then closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.play.visitors import Company, until
from tests.support.field_app import company, phone
from tests.support.field_face import (
    Screens,
    code_for,
    enrol,
    open_face,
    whole_app_on_the_phone,
)
from tests.support.field_hands import scan
from tests.support.whole_stack import WholeStack


async def test_a_person_counts_shelves_without_a_signal_and_the_desk_sees_what_differs(
    alone: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    # Goods that the journeys of others move would have a shelf counted again.
    async with company(alone) as people:
        count = await _given(people)
        lines = count["lines"]
        plain = [line for line in lines if not line["serialised"]]
        assert plain and len(plain) < len(lines)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, alone)
            await enrol(page, await code_for(alone, "warehouse"))
            screens = Screens(page, tmp_path)
            await page.get_by_role("link", name=count["number"]).click()
            await expect(page.get_by_text(f"0 of {len(lines)} shelves counted")).to_be_visible()
            await whole_app_on_the_phone(page)
            await context.set_offline(True)
            await screens.look("shelves")
            await page.get_by_role("link", name="Count", exact=True).click()
            await expect(page.get_by_role("heading", name="The shelves")).to_be_visible()
            await screens.look("count")
            for line in lines:
                shelf = page.locator("li.card", has_text=line["sku"])
                if line["serialised"]:
                    await shelf.get_by_role("button", name="Scan the serial numbers").click()
                    await scan(page, f"{line['sku']}-FOUND")
                else:
                    await shelf.get_by_label("Pieces there").fill("3")
                    await shelf.get_by_label("Pieces there").blur()
            await page.get_by_role("button", name="Save what is counted").click()
            all_of_them = f"{len(lines)} of {len(lines)} shelves counted"
            await expect(page.get_by_text(all_of_them)).to_be_visible()
            await screens.look("counted")
            await page.get_by_role("button", name="Everything is counted").click()
            # The list is next, and the count stands there as done.
            await expect(page.get_by_role("heading", name="1 done")).to_be_visible()
            await page.get_by_text("Done on this phone").click()
            await expect(page.get_by_text(all_of_them)).to_be_visible()
            await context.set_offline(False)
            done = await until(lambda: _finished(people, count["id"]), "the end of the count")
        assert (done["shelves"], done["counted"]) == (len(lines), len(lines))
        found = {one["sku"]: one["extra_serials"] for one in done["differences"]}
        for line in lines:
            if line["serialised"]:
                assert found[line["sku"]] == [f"{line['sku']}-FOUND"]


async def _given(people: Company) -> dict[str, Any]:
    """Wait for the count that the rule gives the location for today."""
    floor = await people.of("warehouse", "AE")

    async def given() -> dict[str, Any] | None:
        counts: list[dict[str, Any]] = await floor.get("/field/counts")
        return counts[0] if counts else None

    return await until(given, "today's count")


async def _finished(people: Company, count_id: str) -> dict[str, Any] | None:
    rows = await (await people.staff("dispatcher")).get("/console/counts", state="finished")
    return next((row for row in rows if row["id"] == count_id), None)
