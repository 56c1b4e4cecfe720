"""Goods come back by scan, grade by grade, and the journey hears of it (C13)."""

from __future__ import annotations

import json
from uuid import UUID

from doorstep.core import db as core_db
from doorstep.core.actor import Actor
from doorstep.core.ids import uuid7
from doorstep.flows.reactions import REACTIONS
from doorstep.journey import Fact
from doorstep.modules.wms.service import custody, receiving, stock
from tests.factories.captures import capture
from tests.factories.care import reacting
from tests.factories.company import Company
from tests.factories.floor import (
    BARCODES,
    beep,
    finished,
    ok,
    on_hand,
    open_problems,
    refused,
    returning,
    scanned,
    serial_of,
)
from tests.factories.journeys import standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy
from tests.factories.world import make_vendor

DESK = Actor(role="dispatcher", source="person", person_id=UUID(int=7), request_id="desk")


async def test_a_parcel_that_went_back_is_received_grade_by_grade_and_the_journey_hears_of_it(
    company: Company,
) -> None:
    order = await standing(company, 1013, ("WM-7KG", 1), ("KET-17", 3))
    arrival = await returning(order, "customer_return")
    serial = await serial_of(order)
    [found] = await company.get("warehouse", f"/field/arrivals?code={serial}")
    assert (found["id"], found["order_number"]) == (str(arrival), order.number)
    [by_label] = await company.get("warehouse", f"/field/arrivals?code={(await order.labels())[0]}")
    assert by_label["id"] == str(arrival)
    heard: list[Fact] = []

    async def hear(fact: Fact) -> None:
        heard.append(fact)

    beeps = [
        beep(serial, grade="open_box"),
        beep("WM-7KG-SN0019"),
        beep(BARCODES["KET-17"], quantity=1),
        beep(BARCODES["KET-17"], grade="vendor_return"),
        beep(BARCODES["KET-17"], grade="scrap"),
    ]
    assert await scanned(company, arrival, *beeps) == [
        "right", "serial_of_other_parcel", "right", "right", "right",
    ]  # fmt: skip
    event = capture()
    with reacting(REACTIONS | {"goods_received": (hear,)}):
        booked = await finished(company, arrival, **event)
        assert await finished(company, arrival, **event) == booked
    assert booked["complete"] and len(booked["differences"]) == 1
    [fact] = heard
    assert (fact.fulfilment_id, fact.data["kind"]) == (order.parcel, "customer_return")
    assert (fact.data["complete"], fact.data["missing"]) == (True, [])
    assert sorted((line["grade"], line["quantity"]) for line in fact.data["lines"]) == [
        ("open_box", 1), ("scrap", 1), ("sellable", 1), ("vendor_return", 1),
    ]  # fmt: skip
    # Of 20 kettles three left: one is sellable again, one waits for its vendor, one is no more.
    assert await on_hand(company, "KET-17") == 18
    assert await on_hand(company, "KET-17", "vendor_return") == 1
    assert await on_hand(company, "WM-7KG", "open_box") == 1
    assert await on_hand(company, "KET-17", place="CUST-AE") == 0
    unit = await core_db.one(
        "SELECT state, grade, location_id, fulfilment_line_id FROM unit WHERE serial = $1", serial
    )
    assert tuple(unit.values()) == ("in_stock", "open_box", company.world.warehouse_id, None)
    assert await custody.whereabouts(order.parcel) == []
    [problem] = await open_problems("receiving_difference")
    assert problem["order_id"] == order.order_id
    await healthy()


