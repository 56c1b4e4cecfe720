"""Pick, check and pack over HTTP: what is right moves the parcel, what is wrong is told and kept."""

from __future__ import annotations

from typing import Any

import pytest

from doorstep.core import db as core_db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from tests.factories.company import Company
from tests.factories.journeys import Order, standing


async def beep(order: Order, *codes: str) -> Any:
    """Scan these codes, as one batch."""
    scans = [{"scan_uid": uuid7(), "code": code, "captured_at": now()} for code in codes]
    answer = await order.company.send(
        "warehouse",
        f"/field/fulfilments/{order.parcel}/checks",
        {"event_id": uuid7(), "scans": scans},
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_list_tells_the_picker_all_that_is_to_be_picked(company: Company) -> None:
    order = await standing(company, 1004)
    [work] = await company.get("warehouse", "/field/pick-lists")
    assert (work["number"], work["state"]) == (order.number, "open")
    assert work["picker_id"] == str(company.users["warehouse"].id)
    machine, kettle = sorted(work["lines"], key=lambda line: line["sku"], reverse=True)
    assert machine["accessories"] == [{"code": "ACC-HOSE", "name": "Inlet hose"}]
    assert machine["packing_instruction"] == "Keep the transport bolts in."
    assert len(machine["serials"]) == 20 and kettle["serials"] == []
    await order.go_on(1007)
    assert await company.get("warehouse", "/field/pick-lists") == []


async def test_the_list_tells_what_is_checked_so_that_another_phone_goes_on(
    company: Company,
) -> None:
    order = await standing(company, 1005)
    await beep(order, "6291100000017", "rubbish", "WM-7KG-SN0003")
    [work] = await company.get("warehouse", "/field/pick-lists")
    right = [(scan["kind"], scan["sku"], scan["code"]) for scan in work["scans"]]
    assert right == [
        ("barcode", "WM-7KG", "6291100000017"),
        ("serial", "WM-7KG", "WM-7KG-SN0003"),
    ]
    assert {line["sku"]: line["serialised"] for line in work["lines"]}["WM-7KG"]
    assert work["created_at"] < work["late_at"]
    body = {"event_id": uuid7(), "captured_at": now(), "words": "The box is wet."}
    path = f"/field/fulfilments/{order.parcel}/repick"
    assert (await company.send("warehouse", path, body)).status_code == 200
    [again] = await company.get("warehouse", "/field/pick-lists")
    assert (again["state"], again["scans"]) == ("open", [])


async def test_one_scan_tells_barcode_serial_and_accessory_apart(company: Company) -> None:
    order = await standing(company, 1005)
    answer = await beep(order, "6291100000017", "ACC-HOSE", "WM-7KG-SN0003")
    assert [one["kind"] for one in answer["scans"]] == ["barcode", "accessory", "serial"]
    assert all(one["ok"] for one in answer["scans"])
    assert answer["step"] is None and len(answer["missing"]) == 1
    done = await beep(order, "6291100000024")
    assert (done["missing"], done["step"]["verdict"]) == ([], "applied")
    unit = await core_db.one("SELECT state FROM unit WHERE serial = 'WM-7KG-SN0003'")
    assert unit["state"] == "picked"


@pytest.mark.parametrize(
    ("code", "kind"),
    [("6291100000031", "barcode"), ("WM-7KG-SN9999", "unknown"), ("rubbish", "unknown")],
)
async def test_what_does_not_belong_is_told_kept_and_blocks_nothing_else(
    company: Company, code: str, kind: str
) -> None:
    order = await standing(company, 1005)
    answer = await beep(order, code)
    [scan] = answer["scans"]
    assert not scan["ok"] and scan["reason"]
    assert 1006 not in await order.passed()
    kept = await core_db.one("SELECT code, ok FROM qc_scan")
    assert (kept["code"], kept["ok"]) == (code, False)
    await order.take_well(await order.check())
    assert 1006 in await order.passed()


async def test_a_serial_goes_into_one_parcel_only(company: Company) -> None:
    first, second = await standing(company, 1005), await standing(company, 1005)
    assert (await beep(first, "WM-7KG-SN0001"))["scans"][0]["ok"]
    assert not (await beep(second, "WM-7KG-SN0001"))["scans"][0]["ok"]


async def test_more_pieces_than_the_goods_make_are_refused(company: Company) -> None:
    order = await standing(company, 1006)
    step = await order.pack()
    box = step.body["pieces"][0]
    answer = await order.take(
        type(step)(step.who, step.path, step.body | {"pieces": [box, box, box]})
    )
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/pieces-differ")
    assert await core_db.value("SELECT count(*) FROM package") == 0
    await order.take_well(step)
    labels = await order.labels()
    assert [label.rsplit("-", 1)[1] for label in labels] == ["1", "2"]


async def test_a_moment_without_its_offset_is_refused(company: Company) -> None:
    order = await standing(company, 1004)
    step = await order.pick()
    body = step.body | {"captured_at": "2026-11-23T10:00:00"}
    answer = await company.send(step.who, step.path, body)
    assert answer.status_code == 422
    assert 1005 not in await order.passed()
