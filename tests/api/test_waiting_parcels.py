"""What stands packed at a location and waits for its carrier, with labels that can be printed."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core.barcodes import code128_widths
from tests.api.test_cargo import scan
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.floor import ok
from tests.factories.journeys import standing

PATH = "/field/waiting-parcels"


async def waiting(company: Company, who: str = "warehouse") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await company.get(who, PATH)
    return found


async def test_a_packed_parcel_waits_with_its_labels_until_it_is_picked_up(
    company: Company,
) -> None:
    order = await standing(company, 1006, ("MIX-500", 2))
    assert await waiting(company) == []
    await order.go_on(1008)
    [parcel] = await waiting(company)
    labels = await order.labels()
    assert (parcel["id"], parcel["number"]) == (str(order.parcel), order.number)
    assert parcel["carrier"] and parcel["pickup_until"] > parcel["pickup_from"]
    assert (parcel["courier"], parcel["manifest_number"]) == (None, None)
    assert [(one["label_no"], one["n"], one["of"]) for one in parcel["pieces"]] == [
        (label, n, len(labels)) for n, label in enumerate(labels, 1)
    ]
    assert [one["bars"] for one in parcel["pieces"]] == [code128_widths(one) for one in labels]
    manifest = {
        "location_id": company.world.warehouse_id,
        "courier_id": company.users["courier"].id,
        "fulfilment_ids": [order.parcel],
    }
    made = await ok(company, "dispatcher", "/console/manifests", manifest, 201)
    [parcel] = await waiting(company)
    assert parcel["manifest_number"] == made["number"] and parcel["courier"]
    first, *rest = labels
    await scan(company, "courier", "pickup", first)
    [parcel] = await waiting(company)
    assert [one["fetched"] for one in parcel["pieces"]] == [True, *(False for _ in rest)]
    await scan(company, "courier", "pickup", *rest)
    assert await waiting(company) == []


async def test_everybody_on_the_floor_reads_what_was_reported_of_a_box(company: Company) -> None:
    order = await standing(company, 1008, ("MIX-500", 2))
    torn, *whole = await order.labels()
    told = capture(labels=[torn], kind="damaged")
    await ok(company, "warehouse", "/field/piece-reports", told)
    await company.work()
    [parcel] = await waiting(company)
    assert {one["label_no"]: one["reported"] for one in parcel["pieces"]} == {
        torn: "damaged",
        **dict.fromkeys(whole),
    }


@pytest.mark.parametrize("text", ["DS000000014AE-1", "DS000000014AE-12", "a b"])
def test_widths_are_those_of_a_whole_code_128(text: str) -> None:
    """Each symbol is six widths of eleven units together; the stop is thirteen in seven."""
    widths = [int(digit) for digit in code128_widths(text)]
    symbols = [widths[at : at + 6] for at in range(0, len(widths) - 7, 6)]
    assert [sum(symbol) for symbol in symbols] == [11] * len(symbols)
    assert widths[-7:] == [2, 3, 3, 1, 1, 1, 2]
