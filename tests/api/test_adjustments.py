"""Stock that is not as the books say: the ordinary approves itself, the rest needs a second person (C3)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from doorstep.modules.wms.rules.adjusting import Policy
from doorstep.modules.wms.service import adjustments
from tests.factories.company import Company
from tests.factories.floor import (
    adjustment,
    later,
    ok,
    on_hand,
    open_problems,
    refused,
    serial_of,
)
from tests.factories.journeys import Order, standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy


async def report(company: Company, sku: str, quantity: int, **other: Any) -> Any:
    return await ok(company, "warehouse", "/field/adjustments", adjustment(sku, quantity, **other))


async def decide(company: Company, who: str, proposed: Any, approve: bool) -> Any:
    path = f"/console/adjustments/{proposed['id']}/decision"
    return await ok(company, who, path, {"approve": approve, "words": "Seen on the picture."})


async def test_a_small_adjustment_approves_itself_says_why_and_is_booked(company: Company) -> None:
    made = await report(company, "MIX-500", -2)
    assert (made["state"], "2 of 3 pieces" in made["why"]) == ("approved", True)
    assert await on_hand(company, "MIX-500") == 18
    movement = await core_db.one("SELECT quantity, ref FROM stock_movement WHERE reason = 'adjust'")
    assert tuple(movement.values()) == (-2, f"adjust:{made['id']}")
    assert await open_problems("adjustment_approval") == []
    found = await report(company, "MIX-500", 1, reason="found", words="Behind the shelf.")
    assert found["state"] == "approved" and await on_hand(company, "MIX-500") == 19
    await healthy()


async def test_goods_that_a_phone_does_not_know_are_named_by_the_barcode_on_them(
    company: Company,
) -> None:
    barcode = await core_db.value("SELECT barcode FROM product WHERE sku = 'MIX-500'")
    assert (await report(company, barcode, -1))["state"] == "approved"
    assert await on_hand(company, "MIX-500") == 19
    await refused(
        company, "warehouse", "/field/adjustments", adjustment("0000", -1), "product-unknown"
    )


async def test_a_large_one_waits_for_a_second_person_who_approves_it(company: Company) -> None:
    made = await report(company, "MIX-500", -5)
    assert made["state"] == "proposed" and await on_hand(company, "MIX-500") == 20
    [problem] = await open_problems("adjustment_approval")
    assert (problem["ref"], "-5 × MIX-500 at DXB" in problem["title"]) == (made["id"], True)
    [row] = await company.get("dispatcher", "/console/adjustments?state=proposed")
    assert (row["proposed_by"], row["words"]) == ("Canary warehouse", "Fell off the rack.")
    for _ in range(2):
        assert (await decide(company, "dispatcher", made, True))["state"] == "approved"
    assert await on_hand(company, "MIX-500") == 15
    assert await open_problems("adjustment_approval") == []
    path = f"/console/adjustments/{made['id']}/decision"
    no = {"approve": False, "words": "No, wait."}
    await refused(company, "admin", path, no, "adjustment-decided")
    await healthy()


async def test_one_that_is_rejected_changes_nothing(company: Company) -> None:
    made = await report(company, "MIX-500", -5)
    assert (await decide(company, "admin", made, False))["state"] == "rejected"
    assert await on_hand(company, "MIX-500") == 20
    assert await open_problems("adjustment_approval") == []


async def test_nobody_approves_what_he_proposed_himself(company: Company) -> None:
    body = {
        "location_id": company.world.warehouse_id,
        "adjustment": adjustment("MIX-500", -9),
    }
    made = await ok(company, "dispatcher", "/console/adjustments", body)
    path = f"/console/adjustments/{made['id']}/decision"
    yes = {"approve": True, "words": "I say so."}
    await refused(company, "dispatcher", path, yes, "own-adjustment")
    assert (await decide(company, "admin", made, True))["state"] == "approved"
    with pytest.raises(Exception, match="stock_adjustment_second_person"):
        await core_db.execute("UPDATE stock_adjustment SET decided_by = proposed_by")


async def test_many_small_ones_of_one_person_within_a_day_do_not_pass(
    company: Company, clock: Any
) -> None:
    states = [(await report(company, "MIX-500", -1))["state"] for _ in range(5)]
    assert states == ["approved"] * 3 + ["proposed"] * 2
    await later(company, clock, timedelta(hours=25))
    assert (await report(company, "MIX-500", -1))["state"] == "approved"


async def test_small_ones_at_the_same_moment_are_judged_one_after_another(company: Company) -> None:
    bodies = [adjustment("MIX-500", -2) for _ in range(6)]
    answers = await asyncio.gather(
        *(company.send("warehouse", "/field/adjustments", body) for body in bodies)
    )
    states = sorted(answer.json()["state"] for answer in answers)
    assert states == ["approved"] + ["proposed"] * 5
    await healthy()


async def test_what_the_goods_cost_counts_where_it_is_known(company: Company) -> None:
    cost = await core_db.value(
        "SELECT cost_minor FROM vendor_product WHERE product_id = $1",
        company.world.products["KET-17"],
    )
    owner = company.world.vendor_id
    path = f"/console/channels/{company.world.channel_id}/adjustment-policy"
    await ok(company, "admin", path, {"max_units": 100, "max_value_minor": cost * 2})
    assert (await report(company, "KET-17", -2, owner_id=owner))["state"] == "approved"
    made = await report(company, "KET-17", -1, owner_id=owner)
    assert made["state"] == "proposed" and "worth more" in made["why"]


async def test_what_passes_by_itself_is_judged_in_the_channels_own_currency(
    company: Company,
) -> None:
    channel, owner = company.world.channel_id, company.world.vendor_id
    await core_db.execute("UPDATE vendor_product SET cost_minor = 500_00")
    assert (await report(company, "KET-17", -2, owner_id=owner))["state"] == "approved"
    await core_db.execute("UPDATE channel SET currency = 'KWD' WHERE id = $1", channel)
    await core_db.execute("UPDATE vendor_product SET currency = 'KWD', cost_minor = 50_000")
    made = await report(company, "KET-17", -1, owner_id=owner)
    assert made["state"] == "approved", "50 KWD are not added to 1,000 AED"
    await core_db.execute("UPDATE vendor_product SET cost_minor = 90_000")
    await core_db.execute("DELETE FROM stock_adjustment WHERE currency = 'AED'")
    made = await report(company, "KET-17", -1, owner_id=owner)
    assert made["state"] == "proposed" and "worth more" in made["why"], "140 KWD are much"


async def test_stock_is_never_adjusted_below_what_is_promised(company: Company) -> None:
    await standing(company, 1003, ("MIX-500", 18))
    before = await everything()
    body = adjustment("MIX-500", -3)
    told = await refused(company, "warehouse", "/field/adjustments", body, "stock-promised")
    assert told["free"] == 2 and "2 pieces are free" in told["detail"]
    assert await everything() == before
    assert (await report(company, "MIX-500", -2))["state"] == "approved"
    await healthy()


async def test_what_was_sold_while_it_waited_cannot_be_approved(company: Company) -> None:
    made = await report(company, "MIX-500", -5)
    await standing(company, 1003, ("MIX-500", 18))
    path = f"/console/adjustments/{made['id']}/decision"
    yes = {"approve": True, "words": "They are gone."}
    await refused(company, "dispatcher", path, yes, "stock-promised")
    assert len(await open_problems("adjustment_approval")) == 1
    assert await on_hand(company, "MIX-500") == 20


async def test_goods_with_serials_name_them_and_may_be_found_again(company: Company) -> None:
    await adjustments.save_policy(company.world.channel_id, Policy(100, 10**9))
    owner, serial = company.world.vendor_id, "WM-7KG-SN0004"
    for serials in ([], [serial, "WM-7KG-SN0005"]):
        body = adjustment("WM-7KG", -1, owner_id=owner, serials=serials)
        await refused(company, "warehouse", "/field/adjustments", body, "serials-needed")
    body = adjustment("WM-7KG", -1, owner_id=owner, serials=["WM-7KG-SN9999"])
    await refused(company, "warehouse", "/field/adjustments", body, "serials-not-here")
    lost = await report(
        company, "WM-7KG", -1, owner_id=owner, serials=[serial], reason="lost", words="Not there."
    )
    assert lost["state"] == "approved"
    assert await core_db.value("SELECT state FROM unit WHERE serial = $1", serial) == "scrapped"
    again = await report(
        company, "WM-7KG", 1, owner_id=owner, serials=[serial], reason="found", grade="open_box"
    )
    assert again["state"] == "approved"
    unit = await core_db.one("SELECT state, grade FROM unit WHERE serial = $1", serial)
    assert tuple(unit.values()) == ("in_stock", "open_box")
    new = await report(company, "WM-7KG", 1, owner_id=owner, serials=["NEW-1"], reason="found")
    assert new["state"] == "approved"
    body = adjustment("WM-7KG", 1, owner_id=owner, serials=["WM-7KG-SN0006"], reason="found")
    await refused(company, "warehouse", "/field/adjustments", body, "serials-not-here")
    assert (await on_hand(company, "WM-7KG"), await on_hand(company, "WM-7KG", "open_box")) == (
        20,
        1,
    )
    await healthy()


async def lost_on_the_road(company: Company) -> tuple[Order, str]:
    """Lose a parcel; tell it and the serial that was in it."""
    order = await standing(company, 1010, ("WM-7KG", 1))
    serial = await serial_of(order)
    lost = {"event_id": uuid7(), "kind": "lost"}
    await ok(company, "dispatcher", f"/console/fulfilments/{order.parcel}/detours", lost)
    await company.work()
    return order, serial


async def test_what_was_lost_on_the_road_is_found_with_its_serial_by_its_owner_alone(
    company: Company,
) -> None:
    order, serial = await lost_on_the_road(company)
    unit_id = await core_db.value("SELECT id FROM unit WHERE serial = $1", serial)
    here = await on_hand(company, "WM-7KG")
    found = {"serials": [serial], "reason": "found", "words": "At the hub of the carrier."}
    path = "/console/adjustments"
    place = {"location_id": company.world.warehouse_id}
    ours = place | {"adjustment": adjustment("WM-7KG", 1, **found)}
    told = await refused(company, "dispatcher", path, ours, "serials-not-here")
    assert "another owner" in told["detail"]
    body = place | {
        "adjustment": adjustment("WM-7KG", 1, owner_id=company.world.vendor_id, **found)
    }
    made = await ok(company, "dispatcher", path, body)
    if made["state"] == "proposed":
        await decide(company, "admin", made, True)
    unit = await core_db.one("SELECT * FROM unit WHERE serial = $1", serial)
    assert (unit["id"], unit["state"], unit["owner_id"], unit["fulfilment_line_id"]) == (
        unit_id, "in_stock", company.world.vendor_id, None,
    )  # fmt: skip
    assert await on_hand(company, "WM-7KG") == here + 1
    seen = await core_db.value(
        "SELECT fulfilment_id FROM qc_scan WHERE unit_id = $1 AND ok", unit_id
    )
    assert seen == order.parcel, "which parcel it was lost with is still known"
    again = place | {
        "adjustment": adjustment("WM-7KG", 1, owner_id=company.world.vendor_id, **found)
    }
    await refused(company, "dispatcher", path, again, "serials-not-here")
    await healthy()


async def test_a_unit_that_is_with_a_customer_is_not_found(company: Company) -> None:
    order = await standing(company, 1013, ("WM-7KG", 1))
    body = adjustment(
        "WM-7KG", 1, owner_id=company.world.vendor_id, serials=[await serial_of(order)],
        reason="found",
    )  # fmt: skip
    await refused(company, "warehouse", "/field/adjustments", body, "serials-not-here")


async def test_a_serial_of_a_shipped_parcel_is_not_adjusted(company: Company) -> None:
    order = await standing(company, 1006)
    picked = await core_db.value("SELECT serial FROM unit WHERE state = 'picked'")
    body = adjustment(
        "WM-7KG", -1, owner_id=company.world.vendor_id, serials=[picked], reason="lost"
    )
    await refused(company, "warehouse", "/field/adjustments", body, "serials-not-here")
    assert 1006 in await order.passed()


async def test_pieces_change_their_grade_and_are_for_sale_again(company: Company) -> None:
    await adjustments.save_policy(company.world.channel_id, Policy(100, 10**9))
    owner, serial = company.world.vendor_id, "WM-7KG-SN0004"
    down = await report(
        company, "WM-7KG", 1, owner_id=owner, serials=[serial], to_grade="open_box", reason="other"
    )
    assert (down["state"], down["to_grade"]) == ("approved", "open_box")
    assert (await on_hand(company, "WM-7KG"), await on_hand(company, "WM-7KG", "open_box")) == (
        19,
        1,
    )
    up = await report(
        company, "WM-7KG", 1, owner_id=owner, serials=[serial], reason="other",
        grade="open_box", to_grade="sellable",
    )  # fmt: skip
    assert up["state"] == "approved"
    unit = await core_db.one("SELECT state, grade FROM unit WHERE serial = $1", serial)
    assert tuple(unit.values()) == ("in_stock", "sellable")
    for wrong in ({"to_grade": "sellable"}, {"to_grade": "open_box", "quantity": -1}):
        body = adjustment("MIX-500", 1) | wrong
        await refused(company, "warehouse", "/field/adjustments", body, "not-a-regrade")
    await healthy()


async def test_the_same_adjustment_twice_is_booked_once(company: Company) -> None:
    body = adjustment("MIX-500", -1)
    first = await ok(company, "warehouse", "/field/adjustments", body)
    before = await everything()
    assert await ok(company, "warehouse", "/field/adjustments", body) == first
    assert await everything() == before
    other = body | {"quantity": -2}
    await refused(company, "warehouse", "/field/adjustments", other, "event-id-reused")
    assert await on_hand(company, "MIX-500") == 19


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"quantity": 0}, "nothing-adjusted"),
        ({"sku": "NO-SUCH"}, "product-unknown"),
        ({"owner_id": uuid7()}, "vendor-unknown"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    company: Company, change: dict[str, Any], problem: str
) -> None:
    before = await everything()
    body = adjustment("MIX-500", -1) | change
    told = await refused(company, "warehouse", "/field/adjustments", body, problem)
    assert told["detail"]
    assert await everything() == before


async def test_a_carrier_has_no_shelves_to_adjust(company: Company) -> None:
    carrier = await core_db.value("SELECT id FROM location WHERE kind = 'carrier'")
    body = {"location_id": carrier, "adjustment": adjustment("MIX-500", 1, reason="found")}
    await refused(company, "dispatcher", "/console/adjustments", body, "location-missing")
