"""Goods that come in: what is on its way back, and what a desk orders anew; all by scan."""

from __future__ import annotations

from typing import Any

from doorstep.play.captures import now, step
from doorstep.play.visitors import Company, new_event, until
from doorstep.seed import SERIALISED

SPARE = 2
"""Pieces beyond what is short: other orders take from the same shelf."""


async def take_in(company: Company, channel: str, order_number: str, *, grade: str) -> None:
    """Scan everything in that is expected back of an order, and book it."""
    desk = await company.staff("dispatcher")
    floor = await company.of("warehouse", channel)
    expected = [
        one
        for one in await desk.get("/console/arrivals", state="expected", limit=500)
        if one["order_number"] == order_number
    ]
    for arrival in expected:
        detail = await desk.get(f"/console/arrivals/{arrival['id']}")
        lines = await _lines(floor, arrival["number"])
        scans = [
            _beep(barcode, grade, serial=serial)
            for line in detail["lines"]
            for serial in line["serials"]
            for barcode in [lines[line["sku"]]]
        ]
        scans += [
            _beep(lines[line["sku"]], grade, quantity=line["quantity"] - len(line["serials"]))
            for line in detail["lines"]
            if line["quantity"] > len(line["serials"])
        ]
        await _scan(floor, arrival["id"], scans)


async def restock(
    company: Company, channel: str, location_id: str, wanted: list[tuple[str, int]]
) -> None:
    """Announce goods of our own for a warehouse, some to spare, and scan them in."""
    wanted = [(sku, quantity + SPARE) for sku, quantity in wanted]
    desk = await company.staff("dispatcher")
    floor = await company.of("warehouse", channel)
    made = await desk.post(
        "/console/arrivals",
        {
            "event_id": new_event(),
            "ref": f"RESTOCK-{new_event()[-12:]}",
            "location_id": location_id,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in wanted],
        },
    )
    barcodes = await _lines(floor, made["number"])
    scans: list[dict[str, Any]] = []
    for sku, quantity in wanted:
        if sku in SERIALISED:
            scans += [
                _beep(barcodes[sku], "sellable", serial=f"{sku}-{new_event()[-12:]}".upper())
                for _ in range(quantity)
            ]
        else:
            scans.append(_beep(barcodes[sku], "sellable", quantity=quantity))
    await _scan(floor, made["id"], scans)


async def _lines(floor: Any, number: str) -> dict[str, str]:
    """Look the arrival up on the floor's phone: SKU → barcode."""

    async def listed() -> dict[str, str] | None:
        found = await floor.get("/field/arrivals", code=number)
        return {line["sku"]: line["barcode"] for line in found[0]["lines"]} if found else None

    return await until(listed, f"the arrival {number}")


async def _scan(floor: Any, arrival_id: str, scans: list[dict[str, Any]]) -> None:
    path = f"/field/arrivals/{arrival_id}"
    await floor.post(f"{path}/scans", {"scans": scans})
    await floor.post(f"{path}/finish", step())


def _beep(code: str, grade: str, *, serial: str | None = None, quantity: int = 1) -> dict[str, Any]:
    beep = {"scan_uid": new_event(), "code": code, "grade": grade, "captured_at": now()}
    return beep | ({"serial": serial} if serial else {"quantity": quantity})
