"""Goods come in by scan: purchases, transfers, and what nobody expected (C13)."""

from __future__ import annotations

import asyncio

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.wms.service import stock
from tests.factories.captures import capture
from tests.factories.company import Company, picture
from tests.factories.floor import (
    BARCODES,
    announced,
    beep,
    finished,
    ok,
    on_hand,
    open_problems,
    purchase,
    refused,
    scanned,
    serial_of,
)
from tests.factories.journeys import standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy

# --- Purchases ----------------------------------------------------------------------------------


async def test_a_purchase_is_scanned_in_and_stands_on_the_shelf_with_its_serials(
    company: Company,
) -> None:
    arrival = await announced(company, ("WM-7KG", 2), ("KET-17", 3), ref="PO-77")
    [seen] = await company.get("warehouse", "/field/arrivals?code=PO-77")
    assert (seen["id"], seen["number"][:3]) == (str(arrival), "RC-")
    beeps = [
        beep(BARCODES["WM-7KG"], serial="NEW-1"),
        beep(BARCODES["WM-7KG"], serial="NEW-2", photo_sha256=picture()),
        beep(BARCODES["KET-17"], quantity=3),
    ]
    assert await scanned(company, arrival, *beeps) == ["right"] * 3
    assert await on_hand(company, "WM-7KG") == 20, "nothing is booked before the finish"
    booked = await finished(company, arrival)
    assert (booked["complete"], booked["differences"]) == (True, [])
    assert (await on_hand(company, "WM-7KG"), await on_hand(company, "KET-17")) == (22, 23)
    units = await core_db.rows("SELECT state, owner_id FROM unit WHERE serial LIKE 'NEW-%'")
    assert {(row["state"], row["owner_id"]) for row in units} == {
        ("in_stock", company.world.vendor_id)
    }
    assert await company.get("warehouse", "/field/arrivals") == []
    await healthy()


async def test_the_list_tells_what_is_scanned_and_which_serials_may_come(company: Company) -> None:
    lines = [{"sku": "WM-7KG", "quantity": 2, "serials": ["NEW-1", "NEW-2"]}]
    arrival = await announced(company, lines=lines)
    mistaken = beep(BARCODES["WM-7KG"], serial="NEW-2")
    await scanned(
        company,
        arrival,
        beep(BARCODES["WM-7KG"], serial="NEW-1", grade="open_box"),
        beep("rubbish"),
        mistaken,
        beep(BARCODES["WM-7KG"], takes_back=mistaken["scan_uid"]),
    )
    [seen] = await company.get("warehouse", "/field/arrivals")
    assert seen["lines"][0]["serials"] == ["NEW-1", "NEW-2"]
    [counts] = seen["scans"]
    assert (counts["sku"], counts["serial"], counts["grade"]) == ("WM-7KG", "NEW-1", "open_box")
    await finished(company, arrival)
    [left] = await company.get("warehouse", "/field/arrivals")
    assert (left["lines"][0]["received"], left["scans"]) == (1, [])


