"""What a location lacks and why; and what is looked at before a shift ends (P3, P20)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.wms.service import stock
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.floor import (
    BARCODES,
    beep,
    finished,
    later,
    ok,
    open_problems,
    refused,
    scanned,
)
from tests.factories.journeys import place, standing
from tests.factories.snapshots import everything


async def proposals(company: Company, query: str = "") -> dict[str, Any]:
    path = f"/console/restock-proposals?location_id={company.world.warehouse_id}{query}"
    return {one["sku"]: one for one in await company.get("dispatcher", path)}


async def test_full_shelves_without_sales_need_nothing(company: Company) -> None:
    assert await proposals(company) == {}


async def test_what_shipped_lately_and_what_is_free_make_a_proposal_in_words(
    company: Company, clock: Any
) -> None:
    for pieces in (8, 7):
        await standing(company, 1009, ("KET-17", pieces))
    found = await proposals(company)
    # 15 in 30 days: 14 days need 7, of which 5 are free.
    kettles = found.pop("KET-17")
    assert (kettles["quantity"], kettles["owner_id"]) == (2, str(company.world.vendor_id))
    assert kettles["why"] == (
        "15 shipped in 30 days, so 14 days need 7. 5 free here, 0 on the way. 2 are missing."
    )
    assert found == {}
    assert (await proposals(company, "&cover_days=30"))["KET-17"]["quantity"] == 10
    await later(company, clock, timedelta(days=31))
    assert await proposals(company) == {}, "nothing shipped lately"


async def test_customers_who_wait_for_goods_are_counted(company: Company, db: Any) -> None:
    await place(company, ("MIX-500", 20))
    short = await place(company, ("KET-17", 1))
    await core_db.execute(
        "WITH f AS (UPDATE fulfilment SET location_id = NULL WHERE id = $1)"
        " UPDATE fulfilment_line SET product_id = $2, quantity = 4 WHERE fulfilment_id = $1",
        short.parcel,
        company.world.products["MIX-500"],
    )
    mixers = (await proposals(company))["MIX-500"]
    assert (mixers["quantity"], mixers["owner_id"]) == (4, None)
    assert "Customers wait for 4." in mixers["why"]


async def test_a_desk_turns_a_proposal_into_an_arrival_that_is_then_received(
    company: Company,
) -> None:
    for pieces in (8, 7):
        await standing(company, 1009, ("KET-17", pieces))
    body = {
        "event_id": uuid7(), "location_id": company.world.warehouse_id, "sku": "KET-17",
        "owner_id": company.world.vendor_id, "ref": "PO-9", "expected_on": "2026-12-01",
    }  # fmt: skip
    made = await ok(company, "dispatcher", "/console/restock-proposals", body, 201)
    assert await proposals(company) == {}, "what is on the way counts"
    again = await ok(company, "dispatcher", "/console/restock-proposals", body, 201)
    assert again == made
    other = body | {"event_id": uuid7(), "ref": "PO-10"}
    await refused(company, "dispatcher", "/console/restock-proposals", other, "nothing-to-restock")
    [seen] = await company.get("warehouse", "/field/arrivals?code=PO-9")
    assert (seen["expected_on"], seen["lines"][0]["quantity"]) == ("2026-12-01", 2)
    await scanned(company, made["id"], beep(BARCODES["KET-17"], quantity=2))
    assert (await finished(company, made["id"]))["complete"]
    assert await proposals(company) == {}


# --- The end of a shift -------------------------------------------------------------------------


async def asked(company: Company, who: str) -> list[str]:
    found = await company.get(who, "/field/shift-checklist")
    return [item["code"] for item in found["items"]]


async def test_each_role_looks_at_its_own_things_and_what_is_missing_becomes_one_problem(
    company: Company,
) -> None:
    assert await asked(company, "warehouse") == ["labels", "ribbon", "scanners", "chargers"]
    assert "cash_float" in await asked(company, "courier")
    assert "tool_kit" in await asked(company, "technician")
    body = capture(
        answers=[
            {"code": code, "ok": code != "ribbon", "words": "One roll left." * (code == "ribbon")}
            for code in await asked(company, "warehouse")
        ]
    )
    path = "/field/shift-checklist"
    for event in (body, body, body | {"event_id": uuid7()}):
        assert (await ok(company, "warehouse", path, event))["missing"] == ["ribbon"]
    [problem] = await open_problems("supplies_needed")
    assert (problem["detail"], "DXB" in problem["title"]) == ("One roll left.", True)
    assert await core_db.value("SELECT count(*) FROM shift_answer") == 2
    assert (await company.get("warehouse", path))["last_answered_at"] is not None
    await refused(company, "courier", path, body, "event-id-reused")
    with pytest.raises(Exception, match="append-only"):
        await core_db.execute("UPDATE shift_answer SET answers = '[]'")


async def test_each_courier_lacks_for_himself(company: Company) -> None:
    for who in ("courier", "delivery"):
        answers = [{"code": code, "ok": False} for code in await asked(company, who)]
        await ok(company, who, "/field/shift-checklist", capture(answers=answers))
    assert len(await open_problems("supplies_needed")) == 8


async def test_a_list_that_is_answered_in_part_or_with_more_is_refused(company: Company) -> None:
    before = await everything()
    some = [{"code": "labels", "ok": True}, {"code": "van_stock", "ok": True}]
    told = await refused(
        company, "warehouse", "/field/shift-checklist", capture(answers=some),
        "checklist-incomplete",
    )  # fmt: skip
    assert told["not_answered"] == ["ribbon", "scanners", "chargers"]
    assert told["not_asked"] == ["van_stock"]
    assert await everything() == before


async def test_a_location_may_have_a_list_of_its_own(company: Company) -> None:
    path = f"/console/locations/{company.world.warehouse_id}/shift-checklist"
    own = {"role": "warehouse", "items": [{"code": "doors", "words": "The dock doors are shut"}]}
    await ok(company, "dispatcher", path, own)
    assert await asked(company, "warehouse") == ["doors"]
    mixed = own | {"items": [*own["items"], {"code": "labels", "words": "Labels of both sizes"}]}
    await ok(company, "dispatcher", path, mixed)
    found = (await company.get("warehouse", "/field/shift-checklist"))["items"]
    assert not any(item["usual"] for item in found), "words of its own are not said in others"
    twice = own | {"items": own["items"] * 2}
    await refused(company, "dispatcher", path, twice, "items-repeat")
    usual = await ok(company, "dispatcher", path, {"role": "warehouse", "items": []})
    found = (await company.get("warehouse", "/field/shift-checklist"))["items"]
    assert all(item["usual"] for item in found)
    assert [item["code"] for item in usual["items"]] == await asked(company, "warehouse")
    assert len(usual["items"]) == 4


async def test_a_region_tells_what_can_be_sold_what_waits_and_what_to_buy_in(
    company: Company, db: Any
) -> None:
    for pieces in (8, 7):
        await standing(company, 1009, ("KET-17", pieces))
    await place(company, ("MIX-500", 6))
    store = await stock.save_location(
        {
            "code": "STORE-1",
            "name": "Store",
            "kind": "store",
            "channel_id": company.world.channel_id,
        }
    )
    await stock.receive(store, company.world.products["KET-17"], None, 4, ref="to the store")
    found = await company.get("support", "/console/availability")
    assert [one["sku"] for one in found] == ["KET-17", "MIX-500", "WM-7KG"], "scarcest first"
    kettles, mixers, _ = found
    assert (kettles["channel"], kettles["country"]) == ("AE", "AE")
    # Sales of the warehouse ask for 2 more there; the store's four were never asked for.
    assert (kettles["on_hand"], kettles["free"], kettles["restock"]) == (9, 9, 2)
    at = {place["location"]: place for place in kettles["places"]}
    assert (at["DXB"]["restock"], at["STORE-1"]["restock"], at["STORE-1"]["free"]) == (2, 0, 4)
    assert at["DXB"]["why"].startswith("V-GULF: 15 shipped in 30 days, so 14 days need 7.")
    assert (mixers["on_hand"], mixers["promised"], mixers["free"]) == (20, 6, 14)
    assert mixers["backordered"] == 0
    [one] = await company.get("sales", "/console/availability?channel=AE&sku=WM-7KG")
    assert one["sku"] == "WM-7KG"
    assert await company.get("sales", "/console/availability?channel=QA") == []
