"""What goes wrong, as the people of the field tell it."""

from __future__ import annotations

from typing import Any

from doorstep.core import db
from tests.factories import floor
from tests.factories.captures import capture
from tests.factories.company import Company
from tests.factories.journeys import Order


async def failed_attempt(order: Order, reason: str = "not_home", **other: Any) -> Any:
    """Tell from the phone that the goods were not handed over."""
    stop = await db.value(
        "SELECT id FROM delivery_stop WHERE fulfilment_id = $1"
        " ORDER BY (state = 'open') DESC, closed_at DESC LIMIT 1",
        order.parcel,
    )
    body = capture(reason=reason, called=True, dwell_seconds=600) | other
    answer = await order.company.send("delivery", f"/field/stops/{stop}/failed", body)
    await order.company.work()
    return answer


async def parcel_of(order: Order) -> dict[str, Any]:
    return await db.one("SELECT * FROM fulfilment WHERE id = $1", order.parcel)


async def open_kinds() -> list[str]:
    rows = await db.rows("SELECT kind FROM detour_case WHERE closed_at IS NULL ORDER BY 1")
    return [row["kind"] for row in rows]


async def receive_all(company: Company, order: Order, grade: str) -> None:
    """Scan everything that is expected of a parcel in at the warehouse."""
    arrival = await db.one(
        "SELECT id FROM expected_arrival WHERE fulfilment_id = $1 AND state = 'expected'",
        order.parcel,
    )
    lines = await db.rows(
        "SELECT p.barcode, p.serialised, x.quantity, x.serials FROM expected_line x"
        " JOIN product p ON p.id = x.product_id WHERE x.arrival_id = $1",
        arrival["id"],
    )
    beeps = [floor.beep(serial, grade=grade) for line in lines for serial in line["serials"]] + [
        floor.beep(line["barcode"], quantity=line["quantity"], grade=grade)
        for line in lines
        if not line["serialised"]
    ]
    await floor.scanned(company, arrival["id"], *beeps)
    await floor.finished(company, arrival["id"])
    await company.work()


async def kept(order: Order, sku: str, quantity: int, reason: str, **other: Any) -> dict[str, Any]:
    """Name pieces of a SKU that are not handed over."""
    line = await db.value(
        "SELECT l.id FROM fulfilment_line l JOIN product p ON p.id = l.product_id"
        " WHERE l.fulfilment_id = $1 AND p.sku = $2",
        order.parcel,
        sku,
    )
    return {"fulfilment_line_id": line, "quantity": quantity, "reason": reason} | other
