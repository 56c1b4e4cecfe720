"""Goods that are still owed find another place to come from: routed anew, held, and on their way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from doorstep import journey
from doorstep.core import db, outbox
from doorstep.core.actor import Actor
from doorstep.core.jobs import job, recurring
from doorstep.flows import short_stock
from doorstep.flows.allocate import allocate
from doorstep.modules.oms import holds
from doorstep.modules.wms.rules import Parcel, Route, route
from doorstep.modules.wms.service import stock

LINES = """
SELECT l.id, l.order_line_id, l.product_id, l.quantity, p.sku, p.needs_install,
       p.warranty_months > 0 AS has_warranty
  FROM fulfilment_line l JOIN product p ON p.id = l.product_id
 WHERE l.fulfilment_id = $1 ORDER BY l.id
"""

SAID_NO = """
SELECT DISTINCT f.owner_id FROM detour_case d JOIN fulfilment f ON f.id = d.fulfilment_id
 WHERE d.order_id = $1 AND d.kind IN ('vendor_declined', 'vendor_partial') AND f.owner_id IS NOT NULL
"""

# Parcels behind the one named that some stock of the channel could serve; a vendor who has said no
# to the order serves nothing of it.
SHORT = """
SELECT f.id, f.created_at FROM fulfilment f
 WHERE f.state = 'open' AND f.location_id IS NULL
   AND ($1::timestamptz IS NULL OR (f.created_at, f.id) > ($1, $2::uuid))
   AND EXISTS (
   SELECT FROM fulfilment_line l JOIN stock s ON s.product_id = l.product_id
     JOIN location y ON y.id = s.location_id AND y.channel_id = f.channel_id AND y.active
    WHERE l.fulfilment_id = f.id AND s.grade = 'sellable'
      AND s.on_hand - s.held - s.allocated > 0
      AND y.kind IN ('warehouse', 'store', 'vendor_store')
      AND NOT EXISTS (
        SELECT FROM detour_case d JOIN fulfilment x ON x.id = d.fulfilment_id
         WHERE d.order_id = f.order_id AND d.kind IN ('vendor_declined', 'vendor_partial')
           AND x.owner_id = s.owner_id))
 ORDER BY f.created_at, f.id LIMIT $3
"""
PAGE = 100

SHORT_SINCE = """
SELECT id FROM detour_case
 WHERE fulfilment_id = $1 AND kind = 'short_stock' AND closed_at IS NULL
"""


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of an order line that the customer still waits for."""

    order_line_id: UUID
    product_id: UUID
    sku: str
    quantity: int
    needs_install: bool
    has_warranty: bool


async def lines_of(fulfilment_id: UUID) -> list[Owed]:
    """List what a fulfilment carries."""
    return [
        msgspec.convert({k: v for k, v in row.items() if k != "id"}, Owed)
        for row in await db.rows(LINES, fulfilment_id)
    ]


async def replace_goods(fact: journey.Fact) -> None:
    """Begin new fulfilments for all that an ended one owed."""
    await begin_anew(fact.fulfilment, await lines_of(fact.fulfilment_id), actor=fact.actor)


async def begin_anew(old: dict[str, Any], owed: Sequence[Owed], *, actor: Actor) -> list[UUID]:
    """Route goods that are owed, hold them, and begin a fulfilment for each parcel of them.

    A vendor who has said no to this order is not asked again. What no stock covers begins with the
    detour `short_stock`. The caller holds the order's lock.
    They go on from the order's payment at once. Returns the new fulfilments.
    """
    chosen = await _route(old, owed)
    until = await holds.until(old["order_id"])
    begun = [await _begin(old, owed, parcel, until, actor=actor) for parcel in chosen.parcels]
    if chosen.short:
        short = [(n, quantity) for n, _, quantity in chosen.short]
        begun.append(await _begin_parcel(old, owed, short, None, None, chosen.why, actor))
        await short_stock.tell_later(old["order_id"])
    await _go_on(old["order_id"])
    return begun


async def _route(fulfilment: dict[str, Any], owed: Sequence[Owed]) -> Route:
    said_no = await db.rows(SAID_NO, fulfilment["order_id"])
    offers = await stock.free_stock(
        fulfilment["channel_id"],
        sorted({one.product_id for one in owed}),
        without_owners=[row["owner_id"] for row in said_no],
    )
    return route([(one.sku, one.quantity) for one in owed], offers)


async def _begin(
    old: dict[str, Any],
    owed: Sequence[Owed],
    parcel: Parcel,
    until: datetime | None,
    *,
    actor: Actor,
) -> UUID:
    shares = [(share.line, share.quantity) for share in parcel.shares]
    lines = _born_lines(owed, shares)
    born_id = await _begin_parcel(
        old, owed, shares, parcel.location_id, parcel.owner_id, "", actor, lines
    )
    for share, line in zip(parcel.shares, lines, strict=True):
        await stock.hold(old["order_id"], line.id, share.stock_id, share.quantity, until)
    return born_id


def _born_lines(
    owed: Sequence[Owed], shares: Sequence[tuple[int, int]]
) -> tuple[journey.BornLine, ...]:
    return tuple(
        journey.BornLine(
            order_line_id=owed[n].order_line_id,
            product_id=owed[n].product_id,
            quantity=quantity,
        )
        for n, quantity in shares
    )


