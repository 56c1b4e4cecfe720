"""What a vendor says to a purchase order: yes, yes later, a part, no, or nothing (J1004)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from doorstep import journey
from doorstep.core import db
from doorstep.core.actor import Actor
from doorstep.core.clock import now
from doorstep.core.errors import Invalid
from doorstep.core.jobs import recurring
from doorstep.core.working_time import Calendar
from doorstep.flows import settle, source_again
from doorstep.flows.expected_dates import today_of
from doorstep.flows.procure import lock_fulfilment_of
from doorstep.journey.refusals import DetourKnown
from doorstep.modules.finance.service import tranches
from doorstep.modules.scm import service as scm
from doorstep.modules.wms.service import stock

PO_LINES = """
SELECT l.fulfilment_line_id, l.quantity, l.sku, fl.order_line_id, fl.product_id, p.needs_install,
       p.warranty_months > 0 AS has_warranty
  FROM po_line l
  JOIN fulfilment_line fl ON fl.id = l.fulfilment_line_id
  JOIN product p ON p.id = fl.product_id
 WHERE l.po_id = $1 ORDER BY l.position
"""

# A repeat finds the parcel by the event that has settled it.
SERIALS_DIFFER = """
SELECT f.id FROM fulfilment f
 WHERE f.po_id = $1 AND (
   EXISTS (SELECT FROM detour_case d WHERE d.fulfilment_id = f.id AND d.kind = 'serial_differs'
            AND d.closed_at IS NULL)
   OR EXISTS (SELECT FROM journey_event e WHERE e.fulfilment_id = f.id AND e.event_id = $2))
 ORDER BY f.parcel LIMIT 1
"""

UNANSWERED = """
SELECT p.id, p.fulfilment_id, p.sent_at, p.answer_due_at, p.reminded_at, v.zone, v.working_hours,
       v.answer_hours
  FROM purchase_order p JOIN vendor v ON v.id = p.vendor_id
 WHERE p.state = 'sent' AND p.sent_at <= $1
 ORDER BY p.answer_due_at LIMIT 500
"""

# A repeat goes the way of the first time, whatever has become of the detour since.
READY_LATER_SAID = """
SELECT EXISTS (SELECT FROM journey_event e WHERE e.event_id = $2) AS moved,
       EXISTS (SELECT FROM detour_case d WHERE d.id = $3) AS opened,
       EXISTS (SELECT FROM detour_case d WHERE d.fulfilment_id = $1
                 AND d.kind = 'vendor_ready_later' AND d.closed_at IS NULL) AS open
"""

REMIND_AT, TASK_AT = 0.5, 0.8
"""Shares of the vendor's time after which he is reminded, and a person is asked to call him."""


class NotOrdered(Invalid):
    """A line that the purchase order does not have, or more of it than was ordered."""

    title = "That was not ordered."


class NothingAccepted(Invalid):
    title = "Accepting nothing is declining: send that instead."


@db.transactional
async def accept(
    po_id: UUID,
    event_id: UUID,
    *,
    actor: Actor,
    ready_on: date | None = None,
    quantities: Mapping[UUID, int] | None = None,
) -> journey.Answer:
    """Accept a purchase order as its vendor: 1004 passes, and V1 and V2 may be released.

    `ready_on`: the goods are ready later than today; the promise moves. `quantities` (fulfilment
    line → pieces): a part; the rest is sourced elsewhere, under a purchase order of its own.

    Raises: PurchaseOrderMissing; PurchaseOrderAlreadyAnswered; PurchaseOrderWithdrawn; NotOrdered;
    NothingAccepted; the engine's refusals; DateNotAhead.
    """
    fulfilment_id = await lock_fulfilment_of(po_id, actor)
    answered = await db.value("SELECT answer_event_id FROM purchase_order WHERE id = $1", po_id)
    first = answered != event_id
    if ready_on is not None and first:
        journey.require_ahead(ready_on, await today_of(fulfilment_id))
    if quantities is not None and first:
        await _accept_part(po_id, fulfilment_id, event_id, quantities, actor=actor)
    order = await scm.record_answer(
        po_id, "accepted", actor=actor, event_id=event_id, ready_on=ready_on
    )
    if ready_on is not None and first:
        await _open_ready_later(event_id, fulfilment_id, ready_on, actor=actor)
    return await journey.advance(
        event_id,
        fulfilment_id,
        1004,
        actor=actor,
        evidence=[journey.Evidence("vendor_answer", order["number"])],
    )