async def test_goods_come_back_to_their_owner_at_another_location_than_they_left(
    company: Company,
) -> None:
    order = await standing(company, 1009, ("KET-17", 2))
    store = await stock.save_location(
        {
            "code": "STORE-1", "name": "Store", "kind": "store",
            "channel_id": company.world.channel_id,
        }
    )  # fmt: skip
    company.users["store"] = await company.join("store", source="phone", location_id=store)
    arrival = await returning(order)
    assert len(await company.get("warehouse", "/field/arrivals")) == 1
    path = f"/field/arrivals/{arrival}"
    one = {"scans": [beep(BARCODES["KET-17"], quantity=2)]}
    await ok(company, "store", f"{path}/scans", one)
    assert await company.get("warehouse", "/field/arrivals") == [], "the store has begun"
    more = {"scans": [beep(BARCODES["KET-17"])]}
    await refused(company, "warehouse", f"{path}/scans", more, "arrival-missing")
    assert (await ok(company, "store", f"{path}/finish", capture()))["complete"]
    row = await core_db.one("SELECT owner_id, on_hand FROM stock WHERE location_id = $1", store)
    assert (row["owner_id"], row["on_hand"]) == (company.world.vendor_id, 2)
    assert await on_hand(company, "KET-17") == 18
    await healthy()


async def test_a_vendors_store_sees_of_the_goods_for_any_place_only_its_own(
    company: Company,
) -> None:
    order = await standing(company, 1009, ("KET-17", 1))
    arrival = await returning(order)
    seen = {}
    for vendor in (company.world.vendor_id, await make_vendor("V-ELSE")):
        place = await stock.save_location(
            {
                "code": f"VS-{vendor}", "name": "Vendor's store", "kind": "vendor_store",
                "channel_id": company.world.channel_id, "vendor_id": vendor,
            }
        )  # fmt: skip
        who = f"store of {vendor}"
        company.users[who] = await company.join("vendor_store", source="phone", location_id=place)
        seen[vendor] = await company.get(who, "/field/arrivals")
    assert [len(found) for found in seen.values()] == [1, 0]
    scans = {"scans": [beep(BARCODES["KET-17"])]}
    await refused(company, who, f"/field/arrivals/{arrival}/scans", scans, "arrival-missing")


async def test_no_more_comes_back_than_is_out(company: Company) -> None:
    order = await standing(company, 1009, ("KET-17", 2))
    arrival = await returning(order)
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    await custody.write_off(order.parcel, order.order_id, ref="lost")
    assert await scanned(company, arrival, beep(BARCODES["KET-17"])) == ["over"]
    before = await everything()
    path = f"/field/arrivals/{arrival}/finish"
    await refused(company, "warehouse", path, capture(), "goods-elsewhere")
    assert await everything() == before


async def test_a_return_that_is_closed_short_tells_its_parcel_what_is_missing(
    company: Company,
) -> None:
    order = await standing(company, 1009, ("KET-17", 2))
    arrival = await returning(order)
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    heard: list[Fact] = []

    async def hear(fact: Fact) -> None:
        heard.append(fact)

    with reacting(REACTIONS | {"goods_received": (hear,)}):
        assert not (await finished(company, arrival))["complete"]
        word = {"event_id": uuid7(), "words": "One was lost on the way."}
        await ok(company, "dispatcher", f"/console/arrivals/{arrival}/close", word)
    assert [fact.data["complete"] for fact in heard] == [False, True]
    assert [len(fact.data["lines"]) for fact in heard] == [1, 0]
    assert [one["quantity"] for one in heard[1].data["missing"]] == [1]
    events = await core_db.rows(
        "SELECT body FROM journey_event WHERE name = 'goods_received' ORDER BY seq"
    )
    assert len(events) == 2
    assert all("KET-17" not in json.dumps(event["body"].decode()) for event in events)
    await healthy()


async def test_expecting_the_same_return_twice_is_once_and_it_can_be_taken_back(
    company: Company,
) -> None:
    order = await standing(company, 1009, ("KET-17", 1))
    assert await returning(order) == await returning(order)
    arrival = await returning(order, "customer_return")
    await receiving.cancel(arrival, actor=DESK)
    await receiving.cancel(arrival, actor=DESK)
    assert (await receiving.find(arrival)).state == "cancelled"
    assert len(await company.get("warehouse", "/field/arrivals")) == 1
    assert len(await company.get("warehouse", "/field/arrivals?code=nothing")) == 0