async def test_each_beep_is_answered_in_words_and_wrong_ones_book_nothing(company: Company) -> None:
    arrival = await announced(company, ("WM-7KG", 1), ("KET-17", 1))
    path = f"/field/arrivals/{arrival}/scans"
    beeps = [
        beep("rubbish"),
        beep(BARCODES["KET-17"], quantity=2),
        beep(BARCODES["MIX-500"]),
        beep(BARCODES["WM-7KG"]),
        beep(BARCODES["WM-7KG"], serial="WM-7KG-SN0001"),
        beep(BARCODES["WM-7KG"], serial="NEW-1"),
        beep(BARCODES["WM-7KG"], serial="NEW-2"),
        beep(BARCODES["KET-17"], grade="scrap"),
    ]
    answer = await ok(company, "warehouse", path, {"scans": beeps})
    assert [one["verdict"] for one in answer["scans"]] == [
        "unknown_code", "over", "unknown_code", "serial_needed", "serial_known", "right", "over",
        "not_scrap",
    ]  # fmt: skip
    assert all(one["words"] for one in answer["scans"] if one["verdict"] != "right")
    assert [(line["sku"], line["scanned"]) for line in answer["lines"]] == [
        ("WM-7KG", 1),
        ("KET-17", 0),
    ]
    booked = await finished(company, arrival)
    assert not booked["complete"]
    assert any("Missing: 1 × KET-17" in words for words in booked["differences"])
    assert any("rubbish" in words for words in booked["differences"])
    [problem] = await open_problems("receiving_difference")
    assert (problem["ref"], problem["owner_role"]) == (str(arrival), "dispatcher")
    whole = await company.get("dispatcher", f"/console/arrivals/{arrival}")
    assert [(line["sku"], line["received"]) for line in whole["lines"]] == [
        ("WM-7KG", 1),
        ("KET-17", 0),
    ]
    assert [one["verdict"] for one in whole["scans"]] == [one["verdict"] for one in answer["scans"]]
    assert {one["by"] for one in whole["scans"]} == {"Canary warehouse"}
    assert (await on_hand(company, "WM-7KG"), await on_hand(company, "KET-17")) == (21, 20)
    await healthy()


async def test_what_is_missing_stays_expected_and_the_rest_closes_the_difference(
    company: Company,
) -> None:
    arrival = await announced(company, ("KET-17", 3))
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    assert not (await finished(company, arrival))["complete"]
    [left] = (await company.get("warehouse", "/field/arrivals"))[0]["lines"]
    assert (left["quantity"], left["received"]) == (3, 1)
    assert await scanned(company, arrival, beep(BARCODES["KET-17"], quantity=3)) == ["over"]
    assert await scanned(company, arrival, beep(BARCODES["KET-17"], quantity=2)) == ["right"]
    assert len(await open_problems("receiving_difference")) == 1
    booked = await finished(company, arrival)
    assert booked["complete"] and booked["differences"], "the surplus is still a difference"
    assert await on_hand(company, "KET-17") == 23


async def test_the_problem_closes_by_itself_when_the_rest_comes_in_well(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 2))
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    await finished(company, arrival)
    assert len(await open_problems("receiving_difference")) == 1
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    await finished(company, arrival)
    assert await open_problems("receiving_difference") == []


async def test_a_desk_closes_what_will_not_come_by_its_word(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 2))
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    path = f"/console/arrivals/{arrival}/close"
    word = {"event_id": uuid7(), "words": "The vendor sends no more."}
    await refused(company, "dispatcher", path, word, "arrival-under-way")
    await finished(company, arrival)
    assert (await ok(company, "dispatcher", path, word))["state"] == "received"
    assert (await ok(company, "dispatcher", path, word))["state"] == "received"
    assert await open_problems("receiving_difference") == []
    await refused(
        company, "admin", path, {"event_id": uuid7(), "words": "And again."}, "arrival-ended"
    )
    # A phone that was offline meanwhile: its scan is kept, asks a desk, and counts for nothing.
    assert await scanned(company, arrival, beep(BARCODES["KET-17"])) == ["ended"]
    assert len(await open_problems("receiving_difference")) == 1
    await refused(
        company, "warehouse", f"/field/arrivals/{arrival}/finish", capture(), "arrival-ended"
    )
    assert await on_hand(company, "KET-17") == 21


async def test_a_scan_that_was_a_mistake_is_taken_back(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 2))
    wrong, right = beep(BARCODES["KET-17"], quantity=2), beep(BARCODES["KET-17"], grade="open_box")
    await scanned(company, arrival, wrong)
    back = beep("-", takes_back=wrong["scan_uid"])
    again = beep("-", takes_back=wrong["scan_uid"])
    assert await scanned(company, arrival, back, again, right) == [
        "taken_back",
        "nothing_to_take_back",
        "right",
    ]
    assert not (await finished(company, arrival))["complete"]
    assert (await on_hand(company, "KET-17"), await on_hand(company, "KET-17", "open_box")) == (
        20,
        1,
    )


