"""What floor people and desks do with goods that come in, with shelves and with checklists."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.modules.wms.service import receiving
from doorstep.modules.wms.service.receiving import ExpectedGoods
from tests.factories.captures import capture
from tests.factories.company import FIELD, Company, session_of
from tests.factories.journeys import Order

DUBAI = ZoneInfo("Asia/Dubai")
BARCODES = {"WM-7KG": "6291100000017", "KET-17": "6291100000024", "MIX-500": "6291100000031"}


async def later(company: Company, clock: Any, by: timedelta) -> None:
    """Let time pass; whoever's session has ended meanwhile signs in again."""
    clock.advance(by)
    for who, user in list(company.users.items()):
        source = "phone" if user.role in FIELD else "person"
        company.users[who] = replace(user, headers=await session_of(user.id, source))


async def at_hour(company: Company, clock: Any, hour: int) -> None:
    """Let time pass until a day in Dubai is so many hours old."""
    present = clock.now().astimezone(DUBAI)
    wanted = present.replace(hour=hour, minute=0, second=0, microsecond=0)
    await later(company, clock, (wanted - present) % timedelta(days=1))


async def ok(company: Company, who: str, path: str, body: Any, status: int = 200) -> Any:
    """Send what must be taken."""
    answer = await company.send(who, path, body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def refused(company: Company, who: str, path: str, body: Any, problem: str) -> Any:
    """Send what must be refused as this problem."""
    answer = await company.send(who, path, body)
    assert answer.status_code >= 400 and answer.json()["type"] == f"/problems/{problem}", (
        answer.text
    )
    return answer.json()


def purchase(company: Company, *lines: tuple[str, int], **other: Any) -> dict[str, Any]:
    """What a desk announces: a vendor's goods for the warehouse."""
    return {
        "event_id": uuid7(),
        "ref": f"PO-{uuid7()}",
        "location_id": company.world.warehouse_id,
        "owner_id": company.world.vendor_id,
        "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines],
    } | other


async def announced(company: Company, *lines: tuple[str, int], **other: Any) -> UUID:
    """Announce goods; tell the arrival."""
    body = purchase(company, *lines, **other)
    made = await ok(company, "dispatcher", "/console/arrivals", body, 201)
    return UUID(made["id"])


def beep(code: str, **other: Any) -> dict[str, Any]:
    """One scan at receiving."""
    return {"scan_uid": uuid7(), "code": code, "captured_at": now()} | other


async def scanned(company: Company, arrival_id: UUID, *beeps: dict[str, Any]) -> list[str]:
    """Scan goods in at the warehouse; tell the verdicts."""
    path = f"/field/arrivals/{arrival_id}/scans"
    answer = await ok(company, "warehouse", path, {"scans": beeps})
    return [one["verdict"] for one in answer["scans"]]


async def finished(company: Company, arrival_id: UUID, **event: Any) -> Any:
    """Book what was scanned at the warehouse."""
    return await ok(company, "warehouse", f"/field/arrivals/{arrival_id}/finish", capture(**event))


async def returning(
    order: Order, kind: Any = "return_to_origin", *, location_id: UUID | None = None
) -> UUID:
    """Expect the whole parcel of an order back."""
    lines = await db.rows(
        "SELECT id, product_id, quantity FROM fulfilment_line WHERE fulfilment_id = $1 ORDER BY id",
        order.parcel,
    )
    return await receiving.expect(
        kind,
        f"{kind}:{order.number}",
        channel_id=order.company.world.channel_id,
        location_id=location_id,
        owner_id=order.company.world.vendor_id,
        order_id=order.order_id,
        fulfilment_id=order.parcel,
        lines=[ExpectedGoods(row["product_id"], row["quantity"], row["id"]) for row in lines],
    )


async def on_hand(company: Company, sku: str, grade: str = "sellable", place: str = "DXB") -> int:
    """Tell how many pieces of a SKU a place has under a grade, of all owners."""
    found: int = await db.value(
        "SELECT coalesce(sum(s.on_hand), 0)::int FROM stock s JOIN location l ON l.id = s.location_id"
        " WHERE s.product_id = $1 AND s.grade = $2 AND l.code = $3",
        company.world.products[sku],
        grade,
        place,
    )
    return found


async def serial_of(order: Order) -> str:
    """Tell the serial that travels with an order."""
    found: str = await db.value(
        "SELECT u.serial FROM unit u JOIN fulfilment_line l ON l.id = u.fulfilment_line_id"
        " WHERE l.fulfilment_id = $1",
        order.parcel,
    )
    return found


async def open_problems(kind: str) -> list[dict[str, Any]]:
    """List the open problems of a kind."""
    return await db.rows(
        "SELECT title, detail, ref, owner_role, order_id FROM problem"
        " WHERE kind = $1 AND closed_at IS NULL ORDER BY opened_at",
        kind,
    )


def adjustment(sku: str, quantity: int, **other: Any) -> dict[str, Any]:
    """What somebody says of a shelf of ours."""
    return capture(sku=sku, quantity=quantity, reason="damaged", words="Fell off the rack.") | other
