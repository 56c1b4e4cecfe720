"""What customers paid: words of gateway, shop and desk, kept once, folded per payment line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import clock, db
from doorstep.core.ids import uuid7
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.rules.payments import Told
from doorstep.modules.finance.service import ledger


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """Something said about a payment line. `provider` is `checkout`, `cash`, `bank` or `shop`."""

    provider: str
    action_id: str
    payment_id: str
    type: str
    amount_minor: int
    currency: str
    happened_at: datetime


class PaymentLine(msgspec.Struct, frozen=True, kw_only=True):
    """The payment line a word is about; the caller holds its order's lock."""

    id: UUID
    order_id: UUID
    amount_minor: int


async def record(line: PaymentLine, word: Word) -> Told | None:
    """Keep a word about a payment line and post the money in it that was not counted before.

    Returns the line's new fold, or None when this action of the provider is known already.
    """
    before = await _told(line)
    event_id = uuid7()
    recorded = await db.value(
        sql.RECORD_PAYMENT,
        event_id,
        word.provider,
        word.action_id,
        word.payment_id,
        word.type,
        line.order_id,
        line.id,
        word.amount_minor,
        word.currency,
        word.happened_at,
        clock.offset(),
    )
    if recorded is None:
        return None
    after = await _told(line)
    await ledger.post(_entries(event_id, line, word, before, after))
    return after


def _entries(
    event_id: UUID, line: PaymentLine, word: Word, before: Told, after: Told
) -> list[postings.Entry]:
    origin = postings.Origin(
        currency=word.currency, occurred_at=word.happened_at, order_id=line.order_id
    )
    # Cash was owed to the customer as goods from the moment the courier took it.
    fresh = after.counted_minor - before.counted_minor
    if fresh > 0 and word.provider != "cash":
        return [postings.captured(event_id, fresh, origin)]
    if word.type == "refunded" and word.amount_minor:
        return [postings.refunded(event_id, word.provider, word.amount_minor, origin)]
    return []


async def record_shop(
    order_id: UUID, currency: str, placed_at: datetime, lines: Sequence[dict[str, Any]]
) -> None:
    """Take over what the shop's own record shows as captured, once per line.

    `lines` are the order's captured payment lines (id, reference, amount_minor). A line of which
    the gateway or the desk has told is left alone: its state is the fold of those words already.
    """
    recorded = await db.rows(
        sql.RECORD_SHOP,
        order_id,
        currency,
        placed_at,
        clock.offset(),
        [line["id"] for line in lines],
        [line["reference"] for line in lines],
        [line["amount_minor"] for line in lines],
    )
    origin = postings.Origin(currency=currency, occurred_at=placed_at, order_id=order_id)
    await ledger.post(
        [
            postings.captured(row["id"], row["amount_minor"], origin)
            for row in recorded
            if row["amount_minor"]
        ]
    )


async def moments(order_id: UUID, since: datetime) -> list[datetime]:
    """List this moment and the later ones at which an order's money moved, by the providers' clocks."""
    return [since, *(row["happened_at"] for row in await db.rows(sql.MONEY_MOVED, order_id, since))]


async def told(
    order_id: UUID, amounts: Mapping[UUID, int], until: datetime | None = None
) -> dict[UUID, Told]:
    """Fold everything that was said about an order's payment lines, given their amounts.

    `until` leaves out what has happened later.
    """
    said = {row.pop("line_id"): row for row in await db.rows(sql.TOLD, order_id, until)}
    return {
        line_id: Told(amount_minor=amount, **said.get(line_id, {}))
        for line_id, amount in amounts.items()
    }


async def _told(line: PaymentLine) -> Told:
    return (await told(line.order_id, {line.id: line.amount_minor}))[line.id]
