"""Use-cases of procurement: vendors and costs, purchase orders, the vendor's answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from doorstep.core import clock, db, outbox
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Invalid, NotFound, Refusal
from doorstep.core.ids import uuid7
from doorstep.core.working_time import add_working_hours
from doorstep.modules.scm import sql
from doorstep.modules.scm.schemas import Purchase, VendorData

HUNDRED = 100


class PurchaseOrderMissing(NotFound):
    """It does not exist, or is another vendor's: both look the same."""

    title = "There is no such purchase order."


class PurchaseOrderAlreadyAnswered(Refusal):
    """The first answer stands; changing it is a talk with procurement."""

    title = "This purchase order is already answered."


class PurchaseOrderWithdrawn(Refusal):
    """His time was up and the goods come from elsewhere, or they are not wanted any more."""

    title = (
        "This purchase order was withdrawn. Nothing is to be delivered on it, and nothing is paid."
    )


class PurchaseOrderNotAccepted(Refusal):
    """Only who has accepted can say when the goods are ready."""

    title = "This purchase order is not accepted."


class PercentagesNotWhole(Invalid):
    title = "The six percentages must add up to 100."


async def save_vendor(vendor: VendorData) -> UUID:
    """Add a vendor, or change the one with this code; return its id.

    Changing the account starts its cooling time, in which nothing is paid to it (IM8).

    Raises: PercentagesNotWhole.
    """
    if sum(vendor.percentages) != HUNDRED:
        raise PercentagesNotWhole
    saved: UUID = await db.value(sql.SAVE_VENDOR, uuid7(), *msgspec.structs.astuple(vendor))
    return saved


async def save_cost(vendor_id: UUID, product_id: UUID, currency: str, cost_minor: int) -> None:
    """Set what one piece of a product costs us at a vendor."""
    await db.execute(sql.SAVE_COST, vendor_id, product_id, currency, cost_minor)


async def send_purchase_order(purchase: Purchase) -> str | None:
    """Order goods from a vendor at cost, with a deadline in his working hours, and tell him.

    Returns the number, or None when this fulfilment's purchase order exists already.
    """
    due_at = add_working_hours(
        purchase.sent_at, purchase.answer_within, purchase.zone, purchase.working_hours
    )
    number: str | None = await db.value(
        sql.INSERT_PURCHASE_ORDER,
        purchase.id,
        purchase.vendor_id,
        purchase.order_id,
        purchase.fulfilment_id,
        purchase.currency,
        purchase.total_minor,
        purchase.sent_at,
        due_at,
    )
    if number is None:
        return None
    goods = purchase.goods
    await db.execute(
        sql.INSERT_LINES,
        purchase.id,
        purchase.vendor_id,
        [line.fulfilment_line_id for line in goods],
        [line.product_id for line in goods],
        [line.sku for line in goods],
        [line.name for line in goods],
        [line.quantity for line in goods],
        [line.unit_cost_minor for line in goods],
    )
    await _tell_vendor("po_sent", purchase.id, purchase.vendor_id, purchase.order_id)
    return number


def require_unanswered(order: Mapping[str, Any]) -> None:
    """Refuse an answer to a purchase order (number, state) that does not wait for one.

    Raises: PurchaseOrderAlreadyAnswered; PurchaseOrderWithdrawn.
    """
    if order["state"] == "cancelled":
        raise PurchaseOrderWithdrawn(order["number"])
    if order["state"] != "sent":
        raise PurchaseOrderAlreadyAnswered(f"{order['number']} is {order['state']}.")


async def record_answer(
    po_id: UUID,
    answer: Literal["accepted", "declined"],
    *,
    actor: Actor,
    event_id: UUID,
    reason: str = "",
    ready_on: date | None = None,
) -> dict[str, Any]:
    """Keep the vendor's answer; the same `event_id` again changes nothing.

    Returns the purchase order (id, number, order_id, fulfilment_id).

    Raises: PurchaseOrderMissing, also for another vendor's; PurchaseOrderAlreadyAnswered;
    PurchaseOrderWithdrawn.
    """
    order = await db.row(sql.LOCK, po_id)
    if order is None or order["vendor_id"] != actor.vendor_id:
        raise PurchaseOrderMissing
    if order["state"] == answer and order["answer_event_id"] == event_id:
        return order
    require_unanswered(order)
    await db.execute(
        sql.ANSWER, po_id, answer, clock.offset(), actor.person_id, event_id, reason, ready_on
    )
    return order


async def move_ready(po_id: UUID, ready_on: date) -> None:
    """Note when the vendor has the goods of an accepted purchase order ready now."""
    await db.execute(sql.MOVE_READY, po_id, ready_on)


async def close_purchase_order(po_id: UUID, reason: str) -> bool:
    """Withdraw a purchase order: nothing more is paid on it, and its vendor is told.

    Tells whether it was open; one that is declined or withdrawn stays as it is.
    """
    order = await db.row(sql.CANCEL, po_id, reason)
    if order is None:
        return False
    await _tell_vendor("po_cancelled", po_id, order["vendor_id"], order["order_id"])
    return True


async def remind(po_id: UUID) -> None:
    """Note that the vendor was reminded, and remind him; once."""
    order = await db.row(sql.REMIND, po_id, now())
    if order is None:
        return
    await _tell_vendor("po_reminder", po_id, order["vendor_id"], order["order_id"])


async def _tell_vendor(template: str, po_id: UUID, vendor_id: UUID, order_id: UUID) -> None:
    await outbox.add(
        "messages.tell_vendor",
        {"vendor_id": vendor_id, "po_id": po_id, "template": template},
        order_id=order_id,
        key=f"{template}:{po_id}",
    )


async def lessen_lines(po_id: UUID, left: Mapping[UUID, int]) -> int:
    """Order fewer pieces: `left` of each fulfilment line; return the new total (minor units).

    Only before the answer: nothing is released yet (SPEC J, part acceptance).
    """
    await db.execute(sql.DROP_LINES, po_id, list(left))
    total: int = await db.value(sql.LESSEN_LINES, po_id, list(left), list(left.values()))
    return total


async def list_own(
    vendor_id: UUID | None,
    *,
    state: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Read a vendor's purchase orders, newest first; runs inside tenant.vendor."""
    at, po_id = before or (None, None)
    return await db.rows(sql.LIST_OWN, vendor_id, state, at, po_id, limit)


async def read_own(vendor_id: UUID | None, po_id: UUID) -> dict[str, Any]:
    """Read one purchase order of a vendor with its lines; runs inside tenant.vendor.

    Raises: PurchaseOrderMissing, also for another vendor's.
    """
    found = await db.row(sql.READ_OWN, po_id, vendor_id)
    if found is None:
        raise PurchaseOrderMissing
    return found
