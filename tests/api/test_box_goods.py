"""Whoever carries a box reads what is in it, as the packer has said."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db
from tests.factories.company import Company
from tests.factories.journeys import Order, standing

BOX = {"weight_g": 5000, "length_mm": 300, "width_mm": 300, "height_mm": 300}
GOODS = (("WM-7KG", 1), ("KET-17", 2))


async def lines_of(company: Company) -> dict[str, str]:
    [work] = await company.get("warehouse", "/field/pick-lists")
    return {line["sku"]: line["fulfilment_line_id"] for line in work["lines"]}


async def pack(order: Order, *boxes: list[tuple[str, int]]) -> Any:
    step = await order.pack()
    pieces = [
        BOX | {"goods": [{"fulfilment_line_id": line, "n": n} for line, n in box]} for box in boxes
    ]
    return await order.take(type(step)(step.who, step.path, step.body | {"pieces": pieces}))


def told(pieces: list[dict[str, Any]]) -> list[list[tuple[str, int]]]:
    return [[(one["name"], one["quantity"]) for one in piece["goods"]] for piece in pieces]


async def test_labels_and_stops_tell_what_is_in_each_box(company: Company) -> None:
    order = await standing(company, 1006, *GOODS)
    line = await lines_of(company)
    machine, kettle = line["WM-7KG"], line["KET-17"]
    packed = await pack(order, [(machine, 1), (kettle, 2)], [(kettle, 1)])
    assert packed.status_code == 200, packed.text
    await order.go_on(1008)
    [parcel] = await company.get("warehouse", "/field/waiting-parcels")
    first, second = told(parcel["pieces"])
    assert sorted(quantity for _, quantity in first) == [1, 1] and len(second) == 1
    await order.go_on(1012)
    runs = await company.get("delivery", "/field/runs")
    [stop] = [stop for run in runs for stop in run["stops"]]
    assert told(stop["pieces"]) == [first, second]
    assert {one["fulfilment_line_id"] for one in stop["pieces"][0]["goods"]} == {machine, kettle}


async def test_a_packer_who_says_nothing_is_not_guessed_at(company: Company) -> None:
    order = await standing(company, 1006, *GOODS)
    assert (await pack(order, [], [], [])).status_code == 200
    await order.go_on(1008)
    [parcel] = await company.get("warehouse", "/field/waiting-parcels")
    assert told(parcel["pieces"]) == [[], [], []]


@pytest.mark.parametrize("pieces", [[1], [1, 1], [1, 3]])
async def test_boxes_with_other_goods_are_refused_and_nothing_is_kept(
    company: Company, pieces: list[int]
) -> None:
    order = await standing(company, 1006, *GOODS)
    line = await lines_of(company)
    kettles = [(line["KET-17"], n) for n in pieces]
    answer = await pack(order, [(line["WM-7KG"], 1)], kettles)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/pieces-differ")
    assert await db.value("SELECT count(*) FROM package") == 0
