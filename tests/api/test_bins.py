"""Pickers walk in the order of the bins; a desk says where goods lie (SPEC J1005)."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import standing


def path(company: Company) -> str:
    return f"/console/locations/{company.world.warehouse_id}/bins"


async def put(
    company: Company, *bins: tuple[str, str], who: str = "dispatcher", where: str = ""
) -> Any:
    body = {"bins": [{"sku": sku, "bin": written} for sku, written in bins]}
    return await company.http.put(
        where or path(company), json=body, headers=company.users[who].headers
    )


async def test_a_picker_walks_from_bin_to_bin_and_what_has_none_comes_last(
    company: Company,
) -> None:
    saved = await put(company, ("WM-7KG", "A-10"), ("KET-17", "a-2"))
    assert saved.status_code == 200
    assert [(row["sku"], row["bin"]) for row in saved.json()] == [
        ("KET-17", "a-2"),
        ("WM-7KG", "A-10"),
    ]
    await standing(company, 1004, ("WM-7KG", 1), ("MIX-500", 1), ("KET-17", 1))
    lines = [
        (line["sku"], line["bin"])
        for one in await company.get("warehouse", "/field/pick-lists")
        for line in one["lines"]
    ]
    assert [one for one in lines if one[0] != "MIX-500"] == [("KET-17", "a-2"), ("WM-7KG", "A-10")]
    assert ("MIX-500", "") in lines


async def test_goods_that_come_in_and_shelves_that_are_counted_say_where(company: Company) -> None:
    await put(company, ("KET-17", "B-1"), ("MIX-500", "B-12"), ("WM-7KG", "C"))
    cleared = await put(company, ("WM-7KG", ""))
    assert [row["sku"] for row in cleared.json()] == ["KET-17", "MIX-500"]
    place = {"location_id": company.world.warehouse_id, "event_id": uuid7()}
    lines = [{"sku": "MIX-500", "quantity": 1}]
    await ok(
        company, "dispatcher", "/console/arrivals", place | {"ref": "PO-1", "lines": lines}, 201
    )
    [arrival] = await company.get("warehouse", "/field/arrivals")
    assert [line["bin"] for line in arrival["lines"]] == ["B-12"]
    asked = place | {"event_id": uuid7(), "skus": ["MIX-500", "KET-17"], "why": "Where are they?"}
    await ok(company, "dispatcher", "/console/counts", asked, 201)
    [count] = await company.get("warehouse", "/field/counts")
    assert [line["bin"] for line in count["lines"]] == ["B-1", "B-12"]


@pytest.mark.parametrize(
    ("bins", "status"),
    [
        ([("KET-17", "A-1"), ("KET-17", "A-2")], 422),
        ([("NO-SUCH", "A-1")], 422),
        ([("KET-17", " A-1")], 422),
        ([("KET-17", "A\n1")], 422),
        ([("KET-17", "A" * 21)], 422),
        ([], 422),
    ],
)
async def test_what_is_no_bin_is_refused_and_changes_nothing(
    company: Company, bins: list[tuple[str, str]], status: int
) -> None:
    assert (await put(company, *bins)).status_code == status
    assert await core_db.value("SELECT count(*) FROM bin") == 0


async def test_only_desks_of_the_channel_say_where_goods_lie(company: Company) -> None:
    assert (await put(company, ("KET-17", "A-1"), who="warehouse")).status_code == 403
    elsewhere = f"/console/locations/{uuid7()}/bins"
    assert (await put(company, ("KET-17", "A-1"), where=elsewhere)).status_code == 404


@pytest.mark.parametrize(
    ("code", "number"),
    [("A-2", "A-10"), ("A", "A-1"), ("a-9", "B-1"), ("A-1-9", "A-1-10"), ("9", "10")],
)
async def test_numbers_in_a_bin_are_compared_as_numbers(db: Any, code: str, number: str) -> None:
    assert await core_db.value("SELECT bin_order($1) < bin_order($2)", code, number)
