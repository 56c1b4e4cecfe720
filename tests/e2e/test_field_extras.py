"""Extras through the screens of the field app: chosen, signed and paid without a signal."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.async_api import Playwright, expect

from doorstep.play import door, installation
from doorstep.play.parcel import ParcelPlay
from doorstep.play.visitors import Visitor, until
from doorstep.seed.filling import PARTS_ON_VAN
from tests.support.field_app import phone
from tests.support.field_face import (
    Screens,
    code_of,
    company,
    enrol,
    on_the_way,
    open_face,
    whole_app_on_the_phone,
)
from tests.support.field_hands import sign
from tests.support.whole_stack import WholeStack


async def test_a_customer_signs_for_extras_without_a_signal_and_pays_in_two_ways_for_a_receipt(
    own: WholeStack, playwright: Playwright, tmp_path: Path
) -> None:
    async with company(own) as people:
        parcel = await on_the_way(people, number=23, accepted=False)
        await door.deliver(parcel)
        await parcel.reached(1014)
        technician, visit = await installation.visit_of(parcel)
        async with phone(playwright, tmp_path / "profile") as context:
            page = await open_face(context, own)
            screens = Screens(page, tmp_path)
            await enrol(page, await code_of(own, technician.user))
            await whole_app_on_the_phone(page)
            await page.get_by_role("link", name=parcel.order.number).click()
            await context.set_offline(True)
            await page.get_by_role("button", name="Start the work").click()
            await expect(page.get_by_text("Parts on your van")).to_be_visible()
            await page.get_by_text("How to install").click()
            await expect(page.get_by_text("Take all four transport bolts out")).to_be_visible()
            await screens.look("visit")
            await page.get_by_role("link", name="Sell extras").click()
            await expect(page.get_by_label("Search")).to_be_visible()
            await screens.look("prices")
            await page.get_by_label("Search").fill("hose")
            await page.get_by_role("button", name="One more: Water hose 2 m").click()
            await page.get_by_role("button", name="One more: Water hose 2 m").click()
            await expect(page.get_by_text("with tax")).to_be_visible()
            await page.get_by_role("button", name="Go on", exact=True).click()
            await expect(page.get_by_role("heading", name="The customer agrees")).to_be_visible()
            await screens.look("agreement")
            await sign(page)
            await page.get_by_role("button", name="The customer takes it").click()
            await expect(
                page.get_by_role("link", name="Go through the work, step by step")
            ).to_be_visible()
            await page.get_by_role("link", name="Take payment for extras").click()
            await page.get_by_role("button", name="Cash · Another amount").click()
            await page.get_by_label("Amount").fill("50")
            await page.get_by_role("button", name="Note it").click()
            await screens.look("paying")
            await page.get_by_role("button", name="Credit card").click()
            await page.get_by_label("Reference on the receipt").fill("A-4711")
            await page.get_by_role("button", name="Note it").click()
            await page.get_by_role("button", name="Make the receipt").click()
            await expect(page.get_by_text("All paid", exact=True)).to_be_visible()
            await screens.look("receipt")
            number = await page.get_by_text(re.compile(r"^DS-\d+-R[0-9A-F]{8}$")).inner_text()
            await context.set_offline(False)
            sold = await until(lambda: _sold(parcel, visit["id"]), "the extras at the desk")
            assert (sold["disagreements"], sold["signed"]) == ([], True)
            assert sold["charged_minor"] == sold["shown_minor"] == 73_50
            receipt = await until(lambda: _receipt(parcel, visit["id"]), "the receipt at the desk")
            assert (receipt["number"], receipt["disagreements"]) == (number, [])
            assert (receipt["paid_minor"], receipt["open_minor"]) == (73_50, 0)
            day = await until(lambda: _cash(technician), "the cash in the technician's hands")
            assert day == [{"currency": "AED", "amount_minor": 50_00}]
            left = await until(lambda: _left(technician, "ACC-HOSE-2M"), "what is left")
            assert left == PARTS_ON_VAN - 2


async def _sold(parcel: ParcelPlay, visit: str) -> dict[str, Any] | None:
    finance = await parcel.company.staff("finance")
    sold = await finance.get(f"/console/visits/{visit}/extras")
    return sold[0] if sold else None


async def _receipt(parcel: ParcelPlay, visit: str) -> dict[str, Any] | None:
    finance = await parcel.company.staff("finance")
    found = await finance.get(f"/console/receipts?visit_id={visit}")
    return found[0] if found else None


async def _cash(technician: Visitor) -> list[dict[str, Any]]:
    cash: list[dict[str, Any]] = (await technician.get("/field/day"))["cash"]
    return cash


async def _left(technician: Visitor, sku: str) -> int | None:
    left = {part["sku"]: part["quantity"] for part in await technician.get("/field/parts")}
    return left[sku] if left[sku] != PARTS_ON_VAN else None