async def _open_ready_later(
    event_id: UUID, fulfilment_id: UUID, ready_on: date, *, actor: Actor
) -> journey.Answer:
    return await journey.open_detour(
        _ready_later(fulfilment_id, event_id),
        fulfilment_id,
        "vendor_ready_later",
        actor=actor,
        detail=f"Ready on {ready_on:%Y-%m-%d}.",
        evidence=[journey.Evidence("expected_on", ready_on.isoformat())],
        expected_on=ready_on,
    )


def _ready_later(fulfilment_id: UUID, event_id: UUID) -> UUID:
    return journey.derived_id(fulfilment_id, f"ready_later:{event_id}")


@db.transactional
async def move_ready(
    po_id: UUID, event_id: UUID, ready_on: date, *, actor: Actor
) -> journey.Answer:
    """Take a vendor's word that accepted goods are ready on another day; the customer is told.

    Raises: PurchaseOrderMissing; PurchaseOrderNotAccepted; DateNotAhead; DetourNotPossible once the
    goods are picked; FulfilmentEnded.
    """
    fulfilment_id = await lock_fulfilment_of(po_id, actor)
    order = await db.one("SELECT state, number FROM purchase_order WHERE id = $1", po_id)
    if order["state"] != "accepted":
        raise scm.PurchaseOrderNotAccepted(f"{order['number']} is {order['state']}.")
    today = await today_of(fulfilment_id)
    opening = _ready_later(fulfilment_id, event_id)
    said = await db.one(READY_LATER_SAID, fulfilment_id, event_id, opening)
    if said["moved"] or (said["open"] and not said["opened"]):
        return await journey.set_date(
            event_id, fulfilment_id, "vendor_ready_later", ready_on, today=today, actor=actor,
            words=f"Ready on {ready_on:%Y-%m-%d}.",
        )  # fmt: skip
    if not said["opened"]:
        journey.require_ahead(ready_on, today)
        await scm.move_ready(po_id, ready_on)
    return await _open_ready_later(event_id, fulfilment_id, ready_on, actor=actor)


async def _accept_part(
    po_id: UUID,
    fulfilment_id: UUID,
    event_id: UUID,
    quantities: Mapping[UUID, int],
    *,
    actor: Actor,
) -> None:
    """Reduce fulfilment, allocation and purchase order to a part, and source the rest elsewhere."""
    order = await db.one("SELECT state, number FROM purchase_order WHERE id = $1", po_id)
    scm.require_unanswered(order)
    lines = {row["fulfilment_line_id"]: row for row in await db.rows(PO_LINES, po_id)}
    if any(line not in lines or n > lines[line]["quantity"] for line, n in quantities.items()):
        raise NotOrdered
    kept = {line: quantities.get(line, 0) for line in lines}
    if not any(kept.values()):
        raise NothingAccepted
    missing = {line: row["quantity"] - kept[line] for line, row in lines.items()}
    if not any(missing.values()):
        return
    fulfilment = await journey.lock(fulfilment_id)
    left = {line: n for line, n in kept.items() if n}
    total = await scm.lessen_lines(po_id, left)
    await tranches.resize(po_id, total)
    for line, n in sorted(missing.items()):
        if n:
            await stock.lessen(line, n)
    await stock.forget_lines([line for line, n in kept.items() if not n])
    await journey.keep_lines(fulfilment_id, left)
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"partial:{event_id}"),
        fulfilment_id,
        "vendor_partial",
        actor=actor,
        lines=[
            journey.Quantity(fulfilment_line_id=line, quantity=n)
            for line, n in missing.items()
            if n
        ],
    )
    owed = [_owed(lines[line], n) for line, n in sorted(missing.items()) if n]
    await source_again.begin_anew(fulfilment, owed, actor=actor)