async def _begin_parcel(
    old: dict[str, Any],
    owed: Sequence[Owed],
    shares: Sequence[tuple[int, int]],
    location_id: UUID | None,
    owner_id: UUID | None,
    short: str,
    actor: Actor,
    lines: tuple[journey.BornLine, ...] | None = None,
) -> UUID:
    born = journey.Born(
        parcel=await journey.next_parcel(old["order_id"]),
        lines=lines or _born_lines(owed, shares),
        location_id=location_id,
        owner_id=owner_id,
        needs_install=any(owed[n].needs_install for n, _ in shares),
        has_warranty=any(owed[n].has_warranty for n, _ in shares),
        collection=old["collection"],
        # Only what stands in for an ended fulfilment replaces it; a split stands beside it.
        replaces_id=old["id"] if old["state"] == "ended" else None,
        short=short,
    )
    return await journey.begin(born, old, actor=actor)


async def _go_on(order_id: UUID) -> None:
    """Let the payment be looked at again: what is paid goes on (1002, 1003 …)."""
    await outbox.add("flows.verify_payment", {"order_id": str(order_id)}, order_id=order_id)


# --- Goods without a place ------------------------------------------------------------------------


@recurring("flows.source_short", every=30)
async def source_short(_payload: dict[str, Any]) -> None:
    """Find a place for short goods as soon as stock is there."""
    await find_places()


async def find_places() -> None:
    """Find a place for all short goods that there is stock for now, oldest parcel first.

    All are seen in one run, so that those that get nothing keep nobody waiting behind them.
    """
    actor = Actor.system("flows.source_short")
    after: tuple[datetime | None, UUID | None] = (None, None)
    while page := await db.rows(SHORT, *after, PAGE):
        for row in page:
            await find_place(row["id"], actor=actor)
        after = page[-1]["created_at"], page[-1]["id"]


@db.transactional
async def find_place(fulfilment_id: UUID, *, actor: Actor) -> bool:
    """Route a fulfilment that has no goods (until 1003 it may change place and owner).

    Its first parcel takes this fulfilment's place, further ones and what is still short are split
    off; that keeps the date that all of it had. Tells whether goods were found.
    """
    fulfilment = await journey.lock(fulfilment_id)
    if fulfilment["state"] != "open" or 1003 in fulfilment["passed"]:
        return False
    rows = await db.rows(LINES, fulfilment_id)
    owed = [msgspec.convert({k: v for k, v in row.items() if k != "id"}, Owed) for row in rows]
    chosen = await _route(fulfilment, owed)
    if not chosen.parcels:
        return False
    first, *others = chosen.parcels
    until = await holds.until(fulfilment["order_id"])
    case_id: UUID | None = await db.value(SHORT_SINCE, fulfilment_id)
    await _take_place(fulfilment, rows, owed, first, until, actor)
    for parcel in others:
        await _begin(fulfilment, owed, parcel, until, actor=actor)
    if chosen.short:
        short = [(n, quantity) for n, _, quantity in chosen.short]
        rest = await _begin_parcel(fulfilment, owed, short, None, None, chosen.why, actor)
        if not await _keep_date(rest, case_id, actor):
            await short_stock.tell_later(fulfilment["order_id"])
    await _go_on(fulfilment["order_id"])
    if 1002 in fulfilment["passed"]:
        await allocate(fulfilment_id, fulfilment["attempt"], request_id=actor.request_id)
    return True


async def _keep_date(rest: UUID, case_id: UUID | None, actor: Actor) -> bool:
    """Let what is still short keep the date that all of the parcel had; tells whether it had one."""
    split = Actor.system("split", request_id=actor.request_id)
    return case_id is not None and await journey.keep_date(
        rest, "short_stock", case_id, actor=split
    )


async def _take_place(
    fulfilment: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    owed: Sequence[Owed],
    parcel: Parcel,
    until: datetime | None,
    actor: Actor,
) -> None:
    kept = {rows[share.line]["id"]: share.quantity for share in parcel.shares}
    await stock.release(fulfilment["id"])
    await stock.forget_lines([row["id"] for row in rows if row["id"] not in kept])
    await journey.move_to(
        fulfilment["id"],
        location_id=parcel.location_id,
        owner_id=parcel.owner_id,
        needs_install=any(owed[share.line].needs_install for share in parcel.shares),
        has_warranty=any(owed[share.line].has_warranty for share in parcel.shares),
        lines=kept,
        actor=actor,
    )
    for share in parcel.shares:
        await stock.hold(
            fulfilment["order_id"], rows[share.line]["id"], share.stock_id, share.quantity, until
        )


@job("flows.route_again", timeout=20)
@db.transactional
async def route_again(payload: dict[str, Any]) -> None:
    """Find other goods for a paid parcel whose hold is gone: {fulfilment_id, event_id}.

    Without any it stands without a place, short of stock.
    """
    fulfilment_id, event_id = UUID(payload["fulfilment_id"]), UUID(payload["event_id"])
    system = Actor.system("flows.route_again")
    fulfilment = await journey.lock(fulfilment_id)
    waits = 1003 not in fulfilment["passed"] and fulfilment["state"] == "open"
    if waits and not await find_place(fulfilment_id, actor=system):
        await stock.release(fulfilment_id)
        await journey.leave_place(fulfilment_id, actor=system)
        await journey.open_detour(
            event_id,
            fulfilment_id,
            "short_stock",
            actor=system,
            detail="The goods that were held are sold, and there are no others.",
        )
    await outbox.done()
