"""Shelves are counted blind; what moves meanwhile is no difference, what differs is adjusted (C3)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.flows.count import propose_counts
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.floor import later, ok, on_hand, open_problems, refused
from tests.factories.journeys import standing
from tests.factories.snapshots import everything
from tests.factories.steps import healthy


async def opened(company: Company, *skus: str) -> Any:
    """Let a desk ask for a count; tell it as the floor sees it."""
    body = {
        "event_id": uuid7(),
        "location_id": company.world.warehouse_id,
        "skus": skus,
        "why": "A customer was told wrong.",
    }
    made = await ok(company, "dispatcher", "/console/counts", body, 201)
    counts = await company.get("warehouse", "/field/counts")
    return next(one for one in counts if one["id"] == made["id"])


async def counted(company: Company, count: Any, sku: str, quantity: int, **other: Any) -> str:
    """Count a shelf; tell the verdict."""
    line = next(line for line in count["lines"] if line["sku"] == sku)
    entry = capture(line_id=line["id"], quantity=quantity) | other
    path = f"/field/counts/{count['id']}/entries"
    answer = await ok(company, "warehouse", path, {"entries": [entry]})
    verdict: str = answer["entries"][0]["verdict"]
    return verdict


async def finish(company: Company, count: Any, **event: Any) -> Any:
    path = f"/field/counts/{count['id']}/finish"
    return await ok(company, "warehouse", path, capture(**event))


async def test_a_count_is_blind_and_its_difference_becomes_an_adjustment(company: Company) -> None:
    count = await opened(company, "MIX-500", "KET-17")
    assert not {"on_hand", "quantity", "expected"} & set(count["lines"][0])
    assert [line["sku"] for line in count["lines"]] == ["KET-17", "MIX-500"]
    assert await counted(company, count, "KET-17", 20) == "kept"
    assert await counted(company, count, "MIX-500", 18) == "kept"
    event = capture()
    done = await finish(company, count, **event)
    kettles, mixers = done["lines"]
    assert (kettles["difference"], kettles["adjustments"]) == (0, [])
    [made] = mixers["adjustments"]
    assert (mixers["difference"], made["state"], made["quantity"]) == (-2, "approved", -2)
    assert await on_hand(company, "MIX-500") == 18
    before = await everything()
    assert await finish(company, count, **event) == done
    assert await everything() == before
    [row] = await company.get("dispatcher", "/console/counts?state=finished")
    assert [(one["sku"], one["difference"]) for one in row["differences"]] == [("MIX-500", -2)]
    assert await company.get("warehouse", "/field/counts") == []
    await healthy()


async def test_a_large_difference_waits_for_a_second_person(company: Company) -> None:
    count = await opened(company, "MIX-500")
    await counted(company, count, "MIX-500", 10)
    [line] = (await finish(company, count))["lines"]
    assert line["adjustments"][0]["state"] == "proposed"
    assert await on_hand(company, "MIX-500") == 20
    [problem] = await open_problems("adjustment_approval")
    path = f"/console/adjustments/{problem['ref']}/decision"
    await ok(company, "dispatcher", path, {"approve": True, "words": "Counted twice."})
    assert await on_hand(company, "MIX-500") == 10
    await healthy()


async def test_what_left_between_opening_and_counting_is_no_difference(company: Company) -> None:
    count = await opened(company, "MIX-500")
    await standing(company, 1009, ("MIX-500", 3))
    assert await counted(company, count, "MIX-500", 17) == "kept"
    [line] = (await finish(company, count))["lines"]
    assert (line["difference"], line["adjustments"]) == (0, [])
    assert await on_hand(company, "MIX-500") == 17
    await healthy()


async def test_a_count_of_a_phone_that_was_offline_is_judged_as_of_its_moment(
    company: Company, clock: Any
) -> None:
    count = await opened(company, "MIX-500")
    await later(company, clock, timedelta(hours=1))
    at = now()
    await later(company, clock, timedelta(hours=1))
    await standing(company, 1009, ("MIX-500", 3))
    assert await counted(company, count, "MIX-500", 20, captured_at=at) == "kept"
    [line] = (await finish(company, count))["lines"]
    assert line["difference"] == 0
    assert await on_hand(company, "MIX-500") == 17


async def test_a_count_that_fits_neither_moment_while_goods_moved_is_made_again(
    company: Company, clock: Any
) -> None:
    count = await opened(company, "MIX-500")
    await later(company, clock, timedelta(hours=1))
    at = now()
    await standing(company, 1009, ("MIX-500", 3))
    assert await counted(company, count, "MIX-500", 18, captured_at=at) == "again"
    [shown] = await company.get("warehouse", "/field/counts")
    assert [(one["counted"], one["again"]) for one in shown["lines"]] == [(False, True)]
    path = f"/field/counts/{count['id']}/finish"
    told = await refused(company, "warehouse", path, capture(), "lines-not-counted")
    assert told["left"] == 1
    await later(company, clock, timedelta(hours=1))
    assert await counted(company, count, "MIX-500", 16) == "kept"
    [line] = (await finish(company, count))["lines"]
    assert line["difference"] == -1 and await on_hand(company, "MIX-500") == 16
    await healthy()


async def test_a_phone_whose_clock_is_wrong_makes_no_difference_appear(
    company: Company, clock: Any
) -> None:
    count = await opened(company, "MIX-500")
    await later(company, clock, timedelta(hours=1))
    for wrong in (now() - timedelta(days=2), now() + timedelta(days=2)):
        assert await counted(company, count, "MIX-500", 20, captured_at=wrong) == "kept"
    await standing(company, 1009, ("MIX-500", 3))
    fast = now() + timedelta(minutes=4)
    assert await counted(company, count, "MIX-500", 20, captured_at=fast) == "again"


async def test_goods_that_are_packed_and_wait_still_count(company: Company) -> None:
    await standing(company, 1007)
    count = await opened(company, "WM-7KG")
    serials = [f"WM-7KG-SN{n:04}" for n in range(20)]
    assert await counted(company, count, "WM-7KG", 20, serials=serials) == "kept"
    [line] = (await finish(company, count))["lines"]
    assert line["difference"] == 0


async def test_serials_that_are_missing_and_extra_are_adjusted_by_name(company: Company) -> None:
    count = await opened(company, "WM-7KG")
    wrong = capture(line_id=count["lines"][0]["id"], quantity=20)
    path = f"/field/counts/{count['id']}/entries"
    await refused(company, "warehouse", path, {"entries": [wrong]}, "serials-not-counted")
    serials = [f"WM-7KG-SN{n:04}" for n in range(1, 20)] + ["EXTRA-1"]
    assert await counted(company, count, "WM-7KG", 20, serials=serials) == "kept"
    [line] = (await finish(company, count))["lines"]
    assert (line["missing_serials"], line["extra_serials"]) == (["WM-7KG-SN0000"], ["EXTRA-1"])
    assert len(line["adjustments"]) == 2
    for made in line["adjustments"]:
        if made["state"] == "proposed":
            decision = f"/console/adjustments/{made['id']}/decision"
            await ok(company, "admin", decision, {"approve": True, "words": "Seen."})
    assert await on_hand(company, "WM-7KG") == 20
    states = await core_db.rows(
        "SELECT serial, state FROM unit WHERE serial IN ('WM-7KG-SN0000', 'EXTRA-1')"
    )
    assert {row["serial"]: row["state"] for row in states} == {
        "WM-7KG-SN0000": "scrapped",
        "EXTRA-1": "in_stock",
    }
    await healthy()


async def test_a_difference_that_cannot_be_booked_waits_with_its_reason(company: Company) -> None:
    await standing(company, 1003, ("MIX-500", 20))
    count = await opened(company, "MIX-500")
    await counted(company, count, "MIX-500", 19)
    [line] = (await finish(company, count))["lines"]
    [made] = line["adjustments"]
    assert made["state"] == "proposed" and "0 pieces are free" in made["why"]
    assert len(await open_problems("adjustment_approval")) == 1
    await healthy()


async def test_entries_that_are_sent_twice_count_once_and_the_last_one_of_a_shelf_counts(
    company: Company,
) -> None:
    count = await opened(company, "MIX-500")
    path = f"/field/counts/{count['id']}/entries"
    line = count["lines"][0]["id"]
    entry = capture(line_id=line, quantity=11)
    for _ in range(2):
        await ok(company, "warehouse", path, {"entries": [entry]})
    assert await core_db.value("SELECT count(*) FROM count_entry") == 1
    assert await counted(company, count, "MIX-500", 20) == "kept"
    await ok(company, "warehouse", path, {"entries": [entry]})
    [done] = (await finish(company, count))["lines"]
    assert done["difference"] == 0
    late = capture(line_id=line, quantity=1)
    await refused(company, "warehouse", path, {"entries": [late]}, "count-finished")
    again = f"/field/counts/{count['id']}/finish"
    await refused(company, "warehouse", again, capture(), "count-finished")


async def test_two_people_who_finish_at_once_adjust_once(company: Company) -> None:
    count = await opened(company, "MIX-500")
    await counted(company, count, "MIX-500", 19)
    path = f"/field/counts/{count['id']}/finish"
    answers = await asyncio.gather(*(company.send("warehouse", path, capture()) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert await on_hand(company, "MIX-500") == 19


async def test_the_daily_count_is_proposed_once_and_not_while_one_is_open(
    company: Company, clock: Any
) -> None:
    for _ in range(2):
        await propose_counts({})
    [count] = await company.get("warehouse", "/field/counts")
    assert [line["sku"] for line in count["lines"]] == ["KET-17", "MIX-500", "WM-7KG"]
    body = {"event_id": uuid7(), "location_id": company.world.warehouse_id, "why": "Anything due?"}
    await refused(company, "dispatcher", "/console/counts", body, "nothing-to-count")
    await later(company, clock, timedelta(days=1))
    await propose_counts({})
    assert len(await company.get("warehouse", "/field/counts")) == 1
    for sku in ("KET-17", "MIX-500"):
        await counted(company, count, sku, 20)
    serials = [f"WM-7KG-SN{n:04}" for n in range(20)]
    await counted(company, count, "WM-7KG", 20, serials=serials)
    await finish(company, count)
    await propose_counts({})
    assert await company.get("warehouse", "/field/counts") == [], "all was counted just now"
    await later(company, clock, timedelta(days=181))
    await propose_counts({})
    assert len(await company.get("warehouse", "/field/counts")) == 1