def _owed(row: dict[str, Any], quantity: int) -> source_again.Owed:
    return source_again.Owed(
        order_line_id=row["order_line_id"],
        product_id=row["product_id"],
        sku=row["sku"],
        quantity=quantity,
        needs_install=row["needs_install"],
        has_warranty=row["has_warranty"],
    )


@db.transactional
async def decline(po_id: UUID, event_id: UUID, reason: str, *, actor: Actor) -> None:
    """Decline a purchase order as its vendor: nothing is paid on it, the goods come from elsewhere.

    Raises: PurchaseOrderMissing; PurchaseOrderAlreadyAnswered; PurchaseOrderWithdrawn.
    """
    fulfilment_id = await lock_fulfilment_of(po_id, actor)
    await scm.record_answer(po_id, "declined", actor=actor, event_id=event_id, reason=reason)
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"declined:{event_id}"),
        fulfilment_id,
        "vendor_declined",
        actor=actor,
        reason="declined",
        detail=reason,
    )
    await settle.review_purchase_order(po_id)


@db.transactional
async def confirm_serials(po_id: UUID, event_id: UUID, *, actor: Actor) -> journey.Answer:
    """Take the vendor's word that the other serial is his too: V4 to V6 go on.

    Raises: PurchaseOrderMissing; DetourKnown when nothing is to be confirmed.
    """
    await lock_fulfilment_of(po_id, actor)
    differing = await db.value(SERIALS_DIFFER, po_id, event_id)
    if differing is None:
        raise DetourKnown("No other serial of this purchase order waits for a word.")
    return await journey.settle_detour(event_id, differing, "serial_differs", actor=actor)


@db.transactional
async def dispute(po_id: UUID, event_id: UUID, words: str, *, actor: Actor) -> journey.Answer:
    """Dispute a purchase order as its vendor: what is not paid yet waits until finance has agreed.

    Raises: PurchaseOrderMissing; DetourKnown when it is disputed already; FulfilmentEnded.
    """
    fulfilment_id = await lock_fulfilment_of(po_id, actor)
    return await journey.open_detour(event_id, fulfilment_id, "dispute", actor=actor, detail=words)


# --- No answer ----------------------------------------------------------------------------------


@recurring("flows.watch_vendors", every=30)
async def watch_vendors(_payload: dict[str, Any]) -> None:
    """Remind at half of the vendor's time, ask a person at 80 %, source elsewhere when it is up."""
    for order in await db.rows(UNANSWERED, now()):
        await watch(order, now())


async def watch(order: dict[str, Any], at: datetime) -> None:
    """Do what the time that has passed since a purchase order was sent asks for."""
    calendar = Calendar(order["zone"], order["working_hours"], frozenset())
    whole = timedelta(hours=order["answer_hours"])
    system = Actor.system("flows.watch_vendors")
    if at >= order["answer_due_at"]:
        await give_up(order["id"], order["fulfilment_id"], actor=system)
        return
    if order["reminded_at"] is None and at >= calendar.after(order["sent_at"], whole * REMIND_AT):
        await scm.remind(order["id"])
    if at >= calendar.after(order["sent_at"], whole * TASK_AT):
        await journey.open_detour(
            journey.derived_id(order["fulfilment_id"], f"silent:{order['id']}"),
            order["fulfilment_id"],
            "vendor_silent",
            actor=system,
        )


@db.transactional
async def give_up(po_id: UUID, fulfilment_id: UUID, *, actor: Actor) -> None:
    """Withdraw a purchase order that nobody has answered, and source its goods elsewhere."""
    await journey.lock(fulfilment_id)
    state = await db.value("SELECT state FROM purchase_order WHERE id = $1", po_id)
    if state != "sent":
        return
    await journey.open_detour(
        journey.derived_id(fulfilment_id, f"gave_up:{po_id}"),
        fulfilment_id,
        "vendor_declined",
        actor=actor,
        reason="silent",
    )
