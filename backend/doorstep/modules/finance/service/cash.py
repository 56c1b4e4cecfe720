"""Cash from the door: taken by couriers, then counted once at the desk (IM9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from doorstep.core import db
from doorstep.core.clock import now
from doorstep.modules.finance import sql
from doorstep.modules.finance.rules import postings
from doorstep.modules.finance.service import ledger


class Tender(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that a courier took at one stop."""

    pod_id: UUID
    n: int
    order_id: UUID
    amount_minor: int
    currency: str


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk counted, and for which stops."""

    id: UUID
    run_id: UUID | None
    shift_id: UUID | None
    currency: str
    counted_minor: int
    note: str
    counted_by: UUID
    tenders: tuple[Tender, ...]

    @property
    def expected_minor(self) -> int:
        return sum(tender.amount_minor for tender in self.tenders)


async def post_taken(tenders: Sequence[Tender]) -> None:
    """Post the cash that a courier took: it is ours from the door on, and not yet counted."""
    moment = now()
    await ledger.post(
        [
            postings.tender_taken(
                tender.pod_id,
                tender.n,
                tender.amount_minor,
                postings.Origin(
                    currency=tender.currency, occurred_at=moment, order_id=tender.order_id
                ),
            )
            for tender in tenders
        ]
    )


async def find_count(count_id: UUID) -> dict[str, Any] | None:
    """Read a count that was recorded before under this id."""
    return await db.row(sql.CASH_COUNT, count_id)


async def record_count(count: Count) -> None:
    """Keep what was counted and post it; a difference is posted, never edited away (IM9)."""
    await post_taken(count.tenders)
    await db.execute(
        sql.RECORD_CASH_COUNT,
        count.id,
        count.run_id,
        count.shift_id,
        count.currency,
        count.expected_minor,
        count.counted_minor,
        count.note,
        count.counted_by,
        now(),
    )
    await db.execute(
        sql.RECORD_CASH_LINES,
        count.id,
        [tender.pod_id for tender in count.tenders],
        [tender.n for tender in count.tenders],
        [tender.order_id for tender in count.tenders],
        [tender.amount_minor for tender in count.tenders],
    )
    origin = postings.Origin(currency=count.currency, occurred_at=now())
    await ledger.post(
        [postings.cash_counted(count.id, count.expected_minor, count.counted_minor, origin)]
    )
