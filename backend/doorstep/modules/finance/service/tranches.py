"""The six parts of a purchase order: the schedule, and judging it after every fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from doorstep.core import clock, db
from doorstep.core.clock import now
from doorstep.core.ids import uuid7
from doorstep.core.money import Money
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules import postings, tranches
from doorstep.modules.finance.rules.tranches import Decision, Facts
from doorstep.modules.finance.service import ledger, payouts
from doorstep.modules.finance.service.payouts import Payee

OPENED = "The purchase order has just been made."


class PurchaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The purchase order to judge, with the heads of its fulfilments' chains (IM2).

    `gone_minor`: what those of its goods cost that did not stay.
    """

    id: UUID
    order_id: UUID
    currency: str
    heads: dict[str, int]
    total_minor: int
    gone_minor: int


class Judged(NamedTuple):
    """A tranche that stands elsewhere now, and what is withheld of its share if it is released."""

    row: dict[str, Any]
    decision: Decision
    withheld_minor: int


async def open_schedule(
    po_id: UUID, vendor_id: UUID, currency: str, total_minor: int, percentages: Sequence[int]
) -> None:
    """Split a purchase order into its six tranches, in the transaction that makes it (IM3)."""
    await db.execute(
        sql.OPEN_SCHEDULE,
        po_id,
        vendor_id,
        currency,
        list(percentages),
        tranches.amounts(total_minor, percentages),
        OPENED,
        now(),
    )


async def resize(po_id: UUID, total_minor: int) -> None:
    """Share a smaller total among the six tranches, by the percentages they were opened with.

    Only before anything is released: the vendor takes a part of what was ordered (IM3).
    """
    rows = await db.rows(sql.LOCK_TRANCHES, po_id)
    shares = tranches.amounts(total_minor, [row["percent"] for row in rows])
    await db.execute_many(
        "UPDATE tranche SET amount_minor = $2 WHERE id = $1",
        [(row["id"], share) for row, share in zip(rows, shares, strict=True)],
    )


async def decide_rest(
    po_id: UUID, pieces_gone: int, event_id: UUID, decided_by: UUID | None, reason: str
) -> None:
    """Keep a person's word that the tranches go on although so many pieces did not stay.

    The first word about as many pieces counts.
    """
    await db.execute(
        "INSERT INTO purchase_order_rest (po_id, pieces_gone, event_id, decided_by, reason,"
        " decided_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        po_id,
        pieces_gone,
        event_id,
        decided_by,
        reason,
        now(),
    )


async def rest_is_decided(po_id: UUID, pieces_gone: int) -> bool:
    """Tell whether a person has let the rest go on, knowing of so many pieces that did not stay."""
    return bool(
        await db.value(
            "SELECT true FROM purchase_order_rest WHERE po_id = $1 AND pieces_gone >= $2 LIMIT 1",
            po_id,
            pieces_gone,
        )
    )


async def rest_of_event(event_id: UUID) -> UUID | None:
    """Tell which purchase order's rest was decided under this event id."""
    found: UUID | None = await db.value(
        "SELECT po_id FROM purchase_order_rest WHERE event_id = $1", event_id
    )
    return found


async def claim(po_id: UUID, currency: str, whole_minor: int) -> tuple[UUID, int] | None:
    """Claim from a vendor what is not claimed yet of `whole_minor`, all that he owes on an order.

    Returns the new claim and its amount, or None. The caller holds the purchase order's lock.
    """
    claimed: int = await db.value(sql.CLAIMED, po_id)
    fresh = whole_minor - claimed
    if fresh <= 0:
        return None
    claim_id = uuid7()
    await db.execute(sql.CLAIM, claim_id, po_id, fresh, currency, now())
    return claim_id, fresh


async def review(order: PurchaseOrder, facts: Facts, payee: Payee) -> bool:
    """Judge every tranche that is not released, and release those whose time has come.

    Of each only what is for goods that stayed is released. A release posts to the ledger, writes the
    payout's intent with the payee's account, and orders the bank transfer from a job, all in the
    caller's transaction. The caller holds the locks of order, fulfilments and purchase order.
    Judging again on the same facts changes nothing.

    Returns whether V1 to V5 are now released, which completes 1017.
    """
    rows = await db.rows(sql.LOCK_TRANCHES, order.id)
    changed = _judge(order, facts, rows)
    if changed:
        await db.execute(
            sql.JUDGE,
            order.id,
            clock.offset(),
            order.heads,
            not facts.received,
            [one.row["id"] for one in changed],
            [one.decision.state for one in changed],
            [one.decision.reason for one in changed],
            [one.withheld_minor for one in changed],
        )
    fresh = [
        one.row | {"amount_minor": one.row["amount_minor"] - one.withheld_minor}
        for one in changed
        if one.decision.state == "released"
    ]
    await _post(order, facts, rows, fresh)
    await payouts.order([row for row in fresh if row["amount_minor"]], payee)
    earlier = [row["number"] for row in rows if row["state"] == "released"]
    return tranches.settled([*earlier, *(row["number"] for row in fresh)])


def _judge(order: PurchaseOrder, facts: Facts, rows: Sequence[dict[str, Any]]) -> list[Judged]:
    """Judge the tranches that are not released; list those of which something else holds now."""
    shares = sum(
        row["amount_minor"] + row["withheld_minor"] for row in rows if row["state"] == "released"
    )
    changed = []
    for row in rows:
        if row["state"] == "released":
            continue
        decision, kept = tranches.decide(row["number"], facts), 0
        if decision.state == "released":
            share = row["amount_minor"]
            kept = tranches.withheld(share, shares, order.total_minor, order.gone_minor)
            shares += share
        if kept:
            words = (
                f"{decision.reason} {Money(kept, order.currency)} is for goods that did not stay."
            )
            decision = Decision(decision.state, words)
        if (row["state"], row["reason"]) != (decision.state, decision.reason):
            changed.append(Judged(row, decision, kept))
    return changed


async def _post(
    order: PurchaseOrder,
    facts: Facts,
    rows: Sequence[dict[str, Any]],
    fresh: Sequence[dict[str, Any]],
) -> None:
    origin = postings.Origin(
        currency=order.currency, occurred_at=now(), order_id=order.order_id, po_id=order.id
    )
    entries = [
        postings.released(
            row["id"], row["number"], row["amount_minor"], origin, received=facts.received
        )
        for row in fresh
        if row["amount_minor"]
    ]
    if facts.received:
        entries += [
            postings.goods_received(row["id"], row["number"], row["amount_minor"], origin)
            for row in rows
            if row["is_advance"] and row["amount_minor"]
        ]
    await ledger.post(entries)


async def of_purchase_order(po_id: UUID) -> list[dict[str, Any]]:
    """Read the tranches of a purchase order with the newest payout of each."""
    return await db.rows(sql.TRANCHES, po_id)