async def test_scans_and_finishes_that_are_sent_twice_count_once(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 4))
    beeps = [beep(BARCODES["KET-17"]), beep("rubbish"), beep(BARCODES["KET-17"])]
    first = await scanned(company, arrival, *beeps)
    assert await scanned(company, arrival, *beeps) == first == ["right", "unknown_code", "right"]
    event = capture()
    booked = await finished(company, arrival, **event)
    before = await everything()
    assert await finished(company, arrival, **event) == booked
    assert await scanned(company, arrival, *beeps) == first
    after = await everything()
    assert after["stock"] == before["stock"] and after["receipt_scan"] == before["receipt_scan"]
    assert await on_hand(company, "KET-17") == 22
    other = await announced(company, ("KET-17", 1))
    await refused(company, "warehouse", f"/field/arrivals/{other}/finish", event, "event-id-reused")
    path = f"/field/arrivals/{other}/scans"
    await refused(company, "warehouse", path, {"scans": beeps[:1]}, "event-id-reused")


async def test_two_finishes_at_once_book_the_goods_once(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 3))
    await scanned(company, arrival, beep(BARCODES["KET-17"], quantity=3))
    path = f"/field/arrivals/{arrival}/finish"
    answers = await asyncio.gather(*(company.send("warehouse", path, capture()) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert await on_hand(company, "KET-17") == 23
    await healthy()


async def test_a_serial_that_came_in_elsewhere_meanwhile_books_nothing(company: Company) -> None:
    first = await announced(company, ("WM-7KG", 1))
    second = await announced(company, ("WM-7KG", 1))
    for arrival in (first, second):
        twin = beep(BARCODES["WM-7KG"], serial="TWIN")
        assert await scanned(company, arrival, twin) == ["right"]
    await finished(company, first)
    before = await everything()
    path = f"/field/arrivals/{second}/finish"
    await refused(company, "warehouse", path, capture(), "serial-known")
    assert await everything() == before


async def test_a_unit_that_was_lost_comes_in_again_with_a_purchase_of_its_vendor(
    company: Company,
) -> None:
    order = await standing(company, 1010, ("WM-7KG", 1))
    serial = await serial_of(order)
    lost = {"event_id": uuid7(), "kind": "lost"}
    await ok(company, "dispatcher", f"/console/fulfilments/{order.parcel}/detours", lost)
    await company.work()
    found = beep(BARCODES["WM-7KG"], serial=serial)
    ours = await announced(company, ("WM-7KG", 1), owner_id=None)
    assert await scanned(company, ours, found) == ["serial_known"], "it is a vendor's"
    arrival = await announced(company, ("WM-7KG", 1))
    found = beep(BARCODES["WM-7KG"], serial=serial)
    assert await scanned(company, arrival, found) == ["right"]
    assert (await finished(company, arrival))["complete"]
    unit = await core_db.one("SELECT state, owner_id FROM unit WHERE serial = $1", serial)
    assert tuple(unit.values()) == ("in_stock", company.world.vendor_id)
    await healthy()


async def test_announcing_twice_is_once_and_a_reference_belongs_to_one_arrival(
    company: Company,
) -> None:
    body = purchase(company, ("KET-17", 1), ref="PO-1")
    first = await ok(company, "dispatcher", "/console/arrivals", body, 201)
    assert await ok(company, "dispatcher", "/console/arrivals", body, 201) == first
    same = body | {"event_id": uuid7()}
    await refused(company, "dispatcher", "/console/arrivals", same, "arrival-ref-taken")
    other = body | {"ref": "PO-2"}
    await refused(company, "dispatcher", "/console/arrivals", other, "event-id-reused")
    for wrong, problem in (
        ({"lines": [{"sku": "NO-SUCH", "quantity": 1}]}, "product-unknown"),
        ({"owner_id": uuid7()}, "vendor-unknown"),
        ({"location_id": uuid7()}, "location-missing"),
        ({"kind": "transfer"}, "nothing-expected"),
        ({"lines": [{"sku": "WM-7KG", "quantity": 1, "serials": ["A", "B"]}]}, "nothing-expected"),
    ):
        bad = purchase(company, ("KET-17", 1)) | wrong
        await refused(company, "dispatcher", "/console/arrivals", bad, problem)
    assert await core_db.value("SELECT count(*) FROM expected_arrival") == 1


async def test_an_arrival_is_cancelled_only_while_nothing_has_come_in(company: Company) -> None:
    arrival = await announced(company, ("KET-17", 2))
    word = {"words": "Ordered by mistake."}
    path = f"/console/arrivals/{arrival}/cancel"
    await scanned(company, arrival, beep(BARCODES["KET-17"]))
    await refused(company, "dispatcher", path, word, "arrival-under-way")
    other = await announced(company, ("KET-17", 2))
    path = f"/console/arrivals/{other}/cancel"
    for _ in range(2):
        assert (await ok(company, "dispatcher", path, word))["state"] == "cancelled"
    [row] = await company.get("dispatcher", "/console/arrivals?state=cancelled")
    assert (row["id"], row["quantity"], row["received"]) == (str(other), 2, 0)


# --- Transfers, and what nobody expected ----------------------------------------------------------


async def test_a_transfer_takes_from_one_shelf_what_it_puts_on_the_other(company: Company) -> None:
    world = company.world
    hub = await stock.save_location(
        {"code": "HUB-1", "name": "Hub", "kind": "hub", "channel_id": world.channel_id}
    )
    company.users["hub"] = await company.join("warehouse", source="phone", location_id=hub)
    arrival = await announced(
        company, ("WM-7KG", 2), ("KET-17", 20), kind="transfer",
        location_id=hub, from_location_id=world.warehouse_id,
    )  # fmt: skip
    path = f"/field/arrivals/{arrival}"
    beeps = {"scans": [beep("WM-7KG-SN0002"), beep("NEVER-SEEN"), beep(BARCODES["KET-17"])]}
    answer = await ok(company, "hub", f"{path}/scans", beeps)
    assert [one["verdict"] for one in answer["scans"]] == ["right", "unknown_code", "right"]
    assert not (await ok(company, "hub", f"{path}/finish", capture()))["complete"]
    assert (await on_hand(company, "WM-7KG"), await on_hand(company, "WM-7KG", place="HUB-1")) == (
        19,
        1,
    )
    unit = await core_db.one("SELECT location_id FROM unit WHERE serial = 'WM-7KG-SN0002'")
    assert unit["location_id"] == hub
    # Nineteen kettles are still to come, but one of them is sold meanwhile.
    await standing(company, 1003, ("KET-17", 1))
    await ok(company, "hub", f"{path}/scans", {"scans": [beep(BARCODES["KET-17"], quantity=19)]})
    await refused(company, "hub", f"{path}/finish", capture(), "transfer-short")
    assert await on_hand(company, "KET-17") == 19
    await healthy()


async def test_goods_that_nobody_expected_are_kept_for_a_person_and_booked_nowhere(
    company: Company,
) -> None:
    stock_before = (await everything())["stock"]
    body = capture(
        code="WM-7KG-SN0001", words="A washing machine, no paper.", photo_sha256=picture()
    )
    for _ in range(2):
        await ok(company, "warehouse", "/field/arrivals/unannounced", body)
    [problem] = await open_problems("unannounced_goods")
    assert "DXB" in problem["title"] and "WM-7KG-SN0001" in problem["detail"]
    assert await core_db.value("SELECT count(*) FROM unannounced_goods") == 1
    other = body | {"code": "something else"}
    await refused(company, "warehouse", "/field/arrivals/unannounced", other, "event-id-reused")
    assert (await everything())["stock"] == stock_before
